"""The aids of moderation: the check of a text before it is posted, a core, and beside the bare reading of its words."""

import csv
import gzip
import io
import os
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1])]

from consult import traces  # noqa: E402

DATA = Path(os.environ.get("CONSULT_REAL_DATA", HERE.parents[2] / "shared" / "data"))
ANSWERS = "gd_open_answers/sample_q165_protection_sociale.csv.gz"
LEAST = 10_000  # texts a second and a core
TURNS = {"small": 3, "full": 10}


def run(scale: str) -> list[dict]:
    """Rows of the bench's table."""
    raw = gzip.decompress((DATA / ANSWERS).read_bytes()).decode("utf-8")
    texts = [" ".join(row) for row in csv.reader(io.StringIO(raw, newline=""))]
    traces.warning({"": texts[0]})  # the lists of names are read once a process
    words = re.compile(r"\w+")
    checked = min(_time(lambda text: traces.warning({"": text}), texts) for _ in range(TURNS[scale]))
    split = min(_time(words.findall, texts) for _ in range(TURNS[scale]))
    mean = sum(map(len, texts)) / len(texts)
    note = f"{len(texts):,} real answers of {mean:.0f} characters; best of {TURNS[scale]} turns"
    return [
        {"name": "aids: check before posting", "value": len(texts) / checked, "unit": "texts/s/core",
         "budget": f">= {LEAST}", "note": note},
        {"name": "aids: check before posting beside splitting into words", "value": checked / split, "unit": "x split",
         "budget": None, "note": "processor time"},
    ]  # fmt: skip


def _time(check, texts: list[str]) -> float:
    start = time.process_time()
    for text in texts:
        check(text)
    return time.process_time() - start
