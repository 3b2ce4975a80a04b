"""Reading a debate: its question, and what was gathered."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.consultations.models import ContentStatus, Step
from consult.contributions import queries as contributions
from consult.contributions.models import Argument, Proposal, ProposalKind, Side


def question(session: Session, step_id: uuid.UUID) -> Proposal | None:
    """What a debate is about; None until its organiser has written it."""
    asked = select(Proposal).where(Proposal.step_id == step_id, Proposal.kind == ProposalKind.QUESTION)
    return session.scalars(asked).one_or_none()


def census(session: Session, step: Step) -> Mapping[str, int]:
    """What citizens did: the question, which the administration asks, is none of their contributions."""
    counted = {name: count for name, count in contributions.census(session, step).items() if name != "contributions"}
    published = (Argument.step_id == step.id, Argument.status == ContentStatus.PUBLISHED)
    by_side = select(Argument.side, func.count()).where(*published).group_by(Argument.side)
    sides: dict[Side, int] = {side: count for side, count in session.execute(by_side)}  # noqa: C416  # rows are no pairs for the type checker
    return counted | {f"arguments_{side.value}": sides.get(side, 0) for side in Side}
