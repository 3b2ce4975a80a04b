"""Urns: what anonymous replies are between their sending and their batch. Nobody but this module opens one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from consult.consultations.models import Step
from consult.errors import UnavailableError
from consult.questionnaires.models import ReplyUrn, UrnKind
from consult.sealing import Keyring, phrases

LEAST: Final = 20  # replies in a batch, while the step is open


def keyring(setting: str) -> Keyring:
    """The keys of urns, from CONSULT_SEAL_KEYS."""
    return Keyring(phrases(setting), "anonymous replies")


def content(urn: ReplyUrn, keys: Keyring) -> dict[str, Any]:
    """What an urn holds, by reply id. Raises UnavailableError without its key."""
    return dict(json.loads(keys.unseal(urn.sealed, urn.id))) if urn.sealed else {}


def write(urn: ReplyUrn, held: Mapping[str, Any], keys: Keyring) -> None:
    """Have an urn hold this: in the order of drawn ids, whatever the order in which they came."""
    urn.count = len(held)
    urn.sealed = keys.seal(json.dumps(held, ensure_ascii=False, sort_keys=True), urn.id)


def lock(session: Session, step_id: uuid.UUID) -> None:
    """Be alone with the urns of a step until the transaction ends: taken before any of them, and before any reply."""
    session.execute(select(Step.id).where(Step.id == step_id).with_for_update(key_share=True))


def opened(session: Session, keys: Keyring, *which: ColumnElement[bool]) -> Iterator[tuple[ReplyUrn, dict[str, Any]]]:
    """Those urns as the database has them now, each with what it holds; one whose key is lost is passed over.

    Those that are not full come first.
    """
    query = select(ReplyUrn).where(*which).order_by(ReplyUrn.open.is_(None), ReplyUrn.id)
    for urn in session.scalars(query.execution_options(populate_existing=True)):
        if (held := _content_or_none(urn, keys)) is not None:
            yield urn, held


def lost(session: Session, keys: Keyring, *which: ColumnElement[bool]) -> list[ReplyUrn]:
    """Those of these urns that no key opens."""
    return [urn for urn in session.scalars(select(ReplyUrn).where(*which)) if _content_or_none(urn, keys) is None]


def put(
    session: Session,
    step: Step,
    kind: UrnKind,
    reply_id: uuid.UUID,
    said: Mapping[str, Any] | None,
    *,
    keys: Keyring,
) -> None:
    """Put something in the urn that the step is filling, in the place of what was there of that reply; None: nothing.

    Raises UnavailableError when changes that no key opens wait already: nobody could tell which come last.
    """
    lock(session, step.id)
    urn, held = _filling(session, step, kind, keys)
    held.pop(str(reply_id), None)
    if said is not None:
        held[str(reply_id)] = said
    write(urn, held, keys)
    if kind is UrnKind.REPLIES and urn.count >= LEAST:
        urn.open = None
    session.flush()


def amend(session: Session, urn: ReplyUrn, reply_id: uuid.UUID, answers: Any, keys: Keyring) -> None:
    """Have a reply say that in its locked urn; None: take it out."""
    held = content(urn, keys)
    held[str(reply_id)]["answers"] = answers
    if answers is None:
        del held[str(reply_id)]
    write(urn, held, keys)
    session.flush()


def _filling(session: Session, step: Step, kind: UrnKind, keys: Keyring) -> tuple[ReplyUrn, dict[str, Any]]:
    query = select(ReplyUrn).where(ReplyUrn.step_id == step.id, ReplyUrn.kind == kind, ReplyUrn.open.is_(True))
    urn = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if urn is not None and kind is UrnKind.CHANGES:
        return urn, content(urn, keys)
    if urn is not None:
        held = _content_or_none(urn, keys)
        if held is not None:
            return urn, held
        urn.open = None  # lost, or until its key is found again: replies go on in another one
        session.flush()
    urn = ReplyUrn(id=uuid.uuid4(), organisation_id=step.organisation_id, step_id=step.id, kind=kind, open=True)
    session.add(urn)
    return urn, {}


def _content_or_none(urn: ReplyUrn, keys: Keyring) -> dict[str, Any] | None:
    try:
        return content(urn, keys)
    except UnavailableError:
        return None
