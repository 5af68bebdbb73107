"""Asks an API through the one door out, and again where that does no harm; secrets go to their hosts alone."""

import base64
import codecs
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from apps.core import addresses, http
from apps.flows import calls
from apps.flows.calling import hiding, plain
from apps.organizations import secrets

ANSWER = 256 * 1024
"""Bytes that are taken of an answer."""
TOTAL = 60.0
"""Seconds that all attempts have together."""
LONGEST_WAIT = 10.0
"""Seconds: a server that wants to be left alone for longer is not asked again."""
_CHARSET = re.compile(r"""charset=["']?([A-Za-z0-9_.:-]{1,40})""")
_IDEMPOTENT = frozenset(["GET", "PUT", "DELETE"])
_NOT_TAKEN = frozenset([429, 503])  # the server says itself that it did nothing


class Refused(Exception):
    """The request is not sent; why, in words for the flow's author."""


@dataclass(frozen=True)
class _Prepared:
    """What is sent: `hosts` are those that it may go to (None: any), `hidden` the texts that are not to be told."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    hosts: frozenset[str] | None
    hidden: tuple[str, ...]


@dataclass(frozen=True)
class _Attempt:
    """What came of one attempt, and the seconds to wait before another one (None: there must be none)."""

    result: calls.Result
    wait: float | None


def perform(call: calls.Request, *, organization_id: uuid.UUID) -> calls.Result:
    """Send the request and read its answer: JSON where it is JSON, else text; 2xx and 3xx are a success.

    Nothing is sent if a secret is unknown or was saved for another host. What failed for a while is tried `retries`
    times again; POST and PATCH only where the server surely did nothing.
    """
    end = time.monotonic() + TOTAL
    try:
        prepared = _prepare(call, organization_id)
    except Refused as refused:
        return calls.Result(ok=False, error=str(refused))
    except addresses.EgressError as refused:
        return calls.Result(ok=False, error=refused.message)
    attempt = _attempt(call, prepared, end)
    for _ in range(call.retries):
        if attempt.wait is None or time.monotonic() + attempt.wait >= end:
            break
        time.sleep(attempt.wait)
        attempt = _attempt(call, prepared, end)
    return attempt.result


def _prepare(call: calls.Request, organization_id: uuid.UUID) -> _Prepared:
    values, hosts = _secrets(call, organization_id)

    def fill(text: str, encode: Callable[[str], str] = str) -> str:
        for mark, value in values.items():
            text = text.replace(mark, encode(value))
        return text

    url = fill(call.url, _quoted)
    if call.query:
        pairs = urlencode([(name, fill(value)) for name, value in call.query], errors="replace")
        url = f"{url.partition('#')[0]}{'&' if '?' in url else '?'}{pairs}"
    kind = next((value.lower() for name, value in call.headers if name.lower() == "content-type"), "")
    encode = _in_json if "json" in kind else quote_plus if "x-www-form-urlencoded" in kind else str
    credential = fill(call.credential)
    return _Prepared(
        url,
        _headers(call, [(name, fill(value)) for name, value in call.headers], credential),
        None if call.body is None else fill(call.body, encode).encode(errors="replace"),
        hosts if call.secrets else None,
        hiding.forms([*values.values(), *([credential.partition(":")[2]] if call.auth == "basic" else [])]),
    )


def _secrets(call: calls.Request, organization_id: uuid.UUID) -> tuple[dict[str, str], frozenset[str]]:
    """The values of the secrets by their marks, and the hosts that they were saved for."""
    origin, _ = addresses.parse(call.url)
    if any(mark in origin.host for mark in call.secrets):
        raise Refused("A secret cannot be part of the host that is asked.")
    if call.auth != "none" and call.credential not in call.secrets:
        raise Refused("What is sent to prove who asks is a secret, and none is named.")
    values, hosts = dict[str, str](), set[str]()
    for mark, name in call.secrets.items():
        secret = secrets.find(organization_id=organization_id, reference=name)
        if secret is None:
            raise Refused(f"There is no secret “{name}”.")
        if not origin.is_among([secret.host]):
            raise Refused(f"The secret “{name}” was saved for another host than the one that is asked.")
        if origin.scheme != "https" and not addresses.is_exempt(origin):  # the operator knows better
            raise Refused("A secret is sent by https only.")
        values[mark] = secret.value
        hosts.add(secret.host)
    return values, frozenset(hosts)


def _headers(call: calls.Request, given: list[tuple[str, str]], credential: str) -> tuple[tuple[str, str], ...]:
    """The author's headers, but for those that the call says better: who asks, and which request it is."""
    ours = {
        "none": {},
        "bearer": {"Authorization": f"Bearer {credential}"},
        "api_key": {"X-API-Key": credential},
        "basic": {"Authorization": f"Basic {base64.b64encode(credential.encode()).decode()}"},
    }[call.auth]
    if call.idempotency_key:
        ours["Idempotency-Key"] = call.idempotency_key
    taken = {name.lower() for name in ours}
    return (*((name, value) for name, value in given if name.lower() not in taken), *ours.items())


def _attempt(call: calls.Request, prepared: _Prepared, end: float) -> _Attempt:
    repeatable = call.method in _IDEMPOTENT
    try:
        answer = http.request(
            method=call.method,
            url=prepared.url,
            headers=prepared.headers,
            body=prepared.body,
            timeout=max(0.0, min(call.timeout, end - time.monotonic())),
            max_bytes=ANSWER,
            allowed_hosts=prepared.hosts,
        )
    except addresses.EgressError as error:
        may_repeat = error.retryable and (repeatable or error.is_unsent)
        return _Attempt(calls.Result(ok=False, error=error.message), call.retry_delay if may_repeat else None)
    result = _result(answer, prepared.hidden)
    # an answer from elsewhere says nothing of whether the first server did what it was asked
    was_asked = repeatable or answer.url == _sent_to(prepared.url)
    may_repeat = (answer.status in _NOT_TAKEN and was_asked) or (answer.status >= 500 and repeatable)
    return _Attempt(result, _wait(answer, call.retry_delay) if may_repeat else None)


def _sent_to(url: str) -> str:
    origin, target = addresses.parse(url)
    return f"{origin.scheme}://{origin}{target}"


def _wait(answer: http.Answer, delay: float) -> float | None:
    """The seconds until the next attempt, as the server wants it where it says so in seconds."""
    wanted = answer.headers.get("retry-after", "").strip()
    if not wanted.isascii() or not wanted.isdecimal() or len(wanted) > 9:
        return delay
    return max(delay, float(wanted)) if float(wanted) <= LONGEST_WAIT else None


def _result(answer: http.Answer, hidden: tuple[str, ...]) -> calls.Result:
    ok = 200 <= answer.status < 400
    error = "" if ok else f"The server answered with the status {answer.status}."
    try:
        value = hiding.hide(plain.value(_read(answer)), hidden)
    except plain.NotPlain as refused:
        return calls.Result(ok=False, status=answer.status, error=error or str(refused))
    return calls.Result(ok=ok, value=value, status=answer.status, error=error)


def _read(answer: http.Answer) -> Any:
    """The answer's JSON, also where the server does not call it that; else its text; None if it is empty."""
    text = answer.body.decode(_charset(answer), "replace").removeprefix("\ufeff")
    looks_like_json = text.lstrip()[:1] in ("{", "[")
    if looks_like_json or "json" in answer.headers.get("content-type", "").lower():
        try:
            return json.loads(text)
        except RecursionError:
            raise plain.NotPlain(plain.TOO_DEEP) from None
        except ValueError:  # it is text, then
            pass
    return text or None


def _charset(answer: http.Answer) -> str:
    named = _CHARSET.search(answer.headers.get("content-type", ""))
    try:
        return codecs.lookup(named[1] if named else "utf-8").name
    except LookupError:
        return "utf-8"


def _quoted(value: str) -> str:
    return quote(value, safe="")


def _in_json(value: str) -> str:
    return json.dumps(value)[1:-1]
