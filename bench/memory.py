"""How much memory it all takes: the proportional set size, which counts shared pages once."""

from collections.abc import Mapping

import psutil

MIB = 1024 * 1024


def pss(pids: Mapping[str, int]) -> dict[str, float]:
    """MiB by program, children included."""
    return {name: sum(_pss(process) for process in _tree(pid)) / MIB for name, pid in pids.items()}


def _tree(pid: int) -> list[psutil.Process]:
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:  # a PostgreSQL session that has just ended
        return 0
