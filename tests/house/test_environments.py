"""What the processes of `make run` find in their environment."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config.launch import accounts, environments, instances, places


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller has set nothing."""
    for name in (*environments.SECRETS, *environments.RUN_DEFAULTS, "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


def test_secrets_are_made_once_and_only_we_can_read_them(tmp_path: Path) -> None:
    first = environments.for_run(tmp_path)
    environments.remember({**first, "DATABASE_URL": "postgres://a", "REDIS_URL": "redis://a"}, tmp_path)

    second = environments.for_run(tmp_path)

    assert {name: second[name] for name in environments.SECRETS} == {name: first[name] for name in environments.SECRETS}
    assert (tmp_path / ".local" / "env").stat().st_mode & 0o777 == 0o600


def test_two_checkouts_make_different_secrets_that_work(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = environments.for_run(tmp_path / "one"), environments.for_run(tmp_path / "two")

    assert all(one[name] != two[name] for name in environments.SECRETS)
    assert Fernet(one["ENCRYPTION_KEYS"]).decrypt(Fernet(one["ENCRYPTION_KEYS"]).encrypt(b"token")) == b"token"


def test_the_caller_wins_over_the_env_file_and_both_over_what_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments.remember(
        {**environments.for_run(tmp_path), "DATABASE_URL": "postgres://made", "REDIS_URL": "redis://made"}, tmp_path
    )
    (tmp_path / ".env").write_text("SECRET_KEY=from-file\nPORT=8100\nREDIS_URL=redis://file\n")
    monkeypatch.setenv("PORT", "8200")

    environment = environments.for_manage(tmp_path)

    assert environment["SECRET_KEY"] == "from-file"
    assert environment["PORT"] == "8200"
    assert environment["REDIS_URL"] == "redis://file"
    assert environment["DATABASE_URL"] == "postgres://made"
    assert environment["SANDBOX"] == "1"


def test_an_empty_secret_counts_as_unset(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("META_APP_SECRET=\n")

    assert len(environments.for_run(tmp_path)["META_APP_SECRET"]) == 32


def test_what_was_given_is_not_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "the-caller's")
    monkeypatch.setenv("DATABASE_URL", "postgres://given")
    environments.remember({**environments.for_run(tmp_path), "REDIS_URL": "redis://made"}, tmp_path)

    written = (tmp_path / ".local" / "env").read_text()

    assert "the-caller's" not in written
    assert "postgres://given" not in written
    assert "REDIS_URL=redis://made\n" in written


@pytest.mark.parametrize(
    ("given", "engines"),
    [
        ({}, ["valkey", "postgres"]),
        ({"DATABASE_URL": "postgres://given", "REDIS_URL": ""}, ["valkey"]),
        ({"REDIS_URL": "redis://given"}, ["postgres"]),
        ({"DATABASE_URL": "postgres://given", "REDIS_URL": "redis://given"}, []),
    ],
)
def test_an_engine_is_prepared_for_each_url_that_is_not_given(
    tmp_path: Path, given: dict[str, str], engines: list[str]
) -> None:
    place = places.place("run", accounts.for_engines(), tmp_path)
    try:
        instance = instances.prepare(place, given, lambda name, line: None, durable=False)
    finally:
        places.forget(place)

    assert [engine.process.program.name for engine in instance.engines] == engines
