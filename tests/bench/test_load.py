"""The benchmarks' own parts: what they send, how they count."""

import asyncio
import functools
import hashlib
import hmac
import json

import pytest

from bench import load, webhooks
from bench.end_to_end import Passage
from bench.report import Report, Row
from tests.support.wire import answer, raw_server


def test_padded_body_has_exactly_the_size_that_is_compared() -> None:
    body = webhooks.padded("5511999990001")
    assert len(body) == webhooks.BODY_SIZE
    assert json.loads(body)["entry"][0]["changes"][0]["value"]["messages"][0]["from"] == "5511999990001"


def test_no_two_messages_have_the_same_id() -> None:
    bodies = [json.loads(webhooks.text_message("5511999990001", "Oi")) for _ in range(3)]
    ids = {body["entry"][0]["changes"][0]["value"]["messages"][0]["id"] for body in bodies}
    assert len(ids) == 3


def test_request_is_signed_over_its_body() -> None:
    head, _, body = webhooks.request(b'{"a": 1}', secret="a secret").partition(b"\r\n\r\n")
    signature = hmac.new(b"a secret", b'{"a": 1}', hashlib.sha256).hexdigest()
    assert body == b'{"a": 1}'
    assert f"X-Hub-Signature-256: sha256={signature}".encode() in head.splitlines()
    assert b"Content-Length: 8" in head.splitlines()


def note(answered: "asyncio.Future[int]", status: int, _: float) -> None:
    answered.set_result(status)


@pytest.mark.parametrize(("status", "seen"), [("200 OK", 200), ("503 Service Unavailable", 503)])
async def test_connection_tells_the_status_of_each_answer(status: str, seen: int) -> None:
    with raw_server(lambda connection, _: connection.sendall(answer(b'{"status": "ok"}', status=status))) as server:
        [connection] = await load.connect(int(server.url.rpartition(":")[2]), 1)
        for _ in range(2):
            answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            connection.send(webhooks.request(b"{}", secret="s"), functools.partial(note, answered))
            assert await answered == seen
        connection.close()


async def test_connection_that_breaks_is_no_answer() -> None:
    with raw_server(lambda connection, _: connection.close()) as server:
        [connection] = await load.connect(int(server.url.rpartition(":")[2]), 1)
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        connection.send(webhooks.request(b"{}", secret="s"), lambda status, _: answered.set_result(status))
        assert await answered == 0
        assert not connection.is_open


def test_percentile_is_the_value_below_which_the_share_lies() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert (load.percentile(values, 0.5), load.percentile(values, 0.99)) == (51.0, 100.0)


def test_passage_counts_every_kind_of_fault() -> None:
    passage = Passage(
        written_at={("a", 1): 10.0, ("a", 2): 10.0, ("b", 1): 10.0},
        replied={("a", 1): [11.0, 14.0], ("a", 2): [12.0]},
        order={"a": [2, 1, 1]},
        refused=4,
        misrouted=1,
    )
    assert passage.faults() == {"refused": 4, "lost": 1, "doubled": 1, "misrouted": 1, "out of order": 1}
    assert passage.latencies == [1.0, 2.0]
    assert passage.per_second == 0.5


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        (Row("rate", 299.0, "/s", at_least=300), 1, "at least 300: MISSED"),
        (Row("rate", 300.0, "/s", at_least=300), 0, "at least 300: reached"),
        (Row("lost", 1, "", at_most=0), 1, "at most 0: MISSED"),
        (Row("lost", 0, "", at_most=0), 0, "at most 0: reached"),
    ],
)
def test_missed_target_is_shown_and_ends_with_code_1(
    row: Row, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report(has_targets=True)
    report.show("Figures", [row])
    assert report.exit_code == code
    assert words in capsys.readouterr().out
