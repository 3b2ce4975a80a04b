"""Invented participants and the hours they keep."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from consult.accounts.pseudonyms.policy import skeleton

MINUTES_PER_DAY = 1440
DAYS = 28
GROUP_SHARES = {"active": 0.45, "motorist": 0.40, "floating": 0.15}

# People write in the morning, at lunch and above all in the evening; a press article on the sixth day is felt.
_HOURS = (2, 1, 0.5, 0.3, 0.4, 1, 3, 7, 9, 9, 9, 10, 13, 12, 9, 8, 8, 10, 13, 15, 17, 16, 11, 5)
_DAYS = (14, 11, 8, 6, 5, 16, 12, 8, 6, 5, 5, 4, 6, 7, 5, 4, 4, 4, 3, 3, 4, 4, 3, 3, 4, 4, 5, 6)
_OPENING_HOUR = 9


def hour_of_day(rng: random.Random, day: int) -> int:
    """A minute of that day, drawn from the hours people keep; the first day starts when the consultation opens."""
    hours = range(_OPENING_HOUR if day == 0 else 0, 24)
    hour = rng.choices(hours, [_HOURS[h] for h in hours])[0]
    return day * MINUTES_PER_DAY + hour * 60 + rng.randrange(60)


def some_minute(rng: random.Random, first_day: int = 0) -> int:
    """A minute of the four weeks, from that day on, busier days drawn more often."""
    days = range(first_day, DAYS)
    return hour_of_day(rng, rng.choices(days, [_DAYS[d] for d in days])[0])


def pseudonyms(count: int, words: Mapping[str, Sequence[str]], rng: random.Random) -> list[str]:
    """So many pseudonyms, no two alike even by their look; first names stand alone, never with a family name."""
    made: dict[str, str] = {}
    while len(made) < count:
        name = _pseudonym(words, rng)
        made.setdefault(skeleton(name), name)
    return list(made.values())


def _pseudonym(words: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    first, noun, other = rng.choice(words["first_names"]), rng.choice(words["nouns"]), rng.choice(words["nouns"])
    qualifier = rng.choice(words["qualifiers"])
    return rng.choice(
        (
            f"{first}{rng.randrange(1, 96):02d}",
            f"{first.lower()}_{noun}",
            f"{noun}_{qualifier}",
            f"{noun.capitalize()}{other.capitalize()}",
            f"{first}-{qualifier.replace('_', '-')}",
            f"{noun}{rng.randrange(1940, 2009)}",
            f"{first.lower()}{rng.choice('abcdfglmprst')}{rng.randrange(10, 99)}",
        )
    )


def chance(rng: random.Random, share: float) -> bool:
    """True that share of the times."""
    return rng.random() < share
