"""Writing codebooks, approving them, asking for a run, publishing it."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.actor import Actor, Role
from consult.audit import service as audit
from consult.coding import queries
from consult.coding.models import AnalysisRun, Codebook, CodebookApproval, Party, RunStatus
from consult.consultations.models import Consultation
from consult.errors import ConflictError, ForbiddenError
from consult.jobs import queries as job_queries
from consult.jobs import service as jobs
from consult.registry import service as registry
from consult.registry.models import EntryKind
from consult.seam import CheckedCodebook

RUN_JOB = "coding.run"


def save_codebook(
    session: Session, consultation: Consultation, checked: CheckedCodebook, *, actor: Actor, now: dt.datetime
) -> Codebook:
    """Keep a new version of the codebook. Raises ConflictError when it is that of the latest version."""
    _lock(session, consultation)
    latest = session.scalar(
        select(Codebook).where(Codebook.consultation_id == consultation.id).order_by(Codebook.number.desc()).limit(1)
    )
    if latest is not None and latest.digest == checked.digest:
        raise ConflictError(f"Ce plan est identique à la version {latest.number} : rien n’a été enregistré.")
    codebook = Codebook(
        consultation_id=consultation.id,
        number=latest.number + 1 if latest else 1,
        title=checked.title[:200],
        source=checked.source,
        digest=checked.digest,
        author_id=actor.account_id,
        created_at=now,
    )
    session.add(codebook)
    session.flush()
    _journal(session, consultation, "codebook.save", codebook.id, actor, now)
    return codebook


def approve(
    session: Session, codebook: Codebook, consultation: Consultation, *, actor: Actor, now: dt.datetime
) -> None:
    """Record the approval of the actor's party. Raises ForbiddenError, ConflictError.

    One person approves for one party only: holding both roles does not make two approvals.
    """
    party = party_of(actor)
    if party is None or actor.account_id is None:
        raise ForbiddenError("Seuls la DITP et un administrateur de l’organisation approuvent un plan de codification.")
    _lock(session, consultation)
    session.refresh(codebook, ["approvals"])
    for approval in codebook.approvals:
        if approval.party == party:
            raise ConflictError("Cette version du plan est déjà approuvée pour votre partie.")
        if approval.approver_id == actor.account_id:
            raise ForbiddenError("Les deux approbations d’un plan viennent de deux personnes.")
    session.add(
        CodebookApproval(
            codebook_id=codebook.id,
            party=party,
            approver_id=actor.account_id,
            approver_name=actor.pseudonym,
            approved_at=now,
        )
    )
    session.flush()
    session.expire(codebook, ["approvals"])
    _journal(session, consultation, "codebook.approve", codebook.id, actor, now, party=party.value)


def party_of(actor: Actor) -> Party | None:
    """The party for which this person may approve."""
    if actor.holds(Role.DITP):
        return Party.DITP
    return Party.ADMINISTRATION if actor.holds(Role.ADMINISTRATOR) else None


def request_run(
    session: Session,
    consultation: Consultation,
    *,
    codebook: Codebook | None,
    seed: int,
    actor: Actor,
    now: dt.datetime,
) -> AnalysisRun:
    """Ask for an analysis of what is public now; a worker does it. Raises ConflictError while one is waiting."""
    _lock(session, consultation)
    waiting = session.scalar(
        select(AnalysisRun).where(
            AnalysisRun.consultation_id == consultation.id, AnalysisRun.status == RunStatus.WAITING
        )
    )
    if waiting is not None:
        if not job_queries.is_over(session, waiting.job_id):
            raise ConflictError("Une analyse de cette consultation est déjà en cours : attendez sa fin.")
        fail(session, waiting, error="L’analyse s’est arrêtée à chaque essai.", now=now)
    run = AnalysisRun(
        id=uuid.uuid4(),
        consultation_id=consultation.id,
        codebook_id=codebook.id if codebook else None,
        seed=seed,
        requested_by_id=actor.account_id,
        requested_at=now,
    )
    session.add(run)
    job = jobs.enqueue(
        session, RUN_JOB, {"run": str(run.id)}, organisation_id=consultation.organisation_id, now=now, max_attempts=2
    )
    run.job_id = job.id if job else None
    session.flush()
    _journal(session, consultation, "analysis.request", run.id, actor, now, seed=seed)
    return run


def finish(session: Session, run: AnalysisRun, *, manifest_digest: str, publishable: bool, now: dt.datetime) -> None:
    """Record that the files of the run are in place."""
    run.status, run.finished_at = RunStatus.DONE, now
    run.manifest_digest, run.publishable = manifest_digest, publishable
    session.flush()


def fail(session: Session, run: AnalysisRun, *, error: str, now: dt.datetime) -> None:
    """Record, in French, why there is no result."""
    run.status, run.finished_at, run.error = RunStatus.FAILED, now, error
    session.flush()


def publish(session: Session, run: AnalysisRun, consultation: Consultation, *, actor: Actor, now: dt.datetime) -> None:
    """Show the run on the results step. Raises ConflictError when it is not finished or its codebook not approved."""
    _lock(session, consultation)
    session.refresh(run)
    if run.status is not RunStatus.DONE:
        raise ConflictError("Cette analyse n’est pas terminée : elle ne peut pas être publiée.")
    if queries.unread_measures(session, run):
        raise ConflictError(
            "La qualité de ce codage a été mesurée depuis cette analyse : relancez-la avec le même plan, pour que les "
            "codes sous leur seuil soient retenus."
        )
    approved = run.codebook is None or run.codebook.approved
    if not (run.publishable and approved):
        raise ConflictError(
            "Cette analyse emploie un plan de codification qui n’était pas approuvé par la DITP et l’administration. "
            "Faites approuver le plan, puis relancez l’analyse."
        )
    if run.published_at is not None:
        raise ConflictError("Cette analyse est déjà publiée.")
    run.published_at = now
    registry.append(
        session,
        organisation_id=consultation.organisation_id,
        consultation_id=consultation.id,
        kind=EntryKind.CONTENT,
        content={
            "act": "results.published",
            "run": str(run.id),
            "manifest": run.manifest_digest,
            "codebook": run.codebook.digest if run.codebook else None,
        },
        now=now,
    )
    _journal(session, consultation, "analysis.publish", run.id, actor, now)


def _lock(session: Session, consultation: Consultation) -> None:
    """One analyst's act at a time on a consultation; people go on acting in it."""
    session.execute(select(Consultation.id).where(Consultation.id == consultation.id).with_for_update(key_share=True))


def _journal(
    session: Session,
    consultation: Consultation,
    action: str,
    target_id: uuid.UUID,
    actor: Actor,
    now: dt.datetime,
    **detail: object,
) -> None:
    audit.record(
        session,
        actor=actor,
        organisation_id=consultation.organisation_id,
        action=action,
        target_type="analysis",
        target_id=target_id,
        detail={"consultation": consultation.slug, **detail},
        now=now,
    )
