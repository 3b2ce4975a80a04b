from itertools import combinations

import numpy as np
import pytest

from analysis.semantic.duplicates import find_duplicates, linked, near_pairs
from analysis.semantic.shingles import Bare, bare, character_shingles, jaccard, word_shingles
from analysis.text import Vocabulary


def read(texts: list[str]) -> Bare:
    vocabulary = Vocabulary()
    return bare(vocabulary.tokenise(texts), vocabulary)


def families(count: int, members: int, words: int, seed: int) -> list[str]:
    """Families of texts of as many random words; each member changes a few words of its model."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(count):
        model = rng.integers(0, 4_000, size=words)
        for _ in range(members):
            text = model.copy()
            places = rng.choice(words, size=rng.integers(0, 1 + words // 12), replace=False)
            text[places] = rng.integers(0, 4_000, size=len(places))
            texts.append(" ".join(f"mot{number}" for number in text))
    return texts


def brute(texts: list[str], threshold: float) -> dict[tuple[int, int], float]:
    """Every pair of texts of three-word shingles at or above the threshold, by sets."""
    sets = []
    for text in texts:
        words = text.split()
        sets.append({tuple(words[at : at + 3]) for at in range(len(words) - 2)})
    found = {}
    for i, j in combinations(range(len(texts)), 2):
        union = len(sets[i] | sets[j])
        if union and len(sets[i] & sets[j]) / union >= threshold:
            found[i, j] = len(sets[i] & sets[j]) / union
    return found


@pytest.mark.parametrize("words", [30, 60, 150])
def test_pairs_above_the_threshold_are_found_and_none_below(words):
    texts = list(dict.fromkeys(families(12, 10, words, seed=words)))
    expected = brute(texts, 0.8)
    found, similarity = near_pairs(read(texts), np.arange(len(texts)))
    pairs = dict(zip(map(tuple, found.tolist()), similarity.tolist(), strict=True))
    assert len(expected) > 50
    assert len(pairs.keys() & expected.keys()) >= 0.98 * len(expected)
    assert pairs.keys() <= expected.keys()
    assert all(pairs[pair] == pytest.approx(expected[pair]) for pair in pairs)


def test_exact_duplicates_ignore_case_accents_and_punctuation():
    texts = read(["Développer le vélo !", "developper LE VELO", "le vélo développer", "…", "Développer  le\nvélo", ""])
    assert find_duplicates(texts).exact.tolist() == [0, 0, 2, -1, 0, -1]


def test_short_texts_are_compared_by_characters():
    long, typed = "Supprimer toutes les niches fiscales", "supprimer toute les niches fiscales"
    rest = " des entreprises et des plus riches"
    found = find_duplicates(read([long + rest, typed + rest, "Rien"]))
    assert found.pairs.tolist() == [[0, 1]]
    assert found.groups.tolist() == [0, 0, 2]


def test_texts_of_three_words_have_exact_duplicates_only():
    assert len(find_duplicates(read(["plus de trains", "plus de train"])).pairs) == 0


def test_a_group_is_named_after_its_first_text():
    exact = np.array([0, 1, 1, -1, 4])
    assert linked(exact, np.array([[1, 4]])).tolist() == [0, 1, 1, 3, 1]


def test_a_massive_campaign_is_linked_whole():
    model = [f"mot{n}" for n in range(300)]
    texts = [" ".join([*model[:at], f"ville{at}", *model[at:]]) for at in range(300)]
    found = find_duplicates(read(texts))
    assert set(found.groups.tolist()) == {0}
    assert len(found.pairs) < 300 * 299 / 2


def test_jaccard_of_sets_without_repeats():
    texts = read(["a1 b1 c1 a1 b1 c1 d1", "a1 b1 c1 d1", "x1 y1 z1 t1", "x1"])
    shingles = word_shingles(texts, np.arange(4))
    found = jaccard(shingles, np.array([0, 0, 2, 3]), np.array([1, 2, 2, 3]))
    assert found.tolist() == [0.5, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    "texts", [["日本語テキスト 交通 電車", "日本語テキスト 交通 電車 道"], ["ÉTÉ œuvre", "ete œuvres"]]
)
def test_shingles_of_any_alphabet_do_not_depend_on_their_neighbours(texts):
    together = character_shingles(read([*texts, "zzz 🙂"]), np.arange(2))
    alone = character_shingles(read(texts), np.arange(2))
    assert together.values.tolist() == alone.values.tolist()


@pytest.mark.parametrize("texts", [[], [""], ["🙂", "!!"], ["vélo"]])
def test_next_to_nothing_has_no_duplicate(texts):
    found = find_duplicates(read(texts))
    assert found.pairs.shape == (0, 2)
    assert found.groups.tolist() == list(range(len(texts)))
