import numpy as np
import pytest

from analysis.corpus import single
from analysis.lexical.contrasts import contrast
from analysis.lexical.correspondence import correspondence
from analysis.lexical.specificity import specificities
from tests.unit.analysis.lexical.conftest import plain_words, planted


def contrasted(sides):
    texts, _ = planted(len(sides))
    words = plain_words(texts)
    return words, contrast(specificities(words, single("side", "Côté", sides)))


def test_the_axes_are_those_of_occurrences_by_category():
    _, themes = planted(300)
    sides = [("est", "ouest", "nord")[theme] for theme in themes]
    words, found = contrasted(sides)
    counts = np.zeros((len(found.lemmas), 3))
    for number, text in zip(words.numbers.tolist(), words.texts.tolist(), strict=True):
        if words.lemmas[number] in found.lemmas:
            counts[found.lemmas.index(words.lemmas[number]), found.categories.index(sides[text])] += 1
    expected = correspondence(counts)
    assert found.axes.inertias == pytest.approx(expected.inertias)
    assert np.abs(found.axes.columns) == pytest.approx(np.abs(expected.columns))


@pytest.mark.parametrize("names", [["est"], ["est", "ouest"]])
def test_two_categories_have_no_plane(names):
    assert contrasted([names[rank % len(names)] for rank in range(60)])[1] is None


def test_nothing_said_makes_no_axis():
    assert contrast([]) is None
