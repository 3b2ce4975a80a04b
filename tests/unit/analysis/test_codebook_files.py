import datetime as dt
import json
import re
from pathlib import Path

import openpyxl
import pytest
import yaml

import consult
from analysis.__main__ import main
from analysis.coding.codebook import from_mapping, load, read
from analysis.coding.codebook_files import from_rows, load_any, sheet_rows, to_mapping, to_yaml, write_any, write_xlsx
from analysis.errors import AnalysisError

DEMO = Path(consult.__file__).parent / "demo" / "plan.yaml"
PLAN = {
    "title": "Plan",
    "version": "2",
    "groups": {"baisser": "baisser OU réduire"},
    "codes": [
        {"id": "taxes", "label": "Taxes", "definition": "Toutes."},
        {
            "id": "tva",
            "label": "TVA",
            "parent": "taxes",
            "patterns": ["=tva", "@baisser PUIS/3 taxe"],
            "positive_examples": ["Baisser la TVA\nsur tout", "=1+1 de TVA"],
            "negative_examples": ["Rien"],
        },
    ],
}


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "plan.xlsx"
    write_xlsx(from_mapping(PLAN), path)
    return path


def test_a_codebook_keeps_its_digest_through_yaml_and_workbook(tmp_path):
    """The approvals name a digest: converting must not lose them."""
    for plan in (load(DEMO), from_mapping(PLAN)):
        assert read(to_yaml(plan)).digest == plan.digest
    demo = load(DEMO)
    path = tmp_path / "plan.xlsx"
    write_any(demo, path)
    again = load_any(path)
    assert again.digest == demo.digest
    assert to_mapping(again) == to_mapping(demo)


@pytest.mark.parametrize(
    "plan",
    [
        {"version": 2, "codes": [{"id": 1, "patterns": ["x"], "positive_examples": [12]}]},
        {**PLAN, "language": "en", "codes": [{**PLAN["codes"][1], "inclusion": "", "parent": None}]},
    ],
    ids=["numbers, and what is left out", "another language, and what is left empty"],
)
def test_a_plan_written_otherwise_keeps_its_digest_and_its_language(plan, tmp_path):
    given = from_mapping(plan)
    write_any(given, tmp_path / "plan.xlsx")
    write_any(given, tmp_path / "plan.yaml")
    for name in ("plan.xlsx", "plan.yaml"):
        again = load_any(tmp_path / name)
        assert (again.digest, again.language) == (given.digest, given.language)


def test_a_workbook_without_language_is_in_french(book):
    made = openpyxl.load_workbook(book)
    made["Plan"].delete_cols(3)
    made.save(book)
    assert from_rows(sheet_rows(book)).language == "fr"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({**PLAN, "code": []}, "Plan de codification : la clé « code » n’existe pas"),
        ({**PLAN, 1: "x"}, "la clé « 1 » n’existe pas ; au choix : title, version"),
        (
            {**PLAN, "codes": [{**PLAN["codes"][1], "parent": None, "positive_exemples": ["x"]}]},
            "Code « tva » : la clé « positive_exemples » n’existe pas",
        ),
    ],
)
def test_a_key_that_would_be_left_unread_is_refused(plan, words):
    with pytest.raises(AnalysisError, match=re.escape(words)):
        from_mapping(plan)


def test_approvals_travel_with_the_plan(tmp_path):
    digest = from_mapping(PLAN).digest
    both = [{"role": role, "by": "N", "on": "2026-03-02", "digest": digest} for role in ("ditp", "administration")]
    path = tmp_path / "plan.xlsx"
    write_xlsx(from_mapping({**PLAN, "approvals": both}), path)
    assert from_rows(sheet_rows(path)).missing_approvals == ()


def test_cells_written_by_hand_are_read_as_text(book):
    made = openpyxl.load_workbook(book)
    made["Plan"]["B2"] = 3.0
    made["Approbations"].append(["ditp", "Nom", dt.date(2026, 3, 2), None])
    made["Motifs"].append([None, None])
    made.save(book)
    found = from_rows(sheet_rows(book))
    assert (found.version, found.approvals[0].on) == ("3", "2026-03-02")
    assert found.codes[1].patterns == ("=tva", "@baisser PUIS/3 taxe")
    assert found.codes[1].positive_examples == ("Baisser la TVA\nsur tout", "=1+1 de TVA")


@pytest.mark.parametrize(
    ("sheet", "row", "message"),
    [
        ("Codes", ["", "sans id"], "« Codes », ligne 4 : un code n’a pas d’« id »"),
        ("Codes", ["tva"], "ligne 4 : le code « tva » est défini deux fois"),
        ("Codes", ["seul", "Seul", "rien"], "son parent « rien » n’existe pas"),
        ("Motifs", ["inconnu", "mot"], "« Motifs », ligne 4 : le code « inconnu » n’est pas dans « Codes »"),
        ("Motifs", ["tva", "(mot"], "une parenthèse n’est pas fermée"),
        ("Exemples", ["tva", "peut-être", "x"], "« peut-être » n’est ni « positif » ni « négatif »"),
        ("Approbations", ["moi", "X"], "Approbation incomprise"),
    ],
)
def test_faulty_lines_are_refused_naming_sheet_and_line(book, sheet, row, message):
    made = openpyxl.load_workbook(book)
    made[sheet].append(row)
    made.save(book)
    with pytest.raises(AnalysisError, match=message):
        from_rows(sheet_rows(book))


def test_files_that_are_no_codebook_are_refused(book, tmp_path):
    with pytest.raises(AnalysisError, match="n’existe pas"):
        load_any(tmp_path / "absent.xlsx")
    (tmp_path / "faux.xlsx").write_bytes(b"PK")
    with pytest.raises(AnalysisError, match="n’est pas un classeur XLSX lisible"):
        sheet_rows(tmp_path / "faux.xlsx")
    made = openpyxl.load_workbook(book)
    made["Codes"]["A1"] = "identifiant"
    made.save(book)
    with pytest.raises(AnalysisError, match="la première ligne doit être id, label"):
        sheet_rows(book)
    del made["Codes"]
    made.save(book)
    with pytest.raises(AnalysisError, match="la feuille « Codes » manque"):
        sheet_rows(book)


def test_what_a_workbook_cannot_hold_is_refused_rather_than_cut(tmp_path):
    plan = json.loads(json.dumps(PLAN))
    plan["codes"][1]["positive_examples"] = ["x" * 40_000]
    with pytest.raises(AnalysisError, match="« Exemples » : « tva » a un texte de plus de 32767 caractères"):
        write_xlsx(from_mapping(plan), tmp_path / "plan.xlsx")


def test_commands_convert_and_compare(tmp_path, capsys):
    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"
    before.write_text(yaml.safe_dump(PLAN, allow_unicode=True), encoding="utf-8")
    changed = json.loads(json.dumps(PLAN))
    changed["codes"][1]["definition"] = "La TVA seule."
    changed["codes"].append({"id": "gaz", "patterns": ["gaz"], "positive_examples": ["gaz"]})
    after.write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    out = tmp_path / "diff.json"
    assert main(["codebook", "convert", str(before), str(tmp_path / "plan.yaml")]) == 0
    assert load(tmp_path / "plan.yaml").digest == load(before).digest
    assert main(["codebook", "diff", str(before), str(after), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "Code « tva » : modifié (definition)" in told
    assert "Code « gaz » : ajouté" in told
    assert "un codage ne se publie pas" in told
    assert json.loads(out.read_text(encoding="utf-8"))["revision"]["groups"] == []
