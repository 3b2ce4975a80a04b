"""Which counts about people may be published: none that tells of fewer than ten of them, even by subtraction.

Frequency rule with primary and complementary suppression (Hundepool et al., « Statistical Disclosure Control », Wiley,
2012, chapters 4 and 5; the « Handbook on Statistical Disclosure Control » of ESSnet and Eurostat, 2010), on each table
and on the difference between a table and each one published before it. Whoever publishes counts of people asks here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

K: Final = 10  # people


@dataclass(frozen=True, slots=True)
class Table:
    """How many people answered, and how many gave each answer; None where that is withheld.

    `partition`: each person is in exactly one cell, so that the cells add up to `answered`.
    """

    answered: int
    counts: Mapping[str, int | None]
    partition: bool


def protected(answered: int, counts: Mapping[str, int], *, partition: bool) -> Table | None:
    """The table as it may be published, taken alone; None when too few people answered, or when it would tell too much.

    Of a partition, the cells withheld are two at least and hold K people at least; nobody knows any of them exactly,
    not even who knows this rule. Otherwise each cell is withheld or shown by itself, with those who did not give that
    answer.
    """
    if answered < K:
        return None
    if not partition:
        small = {cell for cell, count in counts.items() if _few(count) or _few(answered - count)}
        return Table(answered, _without(counts, small), partition=False)
    if sum(counts.values()) != answered:
        raise ValueError("the cells of a partition add up to its total")
    withheld = {cell for cell, count in counts.items() if _few(count)}
    # The least loss first: the smallest cells, those that hold somebody before those that hold nobody. Equal ones go
    # together, or the choice between them would tell which cell was small.
    for level in sorted({counts[cell] for cell in counts.keys() - withheld}, key=lambda count: (count == 0, count)):
        if _covers([counts[cell] for cell in withheld]):
            break
        withheld |= {cell for cell, count in counts.items() if count == level}
    if not _covers([counts[cell] for cell in withheld]):
        return None
    return Table(answered, _without(counts, withheld), partition=True)


def _covers(withheld: Collection[int]) -> bool:
    """Whether what is left of the total tells none of the cells withheld: it would if all were one, or all K - 1."""
    cells, people = len(withheld), sum(withheld)
    return not cells or (cells > 1 and people >= K and people not in {cells, (K - 1) * cells})


def may_follow(table: Table, earlier: Iterable[Table]) -> bool:
    """Whether a protected table tells nothing of fewer than K people to whoever kept those published before."""
    return all(_difference_is_safe(before, table) for before in earlier)


def _difference_is_safe(before: Table, after: Table) -> bool:
    people = after.answered - before.answered
    shown = [
        (count, earlier)
        for cell, count in after.counts.items()
        if count is not None and (earlier := before.counts.get(cell)) is not None
    ]
    changes = [count - earlier for count, earlier in shown]
    others = [people - sum(changes)] if after.partition else [people - change for change in changes]
    return not any(_few(abs(change)) for change in (people, *changes, *others))


def _few(count: int) -> bool:
    return 0 < count < K


def _without(counts: Mapping[str, int], withheld: set[str]) -> dict[str, int | None]:
    return {cell: None if cell in withheld else count for cell, count in counts.items()}
