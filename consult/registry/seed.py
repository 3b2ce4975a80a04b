"""The seed of the keys of the logs: 32 bytes in a file that only the sequencer reads."""

from __future__ import annotations

import os
import secrets

from consult.errors import ConflictError
from consult.registry.notes import SEED_BYTES
from consult.settings import Settings

_OTHERS = 0o027  # a group may read: how systemd hands a credential over


def read(settings: Settings) -> bytes:
    """The seed, made where it is missing and not in production.

    Raises ConflictError, told in French, when it is missing, of the wrong length or readable by others.
    """
    path = settings.registry_seed_path
    if not path.exists() and not settings.production:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SEED_BYTES))
    if not path.exists():
        raise ConflictError(f"La graine du registre manque : {path} (CONSULT_REGISTRY_SEED_FILE).")
    if path.stat().st_mode & _OTHERS:
        raise ConflictError(f"La graine du registre est lisible par d’autres : chmod 600 {path}")
    seed = path.read_bytes()
    if len(seed) != SEED_BYTES:
        raise ConflictError(f"La graine du registre doit compter {SEED_BYTES} octets : {path}")
    return seed
