"""Adding, changing, moving and removing the parts of a bill while the consultation is a draft."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations import policy as consultations
from consult.consultations.models import Consultation, ContentStatus, Step
from consult.contributions import policy, service
from consult.contributions.bill import queries
from consult.contributions.bill.labels import FROZEN
from consult.contributions.bill.numbering import DEPTH, height, outline
from consult.contributions.models import Article, Level, Proposal, ProposalKind
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.labels import number as french
from consult.search import service as search

MOST_PARTS: Final = 2_000
NUMBER_LENGTH: Final = 20
HEADING_LENGTH: Final = 150
TEXT_LENGTH: Final = 20_000


class Way(enum.StrEnum):
    """Where a part may be moved: among its neighbours, into the one before, out of what holds it."""

    UP = "haut"
    DOWN = "bas"
    INTO = "dedans"
    OUT = "dehors"


@dataclass(frozen=True, slots=True)
class PartDraft:
    """What an organiser typed for a part; `body` is the text of an article."""

    level: Level
    number: str = ""
    heading: str = ""
    body: str = ""

    def cleaned(self) -> PartDraft:
        """The same, as it is kept."""
        body = policy.many_lines(self.body) if self.level is Level.ARTICLE else ""
        return PartDraft(self.level, policy.one_line(self.number), policy.one_line(self.heading), body)


def add(
    session: Session,
    step: Step,
    draft: PartDraft,
    *,
    parent_id: uuid.UUID | None,
    actor: Actor,
    now: dt.datetime,
) -> Article:
    """Add a part at the end of what holds it (None: the bill itself).

    Raises InvalidError naming the fields, ConflictError once the consultation opened, NotFoundError.
    """
    _lock(session, step)
    draft = draft.cleaned()
    _check(draft)
    parts = queries.parts(session, step.id)
    if len(parts) >= MOST_PARTS:
        raise InvalidError(f"Un texte compte {french(MOST_PARTS)} parties au plus : supprimez-en une d’abord.")
    if parent_id is not None:
        parent = _part(parts, parent_id)
        line = next(line for line in outline(parts) if line.id == parent_id)
        if parent.level is Level.ARTICLE or line.depth + 2 > DEPTH:
            raise InvalidError(_too_deep(parent))
    part = Article(
        id=uuid.uuid4(),
        organisation_id=step.organisation_id,
        step_id=step.id,
        parent_id=parent_id,
        position=len(_under(parts, parent_id)),
    )
    session.add(part)
    _fill(session, step, part, draft, now)
    _settle(session, step, actor, "bill.add", now)
    return part


def change(
    session: Session, step: Step, part_id: uuid.UUID, draft: PartDraft, *, actor: Actor, now: dt.datetime
) -> None:
    """Replace what a part says; an article stays an article. Raises as `add`."""
    _lock(session, step)
    draft = draft.cleaned()
    _check(draft)
    part = _part(queries.parts(session, step.id), part_id)
    if (part.level is Level.ARTICLE) is not (draft.level is Level.ARTICLE):
        message = "Un article ne devient pas une division, ni l’inverse : supprimez-le, puis ajoutez ce qu’il faut."
        raise InvalidError(message, fields={"level": message})
    _fill(session, step, part, draft, now)
    _settle(session, step, actor, "bill.change", now)


def move(session: Session, step: Step, part_id: uuid.UUID, *, way: Way, actor: Actor, now: dt.datetime) -> None:
    """Move a part and what it holds by one; where there is no way, nothing moves.

    Raises InvalidError when it would stand in an article or too deep, ConflictError once opened, NotFoundError.
    """
    _lock(session, step)
    parts = queries.parts(session, step.id)
    part = _part(parts, part_id)
    beside = _under(parts, part.parent_id)
    here = beside.index(part)
    if way in {Way.UP, Way.DOWN}:
        there = here + (-1 if way is Way.UP else 1)
        if not 0 <= there < len(beside):
            return
        beside[here], beside[there] = beside[there], beside[here]
    elif way is Way.INTO:
        if here == 0:
            return
        _check_holds(beside[here - 1], part, parts)
        _leave(beside, part)
        inside = _under(parts, beside[here - 1].id)
        part.parent_id = beside[here - 1].id
        beside = [*inside, part]
    else:
        if part.parent_id is None:
            return
        parent = _part(parts, part.parent_id)
        _leave(beside, part)
        around = _under(parts, parent.parent_id)
        part.parent_id = parent.parent_id
        place = around.index(parent) + 1
        beside = [*around[:place], part, *around[place:]]
    _number(beside)
    _settle(session, step, actor, "bill.move", now)


def remove(session: Session, step: Step, part_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> int:
    """Delete a part with all that it holds; returns how many parts went. Raises ConflictError, NotFoundError."""
    _lock(session, step)
    parts = queries.parts(session, step.id)
    part = _part(parts, part_id)
    gone = {part.id}
    for line in outline(parts):
        if line.parent_id in gone:
            gone.add(line.id)
    _leave(_under(parts, part.parent_id), part)
    for text_id in session.scalars(select(Proposal.id).where(Proposal.article_id.in_(gone))).all():
        search.remove(session, text_id)
    session.delete(part)  # with it goes what it holds, texts included
    session.flush()
    _settle(session, step, actor, "bill.remove", now)
    return len(gone)


def duplicate(session: Session, source: Step, target: Step, now: dt.datetime) -> None:
    """Copy the parts and the texts of a bill, never what citizens wrote."""
    copies: dict[uuid.UUID | None, uuid.UUID | None] = {None: None}
    texts = queries.texts(session, source.id)
    parts = {part.id: part for part in queries.parts(session, source.id)}
    for line in outline(parts.values()):
        part = parts[line.id]
        copy = Article(
            id=uuid.uuid4(),
            organisation_id=target.organisation_id,
            step_id=target.id,
            parent_id=copies[part.parent_id],
            position=part.position,
        )
        copies[part.id] = copy.id
        session.add(copy)
        body = texts[part.id].body if part.id in texts else ""
        _fill(session, target, copy, PartDraft(part.level, part.number, part.heading, body), now)
    _title(session, target)


def _lock(session: Session, step: Step) -> None:
    consultation = session.get_one(Consultation, step.consultation_id, with_for_update=True, populate_existing=True)
    if consultations.is_public(consultation):
        raise ConflictError(FROZEN)


def _check(draft: PartDraft) -> None:
    article = draft.level is Level.ARTICLE
    named = draft.heading or draft.level is not Level.HEADING
    policy.refuse(
        {
            "number": _too_long("Le numéro", draft.number, NUMBER_LENGTH),
            "heading": _too_long("L’intitulé", draft.heading, HEADING_LENGTH)
            or ("" if named else "Un intertitre n’a pas de numéro : donnez-lui un intitulé."),
            "body": policy.length_fault("Le texte de l’article", draft.body, 1, TEXT_LENGTH) if article else "",
        }
    )


def _too_long(what: str, text: str, most: int) -> str:
    return policy.length_fault(what, text, 0, most) if text else ""


def _too_deep(holder: Article) -> str:
    if holder.level is Level.ARTICLE:
        return "Un article ne contient pas d’autre partie : placez celle-ci à côté de lui."
    return f"Douze niveaux au plus s’emboîtent : placez cette partie plus haut que « {holder.heading or 'celle-ci'} »."


def _check_holds(holder: Article, part: Article, parts: list[Article]) -> None:
    lines = outline(parts)
    depth = next(line.depth for line in lines if line.id == holder.id)
    if holder.level is Level.ARTICLE or depth + 1 + height(lines, part.id) > DEPTH:
        raise InvalidError(_too_deep(holder))


def _part(parts: list[Article], part_id: uuid.UUID) -> Article:
    found = next((part for part in parts if part.id == part_id), None)
    if found is None:
        raise NotFoundError("Cette partie n’existe pas dans ce texte, ou elle a été supprimée.")
    return found


def _under(parts: list[Article], parent_id: uuid.UUID | None) -> list[Article]:
    return sorted((part for part in parts if part.parent_id == parent_id), key=lambda part: part.position)


def _leave(beside: list[Article], part: Article) -> None:
    _number([other for other in beside if other is not part])


def _number(parts: list[Article]) -> None:
    for place, part in enumerate(parts):
        part.position = place


def _fill(session: Session, step: Step, part: Article, draft: PartDraft, now: dt.datetime) -> None:
    part.level, part.number, part.heading = draft.level, draft.number, draft.heading
    session.flush()
    if draft.level is not Level.ARTICLE:
        return
    text = queries.texts(session, step.id).get(part.id)
    if text is None:
        text = Proposal(
            id=uuid.uuid4(),
            organisation_id=step.organisation_id,
            consultation_id=step.consultation_id,
            step_id=step.id,
            kind=ProposalKind.ARTICLE,
            article_id=part.id,
            title="",
            status=ContentStatus.PUBLISHED,
            created_at=now,
        )
        text.random_rank = policy.random_rank(step.order_seed, text.id)
        session.add(text)
    text.body = draft.body
    session.flush()
    service.index(session, text)


def _settle(session: Session, step: Step, actor: Actor, action: str, now: dt.datetime) -> None:
    """Name the articles anew, since a number depends on all that comes before, and journal the act."""
    _title(session, step)
    audit.record(
        session,
        actor=actor,
        organisation_id=step.organisation_id,
        action=action,
        target_type="step",
        target_id=step.id,
        now=now,
    )


def _title(session: Session, step: Step) -> None:
    session.flush()
    texts = queries.texts(session, step.id)
    for line in outline(queries.parts(session, step.id)):
        text = texts.get(line.id)
        if text is not None and text.title != line.title:
            text.title = line.title
            service.index(session, text)
    session.flush()
