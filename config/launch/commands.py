"""Commands that the launcher waits for."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.launch import signals
from config.launch.accounts import Account
from config.launch.errors import LaunchError, Stopped

GRACE_SECONDS = 3.0


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    directory: Path,
    account: Account | None = None,
    text: str = "",
) -> str:
    """Run a command that needs no eyes on it and return what it said; its failure shows its last words."""
    with subprocess.Popen(
        command,
        env=environment,
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # the terminal's Ctrl-C is ours to pass on
        **(account.options if account else {}),
    ) as process:
        output = _communicate(process, text)
    if process.returncode:
        raise LaunchError(f"{Path(command[0]).name} {command[1]} failed:\n{output.strip()}")
    return output


def attend(command: Sequence[str | Path], *, environment: Mapping[str, str], directory: Path) -> int:
    """Run a command in front of the user and return its exit code."""
    with subprocess.Popen(command, env=environment, cwd=directory) as process:
        try:
            while process.poll() is None:
                signals.pause(0.05)
        except Stopped:
            _end(process)
            raise
    return process.returncode


def _communicate(process: subprocess.Popen[str], text: str) -> str:
    unsent: str | None = text
    while True:
        try:
            signals.pause(0)
            return process.communicate(unsent, timeout=0.1)[0]
        except subprocess.TimeoutExpired:
            unsent = None
        except Stopped:
            _end(process)
            raise


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
