"""The benchmarks, run small: that they measure something, and that the system they measure makes no mistake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_quick_run_answers_every_message_once() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "end_to_end", "--quick"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = {}
    for line in done.stdout.splitlines():
        name, _, rest = line.strip().rpartition("  ") if line.startswith("  ") else ("", "", "")
        if name:
            figures[name.strip()] = rest.split()[0]
    for phase in ("at full speed", "at 100/s"):
        for fault in ("refused", "lost", "doubled", "misrouted", "out of order"):
            assert figures[f"{phase}: {fault}"] == "0"
    assert float(figures["at full speed: messages"].replace(",", "")) >= 200
    assert float(figures["all of Recado"].replace(",", "")) > 100
