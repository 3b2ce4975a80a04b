"""Agreement of real coders, beside an independent implementation on the same grid."""

import csv
import gzip
import io

import krippendorff
import numpy as np
import pytest

from analysis.coding.agreement import Judgement, agreement

pytestmark = pytest.mark.real_data

CODES = ("XP personnelle", "analyse des causes", "description pb", "nouvelles mesures")


def test_alpha_of_each_code_over_many_coders(real_data):
    """Answers read by one to eleven volunteers: alpha is low, as the study that published the grid says."""
    raw = gzip.decompress((real_data / "an_egalite_2016" / "crowd_codings_theme3.csv.gz").read_bytes())
    rows = list(csv.DictReader(io.StringIO(raw.decode())))
    judgements = [
        Judgement(row["document_id"], str(n), frozenset(code for code in CODES if row[code] == "1"))
        for n, row in enumerate(rows)
    ]
    found = agreement(judgements, CODES, resamples=200)
    for code in CODES:
        counts: dict[str, list[int]] = {}
        for row in rows:
            counts.setdefault(row["document_id"], [0, 0])[int(row[code] == "1")] += 1
        theirs = krippendorff.alpha(
            value_counts=np.array(list(counts.values())), value_domain=[0, 1], level_of_measurement="nominal"
        )
        assert found.codes[code].value == pytest.approx(theirs, abs=1e-6)
        assert found.codes[code].low < found.codes[code].value < found.codes[code].high < 0.6
    assert 0 < found.sets.value < 0.5
