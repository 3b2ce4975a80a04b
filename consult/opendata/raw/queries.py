"""Reading what an administration may see: the rows of its tables, without the columns declared « never »."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table, func, select
from sqlalchemy.orm import Session, joinedload

from consult.accounts.models import Account, AccountStatus
from consult.consultations.labels import SET_ASIDE
from consult.db import NEVER, Base
from consult.jobs import queries as jobs
from consult.opendata.raw.models import RawExport, RawStatus
from consult.personal import plain
from consult.protocols import Row
from consult.registry import queries as registry

BATCH: Final = 2_000
LISTED: Final = 50
# What serves the machine, not the consultation; what has its own way out: displays, the public log and what is counted
# from it, the journal of acts, the lines that an import refused, which its report gives back; tickets, which are
# of the service; and who asked for which right, which is for those alone who answer.
LEFT_OUT: Final = frozenset(
    {
        "api_key",
        "audience_count",
        "audit_entry",
        "dump",
        "erasure_entry",
        "exposure",
        "job",
        "login_session",
        "mission_package",
    }
    | {"outgoing_mail", "raw_export", "rejected_row", "rights_request"}
    | {"help_request", "ticket", "ticket_clock", "ticket_event", "ticket_file", "ticket_message"}
    | {"registry_census", "registry_entry", "registry_flow", "registry_log", "registry_lost_opening", "step_figures"}
    | {"moderation_hold", "suggestion_mark"}
)

# Tables whose rows are parts of a content, and the columns that say of which.
_PARTS: Final = {"answer": ("reply_id",), "content_version": ("proposal_id", "argument_id")}


def tables() -> Mapping[str, Table]:
    """The tables of an organisation of which the administration may see something, by name."""
    found = {table.name: table for table in Base.metadata.sorted_tables if "organisation_id" in table.columns}
    return {name: table for name, table in sorted(found.items()) if name not in LEFT_OUT and columns(table)}


def columns(table: Table) -> list[Column[Any]]:
    """The columns of a table that the administration may see."""
    return [column for column in table.columns if column.info != NEVER]


def rows(
    session: Session, table: Table, organisation_id: uuid.UUID, *, after: str | None = None, limit: int | None = None
) -> Iterator[tuple[str, Row]]:
    """The id and the content of each row of an organisation, in the order of ids; streamed."""
    key = table.columns["id"]
    query = select(key.label("_key"), *columns(table)).where(table.columns["organisation_id"] == organisation_id)
    query = query.where(*_given(table))
    if after is not None:
        query = query.where(key > uuid.UUID(after))
    names = [column.name for column in columns(table)]
    for found in session.execute(query.order_by(key).limit(limit), execution_options={"yield_per": BATCH}):
        values: Sequence[Any] = found[1:]
        yield str(found[0]), {name: plain(value) for name, value in zip(names, values, strict=True)}


def _given(table: Table) -> list[ColumnElement[bool]]:
    """Leave out what is set aside at its author's request: it is kept, and given to nobody (GDPR, article 18.2)."""
    if "status_reason" in table.columns:
        reason = table.columns["status_reason"]
        return [reason.is_(None) | reason.not_in(SET_ASIDE)]
    conditions: list[ColumnElement[bool]] = []
    for name in _PARTS.get(table.name, ()):
        column = table.columns[name]
        whole = next(iter(column.foreign_keys)).column.table
        aside = select(whole.columns["id"]).where(whole.columns["status_reason"].in_(SET_ASIDE))
        conditions.append(column.is_(None) | column.not_in(aside))
    return conditions


def removal_count(session: Session) -> int:
    """How many times something was hidden, withdrawn or erased in the organisation, accounts included: never fewer."""
    erased = select(func.count()).select_from(Account).where(Account.status == AccountStatus.ERASED)
    return registry.removal_count(session, None) + (session.scalar(erased) or 0)


def exports(session: Session) -> list[tuple[RawExport, str]]:
    """The last raw exports asked for, the latest first, and what each has become.

    One of which the making has failed for good is « failed »; an archive that holds what was taken away since,
    « outdated »; else its status.
    """
    latest = select(RawExport).order_by(RawExport.requested_at.desc(), RawExport.id).limit(LISTED)
    asked = session.scalars(latest.options(joinedload(RawExport.requested_by))).all()
    waiting = {each.id: each.job_id for each in asked if each.status is RawStatus.WAITING}
    going = jobs.going(session, waiting.values())
    stopped = {key for key, job_id in waiting.items() if job_id not in going}
    removed = removal_count(session)

    def state(each: RawExport) -> str:
        if each.id in stopped:
            return RawStatus.FAILED
        return "outdated" if each.status is RawStatus.READY and each.removal_count != removed else each.status

    return [(each, state(each)) for each in asked]


def standing(session: Session) -> list[uuid.UUID]:
    """The exports that have an archive, or are about to."""
    return list(session.scalars(select(RawExport.id).where(RawExport.status.in_((RawStatus.READY, RawStatus.WAITING)))))
