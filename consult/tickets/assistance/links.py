"""The secret link of a request for help: its id, sealed. Nothing is kept of it, so that each mail gives it again."""

from __future__ import annotations

import base64
import uuid
from typing import Final

from consult.errors import UnavailableError
from consult.sealing import Keyring

_PURPOSE: Final = "help request"


def token(secret: str, request_id: uuid.UUID) -> str:
    """What the link of this request ends with."""
    sealed = Keyring([secret], _PURPOSE).seal(str(request_id), _PURPOSE)
    return base64.urlsafe_b64encode(sealed.encode()).decode()


def opened(secret: str, given: str) -> uuid.UUID | None:
    """The request that a link opens; None for one that was not made here."""
    try:
        sealed = base64.urlsafe_b64decode(given.encode()).decode()
        return uuid.UUID(Keyring([secret], _PURPOSE).unseal_given(sealed, _PURPOSE))
    except (ValueError, UnavailableError):
        return None
