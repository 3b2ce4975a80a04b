"""Counts by blocks and packs equal those of pandas, statsmodels and scipy on data drawn at random."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import hypergeom
from statsmodels.stats.contingency_tables import Table

from analysis.errors import AnalysisError
from analysis.tabulate import engine
from analysis.tabulate.cross import adjusted_residuals, chi_square
from analysis.tabulate.exact import exact_p


def drawn(seed, people=500):
    draws = np.random.default_rng(seed)
    frame = {}
    for rank in range(7):
        values = draws.integers(0, 2 + rank, people).astype(str).astype(object)
        values[draws.random(people) < 0.1 * (rank % 3)] = None
        frame[f"q{rank}"] = values
    return pd.DataFrame(frame), draws.uniform(0.3, 3, people)


@pytest.mark.parametrize("seed", [*range(20), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(20, 200))])
def test_at_u4_2_flat_and_cross_counts_equal_pandas(seed, tmp_path, monkeypatch):
    """AT-U4.2: 200 random data sets, weights included; blocks of 64 people, so that several are added up."""
    monkeypatch.setattr(engine, "BLOCK", 64)
    frame, weights = drawn(seed)
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "a.parquet")
    read = list(engine.read(tmp_path / "a.parquet", list(frame)))
    frame = frame.fillna("—")  # sorts after the digits, as « without answer » comes last
    for question in read:
        ours = engine.flat(question, weights)
        theirs = pd.Series(weights).groupby(frame[question.name]).sum()
        expected = [theirs.get(label, 0.0) for label in (*question.categories, "—")]
        assert ours == pytest.approx(expected)
    tables = engine.crossed(read[:3], read[3:], weights)
    assert set(tables) == {(row.name, column.name) for row in read[:3] for column in read[3:]}
    for (row, column), ours in tables.items():
        theirs = pd.crosstab(frame[row], frame[column], values=weights, aggfunc="sum")
        labels = [[*q.categories, "—"] for q in (read[int(row[1])], read[int(column[1])])]
        theirs = theirs.reindex(index=labels[0], columns=labels[1]).fillna(0.0)
        assert ours == pytest.approx(theirs.to_numpy())


@pytest.mark.parametrize("seed", range(20))
def test_residuals_and_chi_square_equal_statsmodels(seed):
    counts = np.random.default_rng(seed).integers(5, 60, (3, 4))
    theirs = Table(counts, shift_zeros=False)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    assert adjusted_residuals(counts, rows, columns, int(counts.sum())) == pytest.approx(theirs.standardized_resids)
    nominal = theirs.test_nominal_association()
    assert chi_square(counts).statistic == pytest.approx(nominal.statistic, abs=1e-3)


def test_packs_of_many_questions_count_as_questions_alone(monkeypatch, tmp_path):
    frame, weights = drawn(1)
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "a.parquet")
    read = list(engine.read(tmp_path / "a.parquet", list(frame)))
    packed = engine.crossed(read, read, weights)
    monkeypatch.setattr(engine, "MOST_DOWN", 1)
    monkeypatch.setattr(engine, "MOST_ACROSS", 1)
    alone = engine.crossed(read, read, weights)
    assert all(packed[pair] == pytest.approx(alone[pair]) for pair in alone)


def test_numbers_are_categories_and_what_is_no_question_is_refused(tmp_path):
    table = pa.table({"age": [3, 1, None, 1], "text": [f"mot {n}" for n in range(4)]})
    pq.write_table(table, tmp_path / "a.parquet")
    (age,) = engine.read(tmp_path / "a.parquet", ["age"])
    assert (age.categories, age.codes.tolist()) == (("1", "3"), [1, 0, 2, 0])
    assert engine.flat(age).tolist() == [2, 1, 1]
    with pytest.raises(AnalysisError, match="n’a pas de colonne « absent »"):
        list(engine.read(tmp_path / "a.parquet", ["absent"]))
    other = engine.Codes("other", ("1",), np.zeros(3, dtype=np.int16))
    with pytest.raises(AnalysisError, match="mêmes personnes"):
        engine.crossed([age], [other])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "MOST_CATEGORIES", 3)
        with pytest.raises(AnalysisError, match="pas une question fermée"):
            list(engine.read(tmp_path / "a.parquet", ["text"]))


def test_the_exact_test_of_two_by_two_is_fishers():
    """Lady tasting tea (Fisher 1935): 3 of 4 right is p = 0.4857; here summed from the law itself."""
    law = hypergeom(8, 4, 4).pmf(np.arange(5))
    assert exact_p(np.array([[3, 1], [1, 3]])) == pytest.approx(law[law <= law[3] * (1 + 1e-9)].sum())
    assert exact_p(np.array([[3, 1], [1, 3]])) == pytest.approx(34 / 70)


def test_the_drawn_test_of_a_larger_table_is_near_the_exact_one_and_the_same_each_time():
    counts = np.array([[3, 0, 1], [0, 4, 1], [2, 1, 5]])
    first, second = exact_p(counts, seed=4), exact_p(counts, seed=4)
    assert first == second
    assert 0 < first < 0.2
    assert exact_p(counts, seed=5) == pytest.approx(first, abs=0.02)
    with pytest.raises(ValueError, match="none of them empty"):
        exact_p(np.array([[3, 0], [4, 0]]))
