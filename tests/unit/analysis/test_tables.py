import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact
from scipy.stats.contingency import association
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.proportion import proportion_confint

from analysis.corpus import Variable, single
from analysis.intervals import wilson
from analysis.tabulate.cross import adjusted_residuals, chi_square, cross_table
from analysis.tabulate.flat import VOLUNTEERS_NOTICE, Sample, flat_table, percentage

COUNTS = np.array([[30, 12, 8], [14, 25, 11]])


def variables(counts):
    rows, columns = [], []
    for i, line in enumerate(counts):
        for j, count in enumerate(line):
            rows += [f"r{i}"] * int(count)
            columns += [f"c{j}"] * int(count)
    return single("r", "Ligne", rows), single("c", "Colonne", columns)


def test_flat_table_keeps_nonresponse_out_of_the_shares():
    """AT-U4.2: base, answered, non-response apart."""
    table = flat_table(single("q", "Q", ["a", "a", None, "b"], ["a", "b", "c"]))
    assert (table.base, table.answered, table.nonresponse, table.nonresponse_share) == (4, 3, 1, 25.0)
    assert [(row.label, row.count, row.of_respondents) for row in table.rows] == [
        ("a", 2, 66.7),
        ("b", 1, 33.3),
        ("c", 0, 0.0),
    ]
    assert VOLUNTEERS_NOTICE in table.notes
    assert any("Base très faible" in note for note in table.notes)


def test_multiple_answers_have_two_bases():
    members = np.array([[1, 1], [1, 0], [0, 0]], dtype=np.bool_)
    table = flat_table(Variable("m", "M", ("x", "y"), members, multiple=True))
    assert [(row.of_respondents, row.of_answers) for row in table.rows] == [(100.0, 66.7), (50.0, 33.3)]
    assert table.answered == 2


def test_nobody_answered_gives_no_share():
    table = flat_table(single("q", "Q", [None, None], ["a"]))
    assert table.rows[0].of_respondents is None
    assert flat_table(single("q", "Q", [], ["a"])).nonresponse_share is None


@pytest.mark.parametrize(("part", "whole", "expected"), [(1, 8, 12.5), (1, 2000, 0.1), (1, 16, 6.3), (5, 0, None)])
def test_percentages_round_halves_up(part, whole, expected):
    assert percentage(part, whole) == expected


def test_cross_table_equals_scipy_and_statsmodels():
    table = cross_table(*variables(COUNTS))
    reference = chi2_contingency(COUNTS, correction=False)
    assert table.chi_square.statistic == pytest.approx(reference.statistic, abs=5e-4)
    assert table.chi_square.p_value == pytest.approx(reference.pvalue, rel=5e-3)
    assert table.chi_square.degrees == reference.dof
    assert table.chi_square.valid
    assert np.array(table.residuals) == pytest.approx(Table(COUNTS).standardized_resids, abs=5e-3)
    assert table.counts == tuple(map(tuple, COUNTS.tolist()))
    assert table.row_percent[0] == (60.0, 24.0, 16.0)
    assert table.column_percent[0] == (68.2, 32.4, 42.1)
    assert table.flags[0] == (1, -1, 0)


def test_cramer_v_is_corrected_for_bias():
    v = chi_square(COUNTS).cramer_v
    assert 0 < v < association(COUNTS, method="cramer")
    n, r, c = COUNTS.sum(), *COUNTS.shape
    phi2 = max(0, chi2_contingency(COUNTS, correction=False).statistic / n - (r - 1) * (c - 1) / (n - 1))
    expected = (phi2 / min(c - (c - 1) ** 2 / (n - 1) - 1, r - (r - 1) ** 2 / (n - 1) - 1)) ** 0.5
    assert v == pytest.approx(expected, abs=5e-4)


def test_residual_of_two_by_two_is_the_root_of_chi_square():
    counts = np.array([[10, 20], [30, 15]])
    found = adjusted_residuals(counts, counts.sum(axis=1), counts.sum(axis=0), int(counts.sum()))
    assert found[0, 0] ** 2 == pytest.approx(chi2_contingency(counts, correction=False).statistic)


def test_weak_expected_counts_are_said():
    table = cross_table(*variables(np.array([[3, 1], [1, 4]])))
    assert not table.chi_square.valid
    assert any("le khi-deux est indicatif ; test exact, p = " in note.replace("\u00a0", " ") for note in table.notes)
    assert table.chi_square.exact_p
    assert fisher_exact([[3, 1], [1, 4]]).pvalue > 0.05
    assert table.flags == ((0, 0), (0, 0))


def test_several_answers_are_tested_item_by_item():
    sample = np.random.default_rng(1)
    members = sample.random((300, 3)) < 0.4
    row = Variable("m", "M", ("x", "y", "z"), members, multiple=True)
    column = single("c", "C", ["a" if value < 0.5 else "b" for value in sample.random(300)])
    table = cross_table(row, column)
    assert table.chi_square is None
    both = members.any(axis=1)
    item, group = members[both, 0], column.members[both, 0]
    two = np.array([[np.sum(item & group), np.sum(item & ~group)], [np.sum(~item & group), np.sum(~item & ~group)]])
    assert table.residuals[0][0] == pytest.approx(Table(two).standardized_resids[0, 0], abs=5e-3)
    assert table.base == int(both.sum())
    assert table.left_out == 300 - table.base


def test_empty_or_one_sided_tables_give_no_test():
    row = single("r", "R", ["a", "a"], ["a", "b"])
    column = single("c", "C", ["x", "y"])
    table = cross_table(row, column)
    assert table.chi_square is None
    assert table.residuals == ((None, None), (None, None))
    empty = cross_table(single("r", "R", [], ["a"]), single("c", "C", [], ["b"]))
    assert empty.base == 0
    assert empty.row_percent == ((None,),)


@pytest.mark.parametrize(
    ("count", "total", "bounds"),
    [
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_intervals_are_those_of_the_published_table(count, total, bounds):
    """Newcombe (1998), Statistics in Medicine 17, 857-872, table I, score method without correction."""
    assert wilson(count, total) == pytest.approx(bounds, abs=5e-5)


def test_intervals_equal_statsmodels_on_two_hundred_samples():
    """AT-U4.2."""
    draws = np.random.default_rng(8)
    for total in draws.integers(1, 5000, 200):
        count = int(draws.integers(0, total + 1))
        reference = proportion_confint(count, int(total), method="wilson")
        assert wilson(count, int(total)) == pytest.approx(reference, abs=1e-9)


def test_only_a_declared_sample_has_intervals():
    """AT-U4.2: a thousand people drawn at random give a half ± 3.1 points; volunteers give no interval."""
    half = single("q", "Q", ["a", "b"] * 500 + [None] * 7, ["a", "b", "c"])
    drawn = flat_table(half, Sample.RANDOM)
    assert [row.interval for row in drawn.rows] == [(46.9, 53.1), (46.9, 53.1), (0.0, 0.4)]
    volunteers = flat_table(half)
    assert {row.interval for row in volunteers.rows} == {None}
    assert not any("confiance" in note for note in volunteers.notes)
    assert flat_table(half, Sample.QUOTA).rows == drawn.rows
    assert "par référence à un tirage au hasard" in " ".join(flat_table(half, Sample.QUOTA).notes)
    assert "par référence" not in " ".join(drawn.notes)
    for table in (drawn, cross_table(half, half, Sample.RANDOM)):
        assert VOLUNTEERS_NOTICE not in table.notes
        assert "Échantillon déclaré tiré au hasard." in table.notes
    assert VOLUNTEERS_NOTICE in cross_table(half, half).notes


def test_a_sample_of_which_nobody_answered_has_no_interval():
    assert flat_table(single("q", "Q", [None], ["a"]), Sample.RANDOM).rows[0].interval is None
