"""Raking: known margins are met, by factors of each category, within bounds that are told when they hold it back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import AnalysisError
from analysis.tabulate.weights import Margin, effective_size, rake


def margin(codes, targets, label="Âge"):
    categories = tuple(f"c{rank}" for rank in range(len(targets)))
    return Margin(label, np.asarray(codes, dtype=np.int64), categories, np.asarray(targets, dtype=np.float64))


def shares(weights, codes, k):
    held = np.bincount(codes[codes >= 0], weights=weights[codes >= 0], minlength=k)
    return held / held.sum()


def test_one_margin_is_post_stratification():
    """Worked by hand: 6 and 2 people for a half each are weighed 4/6 and 4/2."""
    found = rake([margin([0] * 6 + [1] * 2, [50, 50])])
    assert found.weights == pytest.approx([4 / 6] * 6 + [2] * 2)
    assert (found.converged, found.rounds) == (True, 1)
    assert found.design_effect == pytest.approx(8 * (6 * (4 / 6) ** 2 + 2 * 4) / 64)


def test_a_table_is_adjusted_as_deming_and_stephan_do():
    """Their own iteration on the table of counts, which is what people weighed by cell must sum to."""
    counts = np.array([[40.0, 10, 20], [15, 35, 30]])
    rows, columns = np.array([60.0, 90]), np.array([50.0, 40, 60])
    table = counts.copy()
    for _ in range(500):
        table *= (rows / table.sum(axis=1))[:, None]
        table *= columns / table.sum(axis=0)
    i, j = (axis.ravel().repeat(counts.ravel().astype(int)) for axis in np.indices(counts.shape))
    found = rake([margin(i, rows), margin(j, columns, "Région")])
    assert found.converged
    weighed = np.zeros(counts.shape)
    np.add.at(weighed, (i, j), found.weights)
    assert weighed == pytest.approx(table, rel=1e-4)


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(2, 4))
def test_margins_are_met_whenever_it_says_so_and_bounds_always(seed, r, c):
    draws = np.random.default_rng(seed)
    n = 300
    i = np.concatenate([np.arange(r), draws.integers(0, r, n - r)])
    j = np.concatenate([np.arange(c), draws.integers(-1, c, n - c)])
    first, second = margin(i, draws.uniform(0.5, 2, r)), margin(j, draws.uniform(0.5, 2, c), "Région")
    found = rake([first, second], bounds=(0.2, 4.0))
    assert found.weights.mean() == pytest.approx(1)
    assert found.weights.min() > 0
    gaps = [
        np.abs(shares(found.weights, each.codes, len(each.targets)) - each.targets / each.targets.sum()).max()
        for each in (first, second)
    ]
    assert max(gaps) == pytest.approx(found.gap)
    assert found.converged == (max(gaps) <= 1e-6)
    assert 1 <= found.effective_size <= n + 1e-9


def test_bounds_that_hold_a_margin_back_are_told_with_the_gap_left():
    found = rake([margin([0] * 95 + [1] * 5, [50, 50])], bounds=(0.5, 2.0), rounds=50)
    assert not found.converged
    assert found.gap > 0.3
    assert found.weights.max() == pytest.approx(2)
    assert found.weights.mean() == pytest.approx(1)


def test_survey_weights_are_what_it_starts_from():
    start = np.array([1.0, 3.0, 1.0, 1.0])
    found = rake([margin([0, 0, 1, 1], [60, 40])], start=start)
    assert found.weights[1] == pytest.approx(3 * found.weights[0])


@pytest.mark.parametrize(
    ("margins", "more", "words"),
    [
        ([], {}, "au moins une marge"),
        ([margin([0, 1], [1, 1]), margin([0], [1])], {}, "mêmes personnes"),
        ([margin([0, 0], [50, 50])], {}, "personne n’est dans « c1 »"),
        ([margin([0, 1], [0, 0])], {}, "nombres positifs"),
        ([margin([0, 1], [1, -1])], {}, "nombres positifs"),
        ([margin([0, 1], [1, np.nan])], {}, "nombres positifs"),
        ([margin([0, 1], [1, 1])], {"bounds": (1.2, 3)}, "encadrer 1"),
        ([margin([0, 1], [1, 1])], {"start": np.array([1.0, 0.0])}, "plus grand que zéro"),
    ],
)
def test_margins_that_cannot_be_met_are_refused_in_french(margins, more, words):
    with pytest.raises(AnalysisError) as refused:
        rake(margins, **more)
    assert words in str(refused.value).replace("\u00a0", " ")


def test_the_effective_size_of_equal_weights_is_their_number():
    assert effective_size(np.full(7, 2.5)) == pytest.approx(7)
    assert effective_size(np.zeros(3)) == 0
