"""The journal of erasures that outlives the database: one file, which no restored backup takes back.

The first line gives a random salt; each line after it tells one erasure: the day, the mode, and the HMAC-SHA-256 of the
account's identifier under that salt. The file names nobody, and says nothing to whoever has no copy of the accounts.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import hmac
import json
import logging
import os
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from consult.errors import UnavailableError
from consult.privacy.models import ErasureMode

logger = logging.getLogger(__name__)
FORMAT: Final = "consult-erasures/1"
SALT_BYTES: Final = 32
_HEAD: Final = f'{{"format": "{FORMAT}", "salt": "'.encode()
_HEAD_LENGTH: Final = len(_HEAD) + 2 * SALT_BYTES + 2  # the salt in hexadecimal, then « "} »


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the file says: its salt (empty for a file that is not there yet) and the mode by keyed identifier."""

    salt: bytes
    modes: dict[str, ErasureMode]

    def name(self, account_id: uuid.UUID) -> str:
        """What stands for this account in the file."""
        return hmac.new(self.salt, account_id.bytes, hashlib.sha256).hexdigest()


def _torn(content: bytes) -> bool:
    """Whether a crash cut the very first line: nothing was told before it, and the database still has it all."""
    return len(content) < _HEAD_LENGTH and content[: len(_HEAD)] == _HEAD[: len(content)]


class ErasureJournal:
    """The file at `path`, made at the first erasure, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Recorded:
        """All of it. Raises UnavailableError for a file that is not such a journal."""
        try:
            with self.path.open("rb") as file:
                return self._parse(file.read())
        except FileNotFoundError:
            return Recorded(b"", {})

    def record(self, erased: Iterable[tuple[uuid.UUID, ErasureMode, dt.datetime]]) -> int:
        """Append those that the file does not tell yet; on the disk once back. Returns how many.

        Raises UnavailableError when the folder is away, so that the job that calls is tried again.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UnavailableError(f"Le journal des effacements ne s’ouvre pas ({error.strerror}).") from None
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            return self._append(file, list(erased))

    def _append(self, file: IO[bytes], erased: list[tuple[uuid.UUID, ErasureMode, dt.datetime]]) -> int:
        content = file.read()
        lines: list[dict[str, str]] = []
        known = self._parse(content)
        if not known.salt:
            file.truncate(0)
            content = b""
            known = Recorded(secrets.token_bytes(SALT_BYTES), {})
            lines.append({"format": FORMAT, "salt": known.salt.hex()})
        head = len(lines)
        for account_id, mode, at in erased:
            name = known.name(account_id)
            if name not in known.modes:
                known.modes[name] = mode
                lines.append({"on": at.date().isoformat(), "mode": mode.value, "account": name})
        if len(lines) == head:
            return 0
        torn = "\n" if content and not content.endswith(b"\n") else ""  # cut short by a crash
        file.write((torn + "".join(json.dumps(line) + "\n" for line in lines)).encode())
        file.flush()
        os.fsync(file.fileno())
        return len(lines) - head

    def _parse(self, content: bytes) -> Recorded:
        if not content:
            return Recorded(b"", {})
        if _torn(content):
            logger.warning("the first line of the journal of erasures was cut short: it tells no erasure")
            return Recorded(b"", {})
        first, *rest = content.splitlines()
        try:
            head = json.loads(first)
            known, salt = head["format"] == FORMAT, bytes.fromhex(head["salt"])
        except (ValueError, KeyError, TypeError):
            known, salt = False, b""
        if not known:
            raise UnavailableError(f"Le fichier {self.path} n’est pas un journal des effacements.")
        modes = {}
        for line in rest:
            try:
                told = json.loads(line)
                modes[str(told["account"])] = ErasureMode(told["mode"])
            except (ValueError, KeyError, TypeError):
                continue  # torn: the database still has the row, and the job writes it again
        return Recorded(salt, modes)
