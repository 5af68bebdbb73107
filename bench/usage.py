"""What it all takes: processor time, and memory as the proportional set size, which counts shared pages once."""

from collections.abc import Iterator, Mapping

import psutil

MIB = 1024 * 1024


def memory(pids: Mapping[str, int]) -> dict[str, float]:
    """MiB by program, children included."""
    return {name: sum(_memory(process) for process in _tree(pid)) / MIB for name, pid in pids.items()}


def processor(pids: Mapping[str, int]) -> dict[str, float]:
    """Seconds of processor time so far by program, children included."""
    return {name: sum(_processor(process) for process in _tree(pid)) for name, pid in pids.items()}


def _tree(pid: int) -> Iterator[psutil.Process]:
    first = psutil.Process(pid)
    yield first
    yield from first.children(recursive=True)


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:  # a PostgreSQL session that has just ended
        return 0


def _processor(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system
