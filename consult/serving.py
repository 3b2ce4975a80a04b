"""`consult serve`: gunicorn, a worker and the sequencer as children of a supervisor, without systemd or compose."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from consult.errors import ConflictError
from consult.settings import Settings

logger = logging.getLogger(__name__)
GRACE_SECONDS = 30
RESTART_SECONDS = 2.0

Command: TypeAlias = tuple[str, ...]
BESIDE: Final[tuple[Command, ...]] = (("worker",), ("registry", "sequence"))


def refuse_busy_port(settings: Settings) -> None:
    """Raise ConflictError when something already listens there."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            words = "est déjà pris" if error.errno == errno.EADDRINUSE else "ne peut pas être ouvert"
            raise ConflictError(
                f"Le port {settings.port} de {settings.host} {words} : arrêtez l’autre programme, ou choisissez un "
                "autre port avec la variable PORT."
            ) from None


def web_command(settings: Settings) -> list[str]:
    """Gunicorn with these settings. No access log: it would keep addresses (see `logs.py`)."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    command = [sys.executable, "-m", "gunicorn", "consult.wsgi:app", "--bind", f"{host}:{settings.port}"]
    command += ["--worker-class", "gthread", "--workers", str(settings.workers), "--threads", str(settings.threads)]
    command += ["--preload", "--timeout", "60", "--graceful-timeout", "20", "--log-level", "warning"]
    if Path("/dev/shm").is_dir():  # noqa: S108  # gunicorn's own advice: a heartbeat file never blocks in memory
        command += ["--worker-tmp-dir", "/dev/shm"]  # noqa: S108
    return command


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def ask(*_: Any) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def serve(settings: Settings, *, beside: Sequence[Command], ready: Callable[[], None]) -> int:
    """Run until a signal or the death of the web server; a command `beside` it that dies is started again.

    `ready` is called once the port answers. Returns the exit code of the command.
    """
    stop = stop_on_signals()
    web = subprocess.Popen(web_command(settings))  # noqa: S603  # our own command
    others = {command: _start(command) for command in beside}
    announced = False
    try:
        while web.poll() is None and not stop.wait(0.2):
            if not announced and _answers(settings):
                announced = True
                ready()
            for command, process in others.items():
                if process.poll() is not None:
                    facts = {"command": " ".join(command), "status": process.returncode}
                    logger.error("a process died, starting it again", extra=facts)
                    stop.wait(RESTART_SECONDS)
                    others[command] = _start(command)
        return 0 if stop.is_set() else web.returncode or 1
    finally:
        _end([web, *others.values()])


def _start(command: Command) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "consult.cli", *command])  # noqa: S603  # our own commands


def _answers(settings: Settings) -> bool:
    try:
        with socket.create_connection((settings.host, settings.port), timeout=0.5):
            return True
    except OSError:
        return False


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    limit = time.monotonic() + GRACE_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
