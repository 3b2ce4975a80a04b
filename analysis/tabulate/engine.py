"""Counting a million people over hundreds of tables: columns of small codes, read as they are used, added up by blocks.

Measured beside DuckDB and Polars, which scan the columns again for each table (see the bench).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from analysis.errors import AnalysisError

BLOCK = 1 << 16
"""Rows added up at once: what they hold stays near the processor."""
MOST_CATEGORIES = 30_000
MOST_DOWN, MOST_ACROSS = 64, 512
"""Combinations of answers counted together, in lines and in columns."""

_Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Codes:
    """One closed question over n people: `codes` (n,) from 0, the number of categories where nothing was answered."""

    name: str
    categories: tuple[str, ...]
    codes: NDArray[np.int16]

    def __len__(self) -> int:
        """People."""
        return len(self.codes)


def read(path: Path, names: Sequence[str]) -> Iterator[Codes]:
    """Columns of a Parquet file, one after the other: only the one in use is held.

    Categories are the values, as text, in their order. Raises AnalysisError for a column that is not there, or that
    holds too many values to be a closed question.
    """
    known = set(pq.read_schema(path).names)
    for name in names:
        if name not in known:
            raise AnalysisError(f"« {path.name} » n’a pas de colonne « {name} ».")
        # Values written once each in the file are read so: a text of each person is never made.
        column = pq.ParquetFile(path, read_dictionary=[name]).read([name])[name]
        if not pa.types.is_dictionary(column.type):
            column = pc.cast(column, pa.string()).dictionary_encode()
        kept = column.unify_dictionaries().combine_chunks()
        categories = kept.dictionary.to_pylist()
        if len(categories) > MOST_CATEGORIES:
            raise AnalysisError(f"« {name} » a plus de {MOST_CATEGORIES} valeurs : ce n’est pas une question fermée.")
        order = sorted(range(len(categories)), key=categories.__getitem__)
        place = np.empty(len(categories) + 1, dtype=np.int16)
        place[order] = np.arange(len(categories), dtype=np.int16)
        place[-1] = len(categories)
        indices = kept.indices.fill_null(len(categories)).to_numpy(zero_copy_only=False)
        yield Codes(name, tuple(categories[rank] for rank in order), place[indices])


def flat(question: Codes, weights: NDArray[np.float64] | None = None) -> _Counts:
    """People, or their weight, in each category, then without answer: shape (c + 1,)."""
    found = np.zeros(len(question.categories) + 1)
    for block in _blocks(len(question)):
        found += np.bincount(
            question.codes[block], weights=None if weights is None else weights[block], minlength=len(found)
        )
    return found


def crossed(
    rows: Sequence[Codes], columns: Sequence[Codes], weights: NDArray[np.float64] | None = None
) -> Mapping[tuple[str, str], _Counts]:
    """Every row question by every column question over the same people, in one pass: shape (r + 1, c + 1) each.

    The last line and the last column count those who left one of the two without answer.
    """
    sizes = {len(question) for question in (*rows, *columns)}
    if len(sizes) > 1:
        raise AnalysisError("Les questions à croiser ne portent pas sur les mêmes personnes.")
    down, across = _packed(rows, MOST_DOWN), _packed(columns, MOST_ACROSS)
    found = [[np.zeros(up.size * over.size) for over in across] for up in down]
    for block in _blocks(sizes.pop() if sizes else 0):
        mine = None if weights is None else weights[block]
        over_codes = [over.codes(block) for over in across]
        for up, line in zip(down, found, strict=True):
            start = up.codes(block)
            for over, codes, cells in zip(across, over_codes, line, strict=True):
                np.add(cells, np.bincount(start * over.size + codes, weights=mine, minlength=len(cells)), out=cells)
    return {
        pair: table
        for up, line in zip(down, found, strict=True)
        for over, cells in zip(across, line, strict=True)
        for pair, table in _parted(up, over, cells)
    }


@dataclass(frozen=True)
class _Pack:
    """Questions counted together, as one whose categories are all their combinations."""

    questions: tuple[Codes, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(question.categories) + 1 for question in self.questions)

    @property
    def size(self) -> int:
        return prod(self.shape)

    def codes(self, block: slice) -> NDArray[np.intp]:
        joint = self.questions[0].codes[block].astype(np.intp)
        for question in self.questions[1:]:
            joint = joint * (len(question.categories) + 1) + question.codes[block]
        return joint


def _packed(questions: Sequence[Codes], most: int) -> list[_Pack]:
    """Fewer and larger tables to add up: each value is then read once for several questions."""
    packs: list[_Pack] = []
    for question in questions:
        if packs and packs[-1].size * (len(question.categories) + 1) <= most:
            packs[-1] = _Pack((*packs[-1].questions, question))
        else:
            packs.append(_Pack((question,)))
    return packs


def _parted(up: _Pack, over: _Pack, cells: _Counts) -> Iterator[tuple[tuple[str, str], _Counts]]:
    """The table of each question of one pack by each of the other: the sums over the questions of neither."""
    whole = cells.reshape(*up.shape, *over.shape)
    for i, row in enumerate(up.questions):
        for j, column in enumerate(over.questions, len(up.questions)):
            others = tuple(axis for axis in range(whole.ndim) if axis not in {i, j})
            yield (row.name, column.name), whole.sum(axis=others)


def _blocks(n: int) -> Iterator[slice]:
    for first in range(0, n, BLOCK):
        yield slice(first, first + BLOCK)
