from fractions import Fraction

import numpy as np
import pytest

from analysis.corpus import Question, Variable
from analysis.errors import AnalysisError
from analysis.tabulate.flat import Sample
from analysis.tabulate.ordered import judgement, ranking, scale, summaries

MENTIONS = ("Excellent", "Bien", "Passable", "À rejeter")


def answers(kind, group, categories, given):
    """One variable: the rank of the category that each person gave, None for no answer."""
    members = np.zeros((len(given), len(categories)), dtype=np.bool_)
    for person, rank in enumerate(given):
        if rank is not None:
            members[person, rank] = True
    return Variable(f"q/{group}", group, categories, members, question=Question("q", "Que faire ?", kind), group=group)


def ranked(ballots, options, places):
    names = tuple(f"Rang {rank}" for rank in range(1, places + 1))
    return [
        answers("ranking", option, names, [b.index(option) if option in b else None for b in ballots])
        for option in options
    ]


def test_a_ranking_is_counted_as_the_textbook_example():
    """AT-U4.2: the capital of Tennessee, with Borda counts 126, 194, 173 and 107, and a point more for each ballot."""
    ballots = [
        *[("Memphis", "Nashville", "Chattanooga", "Knoxville")] * 42,
        *[("Nashville", "Chattanooga", "Knoxville", "Memphis")] * 26,
        *[("Chattanooga", "Knoxville", "Nashville", "Memphis")] * 15,
        *[("Knoxville", "Chattanooga", "Nashville", "Memphis")] * 17,
    ]
    found = ranking(ranked(ballots, ["Memphis", "Nashville", "Chattanooga", "Knoxville"], 4))
    assert [(each.label, each.borda - 100, each.first_choices) for each in found] == [
        ("Memphis", 126, 42),
        ("Nashville", 194, 26),
        ("Chattanooga", 173, 15),
        ("Knoxville", 107, 17),
    ]
    assert [each.mean_rank for each in found] == [2.74, 2.06, 2.27, 2.93]


def test_an_option_left_out_has_no_point_and_no_rank():
    found = ranking(ranked([("a", "b"), ("b",), (), ("b", "a")], ["a", "b", "c"], 2))
    assert [(each.ranked, each.mean_rank, each.of_respondents, each.borda) for each in found] == [
        (2, 1.5, 33.3, 3),
        (3, 1.33, 66.7, 5),
        (0, None, 0.0, 0),
    ]


def majority_value(given):
    """Balinski and Laraki's first definition: the middle mention, then that of what is left, until nothing is."""
    left, value = sorted(given), []
    while left:
        value.append(left.pop(len(left) // 2))
    return value


def test_places_are_those_of_the_majority_value_on_two_hundred_elections():
    """AT-U4.2: wherever the gauge parts two proposals, taking the middle mentions away one by one does so too."""
    draws = np.random.default_rng(5)
    parted = 0
    for _ in range(200):
        judges = int(draws.integers(1, 40))
        given = [draws.choice(4, judges, p=draws.dirichlet(np.ones(4))).tolist() for _ in range(5)]
        found = judgement([answers("judgement", str(n), MENTIONS, each) for n, each in enumerate(given)])
        for one, its in zip(given, found, strict=True):
            assert its.mention == MENTIONS[majority_value(one)[0]]
            middle = majority_value(one)[0]
            above = Fraction(sum(rank < middle for rank in one), judges)
            assert its.above == pytest.approx(float(100 * above), abs=0.0501)
            for other, theirs in zip(given, found, strict=True):
                if its.place < theirs.place:
                    parted += 1
                    assert majority_value(one) < majority_value(other)
    assert parted > 1000


def test_equal_proposals_share_a_place_and_one_without_judge_has_none():
    given = [[0, 0, 3], [1, 2, 3], [0, 0, 3], [None, None, None]]
    found = judgement([answers("judgement", str(n), MENTIONS, each) for n, each in enumerate(given)])
    assert [(each.place, each.mention, each.judges) for each in found] == [
        (1, "Excellent", 3),
        (3, "Passable", 3),
        (1, "Excellent", 3),
        (None, None, 0),
    ]


def test_a_scale_has_its_mean_deviation_and_median():
    given = [0, 3, 3, 10, None, 7]
    (found,) = scale([answers("scale", "", tuple(map(str, range(11))), given)])
    known = [rank for rank in given if rank is not None]
    expected = (5, np.mean(known), round(np.std(known, ddof=1), 2), np.median(known))
    assert (found.people, found.mean, found.deviation, found.median) == expected
    (nobody,) = scale([answers("scale", "", ("0", "1"), [None])])
    assert (nobody.people, nobody.mean, nobody.deviation, nobody.median) == (0, None, None, None)
    with pytest.raises(AnalysisError, match="n’est pas un nombre"):
        scale([answers("scale", "", ("peu", "1"), [0])])


def test_only_questions_in_an_order_are_summed_up_over_those_who_answered_any_part():
    questions = [*ranked([("a",), ("b",), ()], ["a", "b"], 2), answers("matrix", "x", ("u", "v"), [0, 1, None])]
    (table,) = summaries(questions, Sample.VOLUNTEERS)
    assert (table["kind"], table["base"], table["answered"]) == ("ranking", 3, 2)
    assert table["label"] == "Que faire ?"
    assert any("Base très faible" in note for note in table["notes"])
