"""The two ways to run an import: as a job, or from the command line with the same chunks in transactions of its own."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy.orm import Session

from consult import clock
from consult.actor import SYSTEM, Actor
from consult.db import Database
from consult.errors import ConsultError
from consult.imports import queries, service, undo
from consult.imports.models import ImportBatch
from consult.jobs import service as jobs
from consult.labels import number
from consult.moderation import jobs as moderation
from consult.protocols import ContentType, JobHandler, Progress, StepKind

Tell = Callable[[Progress], None]
EARLIEST: Final = "00000000-0000-0000-0000-000000000000"


class RunImport:
    """`imports.run`: reads the file of a batch that `begin` has prepared."""

    kind: ClassVar[str] = "imports.run"

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Write the rest of the file; a chunk, its counters and the progress are committed together."""
        del cursor  # the batch itself remembers its last line
        batch_id = uuid.UUID(payload["batch"])
        batch = session.get_one(ImportBatch, batch_id)
        plan = service.plan(Path(payload["path"]), batch.mapping, sheet=str(payload.get("sheet", "")))
        importer = service.Importer(session, plan, batch_id)
        yield _progress(batch.rows_read)  # ends the reading transaction before the file is read
        try:
            for chunk in service.chunks(plan, after_line=importer.after_line):
                yield _progress(importer.write(session, chunk, clock.now()))
        except ConsultError as refusal:
            service.stop(session, batch_id, refusal.message, actor=SYSTEM, now=clock.now())
            yield Progress(0, message=refusal.message)
            raise
        done = service.finish(session, batch_id, actor=SYSTEM, now=clock.now())
        yield Progress(done.rows_read, done.rows_read, "Import terminé")


class UndoImport:
    """`imports.undo`: removes the rows of a batch that `undo.start` has marked."""

    kind: ClassVar[str] = "imports.undo"

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Remove chunk by chunk."""
        del cursor
        yield from undo.steps(session, uuid.UUID(payload["batch"]), clock.now())


class FlagImported:
    """Asked for by each import: puts in the queue of moderation what seems to hold personal data, and counts it."""

    kind: ClassVar[str] = service.TRACES_JOB

    def __init__(self, content_types: Mapping[str, ContentType]) -> None:
        self._content_types = content_types

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """In the order of the ids of the contents, chunk by chunk."""
        batch_id = uuid.UUID(payload["batch"])
        last, flagged = uuid.UUID(cursor.get("last", EARLIEST)), int(cursor.get("flagged", 0))
        while chunk := queries.texts(session, session.get_one(ImportBatch, batch_id), after=last):
            organisation_id = session.get_one(ImportBatch, batch_id).organisation_id
            for item_type, item_id, texts in chunk:
                content = self._content_types[item_type]
                flagged += moderation.flag(session, content, item_id, texts, organisation_id, clock.now())
                last = item_id
            yield Progress(flagged, cursor={"last": str(last), "flagged": flagged})
        session.get_one(ImportBatch, batch_id).flagged = flagged
        yield Progress(flagged, message=f"{number(flagged)} contenus signalés à la modération")


def handlers(content_types: Mapping[str, ContentType]) -> tuple[JobHandler, ...]:
    """What `app.py` binds."""
    return RunImport(), UndoImport(), FlagImported(content_types)


def ask(session: Session, batch: ImportBatch, path: Path, *, now: dt.datetime) -> None:
    """Leave the reading of the file to a worker that sees the same folder."""
    payload = {"batch": str(batch.id), "path": str(path)}
    jobs.enqueue(session, RunImport.kind, payload, organisation_id=batch.organisation_id, now=now)


def ask_undo(session: Session, batch_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> None:
    """Leave the undoing of a batch to a worker. Raises NotFoundError, ConflictError."""
    batch = undo.start(session, batch_id, actor=actor, now=now)
    payload = {"batch": str(batch_id)}
    jobs.enqueue(session, UndoImport.kind, payload, organisation_id=batch.organisation_id, now=now)


def import_file(
    database: Database,
    plan: service.Plan,
    *,
    organisation_id: uuid.UUID,
    slug: str,
    step_slug: str = "",
    step_kinds: Mapping[str, StepKind],
    actor: Actor = SYSTEM,
    tell: Tell = lambda _progress: None,
) -> ImportBatch:
    """Import a file now, one transaction per chunk, and return the batch, detached.

    Raises ConsultError; what was committed before stays, and the same command goes on from there.
    """
    with database.transaction(tenant=organisation_id) as session:
        batch_id = service.begin(
            session,
            plan,
            organisation_id=organisation_id,
            slug=slug,
            step_slug=step_slug,
            step_kinds=step_kinds,
            actor=actor,
            now=clock.now(),
        ).id
    with database.transaction(tenant=organisation_id) as session:
        importer = service.Importer(session, plan, batch_id)
    try:
        for chunk in service.chunks(plan, after_line=importer.after_line):
            with database.transaction(tenant=organisation_id) as session:
                read = importer.write(session, chunk, clock.now())
            tell(_progress(read))
    except ConsultError as refusal:
        with database.transaction(tenant=organisation_id) as session:
            service.stop(session, batch_id, refusal.message, actor=actor, now=clock.now())
        raise
    with database.transaction(tenant=organisation_id) as session:
        batch = service.finish(session, batch_id, actor=actor, now=clock.now())
        session.flush()
        session.expunge(batch)
    return batch


def undo_batch(
    database: Database,
    batch_id: uuid.UUID,
    *,
    organisation_id: uuid.UUID,
    actor: Actor = SYSTEM,
    tell: Tell = lambda _progress: None,
) -> None:
    """Undo a batch now, one transaction per chunk. Raises NotFoundError, ConflictError."""
    with database.transaction(tenant=organisation_id) as session:
        undo.start(session, batch_id, actor=actor, now=clock.now())
    done, gone = False, 0
    while not done:
        with database.transaction(tenant=organisation_id) as session:
            progress = next(undo.steps(session, batch_id, clock.now()))
        gone, done = gone + progress.done, progress.total is not None
        tell(Progress(gone, message=f"{number(gone)} lignes retirées"))


def _progress(read: int) -> Progress:
    return Progress(read, message=f"{number(read)} lignes lues")
