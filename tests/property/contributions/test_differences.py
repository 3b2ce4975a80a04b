"""Whatever two texts are, what is told of their differences gives both back."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from consult.contributions.differences import Op, _common, _tokens, differences

WORDS = st.sampled_from(
    ["le", "la", "l’", "maire", "école", "vote", ",", ".", ";", "!", "«", "»", "\n", "\n\n", " ", "\u00a0", "2,5", "-"]
)
TEXTS = st.one_of(st.lists(WORDS, max_size=40).map("".join), st.lists(WORDS, max_size=40).map(" ".join), st.text())


def keys(text):
    return [token.key for token in _tokens(text)]


def length_of_common(old, new):
    """The textbook table."""
    row = [0] * (len(new) + 1)
    for one in old:
        previous = row
        row = [0]
        for place, other in enumerate(new):
            row.append(previous[place] + 1 if one == other else max(previous[place + 1], row[place]))
    return row[-1]


@given(TEXTS, TEXTS)
def test_both_texts_are_given_back(before, after):
    passages = differences(before, after)
    written = "".join(each.text for each in passages if each.op is not Op.DELETED)
    unix = after.replace("\r\n", "\n").replace("\r", "\n")
    first = _tokens(after)
    assert written == (unix[unix.index(first[0].text) :] if first else "")
    old = [key for each in passages if each.op is not Op.INSERTED for key in keys(each.text)]
    assert old == keys(before)


@given(TEXTS, TEXTS)
def test_no_passage_is_empty_nor_told_in_two_pieces(before, after):
    passages = differences(before, after)
    assert all(each.text for each in passages)
    assert all(one.op is not other.op for one, other in pairwise(passages))


@given(TEXTS)
def test_the_same_text_has_no_difference(text):
    assert {each.op for each in differences(text, text)} <= {Op.KEPT}


@given(TEXTS, TEXTS)
def test_what_is_kept_is_as_long_as_can_be(before, after):
    old, new = keys(before), keys(after)
    common = _common(old, new)
    assert len(common) == length_of_common(old, new)
    assert all(old[here] == new[there] for here, there in common)
    assert common == sorted(common)
    assert len({here for here, _ in common}) == len({there for _, there in common}) == len(common)
