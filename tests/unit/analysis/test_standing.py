import json

import pytest

from analysis.coding.codebook import read
from analysis.coding.standing import (
    MARKED,
    PUBLISHED,
    UNMEASURED,
    WITHHELD,
    Measure,
    Standing,
    of_codebook,
    of_codes,
    read_measures,
    withheld,
)
from analysis.errors import AnalysisError

PLAN = read("""
version: "1"
codes:
  - {id: top, label: Tout}
  - {id: middle, label: Milieu, parent: top, patterns: [gare], positive_examples: [gare]}
  - {id: low, label: Bas, parent: middle, patterns: [train], positive_examples: [train]}
  - {id: other, label: Autre, parent: top, patterns: [bus], positive_examples: [bus]}
""")


def standing_of(**verdicts):
    codes = {
        code: Standing(verdict, f"raison de {code}" if verdict != PUBLISHED else "")
        for code, verdict in verdicts.items()
    }
    return of_codebook([Measure("q.json", "avis", PLAN.digest, codes)], "avis", PLAN)


@pytest.mark.parametrize(
    ("low", "middle", "other", "expected"),
    [
        (PUBLISHED, PUBLISHED, PUBLISHED, [PUBLISHED, PUBLISHED, PUBLISHED, PUBLISHED]),
        (MARKED, PUBLISHED, PUBLISHED, [MARKED, MARKED, MARKED, PUBLISHED]),
        (WITHHELD, PUBLISHED, PUBLISHED, [MARKED, MARKED, WITHHELD, PUBLISHED]),
        (PUBLISHED, WITHHELD, PUBLISHED, [MARKED, WITHHELD, PUBLISHED, PUBLISHED]),
        (WITHHELD, WITHHELD, PUBLISHED, [MARKED, WITHHELD, WITHHELD, PUBLISHED]),
        (WITHHELD, WITHHELD, WITHHELD, [WITHHELD] * 4),
    ],
)
def test_a_code_that_counts_others_is_as_good_as_they_are(low, middle, other, expected):
    found = standing_of(low=low, middle=middle, other=other)
    assert [standing.verdict for standing in found.values()] == expected
    assert list(found) == ["top", "middle", "low", "other"]


def test_a_mark_says_of_which_codes_the_contributions_are_missing_or_doubtful():
    found = standing_of(low=WITHHELD, middle=MARKED, other=PUBLISHED)
    assert found["middle"].reason == "raison de middle Sans les contributions de sous-codes retenus\u00a0: Bas."
    assert found["top"].reason == (
        "Sans les contributions de sous-codes retenus\u00a0: Bas. "
        "Comprend des sous-codes à lire avec prudence\u00a0: Milieu."
    )
    assert found["middle"].named("Milieu") == "Milieu (à lire avec prudence)"
    assert found["other"].named("Autre") == "Autre"


def test_a_code_never_measured_beside_others_is_withheld():
    found = standing_of(low=PUBLISHED, other=PUBLISHED)
    assert (found["middle"].verdict, withheld(found)) == (WITHHELD, {"middle"})
    assert "jamais été mesurée" in found["middle"].reason


def test_nothing_is_withheld_of_a_corpus_without_a_measure():
    measure = Measure("q.json", "avis", PLAN.digest, {"low": Standing(WITHHELD, "x")})
    for measures in ([], [measure]):
        assert {each.verdict for each in of_codebook(measures, "idées", PLAN).values()} == {UNMEASURED}
    assert {each.verdict for each in of_codes([], "avis", ["a"]).values()} == {UNMEASURED}


def test_codes_learnt_without_a_plan_have_their_own_measure():
    measure = Measure("q.json", "avis", None, {"a": Standing(PUBLISHED)})
    found = of_codes([measure], "avis", ["a", "b"])
    assert [found[code].verdict for code in ("a", "b")] == [PUBLISHED, WITHHELD]
    with pytest.raises(AnalysisError, match="ne mesure pas ce plan"):
        of_codebook([measure], "avis", PLAN)
    with pytest.raises(AnalysisError, match="ne mesure pas ce plan"):
        of_codes([Measure("q.json", "avis", PLAN.digest, {})], "avis", ["a"])


def test_codes_learnt_beside_a_plan_follow_those_of_the_plan():
    measure = Measure("q.json", "avis", PLAN.digest, {"new": Standing(PUBLISHED), "low": Standing(PUBLISHED)})
    found = of_codebook([measure], "avis", PLAN, ["low", "new", "newer"])
    assert list(found)[-2:] == ["new", "newer"]
    assert [found[code].verdict for code in ("low", "new", "newer")] == [PUBLISHED, PUBLISHED, WITHHELD]


def test_a_file_that_is_no_measure_is_refused(tmp_path):
    (tmp_path / "q.json").write_text(json.dumps([1]), encoding="utf-8")
    with pytest.raises(AnalysisError, match="n’a pas été écrit par"):
        read_measures(tmp_path / "q.json")
    assert read_measures(None) == ()
