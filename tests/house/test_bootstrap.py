"""The first step of every make target, on a bare Python."""

import ast
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.launch import places

BOOTSTRAP = Path("config") / "launch" / "bootstrap.py"


@dataclass(frozen=True)
class Bare:
    """A checkout with nothing but the bootstrap and a lock of one small package."""

    root: Path

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the bootstrap with the machine's Python."""
        given = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [sys.executable, str(self.root / BOOTSTRAP), *arguments],
            env={**given, **variables},
            capture_output=True,
            text=True,
        )

    def lock(self, version: str) -> None:
        """Lock the package `greeting`, which prints its version when run."""
        wheel = self.root / f"greeting-{version}-py3-none-any.whl"
        facts = f"greeting-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("greeting.py", f"print('greeting {version}')\n")
            archive.writestr(f"{facts}/METADATA", f"Metadata-Version: 2.1\nName: greeting\nVersion: {version}\n")
            archive.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(
                f"{facts}/RECORD", f"greeting.py,,\n{facts}/METADATA,,\n{facts}/WHEEL,,\n{facts}/RECORD,,\n"
            )
        (self.root / "lock.txt").write_text(f"greeting @ {wheel.as_uri()}\n")


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    """A bare checkout, under a path with a space in it."""
    root = tmp_path / "a checkout"
    (root / BOOTSTRAP.parent).mkdir(parents=True)
    shutil.copy(places.ROOT / BOOTSTRAP, root / BOOTSTRAP)
    return Bare(root)


def _told(result: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.partition(" in ")[0] for line in result.stdout.splitlines() if line.startswith("recado: ")]


def test_a_lock_is_installed_once_and_again_when_it_changes(bare: Bare) -> None:
    bare.lock("1.0")
    first, second = bare.run("lock.txt", "greeting"), bare.run("lock.txt", "greeting")
    bare.lock("2.0")
    third = bare.run("lock.txt", "greeting")

    assert _told(first) == [
        "recado: making the virtual environment .venv",
        "recado: installing lock.txt",
        "recado: installed",
    ]
    assert first.stdout.splitlines()[-1] == "greeting 1.0"
    assert second.stdout == "greeting 1.0\n"
    assert _told(third) == ["recado: installing lock.txt", "recado: installed"]
    assert third.stdout.splitlines()[-1] == "greeting 2.0"


def test_pip_installs_the_lock_where_uv_does_not_work(bare: Bare) -> None:
    bare.lock("1.0")
    subprocess.run([sys.executable, "-m", "venv", str(bare.root / ".venv")], check=True)
    broken = bare.root / ".venv" / "bin" / "uv"
    broken.write_text("#!/bin/sh\nexit 2\n")
    broken.chmod(0o755)

    result = bare.run("lock.txt", "greeting")

    assert "recado: uv does not work here, installing with pip (this takes a minute or two)" in result.stdout
    assert result.stdout.splitlines()[-1] == "greeting 1.0"


def test_a_failed_installation_is_tried_again_at_the_next_start(bare: Bare) -> None:
    bare.lock("1.0")
    wheel = next(bare.root.glob("*.whl"))
    wheel.rename(wheel.with_suffix(".away"))
    failed = bare.run("lock.txt", "greeting")
    wheel.with_suffix(".away").rename(wheel)
    mended = bare.run("lock.txt", "greeting")

    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == "recado: lock.txt could not be installed; see above."
    assert mended.stdout.splitlines()[-1] == "greeting 1.0"


@pytest.mark.parametrize("module", ["ensurepip", "venv"])
def test_a_python_without_venv_is_told_in_one_line_what_to_install(bare: Bare, tmp_path: Path, module: str) -> None:
    bare.lock("1.0")
    (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError('No module named {module}')\n")

    result = bare.run("lock.txt", "greeting", PYTHONPATH=str(tmp_path))

    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert result.returncode == 1
    assert result.stderr == (
        f"recado: Python's venv is missing; install it first (Debian, Ubuntu: apt install {package}).\n"
    )
    assert not (bare.root / ".venv").exists()


def test_an_older_python_can_read_the_bootstrap_and_so_be_told() -> None:
    source = (places.ROOT / BOOTSTRAP).read_text()

    tree = ast.parse(source, feature_version=(3, 8))

    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
