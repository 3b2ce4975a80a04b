"""Tabulation of many people over many questions: flat tables, and weighted cross tables beside a pandas loop."""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

from child import child, peak  # noqa: E402

from analysis.tabulate import engine  # noqa: E402

SIZES = {"small": 100_000, "full": 1_000_000}
QUESTIONS, CROSSED = 100, 20
PANDAS_PAIRS = {"small": 20, "full": 8}  # of the 400: a loop costs the same each time
BUDGET_MB = 400


def run(scale: str) -> list[dict]:
    """Rows of the bench's table."""
    people = SIZES[scale]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.parquet"
        child(__file__, "write", path, people)  # elsewhere: what it held would count as ours
        (flat, crossed), highest = _measured("ours", path)
        (loop_flat, loop_pair), _ = _measured("pandas", path, PANDAS_PAIRS[scale])
    note = f"{people:,} people: {crossed:.2f} s of processor, flat tables {flat:.2f} s"
    return [
        {"name": f"tabulation: {CROSSED * CROSSED} weighted cross tables beside pandas.crosstab",
         "value": loop_pair * CROSSED * CROSSED / crossed, "unit": "x pandas", "budget": ">= 30", "note": note},
        {"name": f"tabulation: {QUESTIONS} flat tables beside value_counts", "value": loop_flat / flat,
         "unit": "x pandas", "budget": None, "note": "reading included"},
        {"name": "tabulation: peak memory", "value": highest, "unit": "MB",
         "budget": f"<= {BUDGET_MB}" if scale == "full" else None, "note": "reading included"},
    ]  # fmt: skip


def _measured(side: str, *arguments: object) -> tuple[list[float], float]:
    _, highest, printed = child(__file__, side, *arguments)
    return [float(word) for word in printed], highest


def _write(path: Path, people: int) -> None:
    chance = np.random.default_rng(3)
    columns = {f"q{rank}": pa.array(chance.integers(0, 3 + rank % 6, people).astype(str)) for rank in range(QUESTIONS)}
    columns["weight"] = pa.array(chance.uniform(0.3, 3, people))
    pq.write_table(pa.table(columns), path)


def _ours(path: Path) -> tuple[float, float]:
    start = time.process_time()
    for question in engine.read(path, [f"q{rank}" for rank in range(QUESTIONS)]):
        engine.flat(question)
    flat = time.process_time() - start
    start = time.process_time()
    weights = pq.read_table(path, columns=["weight"])["weight"].to_numpy()
    read = list(engine.read(path, [f"q{rank}" for rank in range(2 * CROSSED)]))
    engine.crossed(read[:CROSSED], read[CROSSED:], weights)
    return flat, time.process_time() - start


def _pandas(path: Path, pairs: int) -> tuple[float, float]:
    import pandas as pd

    frame = pd.read_parquet(path)
    start = time.process_time()
    for rank in range(QUESTIONS):
        frame[f"q{rank}"].value_counts(dropna=False)
    flat = time.process_time() - start
    start = time.process_time()
    for rank in range(pairs):
        pd.crosstab(frame[f"q{rank}"], frame[f"q{CROSSED + rank}"], values=frame["weight"], aggfunc="sum")
    return flat, (time.process_time() - start) / pairs


SIDES = {"write": _write, "ours": _ours, "pandas": _pandas}

if __name__ == "__main__":
    _, _, side, file, *more = sys.argv
    print(*(SIDES[side](Path(file), *map(int, more)) or ()), peak())
