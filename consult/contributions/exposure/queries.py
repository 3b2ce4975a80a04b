"""Reading how many times the texts of a step were displayed, until the hour that is under way."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from consult.clock import hour_number
from consult.consultations.models import ContentStatus, Step
from consult.contributions.exposure.models import Exposure
from consult.contributions.exposure.policy import daily
from consult.contributions.models import OFFICIAL, Argument, Proposal, Side
from consult.contributions.queries import SHORT

_E: Final = Exposure.__table__.c


@dataclass(frozen=True, slots=True)
class Displayed:
    """A published text and its displays: `drawn` in the order by lot, `asked` in what readers asked for.

    `hours` is how long it could be, from its publication or the opening of its step to the end of the last hour.
    """

    id: uuid.UUID
    hours: int
    drawn: int
    asked: int

    @property
    def rate(self) -> float:
        """Displays a day in the order by lot."""
        return daily(self.drawn, self.hours)


def of_texts(session: Session, step: Step, now: dt.datetime) -> list[Displayed]:
    """The proposals or versions of a step, the least displayed first; the texts that are submitted are not listed."""
    return _of(session, step, Proposal, now, Proposal.__table__.c.kind.not_in(OFFICIAL))


def of_arguments(session: Session, step: Step, now: dt.datetime) -> list[Displayed]:
    """The arguments of a step, the least displayed first."""
    return _of(session, step, Argument, now)


def _of(
    session: Session, step: Step, model: type[Proposal | Argument], now: dt.datetime, *also: Any
) -> list[Displayed]:
    """Written on tables, as the lists are: everything hangs on a step found under the tenant filter."""
    item: Any = model.__table__.c
    hour = hour_number(now)
    over = _E.past + case((_E.hour < hour, _E.latest), else_=0)
    counted = (
        select(
            _E.item_id,
            func.sum(case((_E.drawn, over), else_=0)).label("drawn"),
            func.sum(case((_E.drawn, 0), else_=over)).label("asked"),
        )
        .where(_E.step_id == step.id)
        .group_by(_E.item_id)
        .subquery()
    )
    rows = session.execute(
        select(item.id, item.created_at, counted.c.drawn, counted.c.asked)
        .select_from(model.__table__)
        .outerjoin(counted, counted.c.item_id == item.id)
        .where(item.step_id == step.id, item.status == ContentStatus.PUBLISHED, *also)
    )
    found = [
        Displayed(
            row.id, hour - hour_number(max(row.created_at, step.opens_at)), int(row.drawn or 0), int(row.asked or 0)
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.rate, each.id))


def titles(session: Session, items: Sequence[Displayed]) -> dict[uuid.UUID, tuple[str, Side | None]]:
    """What the texts of a page are called: the title of a proposal; the side and the first words of an argument."""
    ids = [each.id for each in items]
    found: dict[uuid.UUID, tuple[str, Side | None]] = {
        key: (title, None)
        for key, title in session.execute(select(Proposal.id, Proposal.title).where(Proposal.id.in_(ids)))
    }
    said = func.coalesce(Argument.title, func.substr(Argument.body, 1, SHORT))
    for key, words, side in session.execute(select(Argument.id, said, Argument.side).where(Argument.id.in_(ids))):
        found[key] = (words, side)
    return found
