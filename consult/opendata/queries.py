"""Reading what the open data pages and the API say besides the public datasets."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.consultations.bindings import instant
from consult.consultations.models import Consultation, ConsultationStatus
from consult.jobs import queries as jobs
from consult.opendata.models import Dump, DumpStatus
from consult.organisations import queries as organisations
from consult.organisations.models import Organisation
from consult.protocols import PublicDataset, Row
from consult.registry import queries as registry
from consult.settings import Settings

LISTED: Final = 100


def latest_dumps(session: Session) -> dict[uuid.UUID, Dump]:
    """The last finished dump of each consultation."""
    done = select(Dump).where(Dump.status == DumpStatus.DONE).order_by(Dump.finished_at)
    return {dump.consultation_id: dump for dump in session.scalars(done)}


def is_served(session: Session, dump: Dump) -> bool:
    """Whether a dump may still be downloaded: nothing that it holds was hidden, withdrawn or erased since."""
    return not registry.removed_since(session, dump.consultation_id, dump.last_entry)


def served_dump(session: Session, consultation_id: uuid.UUID) -> Dump | None:
    """The dump of a consultation that anybody may download now, if there is one."""
    done = select(Dump).where(Dump.consultation_id == consultation_id, Dump.status == DumpStatus.DONE)
    dump = session.scalar(done.order_by(Dump.finished_at.desc()).limit(1))
    return dump if dump is not None and is_served(session, dump) else None


def published(session: Session) -> Sequence[tuple[Consultation, Dump | None]]:
    """The latest hundred public consultations, each with its dump if one may be downloaded."""
    latest = latest_dumps(session)
    found = session.scalars(
        select(Consultation)
        .where(Consultation.status != ConsultationStatus.DRAFT)
        .order_by(Consultation.opens_at.desc(), Consultation.id)
        .limit(LISTED)
    ).all()
    dumps = ((each, latest.get(each.id)) for each in found)
    return [(each, dump if dump is not None and is_served(session, dump) else None) for each, dump in dumps]


def last_request(session: Session, consultation_id: uuid.UUID) -> tuple[Dump, bool] | None:
    """The dump asked for last, and whether its production has failed for good."""
    asked = select(Dump).where(Dump.consultation_id == consultation_id).order_by(Dump.requested_at.desc()).limit(1)
    dump = session.scalar(asked)
    if dump is None:
        return None
    stuck = dump.status is DumpStatus.WAITING and jobs.is_over(session, dump.job_id)
    return dump, stuck or dump.status is DumpStatus.FAILED


def export_row(dump: Dump, address: Callable[[str], str]) -> Row:
    """A dump as the API tells it; `address` gives the address of a file by its name."""
    assert dump.finished_at is not None
    return {
        "id": str(dump.id),
        "generated_at": instant(dump.finished_at),
        "files": [{**file, "url": address(file["name"])} for file in dump.files],
    }


def file_of(dump: Dump, name: str, folder: Path) -> Path | None:
    """The file of a dump by its name, if it is one of those it declares."""
    return folder / name if any(file["name"] == name for file in dump.files) else None


def consultation_rows(session: Session, dataset: PublicDataset, *, after: str | None, limit: int) -> Iterator[Row]:
    """The public row of each public consultation, in the order of their ids."""
    query = select(Consultation.id).where(Consultation.status != ConsultationStatus.DRAFT)
    if after is not None:
        query = query.where(Consultation.id > uuid.UUID(after))
    for consultation_id in session.scalars(query.order_by(Consultation.id).limit(limit)).all():
        yield from dataset.rows(session, consultation_id)


def key(row: Row) -> str:
    """What a list is continued from: the id of its last row; an answer has that of its reply and question."""
    return str(row["id"]) if "id" in row else f"{row['reply']}:{row['question']}"


def absolute(session: Session, organisation: Organisation, settings: Settings, path: str) -> str:
    """The public address of a path of this organisation: it never comes from the request's Host header."""
    site = organisations.address_of(session, organisation, settings)
    return site + path.removeprefix(f"/o/{organisation.slug}")
