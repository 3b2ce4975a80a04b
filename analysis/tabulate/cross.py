"""Cross tables (« tris croisés ») of two closed variables, with the tests that say what stands out."""

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from analysis.corpus import Variable
from analysis.lexical.specificity import benjamini_hochberg
from analysis.tabulate.exact import exact_p
from analysis.tabulate.flat import Sample, base_notes, percentage

MIN_EXPECTED = 5.0


@dataclass(frozen=True)
class ChiSquare:
    """Pearson's chi-square without continuity correction, and the bias-corrected Cramér's V.

    `valid` follows Cochran's rule: no expected count under 1 and at most a fifth of them under 5. Where it is not,
    `exact_p` is the p-value of `exact.exact_p`, which supposes nothing of counts.
    """

    statistic: float
    degrees: int
    p_value: float
    cramer_v: float
    valid: bool
    exact_p: float | None = None


@dataclass(frozen=True)
class CrossTable:
    """Rows × columns; `flags` is +1 / -1 where a cell stands out after Benjamini-Hochberg at 5 %, else 0.

    `base` rows answered both questions. When a side allows several answers, people may stand in several
    cells: `chi_square` is None and each item is tested on its own 2 × C table (the residuals do this).
    """

    row_key: str
    column_key: str
    row_label: str
    column_label: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    row_totals: tuple[int, ...]
    column_totals: tuple[int, ...]
    row_percent: tuple[tuple[float | None, ...], ...]
    column_percent: tuple[tuple[float | None, ...], ...]
    residuals: tuple[tuple[float | None, ...], ...]
    flags: tuple[tuple[int, ...], ...]
    base: int
    left_out: int
    chi_square: ChiSquare | None
    notes: tuple[str, ...]


def adjusted_residuals(
    counts: NDArray[np.int64], rows: NDArray[np.int64], columns: NDArray[np.int64], n: int
) -> NDArray[np.float64]:
    """Adjusted standardised residuals of a two-way table, in standard deviations.

    Args:
        counts: shape (r, c), people per cell.
        rows: people per row, shape (r,); more than the sum of the cells where they may skip the columns.
        columns: people per column, shape (c,).
        n: people in all.

    Returns:
        shape (r, c); NaN wherever a margin is empty or holds everyone.
    Source: Haberman (1973), Biometrics 29(1), 205-220, doi:10.2307/2529686.
    """
    row, column = rows[:, None] / max(n, 1), columns[None, :] / max(n, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (counts - n * row * column) / np.sqrt(n * row * column * (1 - row) * (1 - column))
    return np.asarray(np.where(np.isfinite(found), found, np.nan), dtype=np.float64)


def chi_square(counts: NDArray[np.int64]) -> ChiSquare | None:
    """Test of independence on the non-empty rows and columns; None when less than 2 × 2 is left.

    Cramér's V is corrected for bias: Bergsma (2013), J. Korean Stat. Soc. 42(3), 323-328.
    """
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    r, c = counts.shape
    if min(r, c) < 2:  # noqa: PLR2004 -- two by two is the smallest table
        return None
    n = int(counts.sum())
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / n
    statistic = float(((counts - expected) ** 2 / expected).sum())
    degrees = (r - 1) * (c - 1)
    if n > 1:
        phi2 = max(0.0, statistic / n - degrees / (n - 1))
        room = min(c - (c - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1
    else:
        phi2, room = 0.0, 0.0
    weak = float((expected < MIN_EXPECTED).mean())
    valid = bool(expected.min() >= 1 and weak <= 0.2)  # noqa: PLR2004 -- Cochran's fifth
    return ChiSquare(
        statistic=round(statistic, 3),
        degrees=degrees,
        p_value=_rounded(float(gammaincc(degrees / 2, statistic / 2))),
        cramer_v=round(sqrt(phi2 / room), 3) if room > 0 else 0.0,
        valid=valid,
        exact_p=None if valid else _rounded(exact_p(counts)),
    )


def _rounded(p: float) -> float:
    return float(f"{p:.3g}")


def cross_table(row: Variable, column: Variable, sample: Sample = Sample.VOLUNTEERS) -> CrossTable:
    """Cross two variables over the same people; those who left one without answer are counted in `left_out`."""
    both = row.answered & column.answered
    left, right = row.members[both].astype(np.int64), column.members[both].astype(np.int64)
    n = int(both.sum())
    counts = left.T @ right
    rows, columns = left.sum(axis=0), right.sum(axis=0)
    residuals = adjusted_residuals(counts, rows, columns, n)
    single = not (row.multiple or column.multiple)
    test = chi_square(counts) if single else None
    return CrossTable(
        row_key=row.key,
        column_key=column.key,
        row_label=row.label,
        column_label=column.label,
        rows=row.categories,
        columns=column.categories,
        counts=_table(counts),
        row_totals=tuple(int(total) for total in rows),
        column_totals=tuple(int(total) for total in columns),
        row_percent=tuple(
            tuple(percentage(int(v), int(t)) for v in line) for line, t in zip(counts, rows, strict=True)
        ),
        column_percent=tuple(
            tuple(percentage(int(v), int(t)) for v, t in zip(line, columns, strict=True)) for line in counts
        ),
        residuals=tuple(tuple(None if np.isnan(v) else round(float(v), 2) for v in line) for line in residuals),
        flags=_table(_flags(residuals)),
        base=n,
        left_out=len(both) - n,
        chi_square=test,
        notes=(sample.notice, *_notes(n, test, single=single)),
    )


def _table(values: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(value) for value in line) for line in values)


def _flags(residuals: NDArray[np.float64]) -> NDArray[np.int64]:
    known = ~np.isnan(residuals)
    p = np.array([erfc(abs(value) / sqrt(2)) for value in residuals[known]])
    passing = benjamini_hochberg(np.log(np.maximum(p, np.finfo(np.float64).tiny)))
    flags = np.zeros(residuals.shape, dtype=np.int64)
    flags[known] = np.where(passing, np.sign(residuals[known]), 0)
    return flags


def _notes(n: int, test: ChiSquare | None, *, single: bool) -> list[str]:
    notes = ["Base : personnes ayant répondu aux deux questions.", *base_notes(n)]
    if test and not test.valid:
        told = str(test.exact_p).replace(".", ",")
        notes.append(f"Effectifs attendus trop faibles : le khi-deux est indicatif ; test exact, p = {told}.")
    if not single:
        notes.append("Plusieurs réponses possibles : chaque modalité est testée séparément, sans khi-deux d’ensemble.")
    return notes
