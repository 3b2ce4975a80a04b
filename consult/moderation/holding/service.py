"""Taking a content to examine it: nobody else decides on it meanwhile, and it is free again by itself.

The content's row is locked first, as decisions do: of two moderators who take it at once, one is told who holds it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.accounts.queries import staff_of
from consult.actor import Actor, Role
from consult.audit import service as audit
from consult.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from consult.labels import moment
from consult.moderation import policy
from consult.moderation.holding import queries
from consult.moderation.holding.models import Hold
from consult.protocols import ContentType, ModerableItem

TAKEN: Final = dt.timedelta(minutes=15)
ENTRUSTED: Final = dt.timedelta(hours=24)


def take(
    session: Session,
    content: ContentType,
    item_id: uuid.UUID,
    *,
    actor: Actor,
    organisation_id: uuid.UUID,
    now: dt.datetime,
) -> dt.datetime:
    """Hold a content, or hold it longer; tells until when.

    Raises NotFoundError, ForbiddenError for whom may not decide on it, ConflictError when somebody else holds it.
    """
    item = _locked(session, content, item_id)
    policy.check_moderator(actor, item)
    assert actor.account_id is not None  # who moderates has an account
    check_free(session, item, actor, now)
    return _hold(session, item, actor.account_id, organisation_id, now + TAKEN)


def release(session: Session, item: ModerableItem, *, actor: Actor) -> None:
    """Give back a content; nothing when somebody else holds it, or nobody."""
    _drop(session, item, Hold.holder_id == actor.account_id)


def entrust(
    session: Session,
    content: ContentType,
    item_id: uuid.UUID,
    holder: str,
    *,
    actor: Actor,
    organisation_id: uuid.UUID,
    now: dt.datetime,
) -> dt.datetime:
    """Have a content held by a moderator, given by the id of their account, whoever holds it; tells until when.

    For administrators; the journal keeps it. Raises NotFoundError, ForbiddenError, InvalidError for nobody who may
    decide on it.
    """
    item = _locked(session, content, item_id)
    policy.check_moderator(actor, item)
    if not actor.holds(Role.ADMINISTRATOR, consultation_id=item.consultation_id):
        raise ForbiddenError("Seul un administrateur confie un contenu à quelqu’un.")
    chosen = {str(each.id): each.id for each in able(session, organisation_id, item)}.get(holder)
    if chosen is None:
        raise InvalidError("Choisissez une personne qui modère cette consultation et n’a pas écrit ce contenu.")
    _drop(session, item)
    until = _hold(session, item, chosen, organisation_id, now + ENTRUSTED)
    audit.record(
        session,
        actor=actor,
        organisation_id=organisation_id,
        action="moderation.entrust",
        target_type=item.type,
        target_id=item.id,
        detail={"holder": holder},
        now=now,
    )
    return until


def able(session: Session, organisation_id: uuid.UUID, item: ModerableItem) -> list[Account]:
    """Who may be entrusted with a content: who moderates its consultation, its author excepted."""
    moderators = staff_of(session, organisation_id, item.consultation_id, policy.MODERATORS)
    return [each for each in moderators if each.id != item.author_id]


def check_free(session: Session, item: ModerableItem, actor: Actor, now: dt.datetime) -> None:
    """Raise ConflictError when somebody else holds the content, whose row is locked."""
    held = queries.held(session, [item.id], now).get((item.type, item.id))
    if held is not None and held.holder_id != actor.account_id:
        raise ConflictError(
            f"{held.name} examine ce contenu jusqu’au {moment(held.until)}. Examinez-en un autre, ou revenez ensuite."
        )


def decided(session: Session, item: ModerableItem) -> None:
    """End the hold on a content that has just been decided on."""
    _drop(session, item)


def _locked(session: Session, content: ContentType, item_id: uuid.UUID) -> ModerableItem:
    item = content.get(session, item_id)
    if item is None:
        raise NotFoundError("Ce contenu n’existe pas.")
    return item


def _hold(
    session: Session, item: ModerableItem, holder_id: uuid.UUID, organisation_id: uuid.UUID, until: dt.datetime
) -> dt.datetime:
    """Put the hold, over one that is over; one of the same person that lasts longer stands."""
    same = Hold.item_type == item.type, Hold.item_id == item.id
    hold = session.scalar(select(Hold).where(*same).execution_options(populate_existing=True))
    if hold is None:
        hold = Hold(
            organisation_id=organisation_id,
            consultation_id=item.consultation_id,
            item_type=item.type,
            item_id=item.id,
            holder_id=holder_id,
            held_until=until,
        )
        session.add(hold)
    else:
        until = max(until, hold.held_until)
        hold.holder_id, hold.held_until = holder_id, until
    session.flush()
    return until


def _drop(session: Session, item: ModerableItem, *conditions: ColumnElement[bool]) -> None:
    same = Hold.item_type == item.type, Hold.item_id == item.id
    session.execute(delete(Hold).where(*same, *conditions), execution_options={"synchronize_session": False})
