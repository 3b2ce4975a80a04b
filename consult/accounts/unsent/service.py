"""Keeping a day, for its browser alone, the form that it sent once its session was over."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from consult.accounts.models import UnsentForm
from consult.db import insert_once
from consult.sealing import Keyring
from consult.security import digest

LIFE: Final = dt.timedelta(days=1)
LONGEST: Final = 200_000  # bytes: more than any form of ours takes
ADDRESS_FORMS: Final = 100  # kept at once for people who share a connection


@dataclass(frozen=True, slots=True)
class SentForm:
    """Where a form was sent, the page that it was on (empty when unknown), its names and values; the names of the files
    that went with it, which are not kept.
    """

    address: str
    page: str
    fields: list[tuple[str, str]]
    files: list[str]


def keep(
    session: Session, form: SentForm, *, organisation_id: uuid.UUID, token: str, address_key: str, now: dt.datetime
) -> bool:
    """Keep a form, sealed by the token that its browser holds, in place of the one kept before.

    False when it is too long, or when its connection (see security.address_key) has too many kept.
    """
    text = json.dumps([form.address, form.page, form.fields, form.files], ensure_ascii=False)
    mine = _named(organisation_id, token)
    near = select(func.count()).where(UnsentForm.address_key == address_key, UnsentForm.digest != mine)
    kept = session.scalar(near.where(UnsentForm.expires_at > now)) or 0
    if len(text.encode()) > LONGEST or kept >= ADDRESS_FORMS:
        return False
    session.execute(delete(UnsentForm).where(UnsentForm.digest == mine))
    insert_once(  # sent twice at the same instant, it is kept once
        session,
        UnsentForm,
        conflict=["digest"],
        digest=mine,
        organisation_id=organisation_id,
        address_key=address_key,
        sealed=_keyring(token).seal(text, mine),
        expires_at=now + LIFE,
    )
    return True


def kept(session: Session, *, organisation_id: uuid.UUID, token: str, now: dt.datetime) -> SentForm | None:
    """The form that waits for the browser that holds this token."""
    mine = _named(organisation_id, token)
    sealed = session.scalar(select(UnsentForm.sealed).where(UnsentForm.digest == mine, UnsentForm.expires_at > now))
    if sealed is None:
        return None
    address, page, fields, *files = json.loads(_keyring(token).unseal(sealed, mine))  # a day ago, without files
    return SentForm(address, page, [(name, value) for name, value in fields], files[0] if files else [])


def _named(organisation_id: uuid.UUID, token: str) -> str:
    return digest(f"{organisation_id}:{token}")


def _keyring(token: str) -> Keyring:
    return Keyring([token], "unsent form")
