"""Telling people from robots without a puzzle: a proof of work, or a delay for those without JavaScript."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Final

from altcha import v1 as altcha

from consult.accounts.policy import sign, unsign
from consult.errors import InvalidError

TERMS_VERSION: Final = "2026-11"  # of /conditions and /charte
PROOF_LIFE: Final = dt.timedelta(hours=1)
SLOWEST_READER: Final = dt.timedelta(hours=2)
QUICKEST_READER: Final = dt.timedelta(seconds=5)  # nobody fills the form sooner
_MAX_PROOF_LENGTH: Final = 2000
_STAMP: Final = "form-shown"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a form used up, to be remembered until it would have expired."""

    digest: str
    expires_at: dt.datetime


def challenge(secret: str, *, max_number: int, now: dt.datetime) -> dict[str, Any]:
    """A proof of work to be asked of a browser (ALTCHA, SHA-256)."""
    made = altcha.create_challenge(
        altcha.ChallengeOptions(hmac_key=_hmac_key(secret), max_number=max_number, expires=now + PROOF_LIFE)
    )
    return dict(made.to_dict())


def stamp(secret: str, now: dt.datetime) -> str:
    """A signed, single-use note of when the form was shown."""
    return sign(secret, _STAMP, f"{now.timestamp():.0f}-{secrets.token_hex(8)}")


def check_robot(*, proof: str, stamp: str, secret: str, now: dt.datetime) -> Spent:
    """What proves a person: the solved challenge, else a form shown long enough ago. Raises InvalidError."""
    return _check_proof(proof, secret, now) if proof else _check_stamp(stamp, secret, now)


def _check_proof(proof: str, secret: str, now: dt.datetime) -> Spent:
    try:
        valid, _ = (
            altcha.verify_solution(proof, _hmac_key(secret), check_expires=True)
            if len(proof) <= _MAX_PROOF_LENGTH
            else (False, "")
        )
    except Exception:  # noqa: BLE001  # hostile input inside the library: anything it trips on is no proof
        valid = False
    if not valid:
        raise InvalidError("La vérification anti-robot a expiré ou n’a pas abouti. Renvoyez le formulaire.")
    # The challenge is what is spent, however its solution is spelt.
    solved = altcha.Payload.from_base64(proof).challenge
    return Spent(hashlib.sha256(f"proof:{solved}".encode()).hexdigest(), now + PROOF_LIFE)


def _check_stamp(stamp: str, secret: str, now: dt.datetime) -> Spent:
    value = unsign(secret, _STAMP, stamp)
    if value is None:
        raise InvalidError("La vérification anti-robot n’a pas abouti. Renvoyez le formulaire.")
    shown = dt.datetime.fromtimestamp(int(value.partition("-")[0]), dt.UTC)
    if now - shown < QUICKEST_READER:
        raise InvalidError("Le formulaire a été envoyé trop vite. Attendez cinq secondes, puis renvoyez-le.")
    if now - shown > SLOWEST_READER:
        raise InvalidError("Le formulaire était ouvert depuis trop longtemps. Renvoyez-le.")
    return Spent(hashlib.sha256(f"stamp:{value}".encode()).hexdigest(), shown + SLOWEST_READER)


def _hmac_key(secret: str) -> str:
    return hashlib.sha256(f"altcha:{secret}".encode()).hexdigest()
