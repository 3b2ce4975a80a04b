import random
from collections import Counter

import numpy as np
import pytest

from analysis.passages import LONGEST, Material, Passage, choose, pool
from analysis.text import Vocabulary

SEED = 1


def read(*corpora, unread=()):
    vocabulary = Vocabulary()
    materials = [
        Material(texts, vocabulary.tokenise(texts), np.array([text not in unread for text in texts], dtype=np.bool_))
        for texts in corpora
    ]
    return vocabulary, materials


def written(passages):
    return sorted(" ".join(passage.words) for passage in passages)


def chosen(texts, *, hesitating=(), words, seed=SEED):
    vocabulary, materials = read(texts)
    return choose(pool(materials, seed), lambda form: vocabulary.forms[form] in hesitating, words=words)


def test_small_corpora_are_read_whole_each_text_once_and_only_those_that_may_be():
    _, materials = read(
        ["Oui, les impôts ! Trop.", "NSP", "…", "L’eau"], ["L’eau", "Oui, les impôts ! Trop."], unread=["NSP"]
    )
    found = choose(pool(materials, SEED), lambda _: False)
    assert sorted(found) == [
        Passage(["L'", "eau"], [False, False]),
        Passage(["Oui", ",", "les", "impôts", "!", "Trop", "."], [False, True, True, True, True, False, False]),
    ]


def test_nothing_to_read_gives_no_passage():
    assert choose(pool([], SEED), lambda _: True) == []
    assert choose(pool(read(["…", ""])[1], SEED), lambda _: True) == []


def test_sentences_of_hesitating_and_unread_words_come_first():
    texts = [f"Encore et encore. La porte {n} ferme. Encore et encore ; et encore." for n in range(50)]
    assert [passage.words[:2] for passage in chosen(texts, hesitating={"porte"}, words=1)] == [["La", "porte"]]
    assert written(chosen(texts, hesitating={"encore"}, words=1)) == ["Encore et encore ."]


def test_a_word_read_often_gives_way_to_the_others():
    words = ("taxe", "école", "hôpital", "train")
    found = chosen([f"{word} {n}" for word in words for n in range(200)], hesitating=words, words=80)
    times = Counter(passage.words[0] for passage in found)
    assert sorted(times) == sorted(words)
    assert max(times.values()) - min(times.values()) <= 2


def test_sentences_that_follow_each_other_are_read_together():
    texts = ["Alpha bravo. Charlie delta. " + "Rien ici. " * 30] + ["Rien ici"] * 9
    found = chosen(texts, hesitating={"alpha", "bravo", "charlie", "delta"}, words=4)
    assert written(found) == ["Alpha bravo . Charlie delta ."]


def test_a_long_text_without_punctuation_is_cut():
    texts = [" ".join(f"mot{n}" for n in range(400))]
    found = chosen(texts, hesitating={f"mot{n}" for n in range(245, 255)}, words=10)
    assert [len(passage.words) for passage in found] == [LONGEST]
    assert "mot250" in found[0].words


@pytest.mark.slow
def test_words_read_enough_stop_the_reading():
    found = chosen([f"Encore{'!' * n}" for n in range(5_000)], words=4_000)
    assert 10 < len(found) < 4_000


@pytest.mark.parametrize("words", [40, 10_000])
def test_the_order_of_the_texts_changes_nothing(words):
    rng = random.Random(3)
    texts = [" ".join(rng.choices(["porte", "ferme", "taxe", "la", "le", "eau", "."], k=9)) for _ in range(200)]
    one = chosen(texts, hesitating={"porte", "ferme"}, words=words)
    assert chosen(texts[::-1] + texts, hesitating={"porte", "ferme"}, words=words) == one
    assert pool(read(texts)[1], SEED).digest == pool(read(texts[::-1])[1], SEED).digest


def test_the_seed_draws_and_the_texts_decide_the_digest():
    texts = [f"La porte {n} ferme" for n in range(300)]
    assert written(chosen(texts, words=40)) != written(chosen(texts, words=40, seed=2))
    digests = {pool(read(texts)[1], 1).digest, pool(read(texts)[1], 2).digest, pool(read(texts[1:])[1], 1).digest}
    assert len(digests) == 3


def test_a_large_corpus_is_drawn_from(monkeypatch):
    monkeypatch.setattr("analysis.passages.POOL_WORDS", 100)
    found = pool(read([f"La porte numéro {n} ferme" for n in range(300)])[1], SEED)
    assert 100 <= len(found.forms) < 105
