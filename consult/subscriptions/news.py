"""What happened to consultations and contributions between two instants, as one line of a mail each.

Everything is read where it is kept: nothing that is published has to tell of itself. Only what is public is told.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from consult.coding.models import AnalysisRun
from consult.consultations.models import Consultation, ConsultationStatus, ContentStatus, Step
from consult.contributions.models import ContentVersion, Proposal, ProposalKind
from consult.followup import labels
from consult.followup.models import Commitment, CommitmentLink, OfficialAnswer, Status
from consult.labels import moment
from consult.moderation.models import Act, Decision
from consult.registry.models import RegistryEntry

READ: Final = 500  # lines of one kind: a mail names ten of them


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: the row that tells it, when, in which words, on which page."""

    row: uuid.UUID
    at: dt.datetime
    said: str
    path: str


Told: TypeAlias = Iterator[tuple[uuid.UUID, Event]]  # and the consultation or contribution that it happened to


@dataclass(frozen=True, slots=True)
class Span:
    """After one instant, until the other one."""

    since: dt.datetime
    until: dt.datetime

    def holds(self, at: dt.datetime | None) -> bool:
        return at is not None and self.since < at <= self.until

    def of(self, *columns: Any) -> ColumnElement[bool]:
        """Whether one of these columns is in it."""
        return or_(*((column > self.since) & (column <= self.until) for column in columns))


def happened(
    session: Session, consultations: Collection[uuid.UUID], proposals: Collection[uuid.UUID], span: Span
) -> Mapping[uuid.UUID, list[Event]]:
    """What happened in that time to each of these, by its id, the first first; a bounded number of queries."""
    found: dict[uuid.UUID, list[Event]] = {}
    told = (
        *_answers(session, consultations, proposals, span),
        *_commitments(session, consultations, proposals, span),
        *_fate(session, proposals, span),
        *_texts(session, proposals, span),
        *_rewritings(session, proposals, span),
        *_steps(session, consultations, span),
        *_results(session, consultations, span),
    )
    for target, event in told:
        found.setdefault(target, []).append(event)
    for events in found.values():
        events.sort(key=lambda event: (event.at, event.row))
    return found


def _answers(session: Session, consultations: Any, proposals: Any, span: Span) -> Told:
    said = select(OfficialAnswer).where(
        or_(OfficialAnswer.target_id.in_(proposals), OfficialAnswer.consultation_id.in_(consultations)),
        _said_in(OfficialAnswer, span),
    )
    for each in session.scalars(said.order_by(OfficialAnswer.published_at).limit(READ)):
        about = f"Réponse officielle à {labels.TARGETS[each.target_type]}"
        event = _said(each, span, about, labels.OUTCOMES[each.outcome][0].lower(), "reponses-officielles")
        yield from ((target, event) for target in {each.target_id, each.consultation_id})


def _commitments(session: Session, consultations: Any, proposals: Any, span: Span) -> Told:
    """Those of a consultation, and those that follow a contribution or the answer to it."""
    answers = select(OfficialAnswer.id, OfficialAnswer.target_id).where(OfficialAnswer.target_id.in_(proposals))
    targets = {row.id: row.target_id for row in session.execute(answers)} | {each: each for each in proposals}
    links = select(CommitmentLink.commitment_id, CommitmentLink.target_id).where(CommitmentLink.target_id.in_(targets))
    about: dict[uuid.UUID, set[uuid.UUID]] = {}
    for row in session.execute(links):
        about.setdefault(row.commitment_id, set()).add(targets[row.target_id])
    said = select(Commitment).where(
        or_(Commitment.id.in_(about), Commitment.consultation_id.in_(consultations)), _said_in(Commitment, span)
    )
    for each in session.scalars(said.order_by(Commitment.published_at).limit(READ)):
        what = f"{each.title} ({labels.STAGES[each.stage][0].lower()})"
        event = _said(each, span, "Engagement", what, "engagements")
        yield from ((target, event) for target in {*about.get(each.id, ()), each.consultation_id})


def _said_in(model: Any, span: Span) -> ColumnElement[bool]:
    public: ColumnElement[bool] = model.status != Status.DRAFT
    return public & span.of(model.published_at, model.edited_at, model.withdrawn_at)


def _said(item: Any, span: Span, name: str, what: str, page: str) -> Event:
    """The latest that happened to it; what was taken back is not said again."""
    dates = (item.published_at, item.edited_at, item.withdrawn_at)
    latest = max(at for at in dates if span.holds(at))
    if item.status is Status.WITHDRAWN:
        words = f"{name}\u00a0: texte retiré"
    else:
        words = f"{name}\u00a0: {what}" if span.holds(item.published_at) else f"{name}, texte mis à jour\u00a0: {what}"
    return Event(item.id, latest, words, f"/{page}/{item.id}")


def _fate(session: Session, proposals: Any, span: Span) -> Told:
    """Hidden, restored, withdrawn."""
    words = {Act.HIDE: "Contribution masquée par la modération", Act.RESTORE: "Contribution rétablie"}
    decided = select(Decision.id, Decision.item_id, Decision.act, Decision.decided_at).where(
        Decision.item_type == "proposal",
        Decision.item_id.in_(proposals),
        Decision.act.in_(words),
        span.of(Decision.decided_at),
    )
    for row in session.execute(decided):
        yield row.item_id, Event(row.id, row.decided_at, words[row.act], f"/contributions/{row.item_id}")
    gone = select(Proposal.id, Proposal.ended_at).where(
        Proposal.id.in_(proposals), Proposal.status == ContentStatus.WITHDRAWN, span.of(Proposal.ended_at)
    )
    for key, at in session.execute(gone):
        yield key, Event(key, at or span.until, "Contribution retirée par son auteur", f"/contributions/{key}")


def _texts(session: Session, proposals: Any, span: Span) -> Told:
    """Texts that their author changed, and are published."""
    changed = (
        select(ContentVersion.id, ContentVersion.proposal_id, ContentVersion.replaced_at)
        .join(Proposal, Proposal.id == ContentVersion.proposal_id)
        .where(ContentVersion.proposal_id.in_(proposals), span.of(ContentVersion.replaced_at))
        .where(Proposal.status == ContentStatus.PUBLISHED)
    )
    for row in session.execute(changed.order_by(ContentVersion.replaced_at).limit(READ)):
        page = f"/contributions/{row.proposal_id}/versions"
        yield row.proposal_id, Event(row.id, row.replaced_at, "Texte modifié par son auteur", page)


def _rewritings(session: Session, proposals: Any, span: Span) -> Told:
    """Versions of an article, and of a version, from when they are public: once confirmed, and read if they must be."""
    followed = select(Proposal.id, Proposal.article_id).where(
        Proposal.id.in_(proposals), Proposal.kind == ProposalKind.ARTICLE
    )
    articles = {row.article_id: row.id for row in session.execute(followed)}
    read = select(func.max(Decision.decided_at)).where(Decision.item_id == Proposal.id, Decision.act == Act.PUBLISH)
    published = func.coalesce(read.scalar_subquery(), RegistryEntry.recorded_at, Proposal.created_at)
    written = (
        select(Proposal, published)
        .outerjoin(RegistryEntry, RegistryEntry.ref == Proposal.registry_ref)
        .where(
            Proposal.kind == ProposalKind.VERSION,
            Proposal.status == ContentStatus.PUBLISHED,
            or_(Proposal.rewrites_id.in_(proposals), Proposal.article_id.in_(articles)),
            span.of(published),
        )
    )
    for each, at in session.execute(written.order_by(published).limit(READ)):
        said = f"Nouvelle version proposée\u00a0: {each.title}"
        event = Event(each.id, at, said, f"/contributions/{each.id}")
        for target in {each.rewrites_id, articles.get(each.article_id)} - {None}:
            assert target is not None
            yield target, event


def _steps(session: Session, consultations: Any, span: Span) -> Told:
    """Steps that opened or ended."""
    steps = (
        select(Step)
        .join(Step.consultation)
        .options(contains_eager(Step.consultation))
        .where(Consultation.id.in_(consultations), Consultation.status != ConsultationStatus.DRAFT)
    )
    for step in session.scalars(steps):
        whole = step.consultation
        if whole.closed_at and whole.closed_at <= step.opens_at:
            continue  # it never opened
        page = f"/consultations/{whole.slug}/{step.slug}"
        opened = f"Étape ouverte\u00a0: {step.title}, jusqu’au {moment(step.ends_at)}"
        for at, said in ((step.opens_at, opened), (step.ends_at, f"Étape terminée\u00a0: {step.title}")):
            if span.holds(at):
                yield whole.id, Event(uuid.uuid5(step.id, said), at, said, page)


def _results(session: Session, consultations: Any, span: Span) -> Told:
    published = (
        select(AnalysisRun.id, AnalysisRun.consultation_id, AnalysisRun.published_at, Consultation.slug)
        .join(Consultation, Consultation.id == AnalysisRun.consultation_id)
        .where(AnalysisRun.consultation_id.in_(consultations), span.of(AnalysisRun.published_at))
    )
    for row in session.execute(published):
        yield (
            row.consultation_id,
            Event(row.id, row.published_at, "Résultats publiés", f"/consultations/{row.slug}"),
        )
