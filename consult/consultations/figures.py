"""What consultations have gathered, counted where everything has its place in the public log (« état au n° N »)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, selectinload

from consult.consultations import policy
from consult.consultations.models import Consultation, Step, StepFigures
from consult.protocols import StepKind
from consult.registry import conservation

logger = logging.getLogger(__name__)
_KEPT: Final = select(StepFigures.counts).where(StepFigures.step_id == bindparam("step"))
Counts: TypeAlias = Mapping[str, int]
# By type and origin, how many acts of a consultation there are in each state.
States: TypeAlias = Callable[[Session, uuid.UUID], Mapping[tuple[str, str], Counts]]


class Counting:
    """What the sequencer calls: the counts of each step that moved, and the census of its consultation."""

    def __init__(self, step_kinds: Mapping[str, StepKind], states: Sequence[States]) -> None:
        self._step_kinds = step_kinds
        self._states = states

    def __call__(self, session: Session, organisation_id: uuid.UUID, since: int, last: int) -> None:
        """Count again the consultations of which an entry was placed from `since` to `last`."""
        touched = conservation.touched(session, organisation_id, since)
        moved = select(Consultation).where(Consultation.id.in_(touched)).options(selectinload(Consultation.steps))
        for consultation in session.scalars(moved):
            for step in consultation.steps:
                if step.kind in self._step_kinds:
                    self._keep(session, step)
            if policy.is_public(consultation):  # what an import brings to a draft is public nowhere
                self._conserve(session, consultation, last)
        session.flush()

    def _keep(self, session: Session, step: Step) -> None:
        kept = session.get(StepFigures, step.id) or StepFigures(step_id=step.id)
        kept.organisation_id = step.organisation_id
        kept.counts = dict(self._step_kinds[step.kind].census(session, step))
        session.add(kept)

    def _conserve(self, session: Session, consultation: Consultation, last: int) -> None:
        rows = {key: counts for states in self._states for key, counts in states(session, consultation.id).items()}
        for line in conservation.take(session, consultation.organisation_id, consultation.id, rows):
            if not line.balanced:
                logger.error(
                    "acts are missing or in excess",
                    extra={"consultation": str(consultation.id), "type": line.type, "position": last},
                )


def of_step(session: Session, step: Step, live: Callable[[Session, Step], Counts]) -> Counts:
    """The counts of a step as they stand at `registry.queries.counted`; `live` ones before its first entry."""
    kept = session.scalar(_KEPT, {"step": step.id})
    return live(session, step) if kept is None else kept


def of_steps(session: Session, steps: Sequence[Step], step_kinds: Mapping[str, StepKind]) -> dict[uuid.UUID, Counts]:
    """`of_step` for several, by the step's id; a kind that is not installed counts nothing."""
    query = select(StepFigures.step_id, StepFigures.counts).where(StepFigures.step_id.in_([step.id for step in steps]))
    kept = {row.step_id: row.counts for row in session.execute(query)}
    return {
        step.id: kept[step.id] if step.id in kept else step_kinds[step.kind].census(session, step)
        for step in steps
        if step.kind in step_kinds
    }


def totals(counts: Iterable[Counts]) -> Counts:
    """Counts added up by name."""
    added: dict[str, int] = {}
    for each in counts:
        for name, value in each.items():
            added[name] = added.get(name, 0) + value
    return added
