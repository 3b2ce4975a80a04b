"""How a coding moved: prevalence before and after, contributions that changed, agreement between both, code by code.

What the machine gave and what people gave are two parts, never mixed: a contribution that the machine coded once and
people the other time has changed hands, and says nothing of either. A suggestion left to a person is no code given.

Sources: Agresti & Min (2005), Stat. Med. 24, 729-740, for the interval of a paired difference; McNemar (1947) for its
test; Krippendorff's alpha as in `analysis.coding.agreement`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import sqrt

import numpy as np

from analysis.coding.agreement import Alpha, Judgement, alpha, of_sets
from analysis.coding.given import HUMAN, Given
from analysis.coding.quality import Estimate, drift
from analysis.intervals import Z_95, wilson

SETS_READ = 2_000
"""Most contributions whose whole sets of codes are compared: pairs of sets grow as the square."""

Codes = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Coding:
    """Codes given, by contribution: `machine` for sure, `human`, and `doubtful`, those left to a person.

    A contribution that people read has its entry in `human`, empty when no code fits; the machine has read the others.
    """

    machine: Codes
    human: Codes
    doubtful: Codes

    @property
    def codes(self) -> set[str]:
        """Every code given at least once."""
        return set().union(*self.machine.values(), *self.human.values(), *self.doubtful.values())


def by_hand(given: Iterable[Given]) -> Coding:
    """Sort what a file of assignments tells by who gave it."""
    parts: tuple[dict[str, set[str]], ...] = ({}, {}, {})
    for each in given:
        place = 1 if each.origin == HUMAN else 2 if each.doubtful else 0
        parts[place].setdefault(each.unit, set()).add(each.code)
    machine, human, doubtful = ({unit: frozenset(codes) for unit, codes in part.items()} for part in parts)
    return Coding(machine, human, doubtful)


@dataclass(frozen=True)
class Prevalence:
    """How many of the contributions read hold a code, and the share with its interval at 95 % (None of none)."""

    count: int
    total: int
    share: Estimate | None


@dataclass(frozen=True)
class CodeDrift:
    """One code in one part. `before` and `after` are over all that was read each time, whether or not both times.

    Over what was read both times: `gained` and `lost` list the contributions that changed, `difference` is the change
    of the share with its interval, `p_value` tests it exactly, `corrected` tells whether it passes Benjamini-Hochberg
    at 5 % among the codes, `alpha` is the agreement of both codings.
    """

    code: str
    before: Prevalence
    after: Prevalence
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    difference: Estimate | None
    p_value: float
    corrected: bool
    alpha: Alpha


@dataclass(frozen=True)
class Part:
    """What moved among the `compared` contributions that the same hand read both times; `changed` lists those whose
    set of codes differs, `sets` is the agreement on whole sets, over `sets.units` of them.
    """

    compared: int
    changed: tuple[str, ...]
    codes: tuple[CodeDrift, ...]
    sets: Alpha


@dataclass(frozen=True)
class Compared:
    """Both parts, and where each contribution read went: `machine`, `human`, `changed_hands`, `before_only` or
    `after_only`.
    """

    machine: Part
    human: Part
    parts: dict[str, int]


def compare(
    before: Coding,
    after: Coding,
    read_before: AbstractSet[str],
    read_after: AbstractSet[str],
    codes: Sequence[str],
    *,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Compared:
    """Compare two codings.

    Args:
        before: the first coding.
        after: the second one.
        read_before: ids of the contributions that the first coding could code.
        read_after: those of the second one; the two need not be the same.
        codes: the codes to tell of.
        seed: of the intervals, and of the choice of whole sets.
        progress: called with (codes compared, codes to compare), both parts together.
    """
    hands_before, hands_after = _hands(before, read_before), _hands(after, read_after)
    found = []
    for done, (one, two) in enumerate(zip(hands_before, hands_after, strict=True)):
        told = _shifted(progress, done, 2 * len(codes))
        found.append(_part(one, two, codes, seed, told))
    common = len(read_before & read_after)
    machine, human = found
    parts = {
        "machine": machine.compared,
        "human": human.compared,
        "changed_hands": common - machine.compared - human.compared,
        "before_only": len(read_before) - common,
        "after_only": len(read_after) - common,
    }
    return Compared(machine, human, parts)


def _shifted(progress: Callable[[int, int], None] | None, part: int, total: int) -> Callable[[int], None]:
    return lambda done: progress(part * total // 2 + done, total) if progress else None


def _hands(coding: Coding, read: AbstractSet[str]) -> tuple[Codes, Codes]:
    """The codes of every contribution read by the machine, then by people; an empty set where none was given."""
    none: frozenset[str] = frozenset()
    people = coding.human.keys() & read
    return (
        {unit: coding.machine.get(unit, none) for unit in read - people},
        {unit: coding.human[unit] for unit in people},
    )


def _part(before: Codes, after: Codes, codes: Sequence[str], seed: int, told: Callable[[int], None]) -> Part:
    common = sorted(before.keys() & after.keys())
    moved = drift({unit: before[unit] for unit in common}, {unit: after[unit] for unit in common}, codes)
    often_before, often_after = (Counter(code for given in side.values() for code in given) for side in (before, after))
    found = []
    for done, each in enumerate(moved, start=1):
        kept = each.before - len(each.lost)
        gained, lost = len(each.gained), len(each.lost)
        found.append(
            CodeDrift(
                code=each.code,
                before=prevalence(often_before[each.code], len(before)),
                after=prevalence(often_after[each.code], len(after)),
                gained=each.gained,
                lost=each.lost,
                difference=paired_difference(gained, lost, len(common)),
                p_value=each.p_value,
                corrected=each.corrected,
                alpha=_alpha(kept, gained + lost, len(common), seed),
            )
        )
        told(done)
    changed = tuple(unit for unit in common if before[unit] != after[unit])
    return Part(len(common), changed, tuple(found), _of_sets(before, after, common, seed))


def prevalence(count: int, total: int) -> Prevalence:
    """A count and its share, with Wilson's interval."""
    if not total:
        return Prevalence(count, total, None)
    return Prevalence(count, total, Estimate(*(round(v, 6) for v in (count / total, *wilson(count, total)))))


def paired_difference(gained: int, lost: int, total: int) -> Estimate | None:
    """The change of a share over the same units, with the interval of Wald after half a unit more in each cell."""
    if not total:
        return None
    more, less, n = gained + 0.5, lost + 0.5, total + 2
    middle, spread = (more - less) / n, sqrt((more + less) - (more - less) ** 2 / n) / n
    low, high = middle - Z_95 * spread, middle + Z_95 * spread
    value = (gained - lost) / total
    return Estimate(round(value, 6), round(max(min(low, value), -1.0), 6), round(min(max(high, value), 1.0), 6))


def _alpha(both: int, one: int, total: int, seed: int) -> Alpha:
    """Agreement of two codings on one code: given by both, by one, by none of them."""
    counts = np.array([[2, 0], [1, 1], [0, 2]], dtype=np.int64)
    return alpha(counts, 1 - np.eye(2), often=np.array([total - both - one, one, both]), seed=seed)


def _of_sets(before: Codes, after: Codes, common: Sequence[str], seed: int) -> Alpha:
    chosen = np.random.default_rng(seed).permutation(len(common))[:SETS_READ].tolist()
    sides = {"before": before, "after": after}
    return of_sets(
        [Judgement(common[i], name, side[common[i]]) for i in sorted(chosen) for name, side in sides.items()], seed=seed
    )
