"""The figures of displays, against values worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.contributions.exposure.policy import daily, evenness

RATES = st.lists(st.integers(min_value=0, max_value=10_000), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("rates", "gini"),
    [
        ([5, 5, 5, 5], 0),
        ([0, 0, 0, 8], 0.75),  # one of four has all: 1 - 1/4
        ([1, 3], 0.25),
        ([1, 2, 3, 4, 5], 0.8 / 3),  # the pairs differ by 40 in all: 40 / (2 × 25 × 3)
    ],
)
def test_the_gini_index_of_known_lists(rates, gini):
    found = evenness(rates)
    assert found.gini == pytest.approx(gini)
    assert (found.texts, found.least, found.most) == (len(rates), min(rates), max(rates))
    assert found.mean == pytest.approx(sum(rates) / len(rates))


@pytest.mark.parametrize("rates", [[], [0, 0, 0]])
def test_without_displays_there_is_nothing_to_compare(rates):
    assert evenness(rates).gini is None


@given(RATES)
def test_it_is_the_mean_difference_of_pairs_over_twice_the_mean(rates):
    if not any(rates):
        return
    pairs = sum(abs(one - other) for one in rates for other in rates)
    wanted = pairs / (2 * len(rates) * sum(rates))
    assert evenness(rates).gini == pytest.approx(wanted, abs=1e-9)


def test_a_text_counts_at_least_one_hour():
    assert daily(10, 48) == 5
    assert daily(10, 0) == daily(10, 1) == 240
