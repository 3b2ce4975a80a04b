import json
import zipfile

import pytest

from analysis import readers
from analysis.__main__ import main
from analysis.errors import AnalysisError
from tests.integration.analysis.conftest import small_rows, write_dump


def zipped(directory, path, prefix=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(directory.iterdir()):
            archive.write(file, prefix + file.name)
    return path


def test_dump_becomes_corpora_in_the_order_of_its_steps(small_dump):
    source = readers.read(small_dump)
    assert [corpus.key for corpus in source.corpora] == ["s1", "s1:arguments", "s2:q3"]
    proposals, arguments, answers = source.corpora
    assert proposals.received == 12
    assert proposals.set_apart == {"masquée par la modération": 1, "retirée par son auteur": 1, "trace de test": 1}
    assert [variable.key for variable in proposals.variables] == ["theme", "votes", "imported_votes"]
    theme, votes, imported = proposals.variables
    assert theme.categories == ("Déplacements", "Logement")
    assert theme.members.sum(axis=0).tolist() == [3, 4]
    assert votes.members.sum(axis=0).tolist() == [2, 1, 1, 0]
    assert imported.members.sum() == 1
    assert arguments.texts[1] == "Coût\nTrop cher pour la commune."
    assert (answers.asked, len(answers.ids)) == (40, 30)
    assert source.position == 1234


def test_closed_questions_are_tables_over_all_the_replies(small_dump):
    (questionnaire,) = readers.read(small_dump).questionnaires
    assert questionnaire.replies == 40
    agree, transports = questionnaire.variables
    assert (int(agree.answered.sum()), agree.multiple) == (39, False)
    assert transports.multiple
    assert transports.categories == ("Vélo", "Train", "Voiture", "Autre (réponse libre)")
    assert transports.members.sum(axis=0).tolist() == [20, 20, 20, 1]
    assert questionnaire.withheld == ("Votre âge ?",)


def test_directory_and_zip_are_the_same_source(small_dump, tmp_path):
    plain = readers.read(small_dump)
    for name, prefix in (("a.zip", ""), ("b.zip", "climat/")):
        packed = readers.read(zipped(small_dump, tmp_path / name, prefix))
        assert packed.digest == plain.digest
        assert packed.corpora[0].ids == plain.corpora[0].ids


def test_half_a_character_and_an_odd_end_of_line_are_read_as_text(lemma_cache, tmp_path):
    """A JSON escape can name half of a character, which no file could hold; U+2028 and U+0085 end no line of NDJSON."""
    rows = small_rows()
    rows["contributions"][0]["body"] = "Du vélo \ud83d\ude42 et \ud83d des trains\u2028demain\u0085partout"
    rows["arguments"][0]["body"] = "Bon\u2028pour la santé \ud800"
    folder = write_dump(tmp_path / "dump", **{key: [] for key in rows})
    for name, each in rows.items():
        dumped = "".join(json.dumps(row) + "\n" for row in each)
        (folder / f"{name}.ndjson").write_bytes(
            dumped.replace("\\u2028", "\u2028").replace("\\u0085", "\u0085").encode()
        )
    (folder / "manifest.json").write_text(
        json.dumps({**json.loads((folder / "manifest.json").read_bytes()), "files": []}), encoding="utf-8"
    )
    found = readers.read(folder).corpora[0].texts[0]
    assert found == "Du vélo 🙂 et \ufffd des trains\u2028demain\u0085partout"
    for line in (["arguments", str(folder)], ["duplicates", str(folder), "--cache", str(lemma_cache)]):
        assert main([*line, "--out", str(tmp_path / line[0])]) == 0
    maps = json.loads((tmp_path / "arguments").read_text(encoding="utf-8"))
    assert sum(sum(each["counts"].values()) for each in maps) == 2


def test_changed_file_is_refused(small_dump, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in small_dump.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    path = copy / "contributions.ndjson"
    path.write_text(path.read_text(encoding="utf-8").replace("vélo", "velo"), encoding="utf-8")
    with pytest.raises(AnalysisError, match=r"« contributions\.ndjson » ne correspond pas à l’empreinte"):
        readers.read(copy)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("contributions.ndjson", "{oups\n", "« contributions.ndjson », ligne 1 : ce n’est pas un objet JSON"),
        ("contributions.ndjson", '{"id": 1}\n', "La colonne 'step' manque"),
        ("contributions.ndjson", None, "« contributions.ndjson » manque"),
        ("manifest.json", "[]", "n’annonce pas le format"),
        ("answers.ndjson", '{"reply": "zz", "question": "q3", "text": "x", "options": [], "other": null}\n', "« zz »"),
    ],
)
def test_broken_dump_is_refused_naming_file_and_place(small_dump, tmp_path, name, content, message):
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in small_dump.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    if content is None:
        (copy / name).unlink()
    else:
        (copy / name).write_text(content, encoding="utf-8")
    with pytest.raises(AnalysisError, match=message):
        readers.read(copy)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_plain_csv_is_a_corpus_with_its_variables(tmp_path, separator):
    path = tmp_path / "avis.csv"
    rows = [["id", "text", "région", "date"], ["1", "Des trains", "Bretagne", ""], ["2", "", "", ""]]
    path.write_text("\ufeff" + "".join(separator.join(row) + "\r\n" for row in rows), encoding="utf-8")
    source = readers.read(path)
    (corpus,) = source.corpora
    assert corpus.texts == ("Des trains", "")
    assert [variable.key for variable in corpus.variables] == ["région"]
    assert corpus.variables[0].answered.tolist() == [True, False]
    assert source.notices == ("Colonne « date » : vide ou plus de 60 modalités, écartée.",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,texte\n1,a\n", "une colonne « text »"),
        (b"", "une colonne « id »"),
        (b"id,text\n1,a\n1,b\n", "l’identifiant « 1 » sert 2 fois"),
        (b"id,text,x,x\n1,a,b,c\n", "deux colonnes portent le même nom"),
        ("id,text\n1,é\n".encode("latin-1"), "n’est pas en UTF-8"),
    ],
)
def test_faulty_csv_is_refused_in_french(tmp_path, content, message):
    path = tmp_path / "avis.csv"
    path.write_bytes(content)
    with pytest.raises(AnalysisError, match=message):
        readers.read(path)


def test_unknown_corpus_is_refused_with_those_that_exist(small_dump):
    with pytest.raises(AnalysisError, match="au choix : s1, s1:arguments, s2:q3"):
        readers.restricted(readers.read(small_dump), ("s9",))
    assert len(readers.restricted(readers.read(small_dump), ("s1",)).corpora) == 1


def test_manifest_of_the_dump_is_part_of_the_digest(small_dump, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in small_dump.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    (copy / "manifest.json").write_text(json.dumps({**manifest, "position": 1}), encoding="utf-8")
    assert readers.read(copy).digest != readers.read(small_dump).digest


def test_each_line_of_a_grid_and_each_option_of_a_ranking_is_a_table(tmp_path):
    def cells(label, *cells):
        return [{"id": key, "label": words, "group": label} for key, words in cells]

    common = {"step": "s2", "wording": "Notez", "required": False, "visibility": "rows", "options": []}
    grid = cells("Le bus", ("b:y", "Oui"), ("b:n", "Non")) + cells("La gare", ("g:y", "Oui"), ("g:n", "Non"))
    added = [
        {"id": "q8", "kind": "matrix", "position": 8, "cells": grid, **common},
        {"id": "q9", "kind": "scale", "position": 9, "cells": cells("", *((n, n) for n in "12345")), **common},
        {"id": "q10", "kind": "date", "position": 10, "cells": [], **common},
    ]
    said = [("r00", "q8", ["b:y", "g:n"]), ("r01", "q8", ["b:n"]), ("r02", "q9", ["4"]), ("r03", "q10", [])]
    answers = [{"reply": r, "question": q, "text": None, "options": o, "other": None} for r, q, o in said]
    rows = small_rows()
    rows |= {"questions": rows["questions"] + added, "answers": rows["answers"] + answers}
    folder = write_dump(tmp_path / "dump", **rows)
    (questionnaire,) = readers.read(folder).questionnaires
    bus, station, scale = questionnaire.variables[2:]
    assert [each.label for each in (bus, station, scale)] == ["Notez – Le bus", "Notez – La gare", "Notez"]
    assert bus.members.sum(axis=0).tolist() == [1, 1]
    assert station.members.sum(axis=0).tolist() == [0, 1]
    assert scale.members.sum(axis=0).tolist() == [0, 0, 0, 1, 0]
    assert len({each.key for each in questionnaire.variables}) == 5
