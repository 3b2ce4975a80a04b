"""Blind samples: drawn from a run, shared among people, coded without a hint, measured by a job."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult import seam
from consult.actor import Actor
from consult.audit import service as audit
from consult.coding.models import AnalysisRun, QualitySample, SampleCoder, SampleCoding
from consult.consultations.models import Consultation
from consult.errors import ConflictError, InvalidError
from consult.jobs import queries as job_queries
from consult.jobs import service as jobs

MEASURE_JOB = "coding.measure"
ARBITER = -1  # the rank under which disagreements are settled; its codes prevail
Given = dict[int, dict[str, frozenset[str] | None]]  # by rank, then contribution; None: not public any more


@dataclass(frozen=True, slots=True)
class Asked:
    """How a sample is drawn and shared, and what is asked of a code."""

    corpus: str
    title: str
    unit: str
    seed: int
    per_stratum: int
    readers: int
    precision: float
    recall: float
    alpha: float | None


def draw(
    session: Session,
    run: AnalysisRun,
    consultation: Consultation,
    drawn: seam.DrawnSample,
    asked: Asked,
    *,
    coders: Sequence[uuid.UUID],
    actor: Actor,
    now: dt.datetime,
) -> QualitySample:
    """Keep a sample and share it among these accounts. Raises InvalidError when they are fewer than its readers."""
    if len(coders) < asked.readers:
        words = f"Choisissez au moins {asked.readers} personnes : chaque contribution est codée par autant."
        raise InvalidError(fields={"coders": words})
    sample = QualitySample(
        consultation_id=consultation.id,
        run_id=run.id,
        codebook_id=run.codebook_id,
        size=len(drawn.units),
        key=drawn.key,
        drawn_by_id=actor.account_id,
        drawn_at=now,
        **{name: getattr(asked, name) for name in Asked.__slots__},
    )
    session.add(sample)
    session.flush()
    session.add_all(SampleCoder(sample_id=sample.id, account_id=each, rank=i) for i, each in enumerate(coders))
    session.flush()
    _journal(session, consultation, "sample.draw", sample, actor, now, coders=len(coders), size=sample.size)
    return sample


def mine(sample: QualitySample, coder: SampleCoder) -> list[str]:
    """The contributions that one person codes, in order: each is shared out to as many people as it has readers."""
    people = sum(each.rank != ARBITER for each in sample.coders)
    return [unit for i, unit in enumerate(seam.units_of(sample.key)) if (coder.rank - i) % people < sample.readers]


def coder_of(sample: QualitySample, actor: Actor) -> SampleCoder | None:
    """The part that this person has in the coding of a sample."""
    return next((each for each in sample.coders if actor.account_id and each.account_id == actor.account_id), None)


def code(
    session: Session,
    sample: QualitySample,
    coder: SampleCoder,
    unit: str,
    codes: Collection[str] | None,
    *,
    now: dt.datetime,
) -> None:
    """Record what one person gives one contribution; None when its text is not public any more.

    Raises ConflictError once the sample is measured, InvalidError for a contribution that is not theirs.
    """
    if unit not in mine(sample, coder):
        raise InvalidError(fields={"unit": "Cette contribution n’est pas de celles que vous codez."})
    _record(session, sample, coder, unit, codes, now)


def settle(
    session: Session,
    sample: QualitySample,
    consultation: Consultation,
    unit: str,
    codes: Collection[str],
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Record which codes prevail where people disagreed. Raises InvalidError where they did not, ConflictError."""
    if unit not in disagreements(session, sample):
        raise InvalidError(
            fields={"unit": "Personne n’a codé autrement cette contribution : il n’y a rien à trancher."}
        )
    arbiter = next((each for each in sample.coders if each.rank == ARBITER), None)
    if arbiter is None:
        arbiter = SampleCoder(sample_id=sample.id, rank=ARBITER)
        session.add(arbiter)
        session.flush()
        session.expire(sample, ["coders"])
    _record(session, sample, arbiter, unit, codes, now)
    _journal(session, consultation, "sample.settle", sample, actor, now, unit=unit)


def disagreements(session: Session, sample: QualitySample) -> list[str]:
    """The contributions that people coded differently, in order. Raises ConflictError while somebody still codes: who
    settles reads what the others gave.
    """
    given = codings(session, sample)
    people = [each for each in sample.coders if each.rank != ARBITER]
    if any(len(given[each.rank]) < len(mine(sample, each)) for each in people):
        raise ConflictError("Des personnes codent encore leur part : attendez qu’elles aient fini pour trancher.")
    return [unit for unit in seam.units_of(sample.key) if len(_said(unit, given)) > 1]


def _said(unit: str, given: Given) -> set[frozenset[str]]:
    found = {of.get(unit) for rank, of in given.items() if rank != ARBITER}
    return {codes for codes in found if codes is not None}


def _record(
    session: Session,
    sample: QualitySample,
    coder: SampleCoder,
    unit: str,
    codes: Collection[str] | None,
    now: dt.datetime,
) -> None:
    session.execute(select(QualitySample.id).where(QualitySample.id == sample.id).with_for_update(key_share=True))
    session.refresh(sample, ["measured_at", "job_id"])
    if sample.measured_at is not None or sample.job_id is not None:
        raise ConflictError("Cet échantillon est mesuré : on n’y code plus.")
    last = session.scalar(select(func.max(SampleCoding.number)).where(SampleCoding.coder_id == coder.id))
    given = None if codes is None else json.dumps(sorted(codes), ensure_ascii=False)
    session.add(
        SampleCoding(coder_id=coder.id, number=(last or 0) + 1, unit=uuid.UUID(unit), codes=given, coded_at=now)
    )
    session.flush()


def codings(session: Session, sample: QualitySample) -> Given:
    """What each person gave last, by rank then contribution; None for a text that was not public any more."""
    found: Given = {coder.rank: {} for coder in sample.coders}
    rows = session.execute(
        select(SampleCoder.rank, SampleCoding.unit, SampleCoding.codes)
        .join(SampleCoder, SampleCoder.id == SampleCoding.coder_id)
        .where(SampleCoder.sample_id == sample.id)
        .order_by(SampleCoder.rank, SampleCoding.number)
    )
    for rank, unit, codes in rows:
        found[rank][str(unit)] = None if codes is None else frozenset(json.loads(codes))
    return found


def unread(sample: QualitySample, given: Given) -> list[str]:
    """The contributions that nobody has coded nor found gone."""
    seen = {unit for of in given.values() for unit in of}
    return [unit for unit in seam.units_of(sample.key) if unit not in seen]


def request_measure(
    session: Session, sample: QualitySample, consultation: Consultation, *, actor: Actor, now: dt.datetime
) -> None:
    """Ask for the measure. Raises ConflictError while a contribution waits for its first reader, or once asked."""
    session.execute(select(QualitySample.id).where(QualitySample.id == sample.id).with_for_update())
    session.refresh(sample)
    if sample.measured_at is not None:
        raise ConflictError("Cet échantillon est déjà mesuré.")
    if sample.job_id is not None and not job_queries.is_over(session, sample.job_id):
        raise ConflictError("La mesure de cet échantillon est déjà en cours : attendez sa fin.")
    left = len(unread(sample, codings(session, sample)))
    if left:
        raise ConflictError(f"{left} contributions de l’échantillon n’ont été codées par personne : codez-les d’abord.")
    job = jobs.enqueue(
        session,
        MEASURE_JOB,
        {"sample": str(sample.id)},
        organisation_id=consultation.organisation_id,
        now=now,
        max_attempts=2,
    )
    sample.job_id, sample.error = job.id if job else None, None
    session.flush()
    _journal(session, consultation, "sample.measure", sample, actor, now)


def record(session: Session, sample: QualitySample, measure: str, *, now: dt.datetime) -> None:
    """Keep what was measured: it stands for this version of the codebook on this corpus."""
    sample.measure, sample.measured_at = measure, now
    sample.measure_digest = hashlib.sha256(measure.encode()).hexdigest()
    session.flush()


def fail(session: Session, sample: QualitySample, *, error: str) -> None:
    """Record, in French, why there is no measure; people may code again."""
    sample.error, sample.job_id = error, None
    session.flush()


def _journal(
    session: Session,
    consultation: Consultation,
    action: str,
    sample: QualitySample,
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
        target_id=sample.id,
        detail={"consultation": consultation.slug, "run": str(sample.run_id), "corpus": sample.corpus, **detail},
        now=now,
    )
