"""Reading official answers, commitments and cases, and what they are about."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Select, bindparam, case, exists, func, or_, select
from sqlalchemy.orm import Session

from consult.accounts.models import Account, AccountStatus
from consult.consultations.models import Consultation, ConsultationStatus, ContentStatus, Step
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import Argument, Proposal, Theme, Vote
from consult.errors import NotFoundError
from consult.followup import policy
from consult.followup.models import (
    Commitment,
    CommitmentLink,
    FormerVersion,
    OfficialAnswer,
    Outcome,
    Stage,
    Status,
    TargetType,
    UseCase,
)
from consult.paging import Paged, paged
from consult.questionnaires.models import Reply

PAGE_SIZE: Final = 20
SHOWN: Final = 100  # former versions, or commitments about one content
# Built once: every page of contributions asks.
_ANSWERS_TO: Final = select(OfficialAnswer).where(
    OfficialAnswer.target_id.in_(bindparam("targets", expanding=True)), OfficialAnswer.status == Status.PUBLISHED
)
_AN_ANSWER: Final = (
    select(OfficialAnswer.id)
    .where(OfficialAnswer.consultation_id == bindparam("consultation"), OfficialAnswer.status == Status.PUBLISHED)
    .limit(1)
)
ItemT = TypeVar("ItemT", OfficialAnswer, Commitment, UseCase)


def one(session: Session, model: type[ItemT], item_id: uuid.UUID, *, consultation_id: uuid.UUID) -> ItemT:
    """One of a consultation, for staff. Raises NotFoundError."""
    item = session.scalar(select(model).where(model.id == item_id, model.consultation_id == consultation_id))
    if item is None:
        raise NotFoundError("Ce texte n’existe pas dans cette consultation.")
    return item


def public(session: Session, model: type[ItemT], item_id: uuid.UUID) -> tuple[ItemT, Consultation]:
    """One that was published, taken back since or not, with its consultation. Raises NotFoundError."""
    query = (
        select(model, Consultation)
        .join(Consultation, Consultation.id == model.consultation_id)
        .where(model.id == item_id, model.status != Status.DRAFT, Consultation.status != ConsultationStatus.DRAFT)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFoundError("Rien n’est publié à cette adresse.")
    return found[0], found[1]


def listed(session: Session, model: type[ItemT], consultation_id: uuid.UUID, *, page: int) -> Paged[ItemT]:
    """A page of those of a consultation in any state, the latest first, for staff."""
    query = select(model).where(model.consultation_id == consultation_id)
    return paged(session, query.order_by(model.created_at.desc(), model.id), number=page, size=PAGE_SIZE)


def published(
    session: Session, model: type[ItemT], consultation_id: uuid.UUID, *, page: int, only: Mapping[str, Any]
) -> Paged[ItemT]:
    """A page of those that were published, taken back ones last; `only`: the values that columns must have.

    What was taken back has no value any more: by none is it found.
    """
    query = select(model).where(model.consultation_id == consultation_id, model.status != Status.DRAFT)
    if only:
        query = query.where(model.status == Status.PUBLISHED)
    for name, value in only.items():
        query = query.where(getattr(model, name) == value)
    gone = case((model.status == Status.WITHDRAWN, 1), else_=0)
    first: tuple[Any, ...] = (Commitment.due_on.is_(None), Commitment.due_on) if model is Commitment else ()
    return paged(
        session, query.order_by(gone, *first, model.published_at.desc(), model.id), number=page, size=PAGE_SIZE
    )


def versions(session: Session, item_id: uuid.UUID) -> Sequence[FormerVersion]:
    """What it said before, the latest first."""
    former = select(FormerVersion).where(FormerVersion.item_id == item_id)
    return session.scalars(former.order_by(FormerVersion.version.desc()).limit(SHOWN)).all()


# What answers and commitments are about -----------------------------------------------------------------------------


def standing_answer(session: Session, target_id: uuid.UUID) -> OfficialAnswer | None:
    """The answer drafted or published to this, if any."""
    standing = (OfficialAnswer.target_id == target_id, OfficialAnswer.status != Status.WITHDRAWN)
    return session.scalar(select(OfficialAnswer).where(*standing))


def answers_to(session: Session, target_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, OfficialAnswer]:
    """The published answer to each of these, by what it answers."""
    return {answer.target_id: answer for answer in session.scalars(_ANSWERS_TO, {"targets": list(target_ids)})}


def commitments_about(session: Session, target_ids: Collection[uuid.UUID]) -> Sequence[Commitment]:
    """The published commitments that follow one of these answers or contributions."""
    ids = select(CommitmentLink.commitment_id).where(CommitmentLink.target_id.in_(target_ids))
    query = select(Commitment).where(Commitment.id.in_(ids), Commitment.status == Status.PUBLISHED)
    return session.scalars(query.order_by(Commitment.due_on, Commitment.id).limit(SHOWN)).all()


def has_answers(session: Session, consultation_id: uuid.UUID) -> bool:
    """Whether anything of a consultation is answered."""
    return session.scalar(_AN_ANSWER, {"consultation": consultation_id}) is not None


def answered(step_id: uuid.UUID, outcome: Outcome | None) -> Select[Any]:
    """The ids of the contributions of a step that are answered so (None: in any way)."""
    query = (
        select(OfficialAnswer.target_id)
        .join(Proposal, Proposal.id == OfficialAnswer.target_id)
        .where(Proposal.step_id == step_id, OfficialAnswer.status == Status.PUBLISHED)
    )
    return query if outcome is None else query.where(OfficialAnswer.outcome == outcome)


def target_title(session: Session, consultation: Consultation, kind: TargetType, target_id: uuid.UUID) -> str | None:
    """The title of what may be answered in a consultation; None where there is no such thing, or it is not public."""
    return titles(session, consultation.id, {(kind, target_id)}).get(target_id)


def titles(
    session: Session, consultation_id: uuid.UUID, targets: Collection[tuple[TargetType, uuid.UUID]]
) -> Mapping[uuid.UUID, str]:
    """The title of each target, in one query for each kind of them; what is public no more has none."""
    by_kind: dict[TargetType, set[uuid.UUID]] = {}
    for kind, target_id in targets:
        by_kind.setdefault(kind, set()).add(target_id)
    found: dict[uuid.UUID, str] = {}
    for kind, ids in by_kind.items():
        found |= {row.id: row.title for row in session.execute(_titled(kind, consultation_id, ids))}
    return found


def _titled(kind: TargetType, consultation_id: uuid.UUID, ids: Collection[uuid.UUID]) -> Any:
    if kind is TargetType.CONTRIBUTION:
        query = select(Proposal.id, Proposal.title).where(
            Proposal.consultation_id == consultation_id, Proposal.status == ContentStatus.PUBLISHED
        )
        return query.where(Proposal.id.in_(ids))
    if kind is TargetType.THEME:
        query = select(Theme.id, Theme.title).join(Step, Step.id == Theme.step_id)
        return query.where(Step.consultation_id == consultation_id, Theme.id.in_(ids))
    if kind is TargetType.STEP:
        return select(Step.id, Step.title).where(Step.consultation_id == consultation_id, Step.id.in_(ids))
    query = select(Consultation.id, Consultation.title).where(Consultation.id == consultation_id)
    return query.where(Consultation.id.in_(ids))


def themes(session: Session, consultation_id: uuid.UUID) -> Sequence[Theme]:
    """Every theme of a consultation, in the order of its steps."""
    query = select(Theme).join(Step, Step.id == Theme.step_id).where(Step.consultation_id == consultation_id)
    return session.scalars(query.order_by(Step.position, Theme.position)).all()


def theme_page(session: Session, theme_id: uuid.UUID) -> tuple[str, str] | None:
    """The slugs of a theme and of its step."""
    found = session.execute(
        select(Theme.slug, Step.slug).join(Step, Step.id == Theme.step_id).where(Theme.id == theme_id)
    ).one_or_none()
    return (found[0], found[1]) if found else None


def linkable(session: Session, consultation_id: uuid.UUID, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What each id names among the published answers and contributions of a consultation."""
    answers = select(OfficialAnswer.id).where(
        OfficialAnswer.consultation_id == consultation_id, OfficialAnswer.status == Status.PUBLISHED
    )
    proposals = select(Proposal.id).where(
        Proposal.consultation_id == consultation_id, Proposal.status == ContentStatus.PUBLISHED
    )
    return {
        **dict.fromkeys(session.scalars(answers.where(OfficialAnswer.id.in_(ids))), "answer"),
        **dict.fromkeys(session.scalars(proposals.where(Proposal.id.in_(ids))), "contribution"),
    }


def linked(session: Session, commitment: Commitment) -> Sequence[tuple[str, uuid.UUID, str]]:
    """What a commitment follows and is still public: its kind, its id and its title, answers by what they answer."""
    ids = {each.target_id: each.target_type for each in commitment.links}
    answers = session.scalars(
        select(OfficialAnswer).where(OfficialAnswer.id.in_(ids), OfficialAnswer.status == Status.PUBLISHED)
    ).all()
    targets = {(each.target_type, each.target_id) for each in answers}
    targets |= {(TargetType.CONTRIBUTION, key) for key, kind in ids.items() if kind == "contribution"}
    named = titles(session, commitment.consultation_id, targets)
    found = [("answer", each.id, named[each.target_id]) for each in answers if each.target_id in named]
    found += [("contribution", key, named[key]) for key, kind in ids.items() if kind == "contribution" and key in named]
    return found


def published_between(
    session: Session, model: type[ItemT], consultation_id: uuid.UUID, since: dt.datetime, until: dt.datetime
) -> Sequence[ItemT]:
    """Those published in that time and not taken back, the first published first."""
    query = select(model).where(model.consultation_id == consultation_id, model.status == Status.PUBLISHED)
    query = query.where(model.published_at >= since, model.published_at < until)
    return session.scalars(query.order_by(model.published_at, model.id)).all()


def to_tell(
    session: Session, organisation_id: uuid.UUID, consultation_id: uuid.UUID, *, after: uuid.UUID | None, limit: int
) -> Sequence[Account]:
    """The next accounts that took part under their name, and asked to be told of what follows, in the order of ids."""
    acts = (
        (Proposal.author_id, Proposal.consultation_id),
        (Argument.author_id, Argument.consultation_id),
        (Vote.account_id, Vote.consultation_id),
        (Ballot.account_id, Ballot.consultation_id),
        (Reply.account_id, Reply.consultation_id),
    )
    took_part = or_(*(exists().where(who == Account.id, where == consultation_id) for who, where in acts))
    query = select(Account).where(
        Account.organisation_id == organisation_id,
        Account.told_of_answers,
        Account.status == AccountStatus.ACTIVE,
        Account.confirmed_at.is_not(None),
        Account.set_aside_at.is_(None),
        took_part,
    )
    if after is not None:
        query = query.where(Account.id > after)
    return session.scalars(query.order_by(Account.id).limit(limit)).all()


# The whole of a consultation ----------------------------------------------------------------------------------------


def tally(session: Session, consultation_id: uuid.UUID, now: dt.datetime) -> Mapping[str, int]:
    """How many answers and commitments are published, and how many commitments are late."""
    answers = select(func.count(OfficialAnswer.id)).where(
        OfficialAnswer.consultation_id == consultation_id, OfficialAnswer.status == Status.PUBLISHED
    )
    commitments = select(func.count(Commitment.id)).where(
        Commitment.consultation_id == consultation_id, Commitment.status == Status.PUBLISHED
    )
    return {
        "answers": session.scalar(answers) or 0,
        "commitments": session.scalar(commitments) or 0,
        "overdue": session.scalar(commitments.where(*_overdue(now))) or 0,
    }


def _overdue(now: dt.datetime) -> tuple[Any, ...]:
    """As `policy.is_overdue` judges."""
    over = Commitment.stage.in_([Stage.DONE, Stage.ABANDONED])
    return Commitment.status == Status.PUBLISHED, Commitment.due_on < policy.today(now), ~over


def overdue(session: Session, now: dt.datetime, limit: int) -> Sequence[Commitment]:
    """Late commitments whose staff was not told of that due date yet."""
    untold = or_(Commitment.reminded_for.is_(None), Commitment.reminded_for != Commitment.due_on)
    return session.scalars(select(Commitment).where(*_overdue(now), untold).order_by(Commitment.id).limit(limit)).all()
