"""The totals of the questions that are published in totals only: kept as they were published, never counted on the fly.

A figure that moved with each reply would tell what that person answered. A table replaces the last one when
`disclosure` finds nothing in what it and any earlier one differ by; until then the last one stays.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from consult import clock
from consult.clock import hour, written
from consult.consultations.models import Consultation, ConsultationStatus, Origin, Step
from consult.disclosure import Table, may_follow, protected
from consult.jobs.schedule import Task
from consult.protocols import Progress, Row
from consult.questionnaires import kinds, queries
from consult.questionnaires.kinds.base import Group
from consult.questionnaires.models import AnswerVisibility, PublishedTotal, Question
from consult.questionnaires.queries import Tally
from consult.registry import service as registry
from consult.registry.models import EntryKind


class PublishTotals:
    """Periodic: publish the totals that have moved enough, one questionnaire a chunk."""

    kind: ClassVar[str] = "questionnaires.totals"

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """See JobHandler."""
        del payload, cursor
        steps = session.scalars(
            select(Step.id)
            .join(Consultation, Consultation.id == Step.consultation_id)
            .where(
                Consultation.status != ConsultationStatus.DRAFT,
                Step.id.in_(select(Question.step_id).where(Question.visibility == AnswerVisibility.AGGREGATES)),
            )
        ).all()
        for done, step_id in enumerate(steps, 1):
            publish(session, step_id, clock.now())
            yield Progress(done, len(steps))


TASKS: Final = (Task(PublishTotals.kind, dt.timedelta(hours=1)),)


def publish(session: Session, step_id: uuid.UUID, now: dt.datetime) -> int:
    """Publish, and log, the totals of a step that may be; returns how many tables."""
    consultation_id = session.get_one(Step, step_id).consultation_id
    questions = [each for each in queries.questions(session, step_id) if _in_totals(each)]
    tallies = queries.tallies(session, step_id)
    earlier = _published(session, [each.id for each in questions])
    made = 0
    for question in questions:
        for origin in (each for each in Origin if each is not Origin.TEST):
            tally, before = tallies.get((question.id, origin)), earlier.get((question.id, origin), [])
            tables = _tables(question, tally) if tally else []
            if tally is None or not any(tables) or not _may_follow(question, tables, before):
                continue
            counts = _counts(question, tables)
            if before and (before[-1].answered, before[-1].counts) == (tally.answered, counts):
                continue
            row = PublishedTotal(
                organisation_id=question.organisation_id,
                question_id=question.id,
                origin=origin,
                number=len(before) + 1,
                as_of=hour(now),
                answered=tally.answered,
                counts=counts,
            )
            session.add(row)
            _log(session, row, consultation_id, now)
            made += 1
    session.flush()
    return made


def _log(session: Session, table: PublishedTotal, consultation_id: uuid.UUID, now: dt.datetime) -> None:
    content = {"question": str(table.question_id), "origin": table.origin.value, "number": table.number}
    registry.append(
        session,
        organisation_id=table.organisation_id,
        consultation_id=consultation_id,
        kind=EntryKind.CONTENT,
        content={"act": "totals.published", **content, "answered": table.answered, "counts": table.counts},
        now=now,
    )


def latest(session: Session, question_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[PublishedTotal]]:
    """The table in force of each of these questions, by origin."""
    found: dict[uuid.UUID, list[PublishedTotal]] = {}
    for (question_id, _), rows in _published(session, question_ids).items():
        found.setdefault(question_id, []).append(rows[-1])
    return found


def _in_totals(question: Question) -> bool:
    return question.visibility is AnswerVisibility.AGGREGATES and bool(kinds.of(question).groups(question))


def _tables(question: Question, tally: Tally) -> list[Table | None]:
    """What may be told of each group of cells, taken alone; all or nothing where the groups complete each other."""
    kind = kinds.of(question)
    found = [_table(group, tally) for group in kind.groups(question)]
    if kind.whole and any(table is None or None in table.counts.values() for table in found):
        return [None for _ in found]
    return found


def _table(group: Group, tally: Tally) -> Table | None:
    counts = {cell: tally.options.get(cell, 0) for cell in group.cells}
    partition = False
    if group.without is not None:
        without = tally.answered - sum(counts.values())
        partition = without >= 0  # an import may give several options to a question that takes one
        counts |= {group.without: without} if partition else {}
    return protected(tally.answered, counts, partition=partition)


def _counts(question: Question, tables: Sequence[Table | None]) -> dict[str, int | None]:
    """The cells of a question as they are published."""
    found: dict[str, int | None] = {}
    for group, table in zip(kinds.of(question).groups(question), tables, strict=True):
        found |= dict.fromkeys(group.cells) if table is None else table.counts
    return found


def _may_follow(question: Question, tables: Sequence[Table | None], before: Sequence[PublishedTotal]) -> bool:
    groups = kinds.of(question).groups(question)
    return all(
        table is None or may_follow(table, [_as_table(row, group) for row in before])
        for group, table in zip(groups, tables, strict=True)
    )


def _as_table(row: PublishedTotal, group: Group) -> Table:
    cells = [*group.cells, *([] if group.without is None else [group.without])]
    partition = group.without is not None and group.without in row.counts
    return Table(row.answered, {cell: row.counts[cell] for cell in cells if cell in row.counts}, partition=partition)


def _published(session: Session, question_ids: list[uuid.UUID]) -> dict[tuple[uuid.UUID, Origin], list[PublishedTotal]]:
    rows = select(PublishedTotal).where(PublishedTotal.question_id.in_(question_ids)).order_by(PublishedTotal.number)
    found: dict[tuple[uuid.UUID, Origin], list[PublishedTotal]] = {}
    for row in session.scalars(rows):
        found.setdefault((row.question_id, row.origin), []).append(row)
    return found


class TotalsDataset:
    """The totals in force, one row for each option of each question."""

    name: ClassVar[str] = "totals"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "identifiant de la ligne",
        "question": "identifiant de la question, publiée en totaux seulement",
        "option": "clé de la réponse, comme parmi les réponses ligne à ligne ; vide : aucune",
        "origin": "provenance : live (en ligne), imported (importée), offline (hors ligne)",
        "answered": "personnes qui ont répondu à la question",
        "count": "personnes qui ont choisi l’option ; vide : moins de dix, ou tu pour ne pas les révéler",
        "as_of": "heure du décompte (UTC) : il n’est refait que lorsque dix réponses au moins s’y ajoutent",
    }

    def rows(
        self,
        session: Session,
        consultation_id: uuid.UUID,
        *,
        after: str | None = None,
        limit: int | None = None,
        among: Collection[uuid.UUID] | None = None,
    ) -> Iterator[Row]:
        """In the order of ids; there are few. `among`: of these questions only."""
        newest = (
            select(PublishedTotal.question_id, PublishedTotal.origin, func.max(PublishedTotal.number).label("number"))
            .group_by(PublishedTotal.question_id, PublishedTotal.origin)
            .subquery()
        )
        query = (
            select(PublishedTotal)
            .join(
                newest,
                (newest.c.question_id == PublishedTotal.question_id)
                & (newest.c.origin == PublishedTotal.origin)
                & (newest.c.number == PublishedTotal.number),
            )
            .join(Question, Question.id == PublishedTotal.question_id)
            .join(Step, Step.id == Question.step_id)
            .join(Consultation, Consultation.id == Step.consultation_id)
            .where(Consultation.id == consultation_id, Consultation.status != ConsultationStatus.DRAFT)
            .options(selectinload(PublishedTotal.question).selectinload(Question.options))
        )
        if among is not None:
            query = query.where(PublishedTotal.question_id.in_(among))
        lines = (line for table in session.scalars(query) for line in _lines(table))
        following = (line for line in lines if after is None or str(line["id"]) > after)
        yield from sorted(following, key=lambda line: str(line["id"]))[:limit]


def _lines(table: PublishedTotal) -> Iterator[Row]:
    """A row keeps its `id` from one publication to the next: question, origin, rank of the option."""
    cells: list[str] = []
    for group in kinds.of(table.question).groups(table.question):
        cells += [*group.cells, *([] if group.without is None else [group.without])]
    for rank, option in enumerate(cells):
        yield {
            "id": f"{table.question_id}:{table.origin.value}:{rank:04d}",
            "question": str(table.question_id),
            "option": option or None,
            "origin": table.origin.value,
            "answered": table.answered,
            "count": table.counts.get(option),
            "as_of": written(table.as_of),
        }
