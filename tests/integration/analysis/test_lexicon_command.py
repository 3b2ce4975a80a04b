"""The lexical commands, on files alone: what they write, that they can be run again, and what they refuse."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from distributed import LocalCluster
from scipy.stats import chi2_contingency, hypergeom

from analysis.__main__ import main
from analysis.corpus import Corpus
from analysis.prepare import PARTITION, prepare
from analysis.text import Vocabulary
from tests.unit.analysis.lexical.conftest import THEMES, planted

PLAN = """
title: Plan
version: "1"
codes:
  - {id: velo, label: Vélo, patterns: ['vélo OU cyclable'], positive_examples: ['le vélo']}
  - {id: taxes, label: Taxes, patterns: ['taxe OU impôt'], positive_examples: ['la taxe']}
  - {id: tout, label: Tout, patterns: ['vie OU ville OU maire OU jour OU temps'], positive_examples: ['la vie']}
"""
LETTER = "Nous demandons toutes et tous la gratuité des transports publics pour les habitants de la région"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    texts, themes = planted(150)
    texts = [*texts, *[LETTER] * 4, "RAS", "", "Voir ci-dessus", "🙂🙂"]
    sides = [("est", "ouest", "nord")[theme] for theme in themes] + [""] * 8
    path = tmp_path_factory.mktemp("table") / "avis.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text", "side", "author"])
        for rank, (text, side) in enumerate(zip(texts, sides, strict=True)):
            rows.writerow([f"c{rank}", text, side, f"a{rank % 7}"])
    return path


@pytest.fixture(scope="module")
def made(table, tmp_path_factory, lemma_cache):
    folder = tmp_path_factory.mktemp("made")
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    options = ["--codebook", str(folder / "plan.yaml"), "--classes", "3", "--cache", str(lemma_cache)]
    assert main(["lexicon", str(table), "--out", str(folder / "out"), *options]) == 0
    return folder / "out"


def figures(out):
    return json.loads((out / "lexicon.json").read_text(encoding="utf-8"))["corpora"][0]


def rows(out, name):
    return [json.loads(line) for line in (out / name).read_text(encoding="utf-8").splitlines()]


def test_every_contribution_is_reconciled_and_billed_by_its_tier(made):
    found = figures(made)
    rec = found["reconciliation"]
    assert rec["received"] == 158
    assert rec["nonresponse"] == 3
    assert rec["set_apart"] + rec["nonresponse"] + rec["undecidable"] + rec["coded"] + rec["no_code"] == 158
    assert found["tier"]["coding"] == "2.4.4"
    assert found["tier"]["billable"] == rec["billable"] == 155


def test_figures_stand_with_and_without_campaigns(made):
    found = figures(made)
    campaigns = found["campaigns"]
    assert [campaign["size"] for campaign in campaigns["register"]] == [4]
    assert campaigns["billable"] - campaigns["billable_without"] == 3
    letter = next(item for item in found["words"]["lemmas"] if item["lemma"] == "gratuité")
    assert (letter["count"], letter["count_without"]) == (4, 1)
    assert all(code["without"] <= code["count"] for code in found["codes"])


@pytest.mark.slow
def test_what_copies_swell_is_given_as_if_they_were_not_there(tmp_path, lemma_cache):
    """Figures « without » are those of a corpus in which each letter stands once."""
    texts, themes = planted(150)
    sides = [("est", "ouest", "nord")[theme] for theme in themes]
    every = [*zip(texts, sides, strict=True), *[(LETTER, "est")] * 8]
    for name, given in (("all", every), ("once", every[:151])):
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id", "text", "side"], *((rank, *row) for rank, row in enumerate(given))])
        line = ["lexicon", str(tmp_path / f"{name}.csv"), "--classes", "3", "--cache", str(lemma_cache)]
        assert main([*line, "--out", str(tmp_path / name)]) == 0
    words, once = (figures(tmp_path / name)["words"] for name in ("all", "once"))
    for kind in ("specificities", "keyness"):
        expected = {_named(table, item): item for table in once[kind] for item in table["lemmas"]}
        found = {_named(table, item): item for table in words[kind] for item in table["lemmas"]}
        assert any(item["without"] is None for item in found.values()), kind  # words of the letter alone
        compared = expected.keys() & found.keys()
        assert len(compared) > 3, kind
        for key in compared:
            assert found[key]["without"] == {name: expected[key][name] for name in found[key]["without"]}
            assert expected[key]["without"] == found[key]["without"]
    lemmas = {lemma for lemma, _ in once["similarity_tree"]["lemmas"]}
    edges = [edge for edge in words["similarity_tree_without"]["edges"] if {edge["first"], edge["second"]} <= lemmas]
    assert edges == once["similarity_tree"]["edges"]
    for tree, units in (("similarity_tree", 8), ("similarity_tree_without", 1)):
        assert {edge["units"] for edge in words[tree]["edges"] if "gratuité" in edge.values()} == {units}
    classes = figures(tmp_path / "all")["classes"]["classes"]
    label = {row["contribution"]: row["class"] for row in rows(tmp_path / "all", "classes.ndjson")}
    kept = [rank for rank in range(151) if label[str(rank)] is not None]
    for each in classes:
        for item in [item for item in each["profile"] if item["name"] in {"vélo", "taxe", "haie"}]:
            table = np.zeros((2, 2))
            for rank in kept:
                table[int(item["name"] in every[rank][0].split()), int(label[str(rank)] == each["label"])] += 1
            assert abs(item["chi2_without"]) == pytest.approx(chi2_contingency(table, correction=False)[0], abs=0.001)


def _named(table, item):
    return table["variable"], item.get("category", table.get("category")), item["lemma"]


def test_classes_give_back_the_planted_themes_and_lead_to_their_contributions(made):
    found = figures(made)["classes"]
    listed = rows(made, "classes.ndjson")
    assert sum(item["units"] for item in found["classes"]) + found["unclassified"] == len(listed) == found["units"]
    assert found["units"] + found["without_words"] == 154
    first = {item["profile"][0]["name"] for item in found["classes"]}
    assert len(first) == 3
    assert (made / "dendrogram-1.svg").read_bytes().startswith(b"<?xml")
    assert b"Classe 2" in (made / "plane-1.svg").read_bytes()


def test_a_pattern_that_holds_nearly_everywhere_is_counted_as_it_is(made):
    counts = {code["code"]: code["count"] for code in figures(made)["codes"]}
    assert counts["tout"] > 140


@pytest.mark.slow
def test_at_u4_6_a_second_run_gives_the_same_files_whatever_the_number_of_processes(made, table, lemma_cache, tmp_path):
    assert main(["verify", str(made), "--dump", str(table), "--cache", str(lemma_cache)]) == 0
    options = ["--codebook", str(made / "codebook.yaml"), "--classes", "3", "--jobs", "2", "--cache", str(lemma_cache)]
    assert main(["lexicon", str(table), "--out", str(tmp_path / "out"), *options]) == 0
    _same_files(made, tmp_path / "out")


def _same_files(made, again):
    for path in made.rglob("*"):
        if path.is_file():
            assert (again / path.relative_to(made)).read_bytes() == path.read_bytes()


def test_english_is_read_as_english_and_verified(tmp_path):
    texts = ["The buses don't run on Sundays", "More buses please", "Free buses for children", "N/A", "see above"]
    path = tmp_path / "answers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *([rank, text] for rank, text in enumerate(texts))])
    plan = 'version: "1"\nlanguage: en\ncodes: [{id: b, patterns: [bus], positive_examples: [buses]}]\n'
    (tmp_path / "plan.yaml").write_text(plan, encoding="utf-8")
    line = [str(path), "--codebook", str(tmp_path / "plan.yaml"), "--language", "en"]
    assert main(["lexicon", *line, "--out", str(tmp_path / "out")]) == 0
    found = figures(tmp_path / "out")
    assert found["rules"]["version"] == "en-1"
    assert (found["reconciliation"]["nonresponse"], found["reconciliation"]["undecidable"]) == (1, 1)
    assert [(item["lemma"], item["count"]) for item in found["words"]["lemmas"]] == [("bus", 3)]
    assert [(code["code"], code["count"]) for code in found["codes"]] == [("b", 3)]
    assert main(["verify", str(tmp_path / "out"), "--dump", str(path)]) == 0
    assert main(["lexicon", *line[:-2], "--out", str(tmp_path / "other")]) == 1


def test_a_changed_result_is_found_out(made, table, tmp_path, capsys):
    copy = shutil.copytree(made, tmp_path / "copy")
    (copy / "lexicon.json").write_text("{}", encoding="utf-8")
    assert main(["verify", str(copy), "--dump", str(table)]) == 1
    assert "lexicon.json" in capsys.readouterr().err


def test_partitions_give_the_words_of_one_reading(lemma_cache):
    texts = [f"un texte, numéro {rank % 50}. Et la TVA !" for rank in range(PARTITION + 20)]
    corpus = Corpus("c", "c", "row", tuple(map(str, range(len(texts)))), tuple(texts))
    split, whole = Vocabulary(), Vocabulary()
    (found,), _ = prepare([corpus], split, seed=1, cache=lemma_cache)
    expected = whole.tokenise(texts)
    assert split.forms == whole.forms
    assert np.array_equal(found.tokens.forms, expected.forms)
    assert np.array_equal(found.tokens.starts, expected.starts)
    assert np.array_equal(found.tokens.breaks, expected.breaks)
    assert np.array_equal(found.tokens.sentences, expected.sentences)
    assert split.acronyms([found.tokens]) == whole.acronyms([expected])


@pytest.mark.slow
def test_an_existing_dask_cluster_gives_equal_results(table, made, tmp_path, lemma_cache):
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        options = ["--codebook", str(made / "codebook.yaml"), "--classes", "3", "--cache", str(lemma_cache)]
        arguments = ["--jobs", "2", "--dask", cluster.scheduler_address]
        assert main(["lexicon", str(table), "--out", str(tmp_path / "out"), *options, *arguments]) == 0
    _same_files(made, tmp_path / "out")


@pytest.mark.slow
def test_a_cluster_that_does_not_answer_is_refused_in_french(table, tmp_path, capsys):
    arguments = ["--dask", "tcp://127.0.0.1:1"]
    assert main(["duplicates", str(table), "--out", str(tmp_path / "out"), *arguments]) == 1
    assert "ne répond pas" in capsys.readouterr().err


@pytest.mark.slow
def test_concordance_shows_each_place(table, lemma_cache, capsys):
    assert main(["concordance", str(table), "gratuité", "--width", "3", "--cache", str(lemma_cache)]) == 0
    shown = capsys.readouterr().out
    assert "4 emplois" in shown
    assert "c150\tet tous la\t[gratuité]\tdes transports publics\n" in shown


def test_the_company_of_a_word_is_told_with_its_probability(table, lemma_cache, capsys):
    assert main(["companions", str(table), "Vélo", "--most", "4", "--cache", str(lemma_cache)]) == 0
    first, second, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("avis\xa0: ")
    assert second.startswith("avis\xa0: 158 reçues = 0 écartée + 3 non-réponses")
    scores = [float(line.split("\t")[2]) for line in lines]
    assert scores == sorted(scores, reverse=True)
    assert lines[0].split("\t")[0] in {"piste", "cyclable", "trajet"}
    assert {line.split("\t")[0] for line in lines[-4:]} <= {*" ".join(THEMES[1:]).split()}
    held, every = map(int, re.findall(r"\d+", first))
    both, total = map(int, re.findall(r"\d+", lines[0].split("\t")[1]))
    assert scores[0] == pytest.approx(-hypergeom.logsf(both - 1, every, held, total) / np.log(10), abs=0.01)
    assert all("\thors campagnes\xa0: " in line for line in lines)
    assert main(["companions", str(table), "zèbre", "--cache", str(lemma_cache)]) == 1
    assert "absent du tableau" in capsys.readouterr().err


def test_categories_are_placed_by_the_words_that_set_them_apart(made):
    """The table is that of the occurrences of each lemma in each category, recomputed from the published figures."""
    words = figures(made)["words"]
    (found,) = [item for item in words["correspondence"] if item["variable"] == "side"]
    assert [item["name"] for item in found["categories"]] == ["est", "nord", "ouest"]
    assert len(found["shares"]) == 2
    assert sum(found["shares"]) == pytest.approx(100, abs=0.1)
    for axis in range(2):
        assert sum(item["contributions"][axis] for item in found["categories"]) == pytest.approx(100, abs=0.1)
    place = {item["name"]: np.array(item["coordinates"]) for item in (*found["categories"], *found["lemmas"])}
    for category, word in (("est", "vélo"), ("ouest", "taxe"), ("nord", "haie")):
        nearest = min(("est", "ouest", "nord"), key=lambda name: np.linalg.norm(place[name] - place[word]))
        assert nearest == category


def test_duplicates_alone_need_no_class(table, tmp_path, lemma_cache):
    assert main(["duplicates", str(table), "--out", str(tmp_path / "out"), "--cache", str(lemma_cache)]) == 0
    found = figures(tmp_path / "out")
    assert (found["classes"], found["words"]) == (None, None)
    campaign = [row for row in rows(tmp_path / "out", "duplicates.ndjson") if row["campaign"] == 0]
    assert [row["contribution"] for row in campaign] == ["c150", "c151", "c152", "c153"]


def test_a_corpus_goes_to_iramuteq_and_back(table, tmp_path, lemma_cache):
    out = tmp_path / "avis.txt"
    assert main(["iramuteq", str(table), "--out", str(out)]) == 0
    assert main(["duplicates", str(out), "--out", str(tmp_path / "out"), "--cache", str(lemma_cache)]) == 0
    assert figures(tmp_path / "out")["reconciliation"]["received"] == 158


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("empty", []),
        ("one word", ["vélo"]),
        ("one contribution", ["Il faut développer les pistes cyclables en ville."]),
        ("all duplicates", ["Il faut développer les pistes cyclables en ville."] * 30),
        ("64,537 characters", ["une phrase ordinaire, " * 2934, "une autre phrase"]),
        ("other languages", ["Build more bike lanes", "더 많은 자전거 도로", "больше поездов", "المزيد من القطارات"]),
        ("emojis only", ["🙂", "👍👍", "❤️"]),
    ],
)
def test_odd_corpora_give_an_answer_and_lose_no_row(tmp_path, lemma_cache, name, texts):
    path = tmp_path / "avis.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *([rank, text] for rank, text in enumerate(texts))])
    assert main(["lexicon", str(path), "--out", str(tmp_path / "out"), "--cache", str(lemma_cache)]) == 0
    found = figures(tmp_path / "out")
    assert found["reconciliation"]["received"] == len(texts)
    if found["classes"]:
        units = found["classes"]["units"]
        assert units == sum(item["units"] for item in found["classes"]["classes"]) + found["classes"]["unclassified"]
    else:
        assert "Classification impossible" in found["notices"][0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lexicon", "{table}", "--out", "{tmp}/o", "--classes", "1"], "Nombre de classes 1"),
        (["lexicon", "{table}", "--out", "{tmp}/o", "--segment", "-3"], "Taille de segment -3"),
        (["lexicon", "{table}", "--out", "{table}"], "n’est pas un dossier de résultats"),
        (["lexicon", "{tmp}/absent.csv", "--out", "{tmp}/o"], "n’existe pas"),
        (["concordance", "{table}", "vélo PRES"], "un mot est attendu"),
        (["concordance", "{table}", "vélo", "--order", "rien"], "inconnu"),
        (["reinert", "{table}", "--out", "{tmp}/o", "--corpus", "rien"], "n’existe pas"),
    ],
)
def test_refusals_are_one_french_line(table, tmp_path, lemma_cache, capsys, arguments, words):
    filled = [argument.format(table=table, tmp=tmp_path) for argument in arguments]
    assert main([*filled, "--cache", str(lemma_cache)]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("Refusé")
    assert words in error


def test_company_and_themes_are_told_without_campaigns_as_in_a_corpus_without_copies(tmp_path, lemma_cache, capsys):
    texts, _ = planted(120)
    letter = "la piste du vélo longe la gare centrale et la maire veut une ville apaisée pour la vie de tous les jours"
    every = [*texts, *[letter] * 6]
    told, sizes = {}, {}
    for name, given in (("all", every), ("once", every[:121])):
        path = tmp_path / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id", "text"], *((rank, text) for rank, text in enumerate(given))])
        assert main(["companions", str(path), "vélo", "--most", "60", "--cache", str(lemma_cache)]) == 0
        lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()[2:]]
        told[name] = {line[0]: line for line in lines}
        out = tmp_path / f"{name}.json"
        assert main(["themes", str(path), "--themes", "3", "--out", str(out), "--cache", str(lemma_cache)]) == 0
        capsys.readouterr()
        found = json.loads(out.read_text(encoding="utf-8"))
        sizes[name] = [(theme["size"], theme["without"]) for theme in found["themes"]]
        labels = found["contributions"]
        for theme in found["themes"]:
            copies = sum(labels[str(rank)] == theme["number"] for rank in range(121, len(given)))
            assert theme["size"] - theme["without"] == copies
    for lemma in told["all"].keys() & told["once"].keys() & {"piste", "taxe", "haie", "maire", "trajet"}:
        both, score = told["once"][lemma][1:3]
        assert told["all"][lemma][3] == f"hors campagnes\xa0: {both}, {score}"
    assert told["all"]["piste"][1] != told["once"]["piste"][1]
    assert [size for size, _ in sizes["once"]] == [without for _, without in sizes["once"]]
