"""What the user sees: every line with the time and the name of the process that said it."""

import os
import sys
import threading
from datetime import datetime

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from config.launch import signals

WIDTH = len("postgres")


class Output:
    """Prints the lines of several processes, one at a time."""

    def __init__(self) -> None:
        self._printer = Printer(sys.stdout, width=WIDTH)
        self._lock = threading.Lock()
        self._palette = get_colours()
        self._colours: dict[str, str] = {}

    def __call__(self, name: str, line: bytes | str) -> None:
        """Print a process's line; when nobody reads any more, everything ends."""
        with self._lock:
            if name not in self._colours:
                self._colours[name] = next(self._palette)
            try:
                self._printer.write(Message("line", line, datetime.now().astimezone(), name, self._colours[name]))
            except BrokenPipeError:
                _end_unread()


def say(text: str) -> None:
    """Print a line of the launcher's own."""
    show(f"recado: {text}")


def show(text: str) -> None:
    """Print what the user asked for, as it is."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _end_unread()


def _end_unread() -> None:
    """Nobody reads what is printed: say no more, and end everything in order."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    signals.stop()
