"""AT-21.3: whoever keeps every table that was published never finds fewer than ten people, by any subtraction."""

import collections
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


@pytest.mark.parametrize(("cells", "most", "few"), [(2, 60, K), (3, 42, K), (4, 16, 4), (5, 12, 4)])
def test_no_cell_withheld_can_be_computed_even_by_who_knows_the_rule(monkeypatch, cells, most, few):
    """By brute force: among all the tables that are shown alike, no cell withheld holds always the same count."""
    monkeypatch.setattr("consult.disclosure.K", few)
    alike = collections.defaultdict(lambda: [set() for _ in range(cells)])
    for values in itertools.product(range(most + 1), repeat=cells):
        table = partition(values) if sum(values) <= most else None
        if table is not None:
            shown = tuple(table.counts.values())
            assert not any(0 < count < few for count in shown if count is not None)
            for possible, value in zip(alike[table.answered, shown], values, strict=True):
                possible.add(value)
    told = [
        (answered, shown)
        for (answered, shown), possible in alike.items()
        for count, values in zip(shown, possible, strict=True)
        if count is None and len(values) == 1
    ]
    assert told == []
    assert any(None in shown for _, shown in alike)


def test_what_is_left_does_not_tell_that_all_cells_withheld_are_one_or_nine():
    assert partition([10, 9, 9]).counts == {"a": None, "b": None, "c": None}
    ones = {str(number): 1 for number in range(10)}
    assert protected(10, ones, partition=True) is None
    assert set(protected(110, {"most": 100, **ones}, partition=True).counts.values()) == {None}
    assert partition([10, 5, 10, 40]).counts == {"a": None, "b": None, "c": None, "d": 40}, "equal ones go together"


@given(counts, moves)
@settings(max_examples=300)
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
