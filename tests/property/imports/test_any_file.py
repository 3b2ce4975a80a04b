"""Whatever the file holds: it is read as written, and no row does more harm than being refused."""

import csv
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from consult.errors import InvalidError
from consult.imports import guess, mapping, readers
from consult.imports.records import RejectedError, convert

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), max_size=40)
TABLE = st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=12)
RELAXED = settings(max_examples=150)
MAPPINGS = [
    "target: proposals\nhtml: [body]\ncolumns: {ref: a, title: b, body: c, votes_for: b, hidden: a, created_at: c}\n",
    "target: arguments\ncolumns: {ref: a, proposal: b, side: c, body: a}\n",
    "target: replies\nlayout: long\ncolumns: {ref: a, question: b, answer: c, received_on: c}\n",
    "target: replies\ncolumns: {ref: a}\nquestions:\n  - {column: b, kind: multiple}\n  - {column: c, kind: single}\n",
]


def written(content: bytes, suffix: str = ".csv") -> Path:
    with tempfile.NamedTemporaryFile(suffix=suffix, delete=False) as file:
        file.write(content)
    return Path(file.name)


@RELAXED
@given(table=TABLE, delimiter=st.sampled_from(",;\t|"), end=st.sampled_from(["\n", "\r\n", "\r"]), data=st.data())
def test_a_table_is_read_back_as_it_was_written(table, delimiter, end, data):
    table = [[cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row] for row in table]
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["a", "b", "c"], *table])
    path = written(out.getvalue().encode(encoding))
    try:
        source = readers.open_source(path)
        assert list(source.columns) == ["a", "b", "c"]
        read = [list(row.values.values()) for row in source.rows()]
    finally:
        path.unlink()
    assert read == [row for row in table if any(row)]


@pytest.mark.slow
@RELAXED
@given(content=st.binary(max_size=400), suffix=st.sampled_from([".csv", ".ndjson"]))
def test_any_bytes_are_read_or_refused_in_french(content, suffix):
    path, told = written(content, suffix), "nothing to tell"
    try:
        source = readers.open_source(path)
        for row in source.rows():
            assert row.line >= 1
        mapping.parse(guess.guess(source))
    except InvalidError as refusal:
        told = refusal.message
    finally:
        path.unlink()
    assert told


@pytest.mark.parametrize("text", MAPPINGS)
@RELAXED
@given(a=CELL, b=CELL, c=CELL)
def test_any_row_becomes_a_record_or_a_reason(text, a, b, c):
    found = mapping.parse(f"format: consult-import/1\n{text}")
    told = "nothing to tell"
    try:
        record = convert(readers.Row(2, {"a": a, "b": b, "c": c}), found, {})
    except RejectedError as refusal:
        told = str(refusal)
    else:
        assert 0 < len(record.ref) <= 120
        assert len(getattr(record, "title", None) or "") <= 200
    assert told


@RELAXED
@given(values=st.recursive(st.none() | st.booleans() | st.floats() | CELL, lambda inner: st.lists(inner, max_size=4)))
def test_any_json_object_is_a_row_of_texts_and_lists(values):
    path = written((json.dumps({"id": 1, "v": values}) + "\n").encode(), ".ndjson")
    try:
        (row,) = readers.open_source(path).rows()
    finally:
        path.unlink()
    assume(row.problem is None)
    value = row.values["v"]
    assert value is None or isinstance(value, str) or all(isinstance(each, str) for each in value)
