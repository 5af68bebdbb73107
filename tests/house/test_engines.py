"""PostgreSQL and Valkey of a checkout's own: `make engines`, and below it `make run` and `make test`."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from tests.house.conftest import ENGINE_PACKAGES, Checkout, MakeCheckout


def _query(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("postgres://", "postgresql://")) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_engines_run_from_a_checkout_and_packages_below_a_closed_home(make_checkout: MakeCheckout) -> None:
    urls = make_checkout("home", packages=ENGINE_PACKAGES).launch("engines").urls()

    assert _query(urls["DATABASE_URL"], "select current_user, current_database(), lower('ÁRVORE')") == [
        ("recado", "recado", "árvore")
    ]
    assert redis.Redis.from_url(urls["REDIS_URL"]).ping() is True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the engines under another account")
def test_as_root_the_engines_run_as_nobody(checkout: Checkout) -> None:
    checkout.launch("engines").urls()

    engines = [process for process in checkout.processes() if Path(process.exe()).name in ("postgres", "valkey-server")]

    assert {Path(process.exe()).name for process in engines} == {"postgres", "valkey-server"}
    assert {process.username() for process in engines} == {"nobody"}
    assert [folder.stat().st_mode & 0o777 for folder in checkout.outside()] == [0o700]


def test_a_second_start_finds_the_data_and_the_same_addresses(checkout: Checkout) -> None:
    first = checkout.launch("engines")
    _query(first.urls()["DATABASE_URL"], "create table kept as select 42 as answer")
    first.signal_group(signal.SIGTERM)

    second = checkout.launch("engines")

    assert second.urls() == first.urls()
    assert _query(second.urls()["DATABASE_URL"], "select answer from kept") == [(42,)]


def test_two_checkouts_do_not_meet(make_checkout: MakeCheckout) -> None:
    one, two = make_checkout("one").launch("engines"), make_checkout("two").launch("engines")
    _query(one.urls()["DATABASE_URL"], "create table mine as select 1")
    redis.Redis.from_url(one.urls()["REDIS_URL"]).set("mine", "1")

    assert _query(two.urls()["DATABASE_URL"], "select to_regclass('mine')") == [(None,)]
    assert redis.Redis.from_url(two.urls()["REDIS_URL"]).keys() == []


def test_a_second_launcher_in_the_same_checkout_is_refused(checkout: Checkout) -> None:
    first = checkout.launch("engines")
    first.urls()

    second = checkout.launch("engines")

    assert second.process.wait(10) == 1
    assert second.lines == ["recado: `make engines` already runs in this checkout."]
    assert _query(first.urls()["DATABASE_URL"], "select 1") == [(1,)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_group_ends_every_process(checkout: Checkout, number: signal.Signals) -> None:
    launcher = checkout.launch("engines")
    launcher.urls()

    seconds = launcher.signal_group(number)

    assert launcher.process.returncode == 0
    assert checkout.processes() == []
    assert seconds < 5


def test_everything_ends_once_nobody_reads_the_output(checkout: Checkout) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-m", "config.launch", "engines"],
        cwd=checkout.root,
        env=checkout.environment,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert launcher.stdout is not None
    launcher.stdout.close()

    assert launcher.wait(20) == 130
    assert checkout.processes() == []


def test_a_signal_during_the_start_leaves_nothing_behind(checkout: Checkout) -> None:
    launcher = checkout.launch("engines")
    launcher.says("starting valkey")

    seconds = launcher.signal_group(signal.SIGTERM)

    assert checkout.processes() == []
    assert seconds < 5


def test_a_start_after_kill_9_stops_what_was_left_and_keeps_the_data(checkout: Checkout) -> None:
    killed = checkout.launch("engines")
    _query(killed.urls()["DATABASE_URL"], "create table kept as select 42 as answer")
    killed.signal_group(signal.SIGKILL)
    left = {process.pid for process in checkout.processes()}

    healed = checkout.launch("engines")

    assert _query(healed.urls()["DATABASE_URL"], "select answer from kept") == [(42,)]
    assert healed.urls() == killed.urls()
    assert left
    assert left.isdisjoint(process.pid for process in checkout.processes())


def test_a_start_after_a_crash_of_everything_ignores_the_stale_lock_file(checkout: Checkout) -> None:
    killed = checkout.launch("engines")
    killed.urls()
    for process in checkout.processes():
        process.kill()
    [lock] = [*checkout.root.glob(".local/engines/**/postmaster.pid")] + [
        path for folder in checkout.outside() for path in folder.glob("postgres/postmaster.pid")
    ]
    # the pid that the crashed server had now belongs to a process that never ends
    lock.write_text(lock.read_text().replace(lock.read_text().splitlines()[0], "1", 1))

    healed = checkout.launch("engines")

    assert _query(healed.urls()["DATABASE_URL"], "select 1") == [(1,)]


def test_a_port_that_someone_took_meanwhile_is_chosen_anew(checkout: Checkout) -> None:
    first = checkout.launch("engines")
    port = int(first.urls()["REDIS_URL"].rpartition(":")[2].partition("/")[0])
    first.signal_group(signal.SIGTERM)

    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        second = checkout.launch("engines")

        assert second.urls()["REDIS_URL"] != first.urls()["REDIS_URL"]
        assert second.urls()["DATABASE_URL"] == first.urls()["DATABASE_URL"]
        assert redis.Redis.from_url(second.urls()["REDIS_URL"]).ping() is True
