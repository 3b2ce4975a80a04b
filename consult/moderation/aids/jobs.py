"""Reading what was posted lately, in a process of its own, and keeping what it suggests."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult import clock, seam
from consult.consultations.models import Consultation, ConsultationStatus, Step
from consult.db import as_tenant, insert_once
from consult.jobs.schedule import Task
from consult.moderation import queries
from consult.moderation.aids.models import Kind, ReadUntil, Suggestion
from consult.moderation.aids.queries import text_of
from consult.protocols import ContentType, JobHandler, ModerableItem, Progress
from consult.security import digest

PERIOD: Final = dt.timedelta(minutes=5)
OVERLAP: Final = dt.timedelta(minutes=2)  # an act may be committed a little after its instant
COMPARED: Final = dt.timedelta(days=7)
FIRST: Final = dt.timedelta(days=1)  # what is read of a step that never was: the tagger takes a while for a week
MOST_COMPARED: Final = 5_000
AT_ONCE: Final = 500


class Suggest:
    """Periodic: reads the texts posted or edited since the last time (at first, of a day), beside those of a week."""

    kind: ClassVar[str] = "moderation.suggest"

    def __init__(
        self,
        content_types: Mapping[str, ContentType],
        now: Callable[[], dt.datetime] = clock.now,
        *,
        names: bool = True,
    ) -> None:
        self._content_types = content_types
        self._now = now
        self._names = names

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """One process for every open step, since starting it costs more than reading; nothing is written before
        it ends, then one chunk a step.
        """
        del payload, cursor
        now, done = self._now(), 0
        lately: list[tuple[Step, dict[uuid.UUID, ModerableItem], set[uuid.UUID]]] = []
        steps = select(Step).join(Consultation).where(Consultation.status == ConsultationStatus.OPEN)
        for step in session.scalars(steps).all():
            with as_tenant(session, step.organisation_id):
                mark = session.get(ReadUntil, step.id)
                since = mark.read_until - OVERLAP if mark else now - FIRST
                items = self._items(session, step.id, now - COMPARED)
                fresh = {item_id for _, item_id, _ in queries.published_since(session, step.id, since)}
            if fresh:
                lately.append((step, items, fresh & items.keys()))
        if not lately:
            return
        found: list[Mapping[str, Any]] = []
        yield from self._read(lately, found)
        for step, items, _ in lately:
            with as_tenant(session, step.organisation_id):
                done += self._keep(session, step, items, found, now)
            yield Progress(done, message=f"{done} suggestions")

    def _items(self, session: Session, step_id: uuid.UUID, since: dt.datetime) -> dict[uuid.UUID, ModerableItem]:
        """What is compared, the latest of it, in the order of writing."""
        named: dict[str, dict[uuid.UUID, None]] = {}
        for item_type, item_id, _ in queries.published_since(session, step_id, since):
            named.setdefault(item_type, {})[item_id] = None
        found: list[ModerableItem] = []
        for item_type, ids in named.items():
            for some in batches(list(ids)):
                found += self._content_types[item_type].items(session, some).values()
        found.sort(key=lambda item: (item.created_at, str(item.id)))
        return {item.id: item for item in found[-MOST_COMPARED:]}

    def _read(
        self,
        lately: Sequence[tuple[Step, Mapping[uuid.UUID, ModerableItem], set[uuid.UUID]]],
        found: list[Mapping[str, Any]],
    ) -> Iterator[Progress]:
        with tempfile.TemporaryDirectory(prefix="consult-aids-") as folder:
            texts, out = Path(folder) / "texts.ndjson", Path(folder) / "suggestions.json"
            with texts.open("w", encoding="utf-8") as file:
                for step, items, fresh in lately:
                    for item in items.values():
                        author = str(item.author_id) if item.author_id else None
                        row = {"id": str(item.id), "among": str(step.id), "author": author, "text": text_of(item)}
                        file.write(json.dumps(row | {"new": item.id in fresh}, ensure_ascii=False) + "\n")
            yield from seam.run_aids(texts, out, names=self._names)
            found += seam.suggestions(out)

    def _keep(
        self,
        session: Session,
        step: Step,
        items: Mapping[uuid.UUID, ModerableItem],
        found: Sequence[Mapping[str, Any]],
        now: dt.datetime,
    ) -> int:
        """What was found, but of contents that went meanwhile; and up to when the step was read."""
        kept = 0
        for row in found:
            item = items.get(uuid.UUID(row["id"]))
            if item is None:  # of another step
                continue
            present = self._content_types[item.type].items(session, [item.id]).get(item.id)
            if present is None or text_of(present) != text_of(item):
                continue
            kept += insert_once(
                session,
                Suggestion,
                conflict=["item_type", "item_id", "kind", "version", "text_digest"],
                id=uuid.uuid4(),
                organisation_id=step.organisation_id,
                consultation_id=item.consultation_id,
                item_type=item.type,
                item_id=item.id,
                kind=Kind(row["kind"]),
                version=row["version"],
                score=row["score"],
                spans=row["spans"],
                with_others=row["with_others"],
                text_digest=digest(text_of(item)),
                made_at=now,
            )
        session.merge(ReadUntil(step_id=step.id, organisation_id=step.organisation_id, read_until=now))
        session.flush()
        return kept


def batches(ids: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    """These ids, a bounded number at once."""
    yield from (ids[low : low + AT_ONCE] for low in range(0, len(ids), AT_ONCE))


def handlers(content_types: Mapping[str, ContentType]) -> tuple[JobHandler, ...]:
    """What `app.py` binds."""
    return (Suggest(content_types),)


TASKS: Final = (Task(Suggest.kind, PERIOD),)
