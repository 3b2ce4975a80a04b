import pytest

from analysis.errors import AnalysisError
from analysis.lexical.segments import cut, merged, tabulate
from tests.unit.analysis.lexical.conftest import plain_table, plain_words


def sizes(text, size=10):
    segments = cut(plain_words([text]), size=size)
    return (segments.starts[1:] - segments.starts[:-1]).tolist()


def words(count):
    return " ".join(f"mot{n}" for n in range(count))


def test_a_short_text_is_one_segment():
    assert sizes(words(14)) == [14]


def test_a_long_text_without_punctuation_is_cut_at_the_target():
    assert sizes(words(25)) == [10, 10, 5]


def test_the_cut_goes_to_the_strongest_punctuation_near_the_target():
    # 6 / (|8 - 10| + 1) = 2 for the full stop after the 8th word, 1 for the comma after the 10th.
    assert sizes(f"{words(8)}. a b, {words(10)}")[0] == 8


def test_a_near_comma_wins_over_a_far_semicolon():
    # 4 / (|7 - 10| + 1) = 1 for the semicolon, 1 / 1 for the comma, 1 / 2 for the next one: the first of equals.
    assert sizes(f"{words(7)}; a b c, d, {words(10)}")[0] == 7
    assert sizes(f"{words(6)}; a b c d, e, {words(10)}")[0] == 10


def test_segments_never_mix_texts_and_hold_every_word():
    found = plain_words([words(30), "", words(3), words(60)])
    segments = cut(found, size=10)
    assert segments.texts.tolist() == sorted(segments.texts.tolist())
    assert set(segments.texts.tolist()) == {0, 2, 3}
    for start, end, text in zip(segments.starts[:-1], segments.starts[1:], segments.texts, strict=True):
        assert set(found.texts[start:end].tolist()) == {text}
    assert segments.offsets[segments.texts == 0].tolist()[0] == 0
    assert segments.starts[-1] == len(found.texts)


def test_nothing_to_cut():
    assert len(cut(plain_words([]), size=40)) == 0
    assert len(cut(plain_words(["", "…"]), size=0)) == 0


def test_a_negative_size_is_refused():
    with pytest.raises(AnalysisError, match="Taille de segment -1"):
        cut(plain_words(["a"]), size=-1)


def test_the_table_says_which_segment_holds_which_lemma():
    table = plain_table(["vélo vélo train", "train", "bus"], min_units=1)
    assert table.lemmas == ("bus", "train", "vélo")
    assert table.matrix.toarray().tolist() == [[0, 1, 1], [0, 1, 0], [1, 0, 0]]


def test_rare_lemmas_and_those_beyond_the_most_frequent_are_left_out():
    found = plain_words(["a1 b1 c1", "a1 b1", "a1 b1", "a1 d1"])
    segments = cut(found, size=0)
    assert tabulate(found, segments, min_units=2).lemmas == ("a1", "b1")
    assert tabulate(found, segments, min_units=1, max_lemmas=3).lemmas == ("a1", "b1", "c1")


def test_segments_of_a_text_are_merged_up_to_a_number_of_lemmas():
    table = plain_table([f"{words(10)}. {words(10)}. {'a ' * 10}", words(3), words(30)], size=10)
    assert table.texts.tolist() == [0, 0, 0, 1, 2, 2, 2]
    assert merged(table, 5).tolist() == [0, 1, 1, 2, 3, 4, 5]
    assert merged(table, 12).tolist() == [0, 0, 0, 1, 2, 2, 2]
    assert merged(table, 1).tolist() == [0, 1, 2, 3, 4, 5, 6]
