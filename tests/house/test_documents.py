"""The documents say what the code does."""

import re
import subprocess
import sys
import tomllib

from config.launch import environments, places

SETTING = re.compile(r"""env(?:\.\w+)?\(\s*"([A-Z_]+)\"""")


def _configuration_table() -> set[str]:
    rows = re.findall(r"^\| (`[A-Z_`, ]+) \|", (places.ROOT / "README.md").read_text(), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"[A-Z_]+", row)}


def test_the_readme_explains_exactly_the_variables_that_are_read() -> None:
    settings = set(SETTING.findall((places.ROOT / "config" / "settings.py").read_text()))

    assert "META_INSTAGRAM_GRAPH_URL" in settings
    assert _configuration_table() == settings | set(environments.RUN_DEFAULTS)


def test_links_of_the_documents_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        links = re.findall(r"\]\((?!https?://)([^)#]+)\)", (places.ROOT / name).read_text())
        assert [link for link in links if not (places.ROOT / link).exists()] == []


def test_modules_that_the_straight_line_names_exist() -> None:
    modules = re.findall(r"`(apps/[a-z_/]+\.py)`", (places.ROOT / "README.md").read_text())

    assert len(modules) >= 6
    assert [module for module in modules if not (places.ROOT / module).exists()] == []


def test_the_sandbox_is_kept_from_every_app() -> None:
    contracts = tomllib.loads((places.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [forbidden] = [contract["forbidden_modules"] for contract in contracts if contract["id"] == "sandbox-speaks-http"]

    apps = {path.parent.name for path in (places.ROOT / "apps").glob("*/__init__.py")} - {"sandbox"}

    assert {f"apps.{app}.**" for app in apps} <= set(forbidden)


def test_the_locks_agree_and_hold_every_declared_package() -> None:
    def pins(name: str) -> dict[str, str]:
        text = (places.ROOT / name).read_text()
        return dict(re.findall(r"^([a-z0-9-]+)==([^ \n]+)", text, re.MULTILINE))

    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")
    declared = tomllib.loads((places.ROOT / "pyproject.toml").read_text())
    names = {re.split(r"[\[<>= ;]", package)[0] for package in declared["project"]["dependencies"]}

    assert runtime.items() <= development.items()
    assert names <= set(runtime)


def test_every_make_target_explains_itself() -> None:
    makefile = (places.ROOT / "Makefile").read_text()
    [phony] = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)

    assert set(re.findall(r"^([a-z]+): ## \w", makefile, re.MULTILINE)) == set(phony.split())


def test_the_launcher_refuses_an_unknown_command_in_one_line() -> None:
    command = [sys.executable, "-m", "config.launch", "fly"]

    result = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True)

    assert (result.returncode, result.stderr) == (1, "recado: Unknown command 'fly'; see the Makefile.\n")
