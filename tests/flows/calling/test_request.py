"""Requests to APIs, which listen: what they are sent, and what is made of their answers."""

import base64
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from apps.flows.calling import request
from apps.flows.calls import Request, Result
from apps.organizations.models import Organization, Secret
from tests.support.wire import RawServer, answer, raw_server

MARK, OTHER_MARK = "5f" * 16, "a7" * 16
TOKEN = 'tk-"7/ç+9'


@pytest.fixture
def api(httpserver: HTTPServer, settings: Settings) -> HTTPServer:
    settings.EGRESS_ALLOW = [f"{httpserver.host}:{httpserver.port}"]
    return httpserver


@pytest.fixture
def ask(organization: Organization) -> Callable[[Request], Result]:
    return lambda call: request.perform(call, organization_id=organization.id)


@pytest.fixture
def token(organization: Organization, api: HTTPServer) -> str:
    """A secret of the organization's for the API, by its name."""
    return save_secret(organization, "crm", host_of(api), TOKEN)


def save_secret(organization: Organization, name: str, host: str, value: str) -> str:
    Secret.objects.create(organization=organization, name=name, host=host, value=value)
    return name


def host_of(api: HTTPServer) -> str:
    return f"{api.host}:{api.port}"


def received(api: HTTPServer) -> list[Received]:
    return [received for received, _ in api.log]


def call(api: HTTPServer, path: str = "/orders", **parts: Any) -> Request:
    return Request(**{"method": "GET", "url": api.url_for(path), "retry_delay": 0.01, **parts})


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_request_is_sent_as_it_is_written(api: HTTPServer, ask: Callable[[Request], Result], method: str) -> None:
    api.expect_request("/orders").respond_with_json({"order": {"id": 7}}, status=201)

    result = ask(
        call(
            api,
            "/orders?page=1",
            method=method,
            headers=(("X-Store", "Padaria Sol"), ("Content-Type", "application/json")),
            query=(("name", "pão & café"), ("name", "b=c")),
            body='{"quantity": 2}',
            idempotency_key="key-1",
        )
    )

    [sent] = received(api)
    assert result == Result(ok=True, value={"order": {"id": 7}}, status=201)
    assert (sent.method, sent.args.getlist("name"), sent.args["page"]) == (method, ["pão & café", "b=c"], "1")
    assert (sent.headers["X-Store"], sent.headers["Idempotency-Key"]) == ("Padaria Sol", "key-1")
    assert sent.get_json() == {"quantity": 2}


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        (b'{"a": [1, 2.5, null]}', "application/json", {"a": [1, 2.5, None]}),
        (b'"text"', "application/problem+json; charset=utf-8", "text"),
        (b'\xef\xbb\xbf [{"a": 1}]', "text/plain", [{"a": 1}]),
        (b"{not json}", "application/json", "{not json}"),
        ("pão".encode(), "text/html; charset=utf-8", "pão"),
        ("pão".encode("latin-1"), "text/plain; charset=ISO-8859-1", "pão"),
        ("pão".encode(), "text/plain; charset=klingon", "pão"),
        (b"12", "text/plain", "12"),
        (b"", "application/json", None),
        (b"a\0b\xff", "application/octet-stream", "ab\ufffd"),
        (
            b'{"n": NaN, "big": 1e999, "id": 99999999999999999999}',
            "application/json",
            {"n": None, "big": None, "id": "99999999999999999999"},
        ),
        (b'{"text": "a\\u0000b\\ud800"}', "application/json", {"text": "ab?"}),
    ],
)
def test_answer_is_json_or_else_text(
    api: HTTPServer, ask: Callable[[Request], Result], body: bytes, kind: str, value: Any
) -> None:
    api.expect_request("/orders").respond_with_data(body, content_type=kind)

    assert ask(call(api)) == Result(ok=True, value=value, status=200)


@pytest.mark.parametrize(
    ("status", "ok"), [(200, True), (204, True), (304, True), (400, False), (404, False), (500, False)]
)
def test_status_says_whether_it_is_a_success(
    api: HTTPServer, ask: Callable[[Request], Result], status: int, ok: bool
) -> None:
    api.expect_request("/orders").respond_with_json({"code": 5}, status=status)

    result = ask(call(api))

    assert (result.ok, result.status) == (ok, status)
    assert result.error == ("" if ok else f"The server answered with the status {status}.")
    assert result.value == (None if status in (204, 304) else {"code": 5})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"x" * (256 * 1024 + 1), "The answer is larger than 262144 bytes."),
        (b"[" * 100_000, "The value has more than 64 levels within each other."),
        (b"[" * 70 + b"]" * 70, "The value has more than 64 levels within each other."),
    ],
    ids=["large", "endless", "deep"],
)
def test_answer_that_cannot_be_kept_is_an_error(
    api: HTTPServer, ask: Callable[[Request], Result], body: bytes, words: str
) -> None:
    api.expect_request("/orders").respond_with_data(body)

    result = ask(call(api))

    assert (result.ok, result.value, result.error) == (False, None, words)


# Secrets ------------------------------------------------------------------------------------------------------------


def test_secret_stands_where_its_mark_was(api: HTTPServer, ask: Callable[[Request], Result], token: str) -> None:
    api.expect_request(f"/orders/{TOKEN}").respond_with_json({})

    sent_call = call(
        api,
        f"/orders/{MARK}?k={MARK}",
        method="POST",
        headers=(("X-Token", f"t {MARK}"), ("Content-Type", "application/json")),
        query=(("q", MARK),),
        body=f'{{"token": "{MARK}"}}',
        secrets={MARK: token},
    )

    assert ask(sent_call) == Result(ok=True, value={}, status=200)
    [sent] = received(api)
    assert (sent.args["k"], sent.args["q"], sent.get_json()) == (TOKEN, TOKEN, {"token": TOKEN})
    assert sent.headers["X-Token"].encode("latin-1").decode() == f"t {TOKEN}"


def test_secret_is_encoded_in_a_form(api: HTTPServer, ask: Callable[[Request], Result], token: str) -> None:
    api.expect_request("/orders").respond_with_json({})
    kind = (("content-type", "application/x-www-form-urlencoded"),)

    ask(call(api, method="POST", headers=kind, body=f"token={MARK}&x=1", secrets={MARK: token}))

    assert received(api)[0].form.to_dict() == {"token": TOKEN, "x": "1"}


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ("bearer", "Authorization", "Bearer ana:senha"),
        ("api_key", "X-API-Key", "ana:senha"),
        ("basic", "Authorization", "Basic " + base64.b64encode(b"ana:senha").decode()),
    ],
)
def test_credential_is_sent_as_the_api_wants_it_whatever_the_author_wrote(
    api: HTTPServer, ask: Callable[[Request], Result], organization: Organization, auth: Any, name: str, value: str
) -> None:
    save_secret(organization, "login", host_of(api), "ana:senha")
    api.expect_request("/orders").respond_with_json({})

    ask(call(api, auth=auth, credential=MARK, secrets={MARK: "login"}, headers=((name.lower(), "mine"),)))

    assert received(api)[0].headers.getlist(name) == [value]


@pytest.mark.parametrize("by", ["name", "id"])
def test_secret_is_found_by_its_name_or_id(
    api: HTTPServer, ask: Callable[[Request], Result], organization: Organization, token: str, by: str
) -> None:
    api.expect_request("/orders").respond_with_json({})
    assert ask(
        call(
            api, auth="bearer", credential=MARK, secrets={MARK: token if by == "name" else str(Secret.objects.get().id)}
        )
    ).ok
    assert received(api)[0].headers["Authorization"].encode("latin-1").decode() == f"Bearer {TOKEN}"


def test_secret_goes_to_its_host_alone(
    api: HTTPServer, ask: Callable[[Request], Result], organization: Organization, other_organization: Organization
) -> None:
    save_secret(organization, "elsewhere", "api.example.com", "geheim")
    save_secret(other_organization, "theirs", host_of(api), "geheim")

    def error(**parts: Any) -> str:
        result = ask(call(api, **{"query": (("q", MARK),), **parts}))
        assert (result.ok, result.value) == (False, None)
        return result.error

    bound = "The secret “elsewhere” was saved for another host than the one that is asked."
    assert error(secrets={MARK: "elsewhere"}) == bound
    assert error(secrets={MARK: "elsewhere"}, url=f"http://api.example.com@{host_of(api)}/") != ""
    assert error(secrets={MARK: "elsewhere"}, url="http://api.example.com/") == "A secret is sent by https only."
    assert error(secrets={MARK: "theirs"}) == "There is no secret “theirs”."
    assert error(secrets={MARK: str(uuid.uuid4())}).startswith("There is no secret ")
    assert (
        error(secrets={MARK: "x"}, url=f"http://{MARK}.example.com/")
        == "A secret cannot be part of the host that is asked."
    )
    assert (
        error(auth="bearer", credential="plain words")
        == "What is sent to prove who asks is a secret, and none is named."
    )
    assert error(auth="basic") == "What is sent to prove who asks is a secret, and none is named."
    assert api.log == []


def test_redirect_takes_no_secret_elsewhere(
    api: HTTPServer, ask: Callable[[Request], Result], token: str, settings: Settings
) -> None:
    with raw_server(lambda connection, _: connection.sendall(answer(b"{}"))) as elsewhere:
        settings.EGRESS_ALLOW = [*settings.EGRESS_ALLOW, elsewhere.url.removeprefix("http://")]
        api.expect_request("/orders").respond_with_data(
            "", status=302, headers={"Location": f"{elsewhere.url}/{TOKEN}"}
        )

        result = ask(call(api, auth="bearer", credential=MARK, secrets={MARK: token}))

    assert result == Result(ok=False, error="This request may not go to another host.")
    assert elsewhere.requests == []


@pytest.mark.parametrize("status", [200, 400])
def test_secret_that_the_api_repeats_is_not_told(
    api: HTTPServer, ask: Callable[[Request], Result], organization: Organization, status: int
) -> None:
    save_secret(organization, "login", host_of(api), "ana:s3nh4/ç")
    encoded = base64.b64encode("ana:s3nh4/ç".encode()).decode()
    told = {"a": [f"you are ana:s3nh4/ç, {encoded}"], "s3nh4/ç": "s3nh4%2F%C3%A7", "ana": 5, "no": [True, None, 1.5]}
    api.expect_request("/orders").respond_with_json(told, status=status)

    result = ask(call(api, auth="basic", credential=MARK, secrets={MARK: "login"}))

    assert result.value == {
        "a": ["you are [secret], [secret]"],
        "[secret]": "[secret]",
        "ana": 5,
        "no": [True, None, 1.5],
    }
    assert "s3nh4" not in repr(result)


def test_secret_that_is_a_number_or_is_told_in_a_text_is_not_told(
    api: HTTPServer, ask: Callable[[Request], Result], organization: Organization
) -> None:
    save_secret(organization, "pin", host_of(api), "81736455")
    api.expect_request("/json").respond_with_json({"pin": 81736455, "id": 81736456})
    api.expect_request("/text").respond_with_data("<p>81736455</p>")
    parts: dict[str, Any] = {"query": (("pin", MARK),), "secrets": {MARK: "pin"}}

    assert ask(call(api, "/json", **parts)).value == {"pin": "[secret]", "id": 81736456}
    assert ask(call(api, "/text", **parts)).value == "<p>[secret]</p>"


# Refused ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [(("X-A", "1\r\nX-B: 2"),), (("X-A\r\nX-B", "1"),), (("X A", "1"),), (("X-A", "1\n2"),)],
)
def test_header_that_would_be_two_is_not_sent(
    api: HTTPServer, ask: Callable[[Request], Result], headers: tuple[tuple[str, str], ...]
) -> None:
    assert ask(call(api, headers=headers)) == Result(
        ok=False, error="A header's name or value holds what no header may."
    )
    assert api.log == []


def test_secret_with_a_line_break_is_not_sent_in_a_header_and_not_told(
    api: HTTPServer, ask: Callable[[Request], Result], organization: Organization
) -> None:
    save_secret(organization, "broken", host_of(api), "geheim\r\nX-B: 2")

    result = ask(call(api, auth="bearer", credential=MARK, secrets={MARK: "broken"}))

    assert (result.ok, "geheim" in repr(result), api.log) == (False, False, [])


def test_headers_of_the_connection_are_not_the_authors(api: HTTPServer, ask: Callable[[Request], Result]) -> None:
    api.expect_request("/orders").respond_with_json({})
    names = ("Host", "Connection", "Transfer-Encoding", "Content-Length", "Upgrade", "Proxy-Authorization", "TE")

    assert ask(call(api, headers=tuple((name, "evil") for name in names))).ok
    assert "evil" not in str(received(api)[0].headers)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost/",
        "http://169.254.169.254/latest",
        "http://2130706433/",
        "http://[::1]/",
    ],
)
def test_inner_addresses_are_refused(ask: Callable[[Request], Result], settings: Settings, url: str) -> None:
    settings.EGRESS_ALLOW = []

    assert ask(Request("GET", url, retries=3)) == Result(ok=False, error="This address is not allowed.")


@pytest.mark.parametrize("url", ["", "ftp://example.com/", "//example.com", "http://", "http://user:pass@example.com/"])
def test_url_that_leads_nowhere_is_an_error(ask: Callable[[Request], Result], url: str) -> None:
    result = ask(Request("GET", url))

    assert not result.ok
    assert result.error.startswith("This is not the address of a web server")


# Again --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "status", "attempts"),
    [
        ("GET", 500, 3),
        ("PUT", 502, 3),
        ("DELETE", 503, 3),
        ("GET", 429, 3),
        ("POST", 429, 3),
        ("PATCH", 503, 3),
        ("POST", 500, 1),
        ("PATCH", 502, 1),
        ("GET", 404, 1),
        ("GET", 200, 1),
    ],
)
def test_what_may_be_tried_again_is(
    api: HTTPServer, ask: Callable[[Request], Result], method: str, status: int, attempts: int
) -> None:
    api.expect_request("/orders").respond_with_json({}, status=status)

    assert ask(call(api, method=method, retries=2, idempotency_key="k")).status == status
    assert [sent.headers["Idempotency-Key"] for sent in received(api)] == ["k"] * attempts


def test_second_attempt_may_succeed(api: HTTPServer, ask: Callable[[Request], Result]) -> None:
    api.expect_ordered_request("/orders").respond_with_json({}, status=500)
    api.expect_ordered_request("/orders").respond_with_json({"id": 7})

    assert ask(call(api, retries=5)) == Result(ok=True, value={"id": 7}, status=200)
    assert len(api.log) == 2


@pytest.mark.parametrize(("wanted", "attempts"), [("1", 2), ("11", 1), ("soon", 2), ("-1", 2), ("9" * 20, 2)])
def test_server_says_how_long_to_leave_it_alone(
    api: HTTPServer, ask: Callable[[Request], Result], wanted: str, attempts: int
) -> None:
    api.expect_request("/orders").respond_with_data("", status=429, headers={"Retry-After": wanted})
    began = time.monotonic()

    assert ask(call(api, retries=1)).status == 429
    assert len(api.log) == attempts
    assert (time.monotonic() - began >= 1) == (wanted == "1")


def test_all_attempts_end_within_their_time(
    ask: Callable[[Request], Result], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "TOTAL", 0.5)

    def dawdle(_: Received) -> Response:
        time.sleep(0.3)
        return Response("", status=500)

    with HTTPServer() as slow:  # of its own: it still answers when the test is over
        settings.EGRESS_ALLOW = [host_of(slow)]
        slow.expect_request("/orders").respond_with_handler(dawdle)
        began = time.monotonic()

        result = ask(call(slow, retries=9, retry_delay=0.1))

        assert result == Result(ok=False, error="The server did not answer in time.")
        assert time.monotonic() - began < 1


@pytest.fixture
def dropping(settings: Settings) -> Iterator[RawServer]:
    """A server that reads what it is asked, and hangs up."""
    with raw_server(lambda connection, _: connection.shutdown(socket.SHUT_RDWR)) as server:
        settings.EGRESS_ALLOW = [server.url.removeprefix("http://")]
        yield server


@pytest.mark.parametrize(("method", "attempts"), [("GET", 3), ("POST", 1), ("PATCH", 1), ("PUT", 3)])
def test_lost_answer_is_asked_for_again_where_that_is_safe(
    dropping: RawServer, ask: Callable[[Request], Result], method: Any, attempts: int
) -> None:
    result = ask(Request(method, dropping.url, body="x", retries=2, retry_delay=0.01))

    assert result == Result(ok=False, error="The connection to the server broke.")
    assert len(dropping.requests) == attempts


def test_whatever_was_surely_not_sent_is_sent_again(ask: Callable[[Request], Result], settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    settings.EGRESS_ALLOW = [f"127.0.0.1:{port}"]
    server = HTTPServer(port=port)
    server.expect_request("/orders").respond_with_json({"id": 7})
    late = threading.Timer(0.2, server.start)
    late.start()
    try:
        result = ask(Request("POST", f"http://127.0.0.1:{port}/orders", body="x", retries=1, retry_delay=0.6))
    finally:
        late.join()
        server.stop()

    assert result == Result(ok=True, value={"id": 7}, status=200)
    assert len(server.log) == 1


@pytest.mark.parametrize("answers", ["nobody", "unavailable"])
def test_post_that_was_taken_and_led_on_is_not_sent_again(
    api: HTTPServer, ask: Callable[[Request], Result], settings: Settings, answers: str
) -> None:
    settings.EGRESS_ALLOW = [*settings.EGRESS_ALLOW, "127.0.0.1:1"]
    where = "http://127.0.0.1:1/" if answers == "nobody" else api.url_for("/later")
    api.expect_request("/orders").respond_with_data("", status=303, headers={"Location": where})
    api.expect_request("/later").respond_with_data("", status=503)

    result = ask(call(api, method="POST", body="x", retries=2))

    assert not result.ok
    assert [sent.path for sent in received(api)].count("/orders") == 1


def test_an_exempt_port_of_one_host_lets_no_secret_out_unencrypted_to_another(
    ask: Callable[[Request], Result], organization: Organization, settings: Settings
) -> None:
    settings.EGRESS_ALLOW = ["10.0.0.5:80"]
    save_secret(organization, "public", "api.example.com", "geheim")
    asked = Request("GET", "http://api.example.com/", query=(("q", MARK),), secrets={MARK: "public"})
    assert ask(asked).error == "A secret is sent by https only."
