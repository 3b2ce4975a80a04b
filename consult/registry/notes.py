"""C2SP signed notes, checkpoints and Ed25519 cosignatures: what a log signs, and what its witnesses add.

Only the sequencer derives a signing key; whoever reads needs verifier keys alone.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consult.registry.tree import HASH_BYTES

SEED_BYTES: Final = 32
LOG_KEY: Final = 1
WITNESS_KEY: Final = 4
MAX_SIGNATURES: Final = 64
MAX_NOTE_BYTES: Final = 100_000
_KEY_INFO: Final = "consult/registry/v1/"
_ID_BYTES: Final = 4
_SIGNATURE_BYTES: Final = 64
_TIME_BYTES: Final = 8
_DASH: Final = "\u2014 "
_NAME: Final = re.compile(r"[^\s+]+")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class NoteError(ValueError):
    """A note, a key or a checkpoint that is not what it claims; the message says why."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The name and the public key of a log (`LOG_KEY`) or of a witness (`WITNESS_KEY`)."""

    name: str
    public: bytes
    type: int = LOG_KEY

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in a signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.type]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @classmethod
    def parse(cls, line: str) -> VerifierKey:
        """Read `<name>+<hexadecimal id>+<base64>`. Raises NoteError."""
        name, _, rest = line.strip().partition("+")
        identifier, _, encoded = rest.partition("+")
        raw = _decode(encoded)
        if not _NAME.fullmatch(name) or len(raw) != 1 + HASH_BYTES or raw[0] not in {LOG_KEY, WITNESS_KEY}:
            raise NoteError("not the verifier key of a log or of a witness")
        key = cls(name, raw[1:], raw[0])
        if key.id.hex() != identifier:
            raise NoteError(f"the identifier of the key of {name} is not that of its key")
        return key

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature` (without the key's id) is this key's on a text; a witness dates what it signs."""
        if self.type == WITNESS_KEY:
            time, signature = signature[:_TIME_BYTES], signature[_TIME_BYTES:]
            text = b"cosignature/v1\ntime %d\n" % int.from_bytes(time, "big") + text
        if len(signature) != _SIGNATURE_BYTES:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """The key of one log."""

    def __init__(self, seed: bytes, origin: str) -> None:
        derived = HKDF(SHA256(), SEED_BYTES, salt=None, info=(_KEY_INFO + origin).encode()).derive(seed)
        self._private = Ed25519PrivateKey.from_private_bytes(derived)
        self.verifier = VerifierKey(origin, self._private.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        """The whole note: the text, a blank line, the signature."""
        signature = signature_line(self.verifier, self._private.sign(text))
        return text + b"\n" + signature


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed of a tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> bytes:
        """The text of the note."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()

    @classmethod
    def parse(cls, text: bytes) -> Checkpoint:
        """Read the text of a note, which must have no extension line. Raises NoteError."""
        lines = text.decode().split("\n")
        if len(lines) != 4 or lines[3] or not lines[0] or not _SIZE.fullmatch(lines[1]):  # noqa: PLR2004  # three lines, each ended
            raise NoteError("not a checkpoint of three lines")
        root = _decode(lines[2])
        if len(root) != HASH_BYTES:
            raise NoteError("a checkpoint whose root is not a SHA-256")
        return cls(lines[0], int(lines[1]), root)


def signature_line(key: VerifierKey, signature: bytes) -> bytes:
    """One line of signature, in bytes."""
    return f"{_DASH}{key.name} {base64.b64encode(key.id + signature).decode()}\n".encode()


def split(note: bytes) -> tuple[bytes, list[bytes]]:
    """The text of a note and its lines of signature. Raises NoteError."""
    if len(note) > MAX_NOTE_BYTES or any(byte < ord(" ") and byte != ord("\n") for byte in note):
        raise NoteError("a note too long, or with control characters")
    text, blank, signatures = note.rpartition(b"\n\n")
    lines = signatures.split(b"\n")
    if not blank or lines.pop() or not lines or len(lines) > MAX_SIGNATURES:
        raise NoteError("not a text, a blank line, then lines of signature")
    try:
        note.decode()
    except UnicodeDecodeError:
        raise NoteError("a note that is not UTF-8") from None
    return text + b"\n", [line + b"\n" for line in lines]


def signers(text: bytes, lines: Sequence[bytes], keys: Sequence[VerifierKey]) -> dict[VerifierKey, bytes]:
    """The lines that those keys signed, by key; lines of unknown keys are passed over.

    Raises NoteError for a line that is no signature, or one of a known key that does not verify.
    """
    known = {(key.name, key.id): key for key in keys}
    found: dict[VerifierKey, bytes] = {}
    for line in lines:
        name, blank, encoded = line.decode().rstrip("\n").removeprefix(_DASH).partition(" ")
        raw = _decode(encoded)
        if not line.decode().startswith(_DASH) or not blank or not _NAME.fullmatch(name) or len(raw) <= _ID_BYTES:
            raise NoteError("a line that is no signature")
        key = known.get((name, raw[:_ID_BYTES]))
        if key is None:
            continue
        if not key.verifies(text, raw[_ID_BYTES:]):
            raise NoteError(f"the signature of {name} is not good")
        found[key] = line
    return found


def cosigned_at(line: bytes) -> dt.datetime:
    """The instant that a witness gave to its cosignature: of a line that `signers` found good."""
    raw = _decode(line.decode().rstrip("\n").rpartition(" ")[2])
    seconds = int.from_bytes(raw[_ID_BYTES : _ID_BYTES + _TIME_BYTES], "big")
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, ValueError, OSError):
        raise NoteError("a cosignature dated beyond all calendars") from None


def open_checkpoint(note: bytes, log: VerifierKey) -> Checkpoint:
    """The checkpoint of a note that this log signed. Raises NoteError."""
    text, lines = split(note)
    if not signers(text, lines, [log]):
        raise NoteError(f"not signed by {log.name}")
    checkpoint = Checkpoint.parse(text)
    if checkpoint.origin != log.name:
        raise NoteError(f"the checkpoint of {checkpoint.origin}, not of {log.name}")
    return checkpoint


def _decode(encoded: str) -> bytes:
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("not base64") from None
    if base64.b64encode(raw).decode() != encoded:
        raise NoteError("not canonical base64")
    return raw
