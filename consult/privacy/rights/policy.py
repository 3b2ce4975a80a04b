"""Delays of article 12.3, states of a request, and which rights stop a processing; pure."""

from __future__ import annotations

import calendar
import datetime as dt
import enum
from typing import Final

from consult.clock import PARIS
from consult.privacy.rights.models import Outcome, Right, RightsRequest

ANSWER_MONTHS: Final = 1
EXTENDED_MONTHS: Final = 3  # from the receipt: the first one, and two more
REMINDED_BEFORE: Final = dt.timedelta(days=7)  # then every week until the answer
LINK_LIFE: Final = dt.timedelta(days=2)  # to confirm the address of a visitor
TEXT_LENGTH: Final = 3_000
SHORTEST_TEXT: Final = 20
# Granted to an account, they set its texts aside: kept, neither shown nor processed.
SETS_ASIDE: Final = frozenset({Right.LIMITATION, Right.OBJECTION})
# What an account does at once from its own pages.
SELF_SERVED: Final = frozenset({Right.ACCESS, Right.ERASURE})


class State(enum.StrEnum):
    """Where a request stands, as the person and the administration read it."""

    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    OVERDUE = "overdue"
    GRANTED = "granted"
    REFUSED = "refused"
    LIFTED = "lifted"


def due_on(received: dt.datetime, months: int) -> dt.date:
    """The last day of a delay in months: the same day of a later month, or its last one, in Paris."""
    day = received.astimezone(PARIS).date()
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def state(request: RightsRequest, now: dt.datetime) -> State:
    """Where it stands at that instant."""
    if request.due_on is None:
        return State.UNCONFIRMED
    if request.outcome is None:
        return State.OVERDUE if now.astimezone(PARIS).date() > request.due_on else State.WAITING
    if request.lifted_at is not None:
        return State.LIFTED
    return State.GRANTED if request.outcome is Outcome.GRANTED else State.REFUSED


def may_extend(request: RightsRequest, now: dt.datetime) -> bool:
    """Whether two more months may be taken: once, and before the first one is over (article 12.3)."""
    return state(request, now) is State.WAITING and request.extended_at is None


def in_force(request: RightsRequest) -> bool:
    """Whether it keeps the texts of an account aside."""
    return (
        request.account_id is not None
        and request.right in SETS_ASIDE
        and request.outcome is Outcome.GRANTED
        and request.lifted_at is None
    )
