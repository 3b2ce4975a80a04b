"""The tables and the page of `reinert`, each made again from the texts and the class of each, by other means."""

import csv
import html
import json
import re
from collections import Counter, defaultdict

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from analysis.__main__ import main
from tests.unit.analysis.lexical.conftest import COMMON, THEMES, planted

LETTER = "haie abeille oiseau bocage prairie lisière ruisseau étang marais tourbière hérisson papillon libellule"
# « piste cyclable » is read as one word.
WORDS = {*" ".join(THEMES).split(), *COMMON.split()} - {"piste", "cyclable"}
PASSIVE = ("mais", "\U0001f600", "12")
SIDES = ("est", "ouest", "nord")


@pytest.fixture(scope="module")
def corpus():
    """Texts by identifier, and the side of each: three themes, each with a word that is no content, then one letter
    four times.
    """
    texts, themes = planted(180, seed=11)
    found = {
        f"c{rank:03}": (f"{text} {PASSIVE[theme]}", SIDES[theme])
        for rank, (text, theme) in enumerate(zip(texts, themes, strict=True))
    }
    return found | {f"z{rank}": (LETTER, "nord") for rank in range(4)}


def written(path, corpus):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text", "side"], *((key, *row) for key, row in corpus.items())])
    return path


@pytest.fixture(scope="module")
def made(corpus, tmp_path_factory, lemma_cache):
    folder = tmp_path_factory.mktemp("reinert")
    line = [str(written(folder / "avis.csv", corpus)), "--classes", "3", "--cache", str(lemma_cache)]
    assert main(["reinert", *line, "--out", str(folder / "out")]) == 0
    return folder / "out"


@pytest.fixture(scope="module")
def labels(made):
    rows = [json.loads(line) for line in (made / "classes.ndjson").read_text(encoding="utf-8").splitlines()]
    return {row["contribution"]: row["class"] + 1 for row in rows if row["class"] is not None}


def table(out, name):
    with (out / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def counted(corpus, labels, label, held, *, once=False):
    """The 2 × 2 table of what holds a feature by what is of a class."""
    cells = np.zeros((2, 2))
    for key, its in labels.items():
        if not once or key not in {"z1", "z2", "z3"}:
            cells[int(not held(*corpus[key])), int(its != label)] += 1
    return cells


def check(row, corpus, labels, held):
    label = int(row["classe"])
    cells = counted(corpus, labels, label, held)
    assert (int(row["eff. s.t."]), int(row["eff. total"])) == (cells[0, 0], cells[0].sum())
    assert float(row["pourcentage"]) == pytest.approx(100 * cells[0, 0] / cells[0].sum(), abs=0.005)
    found = chi2_contingency(cells, correction=False)
    sign = 1 if cells[0, 0] > found.expected_freq[0, 0] else -1
    assert float(row["chi2"]) == pytest.approx(sign * found.statistic, abs=0.0006)
    assert float(row["p"]) == pytest.approx(found.pvalue, rel=1e-4)
    once = counted(corpus, labels, label, held, once=True)
    expected = chi2_contingency(once, correction=False).statistic if once[0].sum() else 0
    assert abs(float(row["chi2 hors campagnes"] or 0)) == pytest.approx(expected, abs=0.0006)


@pytest.mark.parametrize(("name", "sign"), [("profiles.csv", 1), ("antiprofiles.csv", -1)])
def test_profiles_and_antiprofiles_are_those_of_the_classes(made, corpus, labels, name, sign):
    rows = table(made, name)
    known = [row for row in rows if row["forme"] in WORDS]
    assert len({row["forme"] for row in known}) > 10
    for row in known:
        check(row, corpus, labels, lambda text, _side, word=row["forme"]: word in text.split())
    for label in "123":
        own = [row for row in rows if row["classe"] == label]
        values = [sign * float(row["chi2"]) for row in own]
        assert values == sorted(values, reverse=True)
        assert min(values) > 0
        assert [int(row["n°"]) for row in own] == list(range(1, len(own) + 1))
    assert {row["Type"] for row in rows} <= {"nom", "nom propre", "ver", "adj", "adv"}


def test_supplementary_forms_are_described_and_placed_but_decide_of_nothing(made, corpus, labels):
    """Function words, emojis and numbers, as IRaMuTeQ describes its supplementary forms."""
    rows = [row for row in table(made, "formes_supplementaires.csv") if row["forme"] in PASSIVE]
    assert len(rows) == 9
    for row in rows:
        check(row, corpus, labels, lambda text, _side, word=row["forme"]: word in text.split())
    assert {row["forme"]: row["Type"] for row in rows} == {"mais": "con", "\U0001f600": "émoji", "12": "num"}
    active = {row["forme"] for name in ("profiles.csv", "antiprofiles.csv") for row in table(made, name)}
    assert not active & set(PASSIVE)
    placed = {row["nom"]: row for row in table(made, "plan_factoriel.csv") if row["nature"] == "forme supplémentaire"}
    assert placed.keys() >= set(PASSIVE)
    assert not any(row["masse"] for row in placed.values())
    page = html.unescape((made / "report.html").read_text(encoding="utf-8"))
    assert "Classe 1 : formes supplémentaires" in page.replace("\xa0", " ")


def test_starred_variables_are_described_and_named_as_iramuteq_does(made, corpus, labels):
    rows = table(made, "variables.csv")
    assert {row["forme"] for row in rows} == {"*side_est", "*side_ouest", "*side_nord"}
    assert len(rows) == 9
    for row in rows:
        check(row, corpus, labels, lambda _text, side, star=row["forme"]: star == f"*side_{side}")


def test_repeated_segments_are_those_of_the_texts(made, corpus, labels):
    rows = table(made, "segments_repetes.csv")
    assert "libellule" in " ".join(row["segment répété"] for row in rows)
    plain = [row for row in rows if not {"piste", "cyclable"} & set(row["segment répété"].split())]
    assert len(plain) > 20
    for row in plain:
        run = f" {row['segment répété']} "
        check(row, corpus, labels, lambda text, _side, run=run: run in f" {text} ")
        assert int(row["contributions"]) == sum(run in f" {text} " for text, _ in corpus.values()) >= 3
        assert int(row["occurrences"]) >= int(row["contributions"])


@pytest.mark.parametrize(("order", "mean"), [("absolu", np.sum), ("relatif", np.mean)])
def test_typical_segments_have_the_highest_scores_and_lead_to_their_contribution(made, corpus, labels, order, mean):
    weights = defaultdict(dict)
    for row in table(made, "profiles.csv"):
        weights[row["classe"]][row["forme"]] = float(row["chi2"])
    rows = [row for row in table(made, "segments_typiques.csv") if row["tri"] == order]
    for label in "123":
        own = [row for row in rows if row["classe"] == label]
        scores = {row["contribution"]: float(row[f"score {order}"]) for row in own}
        assert list(scores.values()) == sorted(scores.values(), reverse=True)
        for row in own:
            text = corpus[row["contribution"]][0]
            if "piste cyclable" in text or row["contribution"].startswith("z"):
                continue
            held = [weights[label][word] for word in set(text.split()) & weights[label].keys()]
            assert scores[row["contribution"]] == pytest.approx(mean(held), abs=0.01)
            assert set(row["formes marquées"].split(", ")) == set(text.split()) & weights[label].keys()
        assert sum(key.startswith("z") for key in scores) <= 1  # one text a campaign
        members = [key for key, its in labels.items() if str(its) == label and not key.startswith("z")]
        assert set(scores) >= set(members) or len(own) == 100
    for row in rows:
        path, anchor = row["page"].split("#")
        assert f'id="{anchor}"' in (made / path).read_text(encoding="utf-8")


def test_the_plane_is_the_correspondence_analysis_of_forms_by_classes(made):
    held, totals = defaultdict(dict), {}
    for row in (*table(made, "profiles.csv"), *table(made, "antiprofiles.csv")):
        held[row["forme"]][int(row["classe"])] = int(row["eff. s.t."])
        totals[row["forme"]] = int(row["eff. total"])
    forms = sorted(held)
    for form in forms:
        for label in {1, 2, 3} - held[form].keys():  # a chi-square of exactly zero
            held[form][label] = totals[form] - sum(held[form].values())
    counts = np.array([[held[form][label] for label in (1, 2, 3)] for form in forms], dtype=float)
    share = counts / counts.sum()
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    left, values, right = np.linalg.svd((share - np.outer(rows, columns)) / np.sqrt(np.outer(rows, columns)))
    expected = {form: left[rank, :2] * values[:2] / np.sqrt(rows[rank]) for rank, form in enumerate(forms)}
    expected |= {f"Classe {rank + 1}": right.T[rank, :2] * values[:2] / np.sqrt(columns[rank]) for rank in range(3)}
    rows_of_plane = table(made, "plan_factoriel.csv")
    found = {row["nom"]: row for row in rows_of_plane if row["nature"] != "forme supplémentaire"}
    assert set(expected) | {f"*side_{side}" for side in SIDES} == set(found)
    for axis in (0, 1):
        mine = np.array([float(found[name][f"coord. facteur {axis + 1}"]) for name in expected])
        theirs = np.array([expected[name][axis] for name in expected])
        assert mine * np.sign(mine @ theirs) == pytest.approx(theirs, abs=0.0002)
        parts = [float(found[name][f"contribution facteur {axis + 1} (%)"]) for name in forms]
        assert sum(parts) == pytest.approx(100, abs=0.01)


def test_the_dendrogram_tells_sizes_and_shares(made, labels):
    text = (made / "dendrogram-1.txt").read_text(encoding="utf-8")
    sizes = Counter(labels.values())
    for label, size in sizes.items():
        share = f"{100 * size / len(labels):.1f}".replace(".", ",")
        assert re.search(rf"Classe {label} \({share}\s%\).* – {size} segments", text)
    assert f"{len(labels)} segments classés sur 184" in text
    assert b"<title>Dendrogramme" in (made / "dendrogram-1.svg").read_bytes()


def test_the_page_has_the_headings_of_iramuteq_and_every_link_leads_somewhere(made, labels):
    page = html.unescape((made / "report.html").read_text(encoding="utf-8"))
    for heading in ("eff. s.t.", "eff. total", "pourcentage", "chi2", "Type", "forme", "Nombre de segments de texte"):
        assert f">{heading}</th>" in page
    assert f"{len(labels)} sur 184" in page
    for target in set(re.findall(r'href="([^"]+)"', page)):
        path, _, anchor = target.partition("#")
        assert (
            f'id="{anchor}"' in (made / path if path else made / "report.html").read_text(encoding="utf-8")
            or not anchor
        )
        assert not path or (made / path).is_file()


def test_every_text_received_is_classified_or_said_not_to_be(made, labels):
    rec = json.loads((made / "lexicon.json").read_text(encoding="utf-8"))["corpora"][0]["reconciliation"]
    assert (rec["received"], rec["coded"]) == (184, len(labels))
    assert rec["set_apart"] + rec["nonresponse"] + rec["undecidable"] + rec["coded"] + rec["no_code"] == 184


@pytest.mark.slow
def test_at_u4_6_the_same_files_come_back_whatever_the_processes_and_the_order_of_rows(
    made, corpus, lemma_cache, tmp_path
):
    dump = made.parent / "avis.csv"
    assert main(["verify", str(made), "--dump", str(dump), "--cache", str(lemma_cache)]) == 0
    line = ["--classes", "3", "--cache", str(lemma_cache)]
    assert main(["reinert", str(dump), *line, "--out", str(tmp_path / "two"), "--jobs", "2"]) == 0
    for path in made.rglob("*"):
        if path.is_file():
            assert (tmp_path / "two" / path.relative_to(made)).read_bytes() == path.read_bytes()
    turned = written(tmp_path / "avis.csv", dict(reversed(corpus.items())))
    assert main(["reinert", str(turned), *line, "--out", str(tmp_path / "turned")]) == 0
    for name in ("profiles.csv", "antiprofiles.csv", "variables.csv", "plan_factoriel.csv", "dendrogram-1.txt"):
        assert (tmp_path / "turned" / name).read_bytes() == (made / name).read_bytes()


def test_passages_and_a_double_classification_are_told_too(made, lemma_cache, tmp_path):
    line = ["--classes", "3", "--segment", "3", "--double", "--cache", str(lemma_cache)]
    assert main(["reinert", str(made.parent / "avis.csv"), *line, "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "un passage d’environ 3 mots" in page
    assert "double classification" in page
