"""What a child process gives up before it reads a file that a stranger sent. Standard library alone."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Any, Final

CLONE_NEWNET: Final = 0x40000000
CLONE_NEWUSER: Final = 0x10000000
DENIED_EVENTS: Final = (
    *("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system", "os.spawn", "ctypes."),
)


def confine(*, cpu_seconds: int, memory_bytes: int) -> None:
    """Give up the network, the clock, the memory and the files that a hostile file would want."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:  # the network is unplugged too where the kernel lets us
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_forbid)


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: no socket, no process, no file opened for writing."""
    writes = event == "open" and isinstance(arguments[1], str) and any(mark in arguments[1] for mark in "wax+")
    if writes or event.startswith(DENIED_EVENTS):
        raise PermissionError(f"forbidden in a confined process: {event}")
