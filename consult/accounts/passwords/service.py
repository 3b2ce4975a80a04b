"""Keeping passwords: Argon2id, hashed and checked outside any transaction, a few at a time."""

from __future__ import annotations

import contextlib
import functools
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from consult.accounts.passwords import policy
from consult.errors import InvalidError, UnavailableError

HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
CONCURRENT_HASHES: Final = 2  # of 64 MiB each, per process
_QUEUE_SECONDS: Final = 10.0
_slots = threading.BoundedSemaphore(CONCURRENT_HASHES)


@dataclass(frozen=True, slots=True)
class KeptPassword:
    """What an account keeps of a password."""

    hash: str
    for_staff: bool  # it met the rule of staff


def keep(password: str, *, staff: bool = False, context: tuple[str, ...] = ()) -> KeptPassword:
    """Accept and hash a new password. Raises InvalidError naming the field; slow: call it before any query."""
    reason = policy.refusal(password, staff=staff, context=context)
    if reason:
        raise InvalidError(reason, fields={"password": reason})
    with _slot():
        hashed = HASHER.hash(_normal(password))
    return KeptPassword(hashed, for_staff=not policy.refusal(password, staff=True, context=context))


def matches(hashed: str | None, password: str) -> bool:
    """Whether the password is that of the hash; as slow without one, so that time tells nothing."""
    if len(password) > policy.MAX_LENGTH:
        return False
    with _slot():
        try:
            HASHER.verify(hashed or _decoy(), _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return hashed is not None


def renewed(hashed: str | None, password: str) -> str | None:
    """The same password hashed with today's parameters, when its hash was made with weaker ones."""
    if hashed is None or not HASHER.check_needs_rehash(hashed):
        return None
    with _slot():
        return HASHER.hash(_normal(password))


@functools.cache
def _decoy() -> str:
    return HASHER.hash("no account has this password")


def _normal(password: str) -> bytes:
    """The same bytes from every keyboard (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@contextlib.contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=_QUEUE_SECONDS):
        raise UnavailableError("Trop de connexions arrivent en même temps. Réessayez dans une minute.")
    try:
        yield
    finally:
        _slots.release()
