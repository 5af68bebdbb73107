"""Processes that stay, each in a session of its own and known by a pid file: what a killed launcher left is found."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from config.launch.accounts import Account

Output = Callable[[str, bytes], None]


@dataclass(frozen=True, kw_only=True)
class Program:
    """How one process is started and stopped."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    pid_file: Path
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float
    account: Account = field(default_factory=lambda: Account({}))
    log: Path | None = None  # None: its lines go to the launcher's output


class Process:
    """A program that runs, or ran."""

    def __init__(self, program: Program, output: Output) -> None:
        self.program = program
        self._output = output
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it runs now, started by us."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start it and remember its pid."""
        program = self.program
        with program.log.open("wb") if program.log else contextlib.nullcontext(subprocess.PIPE) as stdout:
            child = subprocess.Popen(
                program.command,
                env=program.environment,
                cwd=program.directory,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **program.account.options,
            )
        program.pid_file.write_text(str(child.pid))
        self._child = child
        if child.stdout:
            threading.Thread(target=self._pass_on, args=(child.stdout,), daemon=True).start()

    def stop(self) -> None:
        """Ask it to end, wait for that, then end it and all that it started."""
        if self._child is None:
            return
        if self.is_alive:
            self._child.send_signal(self.program.stop_signal)
            try:
                self._child.wait(self.program.stop_seconds)
            except subprocess.TimeoutExpired:
                self._child.kill()
        self.clear()

    def clear(self) -> int:
        """End what an ended process left behind in its session; returns its exit code."""
        assert self._child is not None
        _signal_group(self._child.pid, signal.SIGKILL)
        code = self._child.wait()
        self.program.pid_file.unlink(missing_ok=True)
        self._child = None
        return code

    def _pass_on(self, lines: IO[bytes]) -> None:
        with lines:
            for line in lines:
                self._output(self.program.name, line)


def heal(pid_file: Path, *, marker: str, stop_signal: signal.Signals = signal.SIGTERM, seconds: float = 3) -> None:
    """Stop what an earlier launcher, killed before it could, left running; drop a pid file that means nobody.

    The marker is what the process's command line holds, to tell it from a stranger with the same pid.
    """
    pid = _read_pid(pid_file)
    if pid is not None and marker in command_line(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, stop_signal)
        deadline = time.monotonic() + seconds
        while marker in command_line(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        _signal_group(pid, signal.SIGKILL)
    pid_file.unlink(missing_ok=True)


def command_line(pid: int) -> str:
    """A process's command line, empty when there is none such."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return listing.stdout


def _read_pid(path: Path) -> int | None:
    """The first line of a pid file, or None when there is none or it is torn."""
    try:
        return int(path.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
