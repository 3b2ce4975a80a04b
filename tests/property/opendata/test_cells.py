"""A CSV cell can always be turned back into its value, and no spreadsheet takes it for a formula."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from consult.opendata.formats import cell

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_taking_one_apostrophe_away_gives_the_text_back(text):
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([cell(text), "end"])
    (read, end), *rest = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert (read.removeprefix("'"), end, rest) == (text, "end", [])
    assert not read.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.lists(TEXT.filter(lambda text: "|" not in text), max_size=5))
def test_a_list_is_joined_by_bars(items):
    assert cell(items).removeprefix("'") == "|".join(items)
