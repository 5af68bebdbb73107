"""What nodes that send HTTP requests have in common: the request's configuration, the secrets, the answer."""

import contextlib
import json
import re
import secrets
from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, field_validator, model_validator

from apps.core.templating import Path, Template, TemplateError
from apps.flows import values
from apps.flows.calls import Request, Result
from apps.flows.nodes import base, calling, filling

MAX_URL = 8_000
MAX_BODY = 512 * 1024  # characters
MAX_PAIRS = 100
MAX_SECRET = 255  # characters of its name

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_OURS = frozenset(
    ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "keep-alive"]
)
_SCHEME = re.compile(r"https?://(?P<host>[^/?#]*)", re.IGNORECASE)
_SECRET = re.compile(r"\{[{%][^{}]*\bsecrets\b")
_AUTHORITY = re.compile(r"(?:[^/?#]*//)?[^/?#]*")
_UNSENDABLE = re.compile(r"[\s\x00-\x20\x7f]")
_STRING_OR_VALUE = re.compile(r'"(?:[^"\\]|\\.)*+"?|\{\{[^{}"]*\}\}')
_AUTHS = {"apikey": "api_key", "api-key": "api_key"}


class Marks(Mapping[str, str]):
    """`secrets` of a template: a mark that nobody can guess for each secret that it names."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}

    def __getitem__(self, name: object) -> str:
        if not isinstance(name, str) or not 0 < len(name) <= MAX_SECRET:
            raise KeyError(name)
        return self._marks.setdefault(name, secrets.token_hex(16))

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __str__(self) -> str:
        return ""

    @property
    def used(self) -> dict[str, str]:
        """The names of the secrets that were asked for, by their marks."""
        return {mark: name for name, mark in self._marks.items()}


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return _AUTHS.get(value.strip().lower(), value.strip().lower()) if isinstance(value, str) else value


def _pairs(raw: Any) -> Any:
    """Names and values from an object, or from a list of pairs; those without a name or a value are none."""
    if isinstance(raw, dict):
        raw = list(raw.items())
    elif isinstance(raw, list) and all(isinstance(pair, dict) for pair in raw):
        raw = [(pair.get("key") or pair.get("name"), pair.get("value")) for pair in raw]
    else:
        raise ValueError("this is no object, nor a list of objects with `key` and `value`")
    pairs = [
        (name.strip(), values.text(value))
        for name, value in raw
        for value in (value if isinstance(value, list) else [value])
        if isinstance(name, str) and name.strip() and value is not None
    ]
    if len(pairs) > MAX_PAIRS:
        raise ValueError(f"there are more than {MAX_PAIRS}")
    return pairs


def _check_url(url: Template) -> Template:
    source = url.source.strip()
    literal = _SCHEME.match(source)
    if literal is None and not source.startswith(("{{", "{%")):
        raise ValueError("an address begins with http:// or https://")
    if literal and _SECRET.search(literal["host"]):
        raise ValueError("a secret cannot stand in the host of an address")
    return url


Method = Annotated[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], BeforeValidator(_upper)]
Pairs = Annotated[list[tuple[str, Template]], BeforeValidator(_pairs)]


class Config(calling.Config):
    """A request, and what is kept of its answer."""

    url: Annotated[Template, AfterValidator(_check_url)] = Field(
        validation_alias=AliasChoices("url", "webhookUrl", "webhook_url")
    )
    method: Method = Field("GET", validation_alias=AliasChoices("method", "webhookMethod", "webhook_method"))
    headers: Pairs = Field([], validation_alias=AliasChoices("headers", "webhookHeaders", "webhook_headers"))
    query: Pairs = Field([], validation_alias=AliasChoices("queryParams", "query_params"))
    body: Any = Field(None, validation_alias=AliasChoices("body", "webhookBody", "webhook_body"))
    auth: Annotated[Literal["none", "bearer", "api_key", "basic"], BeforeValidator(_lower)] = Field(
        "none", validation_alias=AliasChoices("authType", "auth_type")
    )
    secret: str = Field("", max_length=MAX_SECRET, validation_alias=AliasChoices("secretId", "secret_id"))
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False), calling.seconds(1, 60, above=600)] = 30.0
    mapping: dict[str, str] = Field({}, validation_alias=AliasChoices("responseMapping", "response_mapping"))
    """Variables, and where in the answer their values are."""

    @field_validator("headers")
    @classmethod
    def check_headers(cls, headers: list[tuple[str, Template]]) -> list[tuple[str, Template]]:
        """Some headers are not the author's to write."""
        for name, _ in headers:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name[:50]!r} is not the name of a header")
            if name.lower() in _OURS:
                raise ValueError(f"{name} is set by itself")
        return headers

    @field_validator("body")
    @classmethod
    def read_body(cls, body: Any) -> Any:
        """An object, also where it is written as text; else a text."""
        if isinstance(body, str):
            parsed = _parse(body)
            return Template(body) if parsed is None else filling.read(parsed)
        if not isinstance(body, dict | list):
            raise ValueError("a body is an object or a text")
        return filling.read(body)

    @field_validator("mapping", mode="before")
    @classmethod
    def read_mapping(cls, raw: Any) -> Any:
        """An object of paths by variable, or a list of both."""
        if isinstance(raw, list) and all(isinstance(entry, dict) for entry in raw):
            return {str(entry.get("variable") or entry.get("name")): entry.get("path") for entry in raw}
        return raw

    @field_validator("mapping")
    @classmethod
    def check_mapping(cls, mapping: dict[str, str]) -> dict[str, str]:
        """Both must read as what they are."""
        for variable, path in mapping.items():
            Path(variable)
            _find(path, None)
        return mapping

    @model_validator(mode="after")
    def have_secret(self) -> Self:
        """What is sent to prove who we are is a secret."""
        if self.auth != "none" and not self.secret.strip():
            raise ValueError(f"authType {self.auth!r} needs a secret: save it at /api/v1/secrets, name it in secretId")
        return self


def request(config: Config, variables: Mapping[str, Any], *, otherwise: Mapping[str, Any] | None = None) -> Request:
    """The request, with the variables in it and marks in place of secrets; `otherwise` is its body if it has none."""
    marks = Marks()
    known = ChainMap[str, Any]({"secrets": marks}, dict(variables))
    url = _UNSENDABLE.sub(lambda found: quote(found[0]), config.url.render(known).strip())
    if len(url) > MAX_URL:
        raise TemplateError(f"With its variables the address is longer than {MAX_URL} characters.")
    headers = [(name, " ".join(value.render(known).split())) for name, value in config.headers]
    body, is_json = _body(config, known, otherwise)
    if is_json and "content-type" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Type", "application/json"))
    query = tuple((name, value.render(known)) for name, value in config.query)
    credential = marks[config.secret.strip()] if config.auth != "none" else ""
    host = _AUTHORITY.match(url)
    if host and any(mark in host[0] for mark in marks.used):
        raise TemplateError("A secret cannot stand in the host of an address.")
    return Request(
        config.method,
        url,
        tuple(headers),
        query,
        body,
        config.auth,
        credential,
        marks.used,
        config.timeout,
        config.handling.retries,
        config.handling.retry_delay,
    )


def _body(config: Config, known: Mapping[str, Any], otherwise: Mapping[str, Any] | None) -> tuple[str | None, bool]:
    """The body, and whether it is JSON."""
    body = otherwise if config.body is None else filling.fill(config.body, known)
    if body is None or (config.method == "GET" and not config.body):
        return None, False
    return (body, False) if isinstance(body, str) else (filling.dump(body, MAX_BODY), True)


def _parse(text: str) -> Any:
    """The object or the list that a text writes, `{{values}}` without quotes allowed; None if it writes none."""
    quoted = _STRING_OR_VALUE.sub(lambda found: found[0] if found[0][0] == '"' else json.dumps(found[0]), text)
    try:
        parsed = json.loads(quoted, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict | list) else None


def _no_number(word: str) -> Any:
    raise ValueError(word)


def keep(config: Config, result: Result) -> dict[str, Any]:
    """The variables that a successful answer sets."""
    kept = {config.variable: result.value, f"{config.variable}_status": result.status} if config.variable else {}
    return {**kept, **{variable: _find(path, result.value) for variable, path in config.mapping.items()}}


def writes(config: Config, name: str) -> frozenset[str]:
    """The variables that it may set; `name` stands for a variable that is not named."""
    status = [f"{config.variable}_status"] if config.variable else []
    return frozenset([*calling.writes(config, name), *status, *config.mapping])


def refers(config: Config) -> tuple[base.Reference, ...]:
    """The secrets that it names, as far as they can be told without its variables."""
    named = [config.secret.strip()] if config.auth != "none" else []
    with contextlib.suppress(TemplateError):  # without variables some texts cannot be rendered
        named += request(config, {}).secrets.values()
    return tuple(base.Reference("secret", name, "secrets") for name in dict.fromkeys(named))


def _find(path: str, answer: Any) -> Any:
    """What is there in the answer: `$.data[0].id`, `data.0.id`, `[0]`; all of it for `$`; None if nothing is."""
    rest = path.strip().removeprefix("{{").removesuffix("}}").strip().removeprefix("$").removeprefix(".")
    place = Path("answer" + (f".{rest}" if rest and not rest.startswith("[") else rest))
    try:
        return place.find({"answer": answer})
    except LookupError:
        return None
