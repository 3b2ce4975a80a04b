"""Reading what the open data pages and the API say besides the public datasets."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from consult.clock import written
from consult.coding import queries as coding
from consult.consultations.datasets import consultation_row
from consult.consultations.models import Consultation, ConsultationStatus
from consult.db import as_tenant
from consult.followup import cases
from consult.followup.models import UseCase
from consult.jobs import queries as jobs
from consult.jobs.models import Job
from consult.opendata.dump import Identity
from consult.opendata.models import Dump, DumpStatus
from consult.organisations import queries as organisations
from consult.organisations.models import Organisation
from consult.paging import Paged, paged
from consult.protocols import Row, StepKind
from consult.registry import queries as registry
from consult.settings import Settings

PAGE_SIZE: Final = 20


@dataclass(frozen=True, slots=True)
class Published:
    """A page of public consultations, and the dump of each that anybody may download now."""

    listed: Paged[Consultation]
    dumps: Mapping[uuid.UUID, Dump]


def identity(
    session: Session, settings: Settings, organisation_id: uuid.UUID, consultation_id: uuid.UUID | None, at: dt.datetime
) -> Identity:
    """What a dump made at that instant says of itself, for a consultation or for the whole organisation (None)."""
    organisation = session.get_one(Organisation, organisation_id)
    site = organisations.address_of(session, organisation, settings)
    if consultation_id is None:
        title = f"Toutes les consultations de {organisation.name}"
        return Identity(organisation.slug, "", title, f"{site}/donnees-ouvertes", at)
    found = session.get_one(Consultation, consultation_id)
    return Identity(organisation.slug, found.slug, found.title, f"{site}/consultations/{found.slug}", at)


def latest_dumps(session: Session, consultation_ids: Collection[uuid.UUID] | None = None) -> dict[uuid.UUID, Dump]:
    """The last finished dump of each of these consultations, or of all."""
    done = select(Dump).where(Dump.status == DumpStatus.DONE).order_by(Dump.finished_at)
    if consultation_ids is not None:
        done = done.where(Dump.consultation_id.in_(consultation_ids))
    return {dump.consultation_id: dump for dump in session.scalars(done) if dump.consultation_id is not None}


def latest_whole_dump(session: Session, organisation_id: uuid.UUID) -> Dump | None:
    """The last finished dump of all the consultations of an organisation."""
    return session.scalar(_last(None).where(Dump.organisation_id == organisation_id))


def _last(consultation_id: uuid.UUID | None) -> Select[Dump]:
    done = select(Dump).where(Dump.consultation_id == consultation_id, Dump.status == DumpStatus.DONE)
    return done.order_by(Dump.finished_at.desc()).limit(1)


def served(session: Session, dumps: Mapping[uuid.UUID, Dump]) -> dict[uuid.UUID, Dump]:
    """Those that may still be downloaded, by consultation: nothing they hold was hidden, withdrawn or erased since."""
    removals = registry.removals(session, dumps.keys())
    return {key: dump for key, dump in dumps.items() if dump.removals == removals.get(key, 0)}


def is_served(session: Session, dump: Dump) -> bool:
    """Whether a dump may still be downloaded."""
    with as_tenant(session, dump.organisation_id):
        return dump.removals == registry.removal_count(session, dump.consultation_id)


def served_dump(session: Session, consultation_id: uuid.UUID | None) -> Dump | None:
    """The dump of a consultation, or of the whole organisation (None), that anybody may download now, if any."""
    dump = session.scalar(_last(consultation_id))
    return dump if dump is not None and is_served(session, dump) else None


def published(session: Session, *, page: int, within: Collection[uuid.UUID] | None = None) -> Published:
    """A page of the public consultations, or of those among them, the latest first, with the dumps in force."""
    query = (
        select(Consultation)
        .where(Consultation.status != ConsultationStatus.DRAFT)
        .order_by(Consultation.opens_at.desc(), Consultation.id)
    )
    listed = paged(
        session,
        query if within is None else query.where(Consultation.id.in_(within)),
        number=page,
        size=PAGE_SIZE,
    )
    latest = latest_dumps(session, [each.id for each in listed.rows])
    return Published(listed, served(session, latest))


@dataclass(frozen=True, slots=True)
class Asked:
    """The dump asked for last: at work, failed for good, or done; and how many rows its job has written."""

    dump: Dump
    waiting: bool
    failed: bool
    rows: int


def last_requests(
    session: Session, consultation_ids: Collection[uuid.UUID], *, whole: bool = False
) -> dict[uuid.UUID | None, Asked]:
    """The dump asked for last of each of these consultations and, under None, of the `whole` organisation."""
    about = Dump.consultation_id.in_(consultation_ids)
    asked = select(Dump).where(about | Dump.consultation_id.is_(None) if whole else about).order_by(Dump.requested_at)
    last = {dump.consultation_id: dump for dump in session.scalars(asked)}
    going = jobs.going(session, [dump.job_id for dump in last.values() if dump.status is DumpStatus.WAITING])
    return {key: _asked(dump, going.get(dump.job_id) if dump.job_id else None) for key, dump in last.items()}


def _asked(dump: Dump, job: Job | None) -> Asked:
    waiting = dump.status is DumpStatus.WAITING and job is not None
    failed = not waiting and dump.status is not DumpStatus.DONE
    return Asked(dump, waiting, failed, job.done if job else 0)


def export_row(dump: Dump, address: Callable[[str], str]) -> Row:
    """A dump as the API tells it; `address` gives the address of a file by its name."""
    assert dump.finished_at is not None
    return {
        "id": str(dump.id),
        "generated_at": written(dump.finished_at),
        "position": dump.position,
        "files": [{**file, "url": address(file["name"])} for file in dump.files],
    }


def file_of(dump: Dump, name: str, folder: Path) -> Path | None:
    """The file of a dump by its name, if it is one of those it declares."""
    return folder / name if any(file["name"] == name for file in dump.files) else None


def result_rows(
    session: Session, consultation: Consultation, files: Iterable[str], address: Callable[[str, str], str]
) -> list[Row]:
    """The analysis that each results step shows, as the API tells it: none before it is published.

    `address` gives that of a step by its slug, and of a file of its results by its name.
    """
    run = coding.published_run(session, consultation.id)
    if run is None:
        return []
    assert run.published_at is not None
    return [
        {
            "id": str(run.id),
            "step": str(step.id),
            "published_at": written(run.published_at),
            "seed": run.seed,
            "codebook": run.codebook.number if run.codebook else None,
            "manifest_sha256": run.manifest_digest,
            "url": address(step.slug, ""),
            "files": [{"name": name, "url": address(step.slug, name)} for name in sorted(files)],
        }
        for step in consultation.steps
        if step.kind == "results"
    ]


def consultation_rows(session: Session, *, after: str | None, limit: int) -> Iterator[Row]:
    """The public row of each public consultation, in the order of their ids."""
    query = select(Consultation).where(Consultation.status != ConsultationStatus.DRAFT)
    if after is not None:
        query = query.where(Consultation.id > uuid.UUID(after))
    for consultation in session.scalars(query.order_by(Consultation.id).limit(limit)):
        yield consultation_row(consultation)


def case_rows(
    session: Session,
    step_kinds: Mapping[str, StepKind],
    *,
    theme: str = "",
    partner: str = "",
    after: str | None = None,
    limit: int | None = None,
) -> list[Row]:
    """The published cases in the order of their ids, with their figures."""
    query = cases.published(theme=theme, partner=partner)
    if after is not None:
        query = query.where(UseCase.id > uuid.UUID(after))
    return cases.rows(session, session.scalars(query.limit(limit)).all(), step_kinds)


def key(row: Row) -> str:
    """What a list is continued from: the id of its last row; an answer has that of its reply and question."""
    return str(row["id"]) if "id" in row else f"{row['reply']}:{row['question']}"


def absolute(session: Session, organisation: Organisation, settings: Settings, path: str) -> str:
    """The public address of a path of this organisation: it never comes from the request's Host header."""
    site = organisations.address_of(session, organisation, settings)
    return site + path.removeprefix(f"/o/{organisation.slug}")
