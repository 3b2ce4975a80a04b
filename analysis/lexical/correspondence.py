"""Correspondence analysis of sparse tables: forms by categories, segments by lemmas.

The centred table is never built: the axes are those of S = D_r^-1/2 (P - r c') D_c^-1/2, taken as a sparse matrix
less one product of two vectors.

Sources: Benzécri (1973), L’analyse des données, t. 2; Greenacre (2017), Correspondence Analysis in Practice, 3rd ed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh

from analysis.errors import AnalysisError
from analysis.lexical.segments import Sparse

AXES = 5
_SMALL = 64
_LANCZOS = 16


@dataclass(frozen=True)
class Correspondence:
    """Principal axes of a table of `n` rows and `p` columns.

    `inertias[a]` is the inertia (eigenvalue) of axis a, `shares[a]` its part of `total`, the inertia of the whole table
    (chi-square over grand total). `rows`, shape (n, k), and `columns`, shape (p, k), are principal coordinates, on
    one map; NaN for an empty row or column. The largest column coordinate of each axis, in absolute value, is positive.
    """

    total: float
    inertias: NDArray[np.float64]
    shares: NDArray[np.float64]
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    row_masses: NDArray[np.float64]
    column_masses: NDArray[np.float64]

    @property
    def row_contributions(self) -> NDArray[np.float64]:
        """Part of each row in the inertia of each axis, shape (n, k); an axis sums to 1."""
        return np.asarray(self.row_masses[:, None] * np.nan_to_num(self.rows) ** 2 / self.inertias, dtype=np.float64)

    @property
    def column_contributions(self) -> NDArray[np.float64]:
        """Part of each column in the inertia of each axis, shape (p, k); an axis sums to 1."""
        squares = np.nan_to_num(self.columns) ** 2
        return np.asarray(self.column_masses[:, None] * squares / self.inertias, dtype=np.float64)


def correspondence(table: Sparse | NDArray[Any], *, axes: int = AXES, seed: int = 1) -> Correspondence:
    """Correspondence analysis of a table of counts, sparse or not.

    Args:
        table: shape (n, p), counts >= 0; empty rows and columns are left out of the computation.
        axes: how many axes at most; a table has min(n, p) - 1.
        seed: of the start vector of the iterative solver, used above 64 rows and columns.

    Raises AnalysisError when less than two rows or two columns are not empty.
    """
    matrix = sparse.csr_matrix(table, dtype=np.float64)
    rows, columns = np.asarray(matrix.sum(axis=1)).ravel(), np.asarray(matrix.sum(axis=0)).ravel()
    some_rows, some_columns = np.flatnonzero(rows > 0), np.flatnonzero(columns > 0)
    if min(len(some_rows), len(some_columns)) <= 1:
        raise AnalysisError(
            "Analyse des correspondances impossible : il faut au moins deux lignes et deux colonnes non vides."
        )
    full = matrix[some_rows][:, some_columns]
    grand = rows.sum()
    r, c = rows[some_rows] / grand, columns[some_columns] / grand
    scaled = sparse.diags(r**-0.5) @ (full / grand) @ sparse.diags(c**-0.5)
    total = float(scaled.multiply(scaled).sum() - 1)
    values, left, right = leading(scaled.tocsr(), np.sqrt(r), np.sqrt(c), axes, seed=seed, tolerance=0.0)
    all_rows = np.full((len(rows), len(values)), np.nan)
    all_columns = np.full((len(columns), len(values)), np.nan)
    all_rows[some_rows] = left / np.sqrt(r)[:, None] * np.sqrt(values)
    all_columns[some_columns] = right / np.sqrt(c)[:, None] * np.sqrt(values)
    shares = values / total if total > 0 else np.zeros_like(values)
    return Correspondence(max(total, 0.0), values, shares, all_rows, all_columns, rows / grand, columns / grand)


def projected(found: Correspondence, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Coordinates of supplementary rows, counts by the columns of the table: shape (m, k), NaN for an empty row."""
    totals = rows.sum(axis=1, keepdims=True)
    shares = np.divide(rows, totals, out=np.full(rows.shape, np.nan), where=totals > 0)
    return np.asarray(shares @ np.nan_to_num(found.columns) / np.sqrt(found.inertias), dtype=np.float64)


def leading(
    scaled: Sparse, row: NDArray[np.float64], column: NDArray[np.float64], axes: int, *, seed: int, tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Leading singular triplets of `scaled` less its trivial one: inertias (squared), left and right vectors.

    Args:
        scaled: D_r^-1/2 P D_c^-1/2, CSR, shape (n, p).
        row: square roots of the row masses, shape (n,).
        column: square roots of the column masses, shape (p,).
        axes: how many; less when the table has fewer, and those without inertia are left out.
        seed: of the start vector of the iterative solver.
        tolerance: relative, of that solver; 0 for machine precision.
    """
    n, p = scaled.shape
    if p > n:
        values, right, left = leading(scaled.T.tocsr(), column, row, axes, seed=seed, tolerance=tolerance)
    else:
        values, right = _eigen(scaled, column, min(axes, p - 1), seed, tolerance)
        left = scaled @ right - np.outer(row, column @ right)
        left = left / np.where(values > 0, np.sqrt(values), 1.0)
    coordinates = np.abs(right / column[:, None])
    signs = np.sign(right[coordinates.argmax(axis=0), np.arange(right.shape[1])])
    return values, left * signs, right * signs


def _eigen(
    scaled: Sparse, column: NDArray[np.float64], axes: int, seed: int, tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    p = scaled.shape[1]
    if p <= _SMALL or axes >= p - 1:
        gram = (scaled.T @ scaled).toarray() - np.outer(column, column)
        values, vectors = np.linalg.eigh(gram)
    else:
        across = scaled.T

        def apply(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(across @ (scaled @ x) - column * (column @ x), dtype=np.float64)

        operator = LinearOperator((p, p), matvec=apply, dtype=np.float64)
        start = np.random.default_rng(seed).random(p)
        basis = min(p - 1, max(_LANCZOS, 3 * axes))
        values, vectors = eigsh(operator, k=axes, which="LA", v0=start, tol=tolerance, ncv=basis)
    order = np.argsort(-values, kind="stable")[:axes]
    order = order[values[order] > 1e-12]  # noqa: PLR2004 -- what is left of an axis without inertia
    return np.asarray(values[order], dtype=np.float64), np.asarray(vectors[:, order], dtype=np.float64)
