"""Ctrl-C, SIGTERM and a closed terminal only leave a note, read where it is safe to stop.

One signal may come twice: a terminal signals the whole process group, and make passes on what it receives.
"""

import signal
import time
from types import FrameType

from config.launch.errors import Stopped

_received: set[int] = set()


def watch() -> None:
    """From now on signals are noted."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _note)


def stop() -> None:
    """Ask for the end from inside."""
    _received.add(signal.SIGTERM)


def received() -> bool:
    """Whether the launcher was asked to end."""
    return bool(_received)


def pause(seconds: float) -> None:
    """Sleep for a moment; raises Stopped once a signal has come."""
    if _received:
        raise Stopped
    time.sleep(seconds)


def _note(number: int, _frame: FrameType | None) -> None:
    _received.add(number)
