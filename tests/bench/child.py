"""Runs one side of a comparison in a process of its own, and tells its processor time and peak memory."""

import os
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def child(script: str, *arguments: object) -> tuple[float, float, list[str]]:
    """Processor seconds of `script --child arguments…` from start to end, its peak memory in MB, the words it printed.

    Processor time, because both sides are single processes and the machine may be shared. The script prints its own
    peak, in kB, last (`peak`).
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, script, "--child", *map(str, arguments)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    *printed, highest = done.stdout.split()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, float(highest) / 1024, printed


def peak() -> int:
    """The peak memory of this process and of the children it waited for, whichever is higher, in kB."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
