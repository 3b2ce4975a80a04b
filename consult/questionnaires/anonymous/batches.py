"""What comes out of the urns: shuffled batches of replies, each with one entry in the log, and changes of replies."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from consult import clock
from consult.consultations.models import ContentStatus, Origin, Step
from consult.questionnaires import policy, queries
from consult.questionnaires import service as replies
from consult.questionnaires.anonymous import urns
from consult.questionnaires.models import Answer, Reply, ReplyUrn, UrnKind
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind
from consult.sealing import Keyring

MARGIN: Final = dt.timedelta(minutes=1)  # a reply received just before the end may join its urn a little later
MOST_REPLIES: Final = 200  # in a batch; some more where the last urn goes beyond
MOST_CHANGES: Final = 50
SALT_BYTES: Final = 32
_CHANCE: Final = secrets.SystemRandom()


def flush(session: Session, step: Step, *, keys: Keyring, now: dt.datetime) -> bool:
    """One batch, or some of the changes that are due; False when nothing is. For a transaction of its own.

    While the step is open, `urns.LEAST` replies at least come out, or change, together; once it is over, whatever is
    left. What no key opens stays where it is.
    """
    over = step.ends_at + MARGIN <= now
    urns.lock(session, step.id)
    return _batch(session, step, keys, now, over=over) or _changes(session, step, keys, now, over=over)


def seal_again(session: Session, step: Step, keys: Keyring) -> None:
    """Seal with the first key the urns of a step that are in clear or under an older one."""
    urns.lock(session, step.id)
    for urn, held in urns.opened(session, keys, ReplyUrn.step_id == step.id):
        if urn.sealed and not keys.is_current(urn.sealed):
            urns.write(urn, held, keys)
    session.flush()


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What a step lost: replies that will never come out, and changes of those that did."""

    step: Step
    replies: int
    changes: int


def give_up(session: Session, *, keys: Keyring, now: dt.datetime, only_tell: bool = False) -> list[GivenUp]:
    """Discard the urns that no key opens, and say so in the log; `only_tell`: what that would discard.

    The accounts whose replies are lost stay marked as having replied: nobody knows which they are.
    """
    told = []
    for step_id in session.scalars(select(ReplyUrn.step_id).distinct().order_by(ReplyUrn.step_id)).all():
        urns.lock(session, step_id)
        counts = dict.fromkeys(UrnKind, 0)
        for urn in (lost := urns.lost(session, keys, ReplyUrn.step_id == step_id)):
            counts[urn.kind] += urn.count
        if lost:
            step = session.get_one(Step, step_id)
            told.append(GivenUp(step, counts[UrnKind.REPLIES], counts[UrnKind.CHANGES]))
            if not only_tell:
                _discard(session, step, lost, counts, now)
    return told


def _discard(
    session: Session, step: Step, lost: Sequence[ReplyUrn], counts: Mapping[UrnKind, int], now: dt.datetime
) -> None:
    for urn in lost:
        session.delete(urn)
    registry.append(
        session,
        organisation_id=step.organisation_id,
        consultation_id=step.consultation_id,
        kind=EntryKind.INCIDENT,
        content={
            "what": "replies",
            "step": str(step.id),
            "replies": counts[UrnKind.REPLIES],
            "changes": counts[UrnKind.CHANGES],
        },
        now=now,
    )


def _batch(session: Session, step: Step, keys: Keyring, now: dt.datetime, *, over: bool) -> bool:
    mine = [ReplyUrn.step_id == step.id, ReplyUrn.kind == UrnKind.REPLIES]
    taken: list[ReplyUrn] = []
    held: dict[str, Any] = {}
    for urn, said in urns.opened(session, keys, *mine, *([] if over else [ReplyUrn.open.is_(None)])):
        taken.append(urn)
        held |= said
        if len(held) >= MOST_REPLIES:
            break
    if not taken or (not over and len(held) < urns.LEAST):  # some were withdrawn since their urn was full
        return False
    found = [(uuid.UUID(key), said) for key, said in held.items()]
    _CHANCE.shuffle(found)
    if found:
        _publish(session, step, found, now)
    for urn in taken:
        session.delete(urn)
    session.flush()
    return True


def _publish(session: Session, step: Step, found: Sequence[tuple[uuid.UUID, Any]], now: dt.datetime) -> None:
    """Write the replies, in this order, and the entry that commits to each of them under a salt of its own."""
    questions, day = queries.questions(session, step.id), clock.day(now)
    given = {key: policy.from_json(said["answers"], questions) for key, said in found}
    salts = {key: secrets.token_bytes(SALT_BYTES) for key in given}
    public = {key: policy.public_answers(questions, answers) for key, answers in given.items()}
    ref = registry.append(
        session,
        organisation_id=step.organisation_id,
        consultation_id=step.consultation_id,
        kind=EntryKind.REPLIES,
        content={
            "type": "replies",
            "step": str(step.id),
            "day": day.isoformat(),
            "count": len(found),
            "replies": {str(key): registry.commitment(salts[key], said).hex() for key, said in public.items()},
        },
        now=now,
        effect=conservation.flow("reply", Origin.LIVE, conservation.SUBMITTED, len(found)),
    )
    shared = {
        "organisation_id": step.organisation_id,
        "consultation_id": step.consultation_id,
        "step_id": step.id,
        "received_on": day,
        "received_at": clock.start_of(day),
        "batch_ref": ref,
    }
    rows = [{**shared, "id": key, "batch_salt": salts[key].hex(), "edit_key": said["holder"]} for key, said in found]
    session.execute(insert(Reply), rows)
    answers = [
        {"organisation_id": step.organisation_id, "reply_id": key, "question_id": question, **answer}
        for key, said in given.items()
        for question, answer in said.items()
    ]
    if answers:
        session.execute(insert(Answer), answers)


def _changes(session: Session, step: Step, keys: Keyring, now: dt.datetime, *, over: bool) -> bool:
    mine = (ReplyUrn.step_id == step.id, ReplyUrn.kind == UrnKind.CHANGES)
    urn, left = next(urns.opened(session, keys, *mine), (None, {}))
    if urn is None:
        return False
    known = [uuid.UUID(key) for key in left]
    query = select(Reply).where(Reply.id.in_(known)).order_by(Reply.id).with_for_update()
    found = session.scalars(query.execution_options(populate_existing=True))
    # A withdrawal stands whatever moderation did; a change of a hidden reply waits for it to be restored.
    ready = {
        str(reply.id): reply
        for reply in found
        if reply.status is ContentStatus.PUBLISHED or left[str(reply.id)]["answers"] is None
    }
    if not over and len(ready) < urns.LEAST:
        return False
    for key in _CHANCE.sample(sorted(ready), min(len(ready), MOST_CHANGES)):
        _apply(session, ready.pop(key), left.pop(key)["answers"], now)
    if left and (ready or not over):
        urns.write(urn, left, keys)
    else:
        session.delete(urn)
    session.flush()
    return True


def _apply(session: Session, reply: Reply, said: Any, now: dt.datetime) -> None:
    """Give a reply what its author now wants it to say; None: withdraw it."""
    if said is None:
        replies.take_back(session, reply, now)
    else:
        questions = queries.questions(session, reply.step_id)
        replies.revise(session, reply, questions, policy.from_json(said, questions), now)
