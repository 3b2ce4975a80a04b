"""AT-21.3: whoever keeps every table that was published never finds fewer than ten people, by any subtraction."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.disclosure import K, Table, may_follow, protected

CELLS = "abcde"
counts = st.lists(st.integers(0, 40), min_size=1, max_size=5)
moves = st.lists(st.tuples(st.integers(0, 4), st.integers(-6, 14)), max_size=25)


def partition(values) -> Table | None:
    return protected(sum(values), dict(zip(CELLS, values, strict=False)), partition=True)


def test_nothing_of_fewer_than_ten_people():
    assert protected(9, {"a": 9}, partition=True) is None
    assert partition([40, 9, 0, 12]).counts == {"a": 40, "b": None, "c": 0, "d": None}
    assert partition([40, 6, 5]).counts == {"a": 40, "b": None, "c": None}
    assert partition([40, 3, 2]).counts == {"a": None, "b": None, "c": None}
    several = protected(30, {"a": 25, "b": 12, "c": 30, "d": 3, "e": 0}, partition=False)
    assert several.counts == {"a": None, "b": 12, "c": 30, "d": None, "e": 0}, "those who did not are few too"
    with pytest.raises(ValueError, match="add up"):
        protected(30, {"a": 12}, partition=True)


@given(counts)
@settings(max_examples=300, deadline=None)
def test_no_cell_withheld_can_be_computed_from_those_shown(values):
    """By brute force: among all the tables that would be shown alike, each cell withheld may be zero, or ten people."""
    table = partition(values)
    if table is None:
        assert sum(values) < K
        return
    shown = [count for count in table.counts.values() if count is not None]
    hidden = [value for value, count in zip(values, table.counts.values(), strict=True) if count is None]
    assert not any(0 < count < K for count in shown)
    left = table.answered - sum(shown)
    assert left == sum(hidden)
    if hidden:
        alike = [split for split in itertools.product(range(left + 1), repeat=2) if sum(split) <= left]
        assert len(hidden) >= 2
        assert {0, K} <= {first for first, _ in alike}, "each of them could be nobody, or ten"


@given(counts, moves)
@settings(max_examples=300, deadline=None)
def test_no_two_publications_differ_by_a_few_people(values, moves):
    """Replies come and go one lot at a time; the attacker has every publication and subtracts any two of them."""
    values, published = list(values), []
    for draw, change in [(0, 0), *moves]:
        place = draw % len(values)
        values[place] = max(0, values[place] + change)
        table = partition(values)
        if table is not None and may_follow(table, published):
            published.append(table)
    for before, after in itertools.combinations(published, 2):
        people = after.answered - before.answered
        known = {
            cell: after.counts[cell] - before.counts[cell]
            for cell in after.counts
            if after.counts[cell] is not None and before.counts[cell] is not None
        }
        told = [people, *known.values(), people - sum(known.values())]
        assert not [each for each in told if 0 < abs(each) < K]


def test_a_table_waits_until_ten_people_came():
    first = partition([40, 30])
    assert not may_follow(partition([41, 30]), [first])
    assert not may_follow(partition([45, 35]), [first]), "ten came, five to each answer"
    assert may_follow(partition([50, 30]), [first])
    assert may_follow(partition([50, 40]), [first])
    assert not may_follow(partition([49, 40]), [first, partition([50, 50])]), "nor with the one before the last"
