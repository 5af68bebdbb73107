import os
import socket
import struct
import threading
from typing import Any

import orjson
import pytest
from pytest_django import Settings

from apps.meta import graph
from apps.meta.graph import GraphError
from tests.support.wire import Script, answer, raw_server

TOKEN = "EAAG-token"


@pytest.fixture(autouse=True)
def _quick(settings: Settings) -> None:
    settings.META_GRAPH_VERSION = "v25.0"
    settings.META_CONNECT_TIMEOUT = 1
    settings.META_READ_TIMEOUT = 0.2


def post(settings: Settings, script: Script, body: dict[str, Any] | None = None) -> tuple[Any, list[bytes]]:
    """What a POST to a server with this script comes to, and the requests that the server saw."""
    with raw_server(script) as server:
        settings.META_GRAPH_URL = server.url
        try:
            outcome: Any = graph.post("1060/messages", token=TOKEN, body=body or {"to": "+5511999990001"})
        except GraphError as error:
            outcome = error
        return outcome, server.requests


def says(status: str, body: bytes, headers: bytes = b"") -> Script:
    return lambda connection, _: connection.sendall(answer(body, status=status, headers=headers))


def hang_up(connection: socket.socket, _: bytes) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def stop_halfway(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"messages":')
    connection.shutdown(socket.SHUT_RDWR)


def hang(connection: socket.socket, _: bytes) -> None:
    connection.recv(1)  # until the client has given up


def test_post_sends_token_and_body_and_answers_the_json(settings: Settings) -> None:
    answered, [request] = post(settings, says("200 OK", b'{"messages":[{"id":"wamid.1"}]}'), {"text": "Olá"})

    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v25.0/1060/messages HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer EAAG-token\r\n" in head
    assert b"\r\nContent-Type: application/json\r\n" in head
    assert orjson.loads(body) == {"text": "Olá"}
    assert answered == {"messages": [{"id": "wamid.1"}]}


def test_get_asks_for_the_fields(settings: Settings) -> None:
    with raw_server(says("200 OK", b'{"id":"1060"}')) as server:
        settings.META_GRAPH_URL = server.url
        assert graph.get("1060", token=TOKEN, params={"fields": "id,throughput"}) == {"id": "1060"}

    assert server.requests[0].startswith(b"GET /v25.0/1060?fields=id%2Cthroughput HTTP/1.1\r\n")


def test_connection_outlives_the_thread_that_made_it(settings: Settings) -> None:
    with raw_server(says("200 OK", b"{}")) as server:
        settings.META_GRAPH_URL = server.url
        for _ in range(3):
            thread = threading.Thread(target=graph.post, args=["1060/messages"], kwargs={"token": TOKEN, "body": {}})
            thread.start()
            thread.join()

    assert (len(server.requests), server.connections) == (3, 1)


def test_refusal_carries_metas_words(settings: Settings) -> None:
    error, _ = post(
        settings,
        says(
            "400 Bad Request",
            b'{"error":{"message":"(#131056) Pair rate limit","code":131056,"error_subcode":2494055,'
            b'"error_data":{"messaging_product":"whatsapp","details":"Too many messages to one person"}}}',
        ),
    )

    assert (error.code, error.subcode, error.http_status) == (131056, 2494055, 400)
    assert (error.title, error.details) == ("(#131056) Pair rate limit", "Too many messages to one person")
    assert (error.sent, error.retryable) == (True, False)


@pytest.mark.parametrize(
    ("body", "code", "details"),
    [
        (b'{"error":{"message":"No","code":"190"}}', 190, ""),
        (b'{"error":{"message":"No","code":null,"error_data":"why"}}', None, "why"),
        (b'{"error":{"message":"No","code":[],"error_user_msg":"Ask again"}}', None, "Ask again"),
    ],
)
def test_odd_forms_of_an_error_are_read(settings: Settings, body: bytes, code: int | None, details: str) -> None:
    error, _ = post(settings, says("403 Forbidden", body))

    assert (error.title, error.code, error.details, error.sent) == ("No", code, details, True)


@pytest.mark.parametrize(
    ("script", "title"),
    [
        (hang, "Graph did not answer in time."),
        (hang_up, "The connection to Graph broke."),
        (reset, "The connection to Graph broke."),
        (stop_halfway, "The connection to Graph broke."),
        (says("200 OK", b"<html>"), "Graph answered 200 without a readable body."),
        (says("200 OK", b"[]"), "Graph answered 200 without a readable body."),
        (says("502 Bad Gateway", b""), "Graph answered 502 without a readable body."),
        (says("504 Gateway Timeout", b""), "Graph answered 504 without a readable body."),
    ],
)
def test_lost_answer_leaves_unknown_whether_it_was_taken(settings: Settings, script: Script, title: str) -> None:
    error, requests = post(settings, script)

    assert isinstance(error, GraphError)
    assert (error.title, error.sent, error.retryable) == (title, None, False)
    assert len(requests) == 1


@pytest.mark.parametrize("status", ["500 Oops", "503 Busy", "429 Too Many Requests", "404 Not Found"])
def test_refusal_without_a_code_keeps_its_status(settings: Settings, status: str) -> None:
    error, _ = post(settings, says(status, b"upstream"))

    assert (error.code, error.http_status, error.sent) == (None, int(status[:3]), True)


def test_unreachable_host_was_surely_not_sent_to(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.META_GRAPH_URL = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(GraphError) as refused:
        graph.post("1060/messages", token=TOKEN, body={})

    settings.META_GRAPH_URL = "http://graph.invalid"
    with pytest.raises(GraphError) as unknown_host:
        graph.post("1060/messages", token=TOKEN, body={})

    assert [(error.value.title, error.value.sent) for error in (refused, unknown_host)] == [
        ("Graph could not be reached.", False),
        ("Graph could not be reached.", False),
    ]


def test_server_that_does_not_accept_in_time_was_surely_not_sent_to(settings: Settings) -> None:
    settings.META_CONNECT_TIMEOUT = 0.1
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        settings.META_GRAPH_URL = f"http://127.0.0.1:{address[1]}"
        with pytest.raises(GraphError) as error:
            graph.post("1060/messages", token=TOKEN, body={})
        for one in waiting:
            one.close()

    assert (error.value.title, error.value.sent) == ("Graph could not be reached in time.", False)


def test_connection_that_the_server_has_closed_meanwhile_is_made_anew(settings: Settings) -> None:
    closed = threading.Event()

    def answer_and_close(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer(b"{}"))
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with raw_server(answer_and_close) as server:
        settings.META_GRAPH_URL = server.url
        for _ in range(3):
            assert graph.post("1060/messages", token=TOKEN, body={}) == {}
            assert closed.wait(5)
            closed.clear()

    assert (len(server.requests), server.connections) == (3, 3)


def test_redirect_is_not_followed(settings: Settings) -> None:
    with raw_server(says("200 OK", b"{}")) as thief:
        error, requests = post(
            settings, says("302 Found", b'{"ok":true}', b"Location: " + thief.url.encode() + b"/\r\n")
        )

    assert (error.http_status, error.sent) == (302, True)
    assert (len(requests), thief.requests) == (1, [])


def test_token_goes_to_no_other_host() -> None:
    with pytest.raises(ValueError, match=r"https://evil\.example is not a Graph host"):
        graph.post("1060/messages", token=TOKEN, body={}, base="https://evil.example")


def test_other_graph_host_is_spoken_to(settings: Settings) -> None:
    with raw_server(says("200 OK", b'{"id":"17841"}')) as server:
        settings.META_INSTAGRAM_GRAPH_URL = server.url
        assert graph.get("me", token=TOKEN, base=server.url) == {"id": "17841"}


def test_cookies_are_not_kept(settings: Settings) -> None:
    _, requests = post(settings, says("200 OK", b"{}", b"Set-Cookie: tenant=1\r\n"))
    with raw_server(says("200 OK", b"{}")) as server:
        settings.META_GRAPH_URL = server.url
        graph.post("1060/messages", token=TOKEN, body={})

    assert len(requests) == 1
    assert b"Cookie" not in server.requests[0]


def test_token_with_a_line_break_forges_no_header(settings: Settings) -> None:
    with raw_server(says("200 OK", b"{}")) as server:
        settings.META_GRAPH_URL = server.url
        with pytest.raises(GraphError) as error:
            graph.post("1060/messages", token="EAAG\r\nX-Evil: 1", body={})

    assert (error.value.title, error.value.sent) == ("The request could not be made.", False)
    assert server.requests == []


def test_token_that_is_not_ascii_is_metas_to_refuse(settings: Settings) -> None:
    with raw_server(says("200 OK", b"{}")) as server:
        settings.META_GRAPH_URL = server.url
        graph.post("1060/messages", token="EAAG••", body={})

    assert "\r\nAuthorization: Bearer EAAG••\r\n".encode() in server.requests[0]


def test_child_process_makes_connections_of_its_own(settings: Settings) -> None:
    parents = graph._session().get_adapter("https://")
    child = os.fork()
    if child == 0:
        os._exit(0 if graph._session().get_adapter("https://") is not parents else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert graph._session().get_adapter("https://") is parents
