"""The real servers that the tests talk to: PostgreSQL, Redis and SMTP, each started on the spot when none is given."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], Any], *, seconds: float = 10.0, what: str = "condition") -> Any:
    """Poll until the condition holds and return its value; fail with its name when it does not come."""
    limit = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > limit:
            raise TimeoutError(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)


def accepts(port: int) -> bool:
    """Whether something answers on that port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


def postgresql_binaries() -> Path | None:
    """The folder of the newest installed PostgreSQL server, or None."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if folders:
        return folders[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@contextlib.contextmanager
def postgresql_cluster(binaries: Path, *, durable: bool = False) -> Iterator[str]:
    """A throwaway cluster on a Unix socket; gives the address of its `postgres` database.

    `durable`: commits reach the disk, as in production; tests do without.
    """
    # Not under pytest's own temporary folder: its long path overflows the 107 bytes of a socket's name.
    folder = Path(tempfile.mkdtemp(prefix="consult-pg-"))
    # PostgreSQL refuses to run as root.
    owner: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam(next(name for name in ("postgres", "nobody") if _known(name)))
        os.chown(folder, account.pw_uid, account.pw_gid)
        owner = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def run(program: str, *arguments: str) -> None:
        quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        # No pipe: the server that pg_ctl leaves behind would keep it open.
        subprocess.run([binaries / program, *arguments], check=True, cwd=folder, **quiet, **owner)

    data = str(folder / "data")
    quick = "" if durable else " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    options = f"-k {folder} -c listen_addresses={quick}"
    try:
        run("initdb", "-D", data, "-U", "consult", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        run("pg_ctl", "-D", data, "-l", str(folder / "log"), "-w", "-o", options, "start")
        try:
            yield f"postgresql://consult@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _known(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(name))
    return False


@contextlib.contextmanager
def redis_server(program: str) -> Iterator[str]:
    """A Redis that keeps nothing, on a free port; gives its address."""
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: accepts(port), what="redis")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


class SmtpServer:
    """A real SMTP server that keeps what it accepts; `replies` are the refusals it gives first, one per message."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.replies: list[str] = []
        self._lock = threading.Lock()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        with self._lock:
            if self.replies:
                return self.replies.pop(0)
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
            self.messages.append(message_from_bytes(envelope.original_content, policy=policy.default))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """The messages delivered to that address."""
        with self._lock:  # a mail may arrive meanwhile
            delivered = list(zip(self.messages, self.envelopes, strict=True))
        return [message for message, (_, recipients) in delivered if address in recipients]

    @contextlib.contextmanager
    def running(self) -> Iterator["SmtpServer"]:
        controller = Controller(self, hostname=self.host, port=self.port)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()
