import numpy as np
import pytest
from scipy import sparse

from analysis.errors import AnalysisError
from analysis.lexical.correspondence import correspondence

# Greenacre (1984), Theory and Applications of Correspondence Analysis, table 3.1: smoking by staff group.
SMOKING = np.array([[4, 2, 3, 2], [4, 3, 7, 4], [25, 10, 12, 4], [18, 24, 33, 13], [10, 6, 7, 2]])


def dense(table):
    """Inertias and principal coordinates by a full singular value decomposition."""
    p = table / table.sum()
    r, c = p.sum(axis=1), p.sum(axis=0)
    u, s, vt = np.linalg.svd((p - np.outer(r, c)) / np.sqrt(np.outer(r, c)), full_matrices=False)
    return s**2, u / np.sqrt(r)[:, None] * s, vt.T / np.sqrt(c)[:, None] * s


def test_the_published_smoking_table_is_reproduced():
    found = correspondence(SMOKING)
    assert found.total == pytest.approx(0.08519, abs=5e-6)
    assert found.inertias == pytest.approx([0.07476, 0.01002, 0.00041], abs=5e-6)
    assert found.shares * 100 == pytest.approx([87.8, 11.8, 0.5], abs=0.06)
    assert np.abs(found.rows[:, 0]) == pytest.approx([0.066, 0.259, 0.381, 0.233, 0.201], abs=6e-4)
    assert np.abs(found.columns[:, 0]) == pytest.approx([0.393, 0.099, 0.196, 0.294], abs=6e-4)
    assert found.row_contributions[:, 0] == pytest.approx([0.003, 0.084, 0.512, 0.331, 0.070], abs=6e-4)


@pytest.mark.parametrize("shape", [(200, 120), (120, 200), (300, 8), (8, 300)])
def test_axes_of_a_sparse_table_equal_those_of_a_full_decomposition(shape):
    table = np.random.default_rng(4).poisson(0.4, size=shape)
    table[0], table[1] = 1, 2
    table[:, 0] += 1
    found = correspondence(sparse.csr_matrix(table), axes=4)
    inertias, rows, columns = dense(table)
    assert found.inertias == pytest.approx(inertias[:4], rel=1e-8)
    assert np.abs(found.rows) == pytest.approx(np.abs(rows[:, :4]), abs=1e-6)
    assert np.abs(found.columns) == pytest.approx(np.abs(columns[:, :4]), abs=1e-6)
    assert found.total == pytest.approx(inertias.sum(), rel=1e-8)


def test_contributions_of_an_axis_sum_to_one_and_its_sign_is_settled():
    found = correspondence(SMOKING)
    assert found.row_contributions.sum(axis=0) == pytest.approx(np.ones(3))
    assert found.column_contributions.sum(axis=0) == pytest.approx(np.ones(3))
    assert (found.columns[np.abs(found.columns).argmax(axis=0), range(3)] > 0).all()


def test_empty_rows_and_columns_have_no_place():
    padded = np.zeros((7, 5), dtype=int)
    padded[1:6, :4] = SMOKING
    found = correspondence(padded)
    assert found.inertias == pytest.approx(correspondence(SMOKING).inertias)
    assert np.isnan(found.rows[[0, 6]]).all()
    assert np.isnan(found.columns[4]).all()
    assert not np.isnan(found.rows[1:6]).any()


def test_a_table_without_association_has_no_axis():
    found = correspondence(np.outer([1, 2, 3], [2, 1, 4]))
    assert found.total == pytest.approx(0, abs=1e-12)
    assert found.rows.shape == (3, 0)


@pytest.mark.parametrize("table", [np.zeros((3, 3)), np.ones((1, 4)), np.array([[1, 0], [2, 0]])])
def test_a_single_row_or_column_is_refused_in_french(table):
    with pytest.raises(AnalysisError, match="au moins deux lignes et deux colonnes"):
        correspondence(table)
