import copy

import pytest
import yaml

from analysis.coding.codebook import from_mapping, load
from analysis.errors import AnalysisError

PLAN = {
    "title": "Plan",
    "version": "2",
    "groups": {"baisser": "baisser OU réduire"},
    "codes": [
        {"id": "taxes", "label": "Taxes"},
        {
            "id": "tva",
            "label": "TVA",
            "parent": "taxes",
            "patterns": ["tva", "@baisser PUIS/3 taxe"],
            "positive_examples": ["Baisser la TVA"],
        },
    ],
}


def changed(**values):
    plan = copy.deepcopy(PLAN)
    plan["codes"][1].update(values)
    return plan


def test_codebook_is_read_with_its_hierarchy():
    plan = from_mapping(PLAN)
    assert [code.id for code in plan.codes] == ["taxes", "tva"]
    assert list(plan.ancestors("tva")) == ["taxes"]
    assert plan.version == "2"


def test_run_needs_both_approvals_of_this_very_content():
    """AT-U4.4: an unapproved version is not publishable."""
    plan = from_mapping(PLAN)
    assert plan.missing_approvals == ("ditp", "administration")
    ditp = {"role": "ditp", "by": "A", "on": "2026-03-02", "digest": plan.digest}
    both = [ditp, {"role": "administration", "by": "B", "on": "2026-03-02", "digest": plan.digest}]
    assert from_mapping({**PLAN, "approvals": [ditp]}).missing_approvals == ("administration",)
    assert from_mapping({**PLAN, "approvals": both}).missing_approvals == ()
    assert from_mapping({**PLAN, "approvals": both}).digest == plan.digest
    nameless = [{"role": "ditp", "by": "A"}, both[1]]
    assert from_mapping({**PLAN, "approvals": nameless}).missing_approvals == ("ditp",)
    edited = {**changed(definition="autre"), "approvals": both}
    assert from_mapping(edited).missing_approvals == ("ditp", "administration")


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (None, "la liste « codes » manque"),
        ({"version": "1", "codes": []}, "la liste « codes » manque"),
        ({"codes": PLAN["codes"]}, "« version » manque"),
        (changed(parent="rien"), "Code « tva » : son parent « rien » n’existe pas"),
        (changed(parent="tva"), r"Code « tva » : il est son propre ancêtre \(tva → tva\)"),
        (changed(patterns=[]), "Code « tva » : aucun motif ; ajoutez « patterns »"),
        (changed(patterns="tva"), "« patterns » doit être une liste"),
        (changed(positive_examples=[]), "Code « tva » : aucun exemple ; ajoutez dans « positive_examples »"),
        (changed(patterns=["(tva"]), r"Code « tva », motif « \(tva » : une parenthèse n’est pas fermée"),
        (changed(id="taxes", parent=None), "Code « taxes » : il est défini 2 fois"),
        (changed(id=""), "un code n’a pas d’« id »"),
        ({**PLAN, "approvals": [{"role": "moi", "by": "X"}]}, "Approbation incomprise"),
        ({**PLAN, "groups": ["x"]}, "« groups » doit associer"),
    ],
)
def test_faulty_codebook_is_refused_naming_code_and_remedy(plan, message):
    with pytest.raises(AnalysisError, match=message):
        from_mapping(plan)


def test_cycle_over_several_codes_is_shown():
    code = {"patterns": ["mot"], "positive_examples": ["mot"]}
    plan = {
        "version": "1",
        "codes": [{"id": a, "parent": b, **code} for a, b in (("a", "b"), ("b", "c"), ("c", "b"))],
    }
    with pytest.raises(AnalysisError, match="b → c → b"):
        from_mapping(plan)


def test_files_that_are_no_codebook_are_refused(tmp_path):
    path = tmp_path / "plan.yaml"
    with pytest.raises(AnalysisError, match="introuvable"):
        load(path)
    path.write_text("codes: [\n", encoding="utf-8")
    with pytest.raises(AnalysisError, match="n’est pas un YAML valide, ligne 2"):
        load(path)
    path.write_bytes("codes: é".encode("latin-1"))
    with pytest.raises(AnalysisError, match="UTF-8"):
        load(path)
    path.write_text(yaml.safe_dump(PLAN, allow_unicode=True), encoding="utf-8")
    assert load(path).digest == from_mapping(PLAN).digest
