"""Runs one script, in a process of its own that has nothing: no environment, no files, no rights, little memory.

`script` starts it by its path, with the engine's file and the seconds it has; the task comes by standard input. It
imports next to nothing, so that it is there within 15 ms. What leaves is "=" and the JSON that `prelude.js` made, or
"!" and what the engine said when it gave up.
"""

import os
import resource
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from pathlib import Path
from typing import Any

MEGABYTE = 1024 * 1024
HEAP = 64 * MEGABYTE
STACK = 512 * 1024
ADDRESS_SPACE = 256 * MEGABYTE
NOBODY = 65534


def load_engine(path: str) -> Any:
    """The engine by its file: no path for modules leads to anything else that is installed."""
    loader = ExtensionFileLoader("_quickjs", path)
    module = loader.create_module(ModuleSpec("_quickjs", loader, origin=path))
    loader.exec_module(module)
    return module


def confine(seconds: float) -> None:
    """Give up everything that a script which escapes the engine could use."""
    os.chdir("/")
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: int(seconds) + 2,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,
    }
    if sys.platform == "linux":  # elsewhere the heap's limit has to do
        limits[resource.RLIMIT_AS] = ADDRESS_SPACE
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def answer(engine: Any, prelude: str, task: str, seconds: float, action: str) -> str:
    """What came of the task, as JSON."""

    def context() -> tuple[Any, Any]:
        fresh = engine.Context()
        fresh.set_memory_limit(HEAP)
        fresh.set_max_stack_size(STACK)
        fresh.set_time_limit(seconds)
        take = fresh.eval(prelude)
        take("read", task)
        return fresh, take

    _, take = context()
    scope = take("probe")
    if action == "check" or scope.startswith("{"):
        return scope if scope.startswith("{") else "{}"
    run, take = context()
    take("start", scope)
    while run.execute_pending_job():
        pass
    result: str = take("finish")
    return result


def main() -> None:
    path, action, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    engine = load_engine(path)
    prelude = Path(__file__).with_name("prelude.js").read_text()
    task = sys.stdin.buffer.read().decode()
    confine(seconds)
    try:
        words = "=" + answer(engine, prelude, task, seconds, action)
    except (engine.JSException, MemoryError) as error:
        words = f"!{type(error).__name__} {error}"
    sys.stdout.buffer.write(words.encode())


if __name__ == "__main__":
    main()
