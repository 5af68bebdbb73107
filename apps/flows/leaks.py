"""Secrets that stand in a canvas, where everybody reads them who may read flows, and every export carries them."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from apps.flows.graph import MAX_ID, MAX_PROBLEMS, Problem

CODE = "secret_in_canvas"
MAX_FIELD = 200  # characters of a field's path

_SECRETS = frozenset(
    [
        *("apikey", "xapikey", "apisecret", "apitoken", "secretkey", "secret", "clientsecret", "appsecret"),
        *("password", "passwd", "passphrase", "pwd", "dbpassword", "senha"),
        *("token", "accesstoken", "refreshtoken", "authtoken", "xauthtoken", "xaccesstoken", "bearertoken", "bottoken"),
        *("accesskey", "accesskeyid", "secretaccesskey", "privatekey", "signingsecret", "webhooksecret"),
        *("connectionstring", "databaseurl", "dsn", "credential", "credentials"),
    ]
)
_HEADERS = frozenset(["authorization", "proxyauthorization", "cookie", "setcookie"])
_MAPPINGS = frozenset(
    ["contactfields", "contactdata", "fields", "variablemapping", "responsemapping", "parameters", "variables"]
)
"""Where a name stands for a value: `{"token": "user_token"}` says that a variable is meant."""
_BODIES = frozenset(["body", "requestbody", "webhookbody"])

_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|\{%[^{}]*%\}")
_SCHEME = re.compile(r"(?:bearer|basic|token|bot|apikey|api-key|key|digest)\b", re.IGNORECASE)
_COOKIE = re.compile(r"=\s*[^\s;]{8}")
_PATH = re.compile(r"\$?\.?[A-Za-z_-]{1,40}(?:\.[A-Za-z_-]{1,40}|\[\d{1,3}\]){0,10}")
_EXAMPLE = re.compile(
    r"[*x•.…_-]+|<.*>|\[.*\]|%\w+%"
    r"|(?:your|my|sua|seu|minha|meu|tu|insira|digite|cole|insert|enter|put|change|example|exemplo)[\W_].*"
    r"|.*[\W_](?:here|aqui)|change_?me|placeholder",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"EAA(?<![A-Za-z0-9]EAA)[A-Za-z0-9]{30}"
    r"|sk-(?<![\w-]sk-)(?=[A-Za-z_-]{0,40}\d)[\w-]{20}"
    r"|gh[pousr]_(?<![A-Za-z0-9]gh[pousr]_)[A-Za-z0-9]{36}|github_pat_\w{22}|glpat-[\w-]{20}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10}"
    r"|A(?:KIA|SIA)(?<![A-Za-z0-9]A[KS]IA)[0-9A-Z]{16}"
    r"|AIza(?<![A-Za-z0-9]AIza)[\w-]{35}"
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16}"
    r"|eyJ(?<![\w-]eyJ)[\w-]{8,4000}\.eyJ[\w-]{8}"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"
    r"|://[^\s/@:{}]{0,200}:(?!/)(?P<password>[^\s/@{}]{1,200})@"
)

_Trail = tuple["_Trail | None", str]
"""The way to a field: the way to what is around it, and its name there."""


def find(canvas: Mapping[str, Any]) -> list[Problem]:
    """Every literal secret in the nodes of a canvas, by node and field."""
    nodes = canvas.get("nodes")
    found: list[Problem] = []
    for node in nodes if isinstance(nodes, list) else []:
        if isinstance(node, dict):
            identifier = str(node.get("id") or "")[:MAX_ID]
            found += [_problem(identifier, trail) for trail in _leaks(node.get("data"))]
        if len(found) >= MAX_PROBLEMS:
            return found[:MAX_PROBLEMS]
    return found


def _problem(node: str, trail: _Trail) -> Problem:
    steps: list[str] = []
    rest: _Trail | None = trail
    while rest:
        rest, step = rest
        steps.append(step[:50])
    field = ".".join(reversed(steps))[:MAX_FIELD]
    words = f"Node {node!r}, {field}: this is a secret, and a canvas is no place for one: save it at /api/v1/secrets "
    return Problem(node, field, CODE, words + "and write {{secrets.NAME}} here.")


def _leaks(data: Any) -> Iterator[_Trail]:
    """The way to each secret. No recursion: how deep a canvas goes is its author's choice."""
    waiting: list[tuple[Any, _Trail | None, str, str]] = [(data, None, "", "")]
    while waiting:
        value, trail, name, around = waiting.pop()
        if isinstance(value, dict):
            named = _fold(value.get("key") or value.get("name"))
            for key, inner in value.items():
                folded = _fold(key)
                meant = named if folded == "value" and (named in _HEADERS or around in _PAIRS) else folded
                waiting.append((inner, (trail, str(key)), meant, name or around))
        elif isinstance(value, list):
            waiting += [(inner, (trail, str(place)), name, name) for place, inner in enumerate(value)]
        elif trail and _is_secret(value, name, around):
            yield trail
        elif isinstance(value, str) and name in _BODIES and value.lstrip()[:1] in ("{", "["):
            waiting.append((_parse(value), trail, name, around))


_PAIRS = frozenset(["headers", "webhookheaders", "queryparams", "params", "query"])
"""Where a list of names and values stands for an object."""


def _is_secret(value: Any, name: str, around: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return False
    text = str(value).strip()
    token = _TOKEN.search(text)
    if token and not (token["password"] and _EXAMPLE.fullmatch(token["password"])):
        return True
    if name in _HEADERS:
        return _is_credential(text, name)
    if name not in _SECRETS or not text or _PLACEHOLDER.search(text) or _EXAMPLE.fullmatch(text[:MAX_FIELD]):
        return False
    if around in _MAPPINGS and _PATH.fullmatch(text):
        return False
    return len(text.split(maxsplit=2)) < 3 or name in ("connectionstring", "dsn")


def _is_credential(text: str, header: str) -> bool:
    """Whether something is left of the header's value without its placeholders and its scheme."""
    rest = _PLACEHOLDER.sub("", text)
    if header in ("cookie", "setcookie"):
        return _COOKIE.search(rest) is not None
    rest = _SCHEME.sub("", rest, count=1).strip(" :,;=\"'")
    return bool(rest) and not _EXAMPLE.fullmatch(rest[:MAX_FIELD])


def _fold(name: Any) -> str:
    """A field's name in the one way that all builders mean."""
    return "".join(filter(str.isalnum, name[:50])).lower() if isinstance(name, str) else ""


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
