"""Two codings side by side. Reference values: statsmodels and krippendorff on the same figures."""

import krippendorff
import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from analysis.coding.drift.compare import Coding, by_hand, compare, paired_difference, prevalence
from analysis.coding.given import Given


def codes(text):
    return frozenset(text)


@pytest.fixture(scope="module")
def found():
    """Sixty contributions: the machine read 48 twice, people 4 twice, 2 changed hands, 6 came or went."""
    before = {f"m{n:02}": codes("x" if n < 20 else "xy" if n < 24 else "") for n in range(48)}
    after = before | {f"m{n:02}": codes("x") for n in range(40, 47)} | {"m00": codes(""), "new": codes("x")}
    people = {f"h{n}": codes("x" if n < 3 else "") for n in range(4)}
    moved = people | {"h0": codes("y"), "taken": codes("y")}
    units = {*before, *people, "taken", "given back"}
    return compare(
        Coding(before | {"taken": codes("x")}, people | {"given back": codes("x")}, {}),
        Coding(after, moved, {"m47": codes("x")}),
        units | {"old"},
        units | {"new", "new2", "new3", "new4", "new5"},
        ["x", "y", "never"],
    )


def test_every_contribution_read_is_in_one_part(found):
    assert found.parts == {"machine": 48, "human": 4, "changed_hands": 2, "before_only": 1, "after_only": 5}
    assert found.machine.compared == 48
    assert found.machine.changed == ("m00", *(f"m{n}" for n in range(40, 47)))
    assert found.human.changed == ("h0",)


def test_each_code_says_what_moved_with_its_test_and_intervals(found):
    x, y, never = found.machine.codes
    assert (x.before.count, x.before.total, x.after.count, x.after.total) == (25, 50, 31, 54)
    low, high = proportion_confint(31, 54, method="wilson")
    assert (x.after.share.low, x.after.share.high) == pytest.approx((low, high), abs=1e-6)
    assert (x.gained, x.lost) == (tuple(f"m{n}" for n in range(40, 47)), ("m00",))
    assert x.p_value == pytest.approx(mcnemar(np.array([[0, 7], [1, 0]]), exact=True).pvalue, rel=1e-3)
    assert x.difference.value == 0.125
    assert x.difference.low < 0.125 < x.difference.high
    assert not y.gained
    assert (y.alpha.value, y.corrected) == (1.0, False)
    assert (never.before.count, never.alpha.value, never.difference.value) == (0, None, 0.0)
    assert found.human.codes[1].gained == ("h0",)


def test_agreement_of_both_codings_is_krippendorffs(found):
    """AT-U4.6: alpha between both versions, for each code and over whole sets."""
    x = found.machine.codes[0].alpha
    one, two = [1] * 24 + [0] * 24, [0] + [1] * 23 + [0] * 16 + [1] * 7 + [0]
    assert x.value == pytest.approx(krippendorff.alpha([one, two], level_of_measurement="nominal"), abs=1e-6)
    assert x.low < x.value < x.high
    assert x.units == 48
    assert x.value < found.machine.sets.value < 1


def test_what_is_left_to_a_person_is_not_given_and_hands_are_told_apart():
    given = [Given("a", "x", "rule", False), Given("a", "y", "model", True), Given("b", "x", "human", False)]
    assert by_hand(given) == Coding({"a": codes("x")}, {"b": codes("x")}, {"a": codes("y")})
    assert by_hand([Given("a", "x", "", False)]).machine == {"a": codes("x")}


def test_nothing_compared_says_nothing():
    found = compare(Coding({}, {}, {}), Coding({}, {}, {}), {"a"}, {"b"}, ["x"])
    assert found.parts == {"machine": 0, "human": 0, "changed_hands": 0, "before_only": 1, "after_only": 1}
    assert (found.machine.codes[0].difference, found.machine.sets.value) == (None, None)
    assert prevalence(0, 0).share is None


def test_the_interval_of_a_paired_difference_holds_the_truth_nineteen_times_in_twenty():
    draws = np.random.default_rng(4)
    tables = draws.multinomial(60, [0.12, 0.05, 0.83], size=2_000)
    held = [
        estimate.low <= 0.07 <= estimate.high
        for gained, lost, _ in tables.tolist()
        if (estimate := paired_difference(gained, lost, 60))
    ]
    assert np.mean(held) >= 0.94
