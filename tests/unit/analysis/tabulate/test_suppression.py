"""What is withheld of a table cannot be worked out from what is shown: every table of the same margins is tried."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.tabulate.suppression import interval, suppress


def tables(counts, hidden):
    """Every table of two rows with the same margins and the same shown cells: the first row tells the second."""
    columns = counts.sum(axis=0)
    tried = (
        range(whole + 1) if lost else (own,) for own, lost, whole in zip(counts[0], hidden[0], columns, strict=True)
    )
    for first in itertools.product(*tried):
        other = np.array([first, columns - first])
        if sum(first) == counts[0].sum() and (other == counts)[~hidden].all():
            yield other


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=6, max_size=6))
def test_whoever_solves_the_margins_leaves_k_values_to_each_small_cell(values):
    counts = np.array(values).reshape(2, 3)
    found = suppress(counts, k=3)
    assert (found.primary == ((counts > 0) & (counts < 3))).all()
    assert (found.hidden | ~found.primary).all()
    if not found.primary.any():
        assert not found.hidden.any()
        return
    every = list(tables(counts, found.hidden))
    for place in map(tuple, np.argwhere(found.primary)):
        seen = {int(each[place]) for each in every}
        low, high = interval(counts, found.hidden, place)
        assert (round(low), round(high)) == (min(seen), max(seen))
        assert len(seen) >= 3 or found.hidden.all()


def test_a_lone_small_cell_takes_others_with_it():
    counts = np.array([[4, 50, 60], [30, 70, 80], [20, 90, 40]])
    found = suppress(counts, k=10)
    assert found.hidden[0, 0]
    low, high = interval(counts, found.hidden, (0, 0))
    assert high - low >= 9
    assert 3 <= found.hidden.sum() < counts.size


@pytest.mark.parametrize("counts", [[[10, 20], [30, 40]], [[0, 20], [30, 0]]])
def test_a_table_without_small_counts_is_shown_whole(counts):
    assert not suppress(np.array(counts)).hidden.any()
