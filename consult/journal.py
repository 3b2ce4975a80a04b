"""The lines of the security journal, for the holder of a private key alone.

A process writes with a key of its own, agreed upon by X25519 between a key pair it forgets at once and the public key
of the reader: what the server holds on disk and in its settings opens nothing. Each file begins, for each process that
writes to it, with a line that gives the public half; each line after it is AES-256-GCM under that key, bound to its
rank, so that a line moved, altered or missing is told.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from consult.errors import InvalidError

KEY_BYTES: Final = 32
_INFO: Final = b"consult security journal v1"


def public_key(setting: str) -> X25519PublicKey:
    """The reader's key as CONSULT_SECURITY_LOG_KEY gives it. Raises ValueError."""
    raw = base64.b64decode(setting, validate=True)
    if len(raw) != KEY_BYTES:
        raise ValueError("an X25519 public key has 32 bytes")
    key = X25519PublicKey.from_public_bytes(raw)
    X25519PrivateKey.generate().exchange(key)  # refuses the few points that would agree on nothing secret
    return key


class Sealer:
    """Seals the lines that one process writes to one file."""

    def __init__(self, reader: X25519PublicKey) -> None:
        pair = X25519PrivateKey.generate()
        ours = _raw(pair.public_key())
        self.name = ours[:8].hex()
        self.pid = os.getpid()  # a forked child must not go on with the same key and ranks
        self._cipher = AESGCM(_agreed(pair.exchange(reader), ours, _raw(reader)))
        self._rank = 0
        self.opening = json.dumps({"writer": self.name, "key": base64.b64encode(ours).decode()})

    def seal(self, line: str) -> str:
        """The sealed line, as JSON."""
        rank, self._rank = self._rank, self._rank + 1
        sealed = self._cipher.encrypt(_nonce(rank), line.encode(), self.name.encode())
        return f'{{"writer": "{self.name}", "line": {rank}, "sealed": "{base64.b64encode(sealed).decode()}"}}'


class Reader:
    """Opens the lines of files with the private key."""

    def __init__(self, pem: bytes) -> None:
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, X25519PrivateKey):
            raise InvalidError("Ce fichier ne contient pas la clé privée du journal, au format PEM, sans mot de passe.")
        self._key, self._public = key, _raw(key.public_key())
        self._ciphers: dict[str, AESGCM] = {}
        self._next: dict[str, int] = {}
        self.unreadable, self.missing = 0, 0

    def read(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines in clear, those written before there was a key included; the others are counted, never guessed."""
        for line in lines:
            text = self._open(line.strip())
            if text is not None:
                yield text

    def _open(self, line: str) -> str | None:
        if not line:
            return None
        try:
            held: dict[str, Any] = dict(json.loads(line))
            if "writer" not in held:
                return line
            if "key" in held:
                self._begin(str(held["writer"]), base64.b64decode(held["key"], validate=True))
                return None
            return self._unsealed(str(held["writer"]), int(held["line"]), held["sealed"])
        except (ValueError, TypeError, KeyError, InvalidTag):  # cut short by a full disk, altered, or for another key
            self.unreadable += 1
            return None

    def _begin(self, writer: str, theirs: bytes) -> None:
        agreed = self._key.exchange(X25519PublicKey.from_public_bytes(theirs))
        self._ciphers[writer] = AESGCM(_agreed(agreed, theirs, self._public))
        self._next[writer] = 0

    def _unsealed(self, writer: str, rank: int, sealed: str) -> str:
        text = self._ciphers[writer].decrypt(_nonce(rank), base64.b64decode(sealed, validate=True), writer.encode())
        self.missing += max(0, rank - self._next[writer])
        self._next[writer] = max(self._next[writer], rank + 1)
        return text.decode()


def new_pair(path: Path) -> str:
    """Write a private key at `path`, mode 0600, and give the public key for the settings. Raises OSError, as
    when there is a file already.
    """
    pair = X25519PrivateKey.generate()
    pem = pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return base64.b64encode(_raw(pair.public_key())).decode()


def _raw(key: X25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _agreed(shared: bytes, ours: bytes, reader: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=ours + reader, info=_INFO).derive(shared)


def _nonce(rank: int) -> bytes:
    return rank.to_bytes(12, "big")
