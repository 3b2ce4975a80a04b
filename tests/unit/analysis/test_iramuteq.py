import numpy as np
import pytest

from analysis.corpus import Corpus, Variable, single
from analysis.errors import AnalysisError
from analysis.iramuteq import looks_like, read_corpus, write_corpus


def corpus(texts, *variables, ids=None):
    names = ids or tuple(f"c{rank}" for rank in range(len(texts)))
    return Corpus("climat", "Climat", "row", tuple(names), tuple(texts), tuple(variables))


def again(tmp_path, content):
    path = tmp_path / "climat.txt"
    path.write_text(content, encoding="utf-8")
    return read_corpus(path).corpora[0]


def test_what_is_written_reads_back_the_same(tmp_path):
    texts = ["Le vélo\nen ville", "", "**** des étoiles\n-*et un thème", "Un texte avec *étoile* dedans"]
    region = single("region", "Région", ["nord", None, "sud", "nord"])
    uses = Variable(
        "uses", "Usages", ("train", "vélo"), np.array([[1, 1], [0, 0], [0, 1], [1, 0]], dtype=bool), multiple=True
    )
    original = corpus(texts, region, uses)
    found = again(tmp_path, write_corpus(original))
    assert found.ids == original.ids
    assert found.texts == original.texts
    assert [(v.key, v.categories, v.multiple) for v in found.variables] == [
        ("region", ("nord", "sud"), False),
        ("uses", ("train", "vélo"), True),
    ]
    assert [v.members.tolist() for v in found.variables] == [region.members.tolist(), uses.members.tolist()]


def test_the_format_is_that_of_iramuteq():
    age = single("tranche_age", "Âge", ["25 à 34 ans"])
    assert write_corpus(corpus(["Plus de trains."], age)) == "**** *id_c0 *tranche-age_25_à_34_ans\nPlus de trains.\n"


def test_a_corpus_of_another_hand_is_read(tmp_path):
    found = again(
        tmp_path, "\n**** *age_30 *ville_Le_Mans\n-*transports\nPlus de trains\net de bus\n\n**** *age_40\nRien\n"
    )
    assert found.ids == ("1", "2")
    assert found.texts == ("Plus de trains\net de bus", "Rien")
    assert [(v.key, v.categories) for v in found.variables] == [("age", ("30", "40")), ("ville", ("Le_Mans",))]


def test_a_file_of_this_format_is_told_from_a_table(tmp_path):
    for name, content, expected in (("a", "**** *a_b\nx", True), ("b", "id,text\n1,x", False), ("c", "", False)):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        assert looks_like(path) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Sans étoile\n**** *a_b\n", "ligne 1 : un texte doit suivre"),
        ("**** age_30\nTexte", "ligne 1 : « age_30 » n’est pas une variable"),
    ],
)
def test_faults_are_named_by_their_line(tmp_path, content, words):
    with pytest.raises(AnalysisError, match=words):
        again(tmp_path, content)


def test_what_would_be_confused_is_refused():
    with pytest.raises(AnalysisError, match="modalités de « Région » se confondent"):
        write_corpus(corpus(["a", "b"], single("region", "Région", ["Île de Ré", "Île_de_Ré"])))


def test_an_empty_corpus_is_an_empty_file(tmp_path):
    assert write_corpus(corpus([])) == ""
    assert again(tmp_path, "").ids == ()
