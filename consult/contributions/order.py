"""The order of lists by default: drawn again each hour from the seed that a step publishes, so that anyone can replay
it and nobody is first for long; pure.

An hour is known by its number, see `clock.hour_number`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any, Final, TypeVar

from consult.clock import hour_number
from consult.contributions.models import Side
from consult.contributions.policy import random_rank

Item = TypeVar("Item")
# What the frozen rules of a step say of it; `help/ordre.md` says it in French, with a program.
RULE: Final = {
    "rank": "first 63 bits of SHA-256(seed, id)",
    "hour": "whole hours since 1970-01-01T00:00:00Z",
    "contributions": "by rank(order_seed, id), from rank(order_seed:hour, step) on, then from the least rank",
    "arguments": "one of each side in turn, each side by rank(order_seed:hour, id)",
    "first_side": "against when rank(order_seed:hour - hour % 2, contribution) + hour is odd, else for",
}
_NOTHING: Final[Any] = object()


def hour_asked(typed: str | None, now: dt.datetime) -> int:
    """The hour whose order is shown: the one of a list that was begun just before the turn, else the present one.

    No other may be asked for: whoever shares an address chooses nobody's place.
    """
    present = hour_number(now)
    return present - 1 if typed == str(present - 1) else present


def seed_of(order_seed: str, hour: int) -> str:
    """The seed of an hour."""
    return f"{order_seed}:{hour}"


def first_side(order_seed: str, subject_id: uuid.UUID, hour: int) -> Side:
    """The side that a list of arguments begins with: each in turn within two hours, the first of both by lot.

    The lot is the last bit of the subject's rank under the seed of the even hour: neither side keeps the hours at which
    people read.
    """
    drawn = random_rank(seed_of(order_seed, hour - hour % 2), subject_id) & 1
    return Side.AGAINST if drawn ^ hour % 2 else Side.FOR


def start_rank(order_seed: str, step_id: uuid.UUID, hour: int) -> int:
    """The rank from which a list of proposals or versions is read that hour; after the last rank comes the first.

    Their own ranks never change: a long list is turned, not shuffled, so that an index gives each of its pages.
    """
    return random_rank(seed_of(order_seed, hour), step_id)


def shuffled(order_seed: str, hour: int, ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """These ids in the order of that hour."""
    seed = seed_of(order_seed, hour)
    return sorted(ids, key=lambda item_id: random_rank(seed, item_id))


def balanced(sides: Mapping[Side, Sequence[Item]], first: Side) -> list[Item]:
    """One of each side in turn, as long as both last; then what is left of the longer one."""
    second = Side.FOR if first is Side.AGAINST else Side.AGAINST
    pairs = zip_longest(sides[first], sides[second], fillvalue=_NOTHING)
    return [item for item in chain.from_iterable(pairs) if item is not _NOTHING]
