import numpy as np
import pytest

from analysis.coding.classifier import learn
from analysis.errors import AnalysisError
from analysis.semantic import vectors
from analysis.semantic.vectors import clauses, sentence_vectors


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
    texts = ["Il faut plus de trains.", "Davantage de lignes ferroviaires", "Baissez la taxe foncière.", "", "🙂"]
    found = sentence_vectors(texts)
    assert found.shape == (5, 1024)
    assert np.isfinite(found).all()
    assert found[0] @ found[1] > found[0] @ found[2]
    assert np.array_equal(sentence_vectors(texts[::-1])[::-1].round(5), found.round(5))


@pytest.mark.slow
def test_the_classifier_reads_vectors_when_it_learnt_from_them():
    texts = [f"{'trains et gares' if n % 2 else 'impôts et taxes'} {n}" for n in range(60)]
    coded = [frozenset({"train"} if n % 2 else {"impôt"}) for n in range(60)]
    model = learn(texts, coded, ["train", "impôt"], np.arange(60), vectors=sentence_vectors(texts))
    assert {expert.view for expert in model.experts} == {"all", "words", "vectors"}
    assert model.predict(["des chemins de fer"]).score[0, 0] > 0.5


def test_without_the_encoder_it_is_asked_for_in_french(monkeypatch):
    monkeypatch.setattr(vectors, "PACKAGE", "absent_encoder")
    with pytest.raises(AnalysisError, match="n’est pas installé"):
        sentence_vectors(["texte"])
