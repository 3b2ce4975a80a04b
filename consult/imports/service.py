"""The life of a batch: prepared, written chunk by chunk, finished or stopped, undone.

Every function joins the caller's transaction. A chunk and its counters are one transaction, so that a batch that was
interrupted goes on at `last_line`; references make the rest idempotent.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations import policy as consultations
from consult.consultations import service as consultations_service
from consult.consultations.models import Consultation, Step
from consult.errors import ConflictError, InvalidError
from consult.imports import mapping as mappings
from consult.imports.mapping import ConsultationSpec, ImportMapping, Target
from consult.imports.models import BatchStatus, ImportBatch, RejectedRow
from consult.imports.readers import Row, Source, open_source
from consult.imports.records import Labels, Record, RejectedError, convert, sample
from consult.imports.replies import ReplyWriter
from consult.imports.writers import ArgumentWriter, Destination, Outcome, ProposalWriter, Writer
from consult.jobs import service as jobs
from consult.protocols import StepKind
from consult.registry import service as registry
from consult.registry.models import EntryKind

CHUNK: Final = 500  # rows: keeps the only writer of SQLite for about a tenth of a second
USUAL_LENGTH: Final = dt.timedelta(days=60)
WRITERS: Final[Mapping[Target, Callable[[Session, Destination], Writer]]] = {
    Target.PROPOSALS: ProposalWriter,
    Target.ARGUMENTS: ArgumentWriter,
    Target.REPLIES: ReplyWriter,
}
TRACES_JOB: Final = "imports.traces"
STEP_KINDS: Final = {Target.PROPOSALS: "proposals", Target.ARGUMENTS: "proposals", Target.REPLIES: "questionnaire"}
Chunk: TypeAlias = Sequence[tuple[Row, Record | RejectedError]]


@dataclass(frozen=True, slots=True)
class Plan:
    """A file and how to read it, checked against each other before anything is written."""

    source: Source
    mapping: ImportMapping
    text: str  # the mapping's YAML
    labels: Labels


def plan(path: Path, mapping_text: str, *, sheet: str = "") -> Plan:
    """Open a file under a mapping. Raises InvalidError naming what to mend; touches no database."""
    mapping = mappings.parse(mapping_text)
    source = open_source(path, sheet=sheet)
    mapping.check_columns(source.columns)
    return Plan(source, mapping, mapping_text, _labels(path, mapping))


def chunks(plan: Plan, *, after_line: int = 0) -> Iterator[Chunk]:
    """Rows by chunks, already converted: nothing is computed while the database's writer is held."""
    rows = (row for row in plan.source.rows() if row.line > after_line)
    while chunk := list(itertools.islice(rows, CHUNK)):
        yield [(row, _converted(row, plan)) for row in chunk]


def begin(
    session: Session,
    plan: Plan,
    *,
    organisation_id: uuid.UUID,
    slug: str,
    step_slug: str = "",
    step_kinds: Mapping[str, StepKind],
    actor: Actor,
    now: dt.datetime,
) -> ImportBatch:
    """Prepare the consultation and the step, and start a batch; the same file interrupted earlier goes on instead.

    Raises InvalidError, ConflictError.
    """
    consultation = _consultation(session, plan, slug, organisation_id, actor, now)
    step = _step(session, consultation, plan, step_slug, step_kinds, actor, now)
    unfinished = session.scalar(
        select(ImportBatch).where(
            ImportBatch.step_id == step.id,
            ImportBatch.file_sha256 == plan.source.sha256,
            ImportBatch.mapping == plan.text,
            ImportBatch.status.in_([BatchStatus.RUNNING, BatchStatus.STOPPED]),
        )
    )
    if unfinished:
        unfinished.status, unfinished.stopped_because = BatchStatus.RUNNING, ""
        return unfinished
    batch = ImportBatch(
        organisation_id=organisation_id,
        consultation_id=consultation.id,
        step_id=step.id,
        target=plan.mapping.target.value,
        file_name=plan.source.path.name[:255],
        file_sha256=plan.source.sha256,
        mapping=plan.text,
        notes=list(plan.source.notes),
        actor_id=actor.account_id,
        started_at=now,
    )
    session.add(batch)
    session.flush()
    _journal(session, batch, actor, "import.begin", now)
    return batch


class Importer:
    """Writes the chunks of one batch, each in the transaction it is given."""

    def __init__(self, session: Session, plan: Plan, batch_id: uuid.UUID) -> None:
        batch = session.get_one(ImportBatch, batch_id)
        step = session.get_one(Step, batch.step_id)
        self.after_line = batch.last_line
        self._batch_id = batch.id
        self._step_id = step.id
        destination = Destination(
            organisation_id=batch.organisation_id,
            consultation_id=batch.consultation_id,
            step_id=step.id,
            order_seed=step.order_seed,
            batch_id=batch.id,
            draft=not consultations.is_public(step.consultation),
            mapping=plan.mapping,
        )
        self._writer: Writer = WRITERS[plan.mapping.target](session, destination)

    def write(self, session: Session, chunk: Chunk, now: dt.datetime) -> int:
        """Write a chunk and count it; returns how many rows of the file have been read. Raises ConflictError."""
        # One import at a time writes to a step; people go on acting in it.
        session.scalar(select(Step.id).where(Step.id == self._step_id).with_for_update(key_share=True))
        batch = session.get_one(ImportBatch, self._batch_id, with_for_update=True, populate_existing=True)
        if batch.status is not BatchStatus.RUNNING:
            raise ConflictError("Ce lot n’est plus en cours : il a été annulé ou terminé entre-temps.")
        valid = [(row, record) for row, record in chunk if not isinstance(record, RejectedError)]
        refused = [(row, record) for row, record in chunk if isinstance(record, RejectedError)]
        results = self._writer.write(session, [record for _, record in valid], now)
        for (row, _), result in zip(valid, results, strict=True):
            if isinstance(result, RejectedError):
                refused.append((row, result))
        counts = Counter("rejected" if isinstance(result, RejectedError) else result.value for result in results)
        counts["rejected"] = len(refused)
        self._keep_refused(session, batch, refused)
        for outcome in Outcome:
            name = f"rows_{outcome.value}"
            setattr(batch, name, getattr(batch, name) + counts[outcome.value])
        batch.rows_read += len(chunk)
        batch.last_line = chunk[-1][0].line
        session.flush()
        return batch.rows_read

    def _keep_refused(self, session: Session, batch: ImportBatch, refused: Sequence[tuple[Row, RejectedError]]) -> None:
        rows = [
            {
                "organisation_id": batch.organisation_id,
                "batch_id": batch.id,
                "line": row.line,
                "reason": str(reason)[:500],
                "raw": sample(row),
            }
            for row, reason in sorted(refused, key=lambda pair: pair[0].line)
        ]
        if rows:
            session.execute(insert(RejectedRow), rows)


def finish(session: Session, batch_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> ImportBatch:
    """Close a batch: its summary enters the public log and the journal."""
    batch = session.get_one(ImportBatch, batch_id, populate_existing=True)
    batch.status, batch.finished_at = BatchStatus.DONE, now
    registry.append(
        session,
        organisation_id=batch.organisation_id,
        consultation_id=batch.consultation_id,
        kind=EntryKind.CONTENT,
        content={"import": str(batch.id), "file_sha256": batch.file_sha256, **summary(batch)},
        now=now,
    )
    _journal(session, batch, actor, "import.done", now)
    jobs.enqueue(session, TRACES_JOB, {"batch": str(batch.id)}, organisation_id=batch.organisation_id, now=now)
    return batch


def stop(session: Session, batch_id: uuid.UUID, reason: str, *, actor: Actor, now: dt.datetime) -> None:
    """Record why the rest of the file was not read; what was written stays, and the batch may go on or be undone."""
    batch = session.get_one(ImportBatch, batch_id, populate_existing=True)
    batch.status, batch.stopped_because = BatchStatus.STOPPED, reason
    _journal(session, batch, actor, "import.stopped", now)


def summary(batch: ImportBatch) -> dict[str, object]:
    """What a batch did, in figures that add up: read = added + completed + existing + empty + rejected."""
    counts = {outcome.value: getattr(batch, f"rows_{outcome.value}") for outcome in Outcome}
    return {"target": batch.target, "read": batch.rows_read, **counts}


# Preparation --------------------------------------------------------------------------------------------------------


def _converted(row: Row, plan: Plan) -> Record | RejectedError:
    try:
        return convert(row, plan.mapping, plan.labels)
    except RejectedError as refusal:
        return refusal


def _labels(path: Path, mapping: ImportMapping) -> Labels:
    if mapping.labels is None:
        return {}
    companion = path.with_name(mapping.labels.file)
    if not companion.is_file():
        raise InvalidError(
            f"Le fichier « {companion.name} », qui donne les libellés, doit être dans le dossier du fichier importé."
        )
    spec, source = mapping.labels, open_source(companion)
    absent = [name for name in (spec.question, spec.code, spec.label) if name not in source.columns]
    if absent:
        raise InvalidError(f"Le fichier « {companion.name} » n’a pas de colonne « {absent[0]} ».")
    values = (row.values for row in source.rows())
    return {
        (str(row[spec.question] or ""), str(row[spec.code] or "")): str(row[spec.label])
        for row in values
        if row.get(spec.label)
    }


def _consultation(
    session: Session, plan: Plan, slug: str, organisation_id: uuid.UUID, actor: Actor, now: dt.datetime
) -> Consultation:
    found = session.scalar(select(Consultation).where(Consultation.slug == slug))
    if found is not None:
        return found
    if slug in consultations.RESERVED_SLUGS:  # it would be created under another, and again at the next file
        raise InvalidError(f"« {slug} » est un mot réservé : choisissez un autre identifiant pour la consultation.")
    if consultations.slug_of(slug) != slug:
        raise InvalidError(
            f"« {slug} » ne peut pas être l’identifiant d’une consultation : essayez « {consultations.slug_of(slug)} »."
        )
    spec = plan.mapping.consultation
    if spec is None:
        raise InvalidError(
            f"La consultation « {slug} » n’existe pas. Créez-la, ou donnez « consultation: » dans la correspondance."
        )
    return _create_consultation(session, spec, slug, organisation_id, actor, now)


def _create_consultation(
    session: Session, spec: ConsultationSpec, slug: str, organisation_id: uuid.UUID, actor: Actor, now: dt.datetime
) -> Consultation:
    opens_at = spec.opens_at or now
    return consultations_service.create_consultation(
        session,
        organisation_id=organisation_id,
        actor=actor,
        title=spec.title or slug,
        summary=spec.summary,
        slug=slug,
        opens_at=opens_at,
        closes_at=spec.closes_at or opens_at + USUAL_LENGTH,
        now=now,
    )


def _step(
    session: Session,
    consultation: Consultation,
    plan: Plan,
    step_slug: str,
    step_kinds: Mapping[str, StepKind],
    actor: Actor,
    now: dt.datetime,
) -> Step:
    slug, wanted = step_slug or plan.mapping.step.slug, STEP_KINDS[plan.mapping.target]
    found = session.scalar(select(Step).where(Step.consultation_id == consultation.id, Step.slug == slug))
    if found is not None and found.kind != wanted:
        raise InvalidError(f"L’étape « {slug} » est du type « {found.kind} » : il faut « {wanted} » pour ces lignes.")
    if found is not None:
        return found
    if consultations.is_public(consultation):
        raise InvalidError(f"L’étape « {slug} » n’existe pas, et les étapes sont figées depuis l’ouverture.")
    if wanted not in step_kinds:
        raise InvalidError(f"Le type d’étape « {wanted} » n’est pas installé.")
    return consultations_service.add_step(
        session,
        consultation,
        actor=actor,
        kind=step_kinds[wanted],
        title=plan.mapping.step.title,
        slug=slug,
        opens_at=consultation.opens_at,
        closes_at=consultation.closes_at,
        now=now,
    )


def _journal(session: Session, batch: ImportBatch, actor: Actor, action: str, now: dt.datetime) -> None:
    audit.record(
        session,
        actor=actor,
        organisation_id=batch.organisation_id,
        action=action,
        target_type="import_batch",
        target_id=batch.id,
        now=now,
        reason=batch.stopped_because,
        detail={"file_sha256": batch.file_sha256, **summary(batch)},
    )
