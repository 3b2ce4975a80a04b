"""What a proposal and an argument may be: limits, order, opaque identifiers; pure."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import rfc8785

from consult.clock import hour, written
from consult.consultations.labels import HELD
from consult.consultations.models import ContentStatus
from consult.departements import DEPARTEMENTS
from consult.errors import InvalidError
from consult.labels import number

OPAQUE_BYTES: Final = 16
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Asked(enum.StrEnum):
    """Whether a field of a form is there, and must be filled."""

    NO = "no"
    OPTIONAL = "optional"
    REQUIRED = "required"


def changeable(status: ContentStatus, status_reason: str | None) -> bool:
    """Whether its author may edit or withdraw a content in that state: shown, or not shown yet, and by no decision."""
    return status in {ContentStatus.PUBLISHED, ContentStatus.PENDING} or status_reason in HELD


@dataclass(frozen=True, slots=True)
class Limits:
    """Lengths accepted by a step, in characters, both ends included."""

    title_min: int = 5
    title_max: int = 150
    body_min: int = 20
    body_max: int = 10_000
    argument_min: int = 10
    argument_max: int = 3_000


def limits(settings: Mapping[str, Any]) -> Limits:
    """The limits of a step: the usual ones, but for those that its settings change."""
    changed = {name: int(settings[name]) for name in Limits.__dataclass_fields__ if name in settings}
    return Limits(**changed)


def takes_arguments(settings: Mapping[str, Any]) -> bool:
    """Whether people may argue for and against; they may unless the step says otherwise."""
    return bool(settings.get("arguments", True))


def asks_departement(settings: Mapping[str, Any]) -> Asked:
    """Whether the author of a proposal is asked for a département, which is then public; not unless a step says so."""
    return Asked(settings.get("departement", Asked.NO))


def check_departement(code: str | None, asked: Asked) -> None:
    """Raise InvalidError when a département is missing, or is none of the list."""
    if code not in DEPARTEMENTS if code else asked is Asked.REQUIRED:
        refuse({"departement": "Choisissez votre département dans la liste."})


def one_line(text: str) -> str:
    """A typed title: one line, single spaces, no control character (PostgreSQL refuses NUL)."""
    return " ".join(_CONTROL.sub("", text).split())


def many_lines(text: str) -> str:
    """A typed text: its own lines, one kind of line end, no control character, nothing around."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def check_proposal(title: str, body: str, accepted: Limits) -> None:
    """Raise InvalidError naming each field whose length is not accepted."""
    refuse(
        {
            "title": length_fault("Le titre", title, accepted.title_min, accepted.title_max),
            "body": length_fault("Le texte", body, accepted.body_min, accepted.body_max),
        }
    )


def check_argument(title: str | None, body: str, accepted: Limits) -> None:
    """Raise InvalidError naming each field of an argument whose length is not accepted; it may have no title."""
    refuse(
        {
            "title": length_fault("Le titre", title, accepted.title_min, accepted.title_max) if title else "",
            "body": length_fault("L’argument", body, accepted.argument_min, accepted.argument_max),
        }
    )


def random_rank(order_seed: str, item_id: uuid.UUID) -> int:
    """The place of a proposal in the random order of its step: the first 63 bits of SHA-256(seed, id).

    The seed is published, so that anyone can replay the order; nobody could choose a place, ids being drawn by the
    server once the seed is frozen.
    """
    return int.from_bytes(hashlib.sha256(order_seed.encode() + item_id.bytes).digest()[:8], "big") >> 1


def text_digest(title: str | None, body: str, **more: Any) -> str:
    """What the public log holds of a text: SHA-256 of its canonical JSON; the text itself can then be erased.

    `more`: what a version of an article says besides, its `reason` and its `sources`.
    """
    return hashlib.sha256(rfc8785.dumps({"title": title, "body": body, **more})).hexdigest()


def text_entry(title: str | None, body: str, created_at: dt.datetime, **more: Any) -> dict[str, Any]:
    """What the public log holds of a text, and of its date, so that a row back-dated since is seen."""
    return {"text_sha256": text_digest(title, body, **more), "created_at": written(hour(created_at))}


def author_of(secret: bytes, account_id: uuid.UUID) -> str:
    """The opaque author of a step's contents in open data: the same for all contents of an account in that step."""
    return _opaque(secret, b"author", account_id)


def voter_of(secret: bytes, account_id: uuid.UUID) -> str:
    """The opaque voter of a step's votes, unrelated to `author_of`: no one can list the votes of a pseudonym."""
    return _opaque(secret, b"voter", account_id)


def submission_digest(account_id: uuid.UUID, key: str) -> str:
    """What the database keeps of a form's key: another account sending the same key is another submission."""
    return hashlib.sha256(f"{account_id}:{key}".encode()).hexdigest()


def draft_digest(token: str) -> str:
    """What the database keeps of the token of a draft."""
    return hashlib.sha256(f"draft:{token}".encode()).hexdigest()


def _opaque(secret: bytes, purpose: bytes, account_id: uuid.UUID) -> str:
    # HKDF's expand step (RFC 5869) with one block: a key per purpose, neither of which tells the other.
    key = hmac.digest(secret, b"consult/v1/" + purpose + b"\x01", "sha256")
    return hmac.digest(key, account_id.bytes, "sha256")[:OPAQUE_BYTES].hex()


def length_fault(what: str, text: str, least: int, most: int) -> str:
    """Why a text is too short or too long, in French; empty when it is neither."""
    if not text:
        return f"{what} est vide : écrivez au moins {least} caractères."
    if len(text) < least:
        return f"{what} compte {len(text)} caractères : il en faut au moins {least}."
    if len(text) > most:
        length, excess = number(len(text)), number(len(text) - most)
        return f"{what} compte {length} caractères : {number(most)} au plus, enlevez-en {excess}."
    return ""


def refuse(reasons: Mapping[str, str]) -> None:
    """Raise InvalidError for the reasons that are not empty, by field."""
    fields = {name: reason for name, reason in reasons.items() if reason}
    if fields:
        raise InvalidError(" ".join(fields.values()), fields=fields)
