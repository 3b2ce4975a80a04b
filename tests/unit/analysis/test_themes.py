import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from analysis.errors import AnalysisError
from analysis.lexical.frequencies import LemmaTokens
from analysis.semantic.themes import find_themes

SUBJECTS = [[f"s{s}w{w}" for w in range(12)] for s in range(4)]
SHARED = [f"commun{w}" for w in range(20)]


def words_of(texts):
    """Lemmas of texts given as lists of words, all of them content."""
    names = sorted({word for text in texts for word in text})
    place = {name: rank for rank, name in enumerate(names)}
    numbers = np.array([place[word] for text in texts for word in text], dtype=np.int32)
    ranks = np.array([rank for rank, text in enumerate(texts) for _ in text], dtype=np.int32)
    count = len(numbers)
    return LemmaTokens(
        numbers, ranks, numbers, tuple(names), ("NOUN",) * len(names), np.ones(len(names), dtype=np.bool_),
        np.zeros(count, dtype=np.int8),
    )  # fmt: skip


def planted(n=240, seed=1):
    draws = np.random.default_rng(seed)
    subject = draws.integers(0, 4, n)
    texts = [[*draws.choice(SUBJECTS[s], 6).tolist(), *draws.choice(SHARED, 4).tolist()] for s in subject]
    return texts, subject


def test_planted_themes_are_found_with_their_number_words_and_examples():
    texts, subject = planted()
    found = find_themes(words_of(texts), len(texts), subsamples=2)
    assert len(found.themes) >= 4
    four = find_themes(words_of(texts), len(texts), number=4)
    assert adjusted_rand_score(subject, four.label) > 0.95
    assert four.stability[4] > 0.9
    for theme in four.themes:
        planted_subject = subject[theme.typical[0]]
        assert {word for word, _ in theme.words[:6]} <= set(SUBJECTS[planted_subject])
        assert all(four.label[rank] == theme.number for rank in (*theme.typical, *theme.borderline))
        assert four.closeness[theme.typical[0]] >= four.closeness[theme.borderline[0]]
    assert sum(theme.size for theme in four.themes) == len(texts)


def test_nothing_is_thrown_away_and_what_has_no_word_is_named():
    texts, _ = planted(60)
    texts[7], texts[9] = [], ["unique"]
    found = find_themes(words_of(texts), len(texts), number=4, subsamples=0)
    assert found.wordless == (7, 9)
    assert sum(theme.size for theme in found.themes) + len(found.wordless) == len(texts)
    assert "2 contributions ne contiennent aucun des mots retenus" in found.notices[0]


def test_themes_do_not_depend_on_a_seed():
    texts, _ = planted(120)
    one, two = (find_themes(words_of(texts), len(texts), number=5, seed=seed) for seed in (1, 2))
    assert one.label.tolist() == two.label.tolist()


def test_a_contribution_unlike_all_others_is_atypical():
    texts, _ = planted(120)
    texts[5] = [SUBJECTS[s][w] for s in range(4) for w in range(3)] + SHARED
    found = find_themes(words_of(texts), len(texts), number=4, subsamples=0)
    assert 5 in found.atypical


def test_themes_that_do_not_hold_say_so():
    draws = np.random.default_rng(2)
    texts = [draws.choice(SHARED, 5).tolist() for _ in range(80)]
    found = find_themes(words_of(texts), len(texts), subsamples=2)
    assert max(found.stability.values()) < 0.75
    assert "n’en tirez pas de chiffres" in found.notices[-1]


@pytest.mark.parametrize("texts", [[], [[]], [["mot"]], [["mot"], ["mot"]], [["a"], ["b"], ["c"]]])
def test_too_little_to_tell_apart_is_refused(texts):
    with pytest.raises(AnalysisError, match="Pas assez de contributions ou de mots"):
        find_themes(words_of(texts), len(texts))


def test_copies_of_one_contribution_are_one_theme_or_a_clear_refusal():
    texts = [["a", "b", "c", "d"]] * 30
    found = find_themes(words_of(texts), 30, number=2, subsamples=1)
    assert sum(theme.size for theme in found.themes) == 30
