"""Names in real and annotated texts: how many are found, and how many readers are troubled (no row is quoted here)."""

import csv
import gzip
import io
import json

import pytest

from consult.traces import Trace, kinds, spans

pytestmark = pytest.mark.real_data

# Most annotated mentions stand bare, which no careful rule finds; the set leaves some names without annotation.
LEAST_RECALL, LEAST_PRECISION = 0.6, 0.8
MOST_ALARMS = 0.002  # of the answers of a national debate


def overlaps(one, others) -> bool:
    return any(one[0] < other[1] and other[0] < one[1] for other in others)


def test_names_are_found_in_annotated_texts(real_data, capsys):
    """AT-6.4."""
    persons = found = said = right = 0
    for path in sorted((real_data / "pii_fr" / "rgpd_corpus").glob("ann_*.json")):
        annotated = json.loads(path.read_text(encoding="utf-8"))
        text = path.with_name(annotated["document_name"]).read_text(encoding="utf-8")
        people = [
            (each["start_pos"], each["end_pos"]) for each in annotated["entities"] if each["entity_type"] == "PERSON"
        ]
        names = [(start, end) for start, end, trace in spans(text) if trace is Trace.NAME]
        persons, said = persons + len(people), said + len(names)
        found += sum(overlaps(each, names) for each in people)
        right += sum(overlaps(each, people) for each in names)
    recall, precision = found / persons, right / said
    with capsys.disabled():
        print(f"\nnames: recall {recall:.2f} of {persons} mentions, precision {precision:.2f} of {said} alarms")
    assert recall >= LEAST_RECALL
    assert precision >= LEAST_PRECISION


def test_few_answers_of_a_national_debate_raise_an_alarm(real_data, capsys):
    """AT-6.4: what the warning costs to those who name nobody."""
    raw = gzip.decompress((real_data / "gd_open_answers" / "sample_q165_protection_sociale.csv.gz").read_bytes())
    texts = [" ".join(row) for row in csv.reader(io.StringIO(raw.decode("utf-8"), newline=""))]
    alarms = sum(Trace.NAME in kinds(text) for text in texts)
    with capsys.disabled():
        print(f"\nnames: {alarms} alarms in {len(texts)} answers")
    assert len(texts) > 5_000
    assert alarms <= MOST_ALARMS * len(texts)
