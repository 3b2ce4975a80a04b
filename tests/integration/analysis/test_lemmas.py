import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.languages import language
from analysis.lemmas import learn, read_overrides
from analysis.passages import Material
from analysis.text import Vocabulary

TEXTS = [
    "Les impôts des retraités sont trop élevés, il faut les baisser.",
    "Les transports en commun doivent être gratuits.",
    "Nous voulons des hôpitaux proches et des médecins.",
    "La santé et l’éducation avant tout.",
    "La sante et l'education, c'est important.",
    "Les élus prennent des décisions sans écouter les citoyens.",
    "M. et Mme Durand, art. 3, etc. Bravo \U0001f44d\U0001f3fd \U0001f44d",
]


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary()


@pytest.fixture(scope="module")
def material(vocabulary):
    return [Material(TEXTS, vocabulary.tokenise(TEXTS), np.ones(len(TEXTS), dtype=np.bool_))]


@pytest.fixture(scope="module")
def lemmas(vocabulary, material, lemma_cache):
    return learn(vocabulary.forms, material, seed=1, cache_dir=lemma_cache)


@pytest.mark.parametrize(
    ("form", "lemma", "pos"),
    [
        ("impôts", "impôt", "NOUN"),
        ("retraités", "retraité", "NOUN"),
        ("transports", "transport", "NOUN"),
        ("hôpitaux", "hôpital", "NOUN"),
        ("prennent", "prendre", "VERB"),
        ("voulons", "vouloir", "VERB"),
        ("l'", "le", None),
        ("sante", "santé", "NOUN"),
        ("education", "éducation", "NOUN"),
        ("m.", "monsieur", None),
        ("mme", "madame", None),
        ("art.", "article", None),
        ("\U0001f44d\U0001f3fd", "\U0001f44d", "SYM"),
    ],
)
def test_forms_get_their_lemma(vocabulary, lemmas, form, lemma, pos):
    number = vocabulary.number(form)
    assert lemmas.lemma[number] == lemma
    assert pos is None or lemmas.pos[number] == pos


def test_restored_accents_are_listed_and_grammatical_words_left_alone(vocabulary, lemmas):
    assert lemmas.corrections == {"sante": "santé", "education": "éducation"}


def test_content_words_are_told_from_grammatical_ones(vocabulary, lemmas):
    content = {form for n, form in enumerate(vocabulary.forms) if lemmas.is_content(n, language())}
    assert {"impôts", "gratuits", "élus", "baisser", "santé"} <= content
    assert not {"les", "l'", "en", "sont", "il", "et", "nous"} & content


def test_cache_gives_the_same_lemmas_without_reading_again(vocabulary, material, lemmas, lemma_cache, monkeypatch):
    monkeypatch.setattr("analysis.lemmas._learn", None)
    assert learn(vocabulary.forms, material, seed=1, cache_dir=lemma_cache) == lemmas


def test_overrides_win_and_change_the_cache_key(vocabulary, material, lemma_cache):
    found = learn(vocabulary.forms, material, seed=1, overrides={"élus": "représentant"}, cache_dir=lemma_cache)
    number = vocabulary.number("élus")
    assert (found.lemma[number], found.source[number]) == ("représentant", "override")


def test_no_form_at_all_needs_no_model():
    assert learn([], [], seed=1).lemma == ()


def test_override_file_must_map_forms_to_lemmas(tmp_path):
    path = tmp_path / "lemmas.yaml"
    path.write_text("Ehpads: ehpad\n", encoding="utf-8")
    assert read_overrides(path) == {"ehpads": "ehpad"}
    path.write_text("- ehpad\n", encoding="utf-8")
    with pytest.raises(AnalysisError, match="« forme: lemme »"):
        read_overrides(path)
