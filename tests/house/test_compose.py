"""docker-compose.yml and what belongs to it, as far as can be told without building an image."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from config.launch import places

COMPOSE = places.ROOT / "docker-compose.yml"
REQUIRED = {
    "ALLOWED_HOSTS",
    "ENCRYPTION_KEYS",
    "META_APP_SECRET",
    "META_VERIFY_TOKEN",
    "POSTGRES_PASSWORD",
    "PUBLIC_URL",
    "SECRET_KEY",
}


def _services() -> dict[str, dict[str, object]]:
    services: dict[str, dict[str, object]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return services


def test_the_compose_file_fits_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]

    result = subprocess.run(command, capture_output=True, text=True)

    assert (result.returncode, result.stderr) == (0, "")


def test_the_compose_file_refuses_to_start_without_each_secret() -> None:
    assert set(re.findall(r"\$\{([A-Z_]+):\?", COMPOSE.read_text())) == REQUIRED


def test_the_example_environment_names_every_variable_of_the_compose_file() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text())) - {"DATABASE_URL", "REDIS_URL", "RECADO_VERSION"}

    named = set(re.findall(r"^#?([A-Z_]+)=", (places.ROOT / ".env.example").read_text(), re.MULTILINE))

    assert used <= named


def test_the_example_environment_leaves_exactly_the_secrets_empty() -> None:
    empty = set(re.findall(r"^([A-Z_]+)=$", (places.ROOT / ".env.example").read_text(), re.MULTILINE))

    assert empty == REQUIRED - {"ALLOWED_HOSTS", "PUBLIC_URL"}


def test_what_may_be_many_is_a_number_and_beat_is_one() -> None:
    replicas = {name: service["deploy"] for name, service in _services().items() if "deploy" in service}

    many = ("intake", "api", "worker", "caller")
    assert replicas == {name: {"replicas": f"${{{name.upper()}_REPLICAS:-1}}"} for name in many}


def test_every_service_that_stays_is_watched_and_comes_back() -> None:
    inherited = "HEALTHCHECK" in (places.ROOT / "Dockerfile").read_text()
    for name, service in _services().items():
        if name == "migrate":
            continue
        assert service["restart"] == "unless-stopped", name
        assert "healthcheck" in service or (inherited and "build" in service), name


def test_a_container_counts_in_a_folder_of_its_own_below_the_shared_one(tmp_path: Path) -> None:
    script = (places.ROOT / "docker" / "entrypoint.sh").read_text().replace("/metrics", str(tmp_path))
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "counter_7.db").write_text("of the container's former life")
    report = "import os; print(os.environ['METRICS_DIR'], os.environ['PROMETHEUS_MULTIPROC_DIR'])"

    result = subprocess.run(
        ["sh", "-c", script, "entrypoint.sh", sys.executable, "-c", report],
        env={**os.environ, "HOSTNAME": "one"},
        capture_output=True,
        text=True,
    )

    assert result.stdout.split() == [str(tmp_path), str(tmp_path / "one")]
    assert list((tmp_path / "one").iterdir()) == []
