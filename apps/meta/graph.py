"""A client of Meta's Graph API that always says whether a failed request may have been taken."""

import functools
import os
import ssl
import threading
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import orjson
import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError


class GraphError(Exception):
    """Graph refused a request, or did not answer it.

    `code` and `subcode` are Meta's, None where its answer has none; `title` and `details` are its words.
    `sent`: True, Graph had the request and answered; False, it never had it; None, nobody knows.
    """

    def __init__(
        self,
        *,
        title: str,
        details: str = "",
        code: int | None = None,
        subcode: int | None = None,
        http_status: int | None = None,
        sent: bool | None = True,
    ) -> None:
        super().__init__(f"{title} {details}".strip())
        self.title = title
        self.details = details
        self.code = code
        self.subcode = subcode
        self.http_status = http_status
        self.sent = sent

    @property
    def retryable(self) -> bool:
        """Whether the same request may be made again without doing anything twice."""
        return self.sent is False


def post(path: str, *, token: str, body: dict[str, Any], base: str = "") -> dict[str, Any]:
    """POST a JSON body to `/{version}/{path}` of a Graph host (default META_GRAPH_URL); GraphError says what failed."""
    return _request("POST", path, token=token, base=base, data=orjson.dumps(body))


def get(path: str, *, token: str, params: dict[str, str] | None = None, base: str = "") -> dict[str, Any]:
    """GET `/{version}/{path}` of a Graph host (default META_GRAPH_URL); GraphError says what failed."""
    return _request("GET", path, token=token, base=base, params=params)


_thread = threading.local()
_NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])  # set for one tenant, a cookie would go with another's token


@functools.cache
def _connections() -> HTTPAdapter:
    """The process's connections: they outlive the threads that used them, and nothing is ever sent again by itself."""
    return HTTPAdapter(pool_connections=2, pool_maxsize=settings.DELIVERY_CONCURRENCY, max_retries=0)


def _session() -> requests.Session:
    """This thread's session, on the connections of the process."""
    session: requests.Session | None = getattr(_thread, "session", None)
    if session is None:
        session = requests.Session()
        session.trust_env = False  # a password in ~/.netrc would take the place of the token
        session.headers["User-Agent"] = "Recado"
        session.cookies.set_policy(_NO_COOKIES)
        session.mount("https://", _connections())
        session.mount("http://", _connections())
        _thread.session = session
    return session


def _forget_connections() -> None:
    """A child process must not speak on its parent's connections."""
    _connections.cache_clear()
    _thread.__dict__.clear()


os.register_at_fork(after_in_child=_forget_connections)


def _request(method: str, path: str, *, token: str, base: str, **what: Any) -> dict[str, Any]:
    base = base or settings.META_GRAPH_URL
    if base not in (settings.META_GRAPH_URL, settings.META_INSTAGRAM_GRAPH_URL):
        raise ValueError(f"{base} is not a Graph host: tokens do not go there.")
    try:
        response = _session().request(
            method,
            f"{base}/{settings.META_GRAPH_VERSION}/{path}",
            headers={"Authorization": f"Bearer {token}".encode(), "Content-Type": "application/json"},
            timeout=(settings.META_CONNECT_TIMEOUT, settings.META_READ_TIMEOUT),
            allow_redirects=False,
            **what,
        )
    except requests.RequestException as error:
        raise _no_answer(error) from error
    return _read(response)


def _read(response: requests.Response) -> dict[str, Any]:
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        answer = None
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        raise _refusal(error, response.status_code)
    is_success = 200 <= response.status_code < 300
    if is_success and isinstance(answer, dict):
        return answer
    # A 2xx that cannot be read may well have been taken, and so may a request whose answer a gateway lost.
    lost = is_success or response.status_code in (502, 504)
    raise GraphError(
        title=f"Graph answered {response.status_code} without a readable body.",
        http_status=response.status_code,
        sent=None if lost else True,
    )


def _refusal(error: dict[str, Any], http_status: int) -> GraphError:
    """Meta's error object; `error_data` has been seen as an object and as a string."""
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else data
    return GraphError(
        title=str(error.get("message") or error.get("error_user_title") or "Graph refused the request."),
        details=str(details or error.get("error_user_msg") or ""),
        code=_integer(error.get("code")),
        subcode=_integer(error.get("error_subcode")),
        http_status=http_status,
    )


def _integer(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _no_answer(error: requests.RequestException) -> GraphError:
    """What became of a request without an answer.

    Surely not sent: no connection was made, or the request could not be made at all. Everything after that (a time-out,
    a reset, a keep-alive connection that the server was just closing, half an answer) is not known: the failure shows
    only when the answer is read, and then the request may have been read too.
    """
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    details = type(reason).__name__
    if isinstance(error, requests.ConnectTimeout):
        return GraphError(title="Graph could not be reached in time.", details=details, sent=False)
    if isinstance(error, requests.exceptions.ProxyError) or isinstance(reason, NewConnectionError):
        return GraphError(title="Graph could not be reached.", details=details, sent=False)
    if isinstance(error, requests.exceptions.SSLError) and _is_bad_certificate(reason):
        return GraphError(title="Graph's certificate was not accepted.", details=details, sent=False)
    if isinstance(error, ValueError):
        return GraphError(title="The request could not be made.", details=type(error).__name__, sent=False)
    if isinstance(error, requests.ReadTimeout):
        return GraphError(title="Graph did not answer in time.", details=details, sent=None)
    return GraphError(title="The connection to Graph broke.", details=details, sent=None)


def _is_bad_certificate(reason: object) -> bool:
    return isinstance(reason, Exception) and any(isinstance(part, ssl.SSLCertVerificationError) for part in reason.args)
