"""Whatever dies at whatever moment: what was acknowledged is stored once and answered once."""

import random
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import redis
import requests

from apps.meta import signatures
from config.launch.processes import Process
from tests.reliability.conftest import SECRET, MakeCrowd
from tests.reliability.crowd import NO_ANSWER, Answer, Customer
from tests.reliability.ledger import Ledger
from tests.support import processes
from tests.support.meta import SandboxServer
from tests.support.processes import Recado

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

QUICKLY = 0.25  # seconds; nobody waits for a broker


def during(answers: list[Answer], began: float, ended: float) -> list[Answer]:
    """The answers to what was sent in a stretch of time."""
    return [answer for answer in answers if began <= answer.at < ended]


def percentile(answers: list[Answer], share: float) -> float:
    """The seconds within which this share of the answers came."""
    seconds = sorted(answer.seconds for answer in answers)
    return seconds[int(share * (len(seconds) - 1))]


def learn_what_became_of_sends(recado: Recado, ledger: Ledger, make_crowd: MakeCrowd) -> None:
    """Let the evidence for messages whose send was cut off count now: all statuses are in, those of others go on."""
    if not ledger.unknown():
        return
    processes.restart(recado.worker, UNKNOWN_EVIDENCE_SECONDS="1")
    while ledger.unknown():
        make_crowd(people=1, messages=1, seconds=0).write()
        ledger.settle()
    processes.restart(recado.worker, UNKNOWN_EVIDENCE_SECONDS="120")


def test_web_worker_and_beat_killed_at_random_moments(
    recado: Recado, stand_in: SandboxServer, make_crowd: MakeCrowd, ledger: Ledger, chance: random.Random
) -> None:
    # slow, so that many a kill falls inside a send; and some sends never reach Meta, nobody knows why
    stand_in.faults(slow={"seconds": 0.3}, reset={"count": 3})
    orphans: list[psutil.Process] = []

    def kill_parent(process: Process) -> None:
        orphans.extend(processes.kill_parent(process))

    kills: list[tuple[Process, Callable[[Process], None]]] = [
        (recado.web, processes.kill),
        (recado.web, processes.kill),
        (recado.worker, processes.kill),
        (recado.worker, processes.kill),
        (recado.worker, kill_parent),
        (recado.beat, processes.kill),
    ]
    chance.shuffle(kills)
    crowd = make_crowd(people=40, messages=5, seconds=6)
    with crowd.writing():
        for process, strike in kills:
            time.sleep(chance.uniform(0.1, 1.5))
            strike(process)
            process.start()
    ledger.settle()
    learn_what_became_of_sends(recado, ledger, make_crowd)
    ledger.check(crowd)
    _, left = psutil.wait_procs(orphans, timeout=10)
    assert not left, "children of a killed worker live on"


@pytest.mark.parametrize("fate", ["killed", "frozen"])
def test_broker_away_slows_no_webhook_and_its_work_is_done_when_it_returns(
    recado: Recado, make_crowd: MakeCrowd, ledger: Ledger, fate: str
) -> None:
    valkey = recado.valkey
    crowd = make_crowd(people=40, messages=5, seconds=4)
    with crowd.writing():
        time.sleep(1)
        began = time.monotonic()
        if fate == "killed":
            processes.kill(valkey.process)
            time.sleep(2)
            ended = time.monotonic()
            valkey.start()
        else:
            with processes.frozen(valkey.process):
                time.sleep(2)
                ended = time.monotonic()
    meanwhile = during(crowd.answers, began, ended)
    assert len(meanwhile) > 20
    assert {answer.status for answer in meanwhile} == {200}
    assert percentile(meanwhile, 0.95) < QUICKLY
    ledger.settle()
    ledger.check(crowd)


def test_database_stopped_and_started_is_answered_503_in_the_meantime_and_needs_no_restart(
    recado: Recado, make_crowd: MakeCrowd, ledger: Ledger
) -> None:
    postgres = recado.postgres
    web, worker = processes.family(recado.web), processes.family(recado.worker)
    crowd = make_crowd(people=40, messages=5, seconds=4)
    with crowd.writing():
        time.sleep(1)
        began = time.monotonic()
        postgres.process.stop()
        time.sleep(2)
        ended = time.monotonic()
        postgres.start()
    meanwhile = during(crowd.answers, began, ended)
    assert {answer.status for answer in crowd.answers} == {200, 503}
    assert 503 in {answer.status for answer in meanwhile}
    assert max(answer.seconds for answer in crowd.answers) < 5
    ledger.settle()
    ledger.check(crowd)
    sign_in = {"email": "nobody@sol.example", "password": "nobody"}
    assert requests.post(f"{recado.url}/api/v1/auth/login", json=sign_in, timeout=10).status_code == 401
    assert (processes.family(recado.web), processes.family(recado.worker)) == (web, worker)


def test_database_killed_has_everything_that_was_acknowledged(
    recado: Recado, make_crowd: MakeCrowd, ledger: Ledger, chance: random.Random
) -> None:
    crowd = make_crowd(people=40, messages=5, seconds=3)
    with crowd.writing():
        for _ in range(2):
            time.sleep(chance.uniform(0.3, 1.5))
            processes.kill(recado.postgres.process)
            recado.postgres.start()
    ledger.settle()
    ledger.check(crowd)


def test_web_told_to_end_answers_what_it_has_begun_to_read(
    recado: Recado, make_crowd: MakeCrowd, ledger: Ledger
) -> None:
    crowd = make_crowd(people=40, messages=5, seconds=3)
    begun = make_crowd(people=20, messages=1, seconds=0)
    with crowd.writing():
        time.sleep(1)
        posts = [HalfPost(recado, customer) for customer in begun.customers]
        time.sleep(0.2)
        [web] = processes.family(recado.web)
        web.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        for post, customer in zip(posts, begun.customers, strict=True):
            begun.answers.append(Answer(customer.wamids[0], post.finish(), 0, 0))
        assert web.wait(10) is not None
        recado.web.start()
    assert [answer.status for answer in begun.answers] == [200] * 20
    assert {answer.status for answer in crowd.answers} == {200, NO_ANSWER}
    ledger.settle()
    ledger.check(crowd)
    ledger.check(begun)


def test_webhook_five_times_at_once_and_again_after_the_broker_forgot_is_one_message_and_one_reply(
    recado: Recado, make_crowd: MakeCrowd, ledger: Ledger
) -> None:
    crowd = make_crowd(people=5, messages=1, seconds=0)

    def five_times(customer: Customer) -> list[int]:
        body = customer.webhook(0)
        with ThreadPoolExecutor(5) as pool, requests.Session() as session:
            return list(pool.map(lambda _: crowd.post(session, customer.wamids[0], body), range(5)))

    for customer in crowd.customers:
        assert five_times(customer) == [200] * 5
    ledger.settle()
    redis.Redis.from_url(recado.environment["REDIS_URL"]).flushall()
    for customer in crowd.customers:
        assert five_times(customer) == [200] * 5
    ledger.settle()
    ledger.check(crowd)


class HalfPost:
    """A webhook whose head and half its body have arrived."""

    def __init__(self, recado: Recado, customer: Customer) -> None:
        body = customer.webhook(0)
        host, _, port = recado.url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=10)
        head = (
            f"POST /api/v1/whatsapp/webhook HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
            f"X-Hub-Signature-256: {signatures.sign(body, SECRET)}\r\n\r\n"
        )
        half = len(body) // 2
        self._socket.sendall(head.encode() + body[:half])
        self._rest = body[half:]

    def finish(self) -> int:
        """Send the rest; the HTTP status."""
        with self._socket:
            self._socket.sendall(self._rest)
            return int(self._socket.recv(1024).split()[1])
