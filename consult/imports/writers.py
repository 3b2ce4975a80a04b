"""Writing a chunk of records: what is new is inserted in bulk, logged in the registry and made findable.

A writer keeps no row of the database between two chunks but the small lists it resolves names with (themes,
questions), so that each chunk may be a transaction of its own.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from consult.consultations.labels import GROUNDS
from consult.consultations.models import ContentStatus, Origin, Step
from consult.consultations.policy import slug_of
from consult.contributions import policy as contributions
from consult.contributions.manage import service as themes
from consult.contributions.models import Argument, Proposal, Side, Theme
from consult.errors import InvalidError
from consult.imports.mapping import ImportMapping
from consult.imports.records import ArgumentRecord, ProposalRecord, RejectedError
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind
from consult.search import service as search

MAX_THEMES: Final = 200


class Outcome(StrEnum):
    """What became of a row; named as the counters of `ImportBatch` are."""

    ADDED = "added"
    COMPLETED = "completed"
    EXISTING = "existing"
    EMPTY = "empty"
    REJECTED = "rejected"


Result: TypeAlias = Outcome | RejectedError


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the rows go. `draft`: themes, questions and options may still be created."""

    organisation_id: uuid.UUID
    consultation_id: uuid.UUID
    step_id: uuid.UUID
    order_seed: str
    batch_id: uuid.UUID
    draft: bool
    mapping: ImportMapping


class Writer(Protocol):
    """Writes records of one target; results come in the order of the records."""

    def write(self, session: Session, records: Sequence[Any], now: dt.datetime) -> list[Result]: ...


class ProposalWriter:
    """Proposals under themes, with the totals of votes that the source had counted."""

    def __init__(self, session: Session, destination: Destination) -> None:
        self._to = destination
        themes = session.execute(select(Theme.slug, Theme.id).where(Theme.step_id == destination.step_id))
        self._themes: dict[str, uuid.UUID] = dict(themes.all())

    def write(self, session: Session, records: Sequence[ProposalRecord], now: dt.datetime) -> list[Result]:
        """Insert those whose reference the step does not know."""
        query = select(Proposal.external_ref, Proposal.title, Proposal.body).where(
            Proposal.step_id == self._to.step_id, Proposal.external_ref.in_([record.ref for record in records])
        )
        known = {ref: (title, body) for ref, title, body in session.execute(query)}
        rows: list[dict[str, Any]] = []
        results: list[Result] = []
        for record in records:
            said = (record.title, record.body)
            if record.ref in known:
                results.append(_met_again(record.ref, known[record.ref], said))
                continue
            try:
                rows.append(self._row(session, record, now))
            except RejectedError as refusal:
                results.append(refusal)
                continue
            known[record.ref] = said
            results.append(Outcome.ADDED)
        self._insert(session, rows, now)
        return results

    def _insert(self, session: Session, rows: list[dict[str, Any]], now: dt.datetime) -> None:
        if not rows:
            return
        contents = [
            {
                "step": str(self._to.step_id),
                "contribution": str(row["id"]),
                "version": 1,
                "author": None,
                **contributions.text_entry(row["title"], row["body"], row["created_at"]),
                "theme": str(row["theme_id"]) if row["theme_id"] else None,
            }
            for row in rows
        ]
        log_rows(session, self._to, EntryKind.CONTRIBUTION, contents, rows, now)
        session.execute(insert(Proposal), rows)
        shown = [(row["id"], f"{row['title']}\n{row['body']}") for row in rows if row["status_reason"] is None]
        search.index_many(session, organisation_id=self._to.organisation_id, step_id=self._to.step_id, texts=shown)

    def _row(self, session: Session, record: ProposalRecord, now: dt.datetime) -> dict[str, Any]:
        new_id = ordered_id(now)
        for_, mixed, against = record.votes
        return {
            **_content(self._to, new_id, record.hidden),
            "theme_id": self._theme(session, record.theme) if record.theme else None,
            "author_name": record.author,
            "title": record.title,
            "body": record.body,
            "external_ref": record.ref,
            "created_at": record.created_at or now,
            "random_rank": contributions.random_rank(self._to.order_seed, new_id),
            "imported_votes_for": for_,
            "imported_votes_mixed": mixed,
            "imported_votes_against": against,
        }

    def _theme(self, session: Session, title: str) -> uuid.UUID:
        slug = slug_of(title)
        if slug not in self._themes:
            if not self._to.draft:
                raise RejectedError(f"Le thème « {title[:80]} » n’existe pas, et les thèmes sont figés à l’ouverture.")
            if len(self._themes) >= MAX_THEMES:
                raise RejectedError(f"Plus de {MAX_THEMES} thèmes différents : cette colonne n’est pas un thème.")
            step = session.get_one(Step, self._to.step_id)
            try:
                self._themes[slug] = themes.add_theme(session, step, title=title).id
            except InvalidError as refusal:
                raise RejectedError(refusal.message) from None
        return self._themes[slug]


class ArgumentWriter:
    """Arguments for and against proposals of the same step, found by the reference they were imported with."""

    def __init__(self, session: Session, destination: Destination) -> None:
        del session
        self._to = destination

    def write(self, session: Session, records: Sequence[ArgumentRecord], now: dt.datetime) -> list[Result]:
        """Insert those whose reference their proposal does not know; an argument on nothing is refused."""
        proposals = self._proposals(session, records)
        query = select(Argument.proposal_id, Argument.external_ref, Argument.title, Argument.body).where(
            Argument.proposal_id.in_(proposals.values()),
            Argument.external_ref.in_([record.ref for record in records]),
        )
        known = {(on, ref): (title, body) for on, ref, title, body in session.execute(query)}
        rows: list[dict[str, Any]] = []
        results: list[Result] = []
        for record in records:
            on = proposals.get(record.proposal)
            if on is None:
                results.append(RejectedError(f"La proposition « {record.proposal[:80]} » est absente de cette étape."))
            elif (on, record.ref) in known:
                results.append(_met_again(record.ref, known[on, record.ref], (record.title, record.body)))
            else:
                known[on, record.ref] = (record.title, record.body)
                rows.append(self._row(record, on, now))
                results.append(Outcome.ADDED)
        self._insert(session, rows, now)
        return results

    def _proposals(self, session: Session, records: Sequence[ArgumentRecord]) -> dict[str, uuid.UUID]:
        wanted = {record.proposal for record in records}
        query = select(Proposal.external_ref, Proposal.id).where(
            Proposal.step_id == self._to.step_id, Proposal.external_ref.in_(wanted)
        )
        return {ref: found for ref, found in session.execute(query) if ref is not None}

    def _insert(self, session: Session, rows: list[dict[str, Any]], now: dt.datetime) -> None:
        if not rows:
            return
        contents = [
            {
                "step": str(self._to.step_id),
                "argument": str(row["id"]),
                "version": 1,
                "author": None,
                **contributions.text_entry(row["title"], row["body"], row["created_at"]),
                "on": str(row["proposal_id"]),
                "side": row["side"].value,
            }
            for row in rows
        ]
        log_rows(session, self._to, EntryKind.ARGUMENT, contents, rows, now)
        session.execute(insert(Argument), rows)

    def _row(self, record: ArgumentRecord, on: uuid.UUID, now: dt.datetime) -> dict[str, Any]:
        return {
            **_content(self._to, ordered_id(now), record.hidden),
            "proposal_id": on,
            "author_name": record.author,
            "side": Side(record.side),
            "title": record.title,
            "body": record.body,
            "external_ref": record.ref,
            "created_at": record.created_at or now,
            "imported_votes_for": record.votes,
        }


def ordered_id(now: dt.datetime) -> uuid.UUID:
    """An id that follows those made before it (UUID version 7, RFC 9562), for rows written by the hundred thousand.

    Random ids touch a page of each index per row, and the more rows, the slower. These tell when they were made, to
    the millisecond: not for what a person does.
    """
    milliseconds = int(now.timestamp() * 1000)
    chance = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds << 80 | chance) & ~(0xF << 76) & ~(0b11 << 62)
    return uuid.UUID(int=value | 7 << 76 | 0b10 << 62)


def another(ref: str, holds: str) -> RejectedError:
    """Why a row is not taken for the one that bears the same reference: it says something else, and would be lost."""
    return RejectedError(f"L’identifiant « {ref[:80]} » {holds} dans cette étape.")


def _met_again(ref: str, known: tuple[str | None, str], said: tuple[str | None, str]) -> Result:
    """A reference that the step knows: the same text again, or one whose text has since been erased."""
    if known == said or not known[1]:
        return Outcome.EXISTING
    return another(ref, "porte déjà un autre texte")


def _content(to: Destination, new_id: uuid.UUID, hidden: str | None) -> dict[str, Any]:
    return {
        "id": new_id,
        "organisation_id": to.organisation_id,
        "consultation_id": to.consultation_id,
        "step_id": to.step_id,
        "import_batch_id": to.batch_id,
        "origin": Origin.IMPORTED,
        "status": ContentStatus.HIDDEN if hidden else ContentStatus.PUBLISHED,
        "status_reason": hidden,
    }


def log_rows(
    session: Session,
    to: Destination,
    kind: EntryKind,
    contents: Sequence[Mapping[str, Any]],
    rows: Sequence[dict[str, Any]],
    now: dt.datetime,
) -> None:
    """One registry entry per row, whose reference a new row keeps; what the source had hidden is withheld, and told."""
    shared: dict[str, Any] = {"organisation_id": to.organisation_id, "consultation_id": to.consultation_id, "now": now}
    submitted = (
        None
        if kind is EntryKind.EDIT
        else [conservation.flow(_type(each), Origin.IMPORTED, conservation.SUBMITTED) for each in contents]
    )
    refs = registry.append_all(session, **shared, kind=kind, contents=contents, effects=submitted)
    hidden: list[dict[str, Any]] = []
    for row, ref, content in zip(rows, refs, contents, strict=True):
        if kind is not EntryKind.EDIT:
            row["registry_ref"] = ref
        if row["status_reason"] is not None:
            registry.withhold(session, ref)
            hidden.append(_hiding(row, ref, content))
    registry.append_all(session, **shared, kind=EntryKind.MODERATION, contents=hidden)


def _type(content: Mapping[str, Any]) -> str:
    return "reply" if "reply" in content else "proposal" if "contribution" in content else "argument"


def _hiding(row: Mapping[str, Any], ref: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """What the log says of a decision of the source, in the form of our own decisions; nobody here took it."""
    kind = _type(content)
    ground = GROUNDS.get(row["status_reason"])
    return {
        "decision": None,
        "act": "hide",
        "type": kind,
        "item": str(row["id"]),
        "ground": row["status_reason"],
        "article": ground.article if ground else None,
        "automated": False,
        "entries": [ref],
    }
