"""Runs the JavaScript of a flow's author in a process that is killed when its time is over."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import structlog

from apps.flows import calls
from apps.flows.calling import plain

TIMEOUT = 30.0
"""Seconds that no script exceeds."""
CHECK_TIMEOUT = 2.0
OUTPUT = 64 * 1024
"""Bytes of JSON that a script may give: its value and what it assigned."""
_GRACE = 0.5  # for the engine to say itself that the time is over
_CHILD = str(Path(__file__).with_name("javascript.py"))

log = structlog.get_logger(__name__)


def perform(call: calls.Script) -> calls.Result:
    """Run the script; it fails in words for its author, with the line.

    Its value is what it returns or, where it says no `return`, its last expression; a promise is awaited. Assigned is
    what it made of its globals, and the keys of an object that it returned.
    """
    try:
        answer = _ask("run", call.code, plain.value(call.variables), min(call.timeout, TIMEOUT))
        if error := answer.get("error"):
            return calls.Result(ok=False, error=error)
        return calls.Result(ok=True, value=answer["value"], assigned=answer["assigned"])
    except (Failed, plain.NotPlain) as failed:
        return calls.Result(ok=False, error=str(failed))


def check(code: str) -> str:
    """What is wrong with the script's grammar, with the line; empty if nothing is. Nothing of it runs."""
    try:
        error: str = _ask("check", code, {}, CHECK_TIMEOUT).get("error", "")
        return error
    except Failed as failed:
        return str(failed)


class Failed(Exception):
    """The script gave no answer; why, in words for its author."""


def _ask(action: Literal["run", "check"], code: str, variables: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """What the script's process says: `value` and `assigned`, or `error`."""
    output, status = _run(action, json.dumps({"code": code, "variables": variables}).encode(), seconds)
    if len(output) > OUTPUT:
        raise Failed(f"The script gives more than {OUTPUT // 1024} KiB.")
    words = output.decode()
    if words.startswith("="):
        try:
            answer: dict[str, Any] = plain.value(json.loads(words[1:]))
        except RecursionError:
            raise Failed(plain.TOO_DEEP) from None
        return answer
    if words.strip() in ("!JSException null", "!MemoryError") or "out of memory" in words:
        raise Failed("The script needs more memory than the 64 MB that it may use.")
    if "interrupted" in words or status in (-signal.SIGKILL, -signal.SIGXCPU):
        raise Failed(f"The script took longer than {seconds:g} seconds.")
    log.warning("script_engine_failed", status=status)
    raise Failed("The script broke the engine that runs it.")


def _run(action: str, task: bytes, seconds: float) -> tuple[bytes, int]:
    """The output of the script's process, and its exit status; its whole group is dead afterwards."""
    engine = importlib.util.find_spec("_quickjs")
    assert engine is not None
    assert engine.origin is not None
    with subprocess.Popen(
        [sys.executable, "-I", "-S", _CHILD, engine.origin, action, str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        deadline = threading.Timer(seconds + _GRACE, _kill, (child.pid,))
        deadline.start()
        try:
            with contextlib.suppress(BrokenPipeError), child.stdin:
                child.stdin.write(task)
            output = child.stdout.read(OUTPUT + 1)
            if len(output) <= OUTPUT:
                # it has exited, but keeps its id until `deadline` can no longer kill another one by it
                os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        finally:
            deadline.cancel()
            deadline.join()
            _kill(child.pid)
    return output, child.returncode


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
