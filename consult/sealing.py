"""Sealing a short secret for the database: AES-256-GCM under keys that only the settings hold.

Whoever steals a copy of the database gets nothing out of a sealed column. The first key seals, all of them open: a key
is replaced by putting the new one first, sealing again what the old one sealed, then dropping it.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consult.errors import UnavailableError

MARK: Final = "sealed"
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
_NAME_BYTES: Final = 4


class Keyring:
    """The keys of one purpose, derived from the secrets of the settings; without any, texts stay as they are."""

    def __init__(self, phrases: Sequence[str], purpose: str) -> None:
        self._ciphers = {}
        for phrase in phrases:
            derived = HKDF(SHA256(), KEY_BYTES + _NAME_BYTES, salt=None, info=f"consult {purpose}".encode())
            held = derived.derive(phrase.encode())
            self._ciphers[held[KEY_BYTES:].hex()] = AESGCM(held[:KEY_BYTES])

    def seal(self, text: str, owner: object) -> str:
        """The text for the row of that owner alone: moved to another row, it no longer opens."""
        if not self._ciphers:
            return text
        name, cipher = next(iter(self._ciphers.items()))
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + cipher.encrypt(nonce, text.encode(), str(owner).encode())
        return f"{MARK}:{name}:{base64.b64encode(sealed).decode()}"

    def unseal(self, kept: str, owner: object) -> str:
        """The text again; one kept in clear, from before there was a key, is given as it is.

        Raises UnavailableError when its key is no longer among the settings, or when the row was tampered with.
        """
        mark, _, rest = kept.partition(":")
        if mark != MARK:
            return kept
        name, _, body = rest.partition(":")
        try:
            sealed = base64.b64decode(body, validate=True)
            nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
            return self._ciphers[name].decrypt(nonce, text, str(owner).encode()).decode()
        except (KeyError, ValueError, InvalidTag, binascii.Error):
            raise _unreadable() from None

    def unseal_given(self, given: str, owner: object) -> str:
        """`unseal`, of what somebody hands in: a text in clear, which anybody can write, raises as a forged one."""
        if not given.startswith(f"{MARK}:"):
            raise _unreadable()
        return self.unseal(given, owner)

    def is_current(self, kept: str) -> bool:
        """Whether that text is sealed with the first key, or in clear where there is no key."""
        name = next(iter(self._ciphers), None)
        return kept.startswith(f"{MARK}:{name}:") if name else not kept.startswith(f"{MARK}:")


def _unreadable() -> UnavailableError:
    return UnavailableError(
        "Ce secret ne peut pas être lu avec les clés de ce serveur. Prévenez l’exploitant de la plateforme."
    )


def second_factors(setting: str) -> Keyring:
    """The keys of the secrets of second factors, from CONSULT_SEAL_KEYS."""
    return Keyring(phrases(setting), "second factor")


def phrases(setting: str) -> list[str]:
    """The secrets that a setting lists, the first first."""
    return [phrase.strip() for phrase in setting.split(",") if phrase.strip()]
