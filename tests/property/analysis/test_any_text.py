import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import nonresponse
from analysis.corpus import Variable, single
from analysis.lexical.specificity import log10_tail
from analysis.tabulate.cross import cross_table
from analysis.tabulate.flat import flat_table
from analysis.text import Vocabulary
from analysis.words import in_context

french = st.text(
    alphabet="aéàçœLMmptexcd'’-. ;!?\n10,%€#😀👍🏽🇫\u2764\ufe0f\u200d\u20e3\u00a0\u202f\u200b\u0301_", max_size=40
)
any_texts = st.lists(st.text(max_size=60) | french, max_size=8)


@settings(max_examples=300)
@given(any_texts)
def test_any_text_is_cut_and_none_is_lost(texts):
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(texts)
    assert len(tokens.starts) == len(texts) + 1
    assert tokens.starts[-1] == len(tokens.forms) == len(tokens.sentences)
    assert all(form and form == form.lower() and not form.isspace() for form in vocabulary.forms)
    for rank, text in enumerate(texts):
        alone = Vocabulary()
        own = alone.tokenise([text])
        here = tokens.forms[tokens.starts[rank] : tokens.starts[rank + 1]]
        assert [alone.forms[n] for n in own.forms] == [vocabulary.forms[n] for n in here]
        words, spaces, places = in_context(text)
        assert len(words) == len(spaces)
        # Passages are cut by ranks of words: both readings must find the same ones.
        assert [words[place].lower() for place in places] == [alone.forms[n] for n in own.forms]


@settings(max_examples=200)
@given(any_texts)
def test_every_text_has_exactly_one_state(texts):
    sorting = nonresponse.sort(texts)
    assert len(sorting.rule) == len(texts)
    assert not (sorting.nonresponse & sorting.undecidable).any()
    assert sorting.billable == sum(not out for out in sorting.nonresponse)
    assert sum(sorting.counts().values()) == sum(rule is not None for rule in sorting.rule)


values = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["x", "y", "z", None])), max_size=40)


@given(values)
def test_tables_account_for_everyone(rows):
    left = single("l", "L", [row[0] for row in rows], ["a", "b"])
    right = single("r", "R", [row[1] for row in rows], ["x", "y", "z"])
    flat = flat_table(left)
    assert sum(row.count for row in flat.rows) + flat.nonresponse == len(rows)
    table = cross_table(left, right)
    assert sum(map(sum, table.counts)) + table.left_out == len(rows)
    assert tuple(map(sum, table.counts)) == table.row_totals
    shares = [row.of_respondents for row in flat.rows if row.of_respondents is not None]
    assert not shares or abs(sum(shares) - 100) <= 0.11


@given(st.integers(1, 400), st.data())
def test_specificity_is_finite_and_signed_like_the_deviation(big_t, data):
    t = data.draw(st.integers(0, big_t))
    big_f = data.draw(st.integers(0, big_t))
    f = data.draw(st.integers(max(0, t + big_f - big_t), min(t, big_f)))
    score = float(log10_tail(np.array([f]), np.array([t]), np.array([big_f]), big_t)[0])
    assert np.isfinite(score)
    assert score >= 0 if f * big_t >= big_f * t else score <= 0


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), max_size=30))
def test_multiple_answers_never_exceed_their_respondents(rows):
    members = np.array(rows, dtype=np.bool_).reshape(len(rows), 3)
    table = flat_table(Variable("m", "M", ("a", "b", "c"), members, multiple=True))
    assert all(row.count <= table.answered for row in table.rows)
