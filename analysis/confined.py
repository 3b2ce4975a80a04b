"""Runs a parser of foreign files in a child process, with bounds on time and memory, and no network."""

import multiprocessing
import resource
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError

SECONDS = 120
BYTES = 4 << 30
_WAIT = 2 * SECONDS


def confined(parser: Callable[[Path], Any], path: Path) -> Any:
    """What `parser(path)` returns, run in a child process.

    Raises the parser's AnalysisError, or one of ours when the file cannot be read within bounds: 120 s of processor,
    4 GB. The parser is a function of a module, its result plain data.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(parser, path, sender), daemon=True)
    child.start()
    sender.close()
    try:
        kind, value = receiver.recv() if receiver.poll(_WAIT) else ("late", None)
    except EOFError:
        kind, value = "killed", None
    finally:
        child.kill()
        child.join()
        receiver.close()
    if kind == "done":
        return value
    if kind == "refused":
        raise AnalysisError(value)
    why = "il est abîmé, ou d’un autre format" if kind == "failed" else "il demande trop de temps ou de mémoire"
    raise AnalysisError(f"« {path.name} » n’a pas pu être lu : {why}.")


def _work(parser: Callable[[Path], Any], path: Path, sender: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    socket.socket = _NoNetwork  # type: ignore[assignment,misc]  # a parser that follows an address gets an error
    try:
        sender.send(("done", parser(path)))
    except AnalysisError as error:
        sender.send(("refused", str(error)))
    except MemoryError:
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 -- whatever a foreign file makes a parser raise
        sender.send(("failed", type(error).__name__))


class _NoNetwork:
    """Stands for a socket, and refuses to be one."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise OSError("no network here")
