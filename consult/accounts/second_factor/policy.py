"""One-time codes (RFC 6238, 30 seconds, six digits) and recovery codes."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
from collections.abc import Callable
from typing import Final

import pyotp

from consult.security import digest

STEP_SECONDS: Final = 30
RECOVERY_CODES: Final = 10
_DRIFT: Final = (0, -1, 1)  # clocks may differ by one step


def matching_step(secret: str, code: str, *, now: dt.datetime, last_step: int | None) -> int | None:
    """The time step whose code this is, if it is later than the last one used: a code serves once (AT-D.4)."""
    current = int(now.timestamp()) // STEP_SECONDS
    generator = pyotp.TOTP(secret)
    for step in (current + drift for drift in _DRIFT):
        expected = generator.generate_otp(step)
        if hmac.compare_digest(expected.encode(), code.encode()) and (last_step is None or step > last_step):
            return step
    return None


def clean_code(typed: str) -> str:
    """What was typed, without the spaces and dashes that people add."""
    return "".join(sign for sign in typed.casefold() if sign.isalnum())


def new_recovery_codes(randbytes: Callable[[int], bytes]) -> list[str]:
    """Codes of 80 bits, to be shown once."""
    texts = (base64.b32encode(randbytes(10)).decode().lower() for _ in range(RECOVERY_CODES))
    return ["-".join(text[start : start + 4] for start in range(0, 16, 4)) for text in texts]


def recovery_digest(code: str) -> str:
    """What the database keeps of a recovery code."""
    return digest(f"recovery:{clean_code(code)}")


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """What the QR code says to the person's application."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)
