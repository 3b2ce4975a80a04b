import numpy as np
import pytest

from analysis.coding.classifier import learn
from analysis.coding.experts import Reader
from analysis.errors import AnalysisError
from analysis.semantic import vectors
from analysis.semantic.vectors import DIMENSIONS, WIDTH, clauses, halves, sentence_vectors


def test_a_text_is_cut_into_what_it_says():
    assert clauses("Plus de trains le soir ; moins de voitures en ville. Oui.") == [
        "Plus de trains le soir",
        "moins de voitures en ville",
    ]
    assert clauses("Oui.") == ["Oui."]
    assert clauses("") == [""]
    assert len(clauses("un deux trois. " * 100)) == 40


@pytest.mark.slow
def test_texts_of_like_meaning_are_near_and_any_text_has_a_vector():
    texts = [
        "Il faut plus de trains.",
        "Davantage de lignes ferroviaires",
        "Baissez la taxe foncière.",
        "",
        "🙂",
        "\ud800\0",
    ]
    found = sentence_vectors(texts)
    assert found.shape == (6, WIDTH)
    assert np.isfinite(found).all()
    for _, half in halves(found):
        assert half[0] @ half[1] > half[0] @ half[2]
        assert np.allclose(np.linalg.norm(half, axis=1), 1)
    assert sentence_vectors([]).shape == (0, WIDTH)
    assert np.array_equal(sentence_vectors(texts[::-1])[::-1].round(5), found.round(5))


@pytest.mark.slow
def test_the_classifier_reads_vectors_when_it_learnt_from_them():
    texts = [f"{'trains et gares' if n % 2 else 'impôts et taxes'} {n}" for n in range(60)]
    coded = [frozenset({"train"} if n % 2 else {"impôt"}) for n in range(60)]
    model = learn(texts, coded, ["train", "impôt"], np.arange(60), vectors=sentence_vectors(texts))
    assert {expert.view for expert in model.experts} == {"all", "words", *DIMENSIONS, "vectors", "joint"}
    assert model.predict(["des chemins de fer"]).score[0, 0] > 0.5


def test_without_the_encoder_it_is_asked_for_in_french(monkeypatch):
    monkeypatch.setattr(vectors, "DIMENSIONS", {**DIMENSIONS, "absent_encoder": 2})
    with pytest.raises(AnalysisError, match="ne sont pas installés"):
        sentence_vectors(["texte"])


def test_vectors_are_centred_on_those_learnt_from_alone():
    """What is asked about later moves nothing of what was learnt, so that no fold leaks into another."""
    draws = np.random.default_rng(1)
    texts = [f"trains et gares {n}" for n in range(60)]
    learnt, asked = draws.normal(size=(60, WIDTH)), draws.normal(size=(2, WIDTH))
    reader = Reader(texts, learnt)
    alone = reader.read(texts[:1], asked[:1]).matrices["vectors"]
    assert np.array_equal(alone, reader.read(texts[:2], asked).matrices["vectors"][:1])
    assert not np.allclose(alone, Reader(texts, learnt + 1).read(texts[:1], asked[:1]).matrices["vectors"])
    assert "vectors" not in Reader(texts).read(texts).matrices
