"""Whatever the tree, each part has its line, after what holds it, and no two articles are numbered alike."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from consult.contributions.bill.numbering import outline
from consult.contributions.models import Level
from tests.unit.contributions.test_numbering import Part, placed

DIVISIONS = [level for level in Level if level is not Level.ARTICLE]


@st.composite
def trees(draw):
    parts = []
    for _ in range(draw(st.integers(0, 25))):
        holders = [part for part in parts if part.level is not Level.ARTICLE]
        parent = draw(st.sampled_from([None, *holders]))
        parts.append(Part(draw(st.sampled_from([Level.ARTICLE, *DIVISIONS])), parent, id=uuid.uuid4()))
    return placed(*draw(st.permutations(parts)))


@given(trees())
def test_each_part_has_one_line_after_what_holds_it(parts):
    lines = outline(parts)
    places = {line.id: place for place, line in enumerate(lines)}
    assert len(places) == len(lines) == len(parts)
    for part in parts:
        if part.parent is not None:
            assert places[part.parent.id] < places[part.id]
            assert lines[places[part.id]].depth == lines[places[part.parent.id]].depth + 1


@given(trees())
def test_articles_are_numbered_from_one_in_reading_order(parts):
    written = [line.name for line in outline(parts) if line.level is Level.ARTICLE]
    assert written == [f"Article {number}" if number > 1 else "Article 1er" for number in range(1, len(written) + 1)]


@given(trees())
def test_no_two_divisions_of_a_kind_in_one_place_are_numbered_alike(parts):
    named = [(line.parent_id, line.name) for line in outline(parts) if line.level not in {Level.ARTICLE, Level.HEADING}]
    assert len(named) == len(set(named))
