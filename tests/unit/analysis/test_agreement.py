import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.coding.agreement import Judgement, agreement, alpha, by_period, masi, tabulate

# The worked example of Krippendorff (2011): four coders, twelve units, values 1 to 5, missing judgements.
EXAMPLE = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def example_counts():
    return tabulate((f"{u:02}", str(c), v) for c, row in enumerate(EXAMPLE) for u, v in enumerate(row) if v)


@pytest.mark.parametrize(("name", "published"), [("nominal", 0.743), ("interval", 0.849)])
def test_alpha_equals_the_published_example(name, published):
    """AT-U4.6: published table of Krippendorff (2011)."""
    counts, values = example_counts()
    distance = {
        "nominal": 1 - np.eye(5),
        "interval": (np.array(values)[:, None] - np.array(values)[None]) ** 2.0,
    }[name]
    found = alpha(counts, distance, resamples=200)
    assert found.value == pytest.approx(published, abs=5e-4)
    assert found.low < found.value < found.high
    assert (found.units, found.judgements) == (11, 40)


tables = st.lists(st.lists(st.sampled_from([0, 1, 2, None]), min_size=3, max_size=3), min_size=2, max_size=12)


@settings(max_examples=30)
@given(tables)
def test_alpha_equals_an_independent_implementation(rows):
    counts = np.array([[row.count(value) for value in range(3)] for row in rows])
    mine = alpha(counts, 1 - np.eye(3), resamples=0).value
    try:
        with np.errstate(invalid="ignore"):
            theirs = krippendorff.alpha(value_counts=counts, value_domain=[0, 1, 2], level_of_measurement="nominal")
    except ValueError:  # nothing judged twice, or one value only
        theirs = np.nan
    assert mine == pytest.approx(theirs, abs=1e-6) if np.isfinite(theirs) else mine is None


def test_distance_of_sets_is_that_of_the_paper():
    a, b, c = frozenset("ab"), frozenset("abc"), frozenset("bd")
    assert masi(a, a) == masi(frozenset(), frozenset()) == 0
    assert masi(a, b) == pytest.approx(1 - 2 / 3 * 2 / 3)
    assert masi(a, c) == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert masi(a, frozenset("z")) == masi(a, frozenset()) == 1


def test_each_code_and_the_sets_are_judged_with_intervals():
    """AT-U4.6: inter-coder agreement is reported."""
    pairs = [("x", "x"), ("x", "x"), ("xy", "x"), ("y", "y"), ("", ""), ("", "y"), ("x", "xy"), ("", "")] * 4
    judgements = [
        Judgement(str(unit), coder, frozenset(codes))
        for unit, both in enumerate(pairs)
        for coder, codes in zip("AB", both, strict=True)
    ]
    found = agreement(judgements, ["x", "y", "never"])
    assert found.codes["x"].value == 1.0
    assert found.codes["y"].low < found.codes["y"].value < found.codes["y"].high < 1
    assert found.codes["never"].value is None
    assert found.codes["y"].value < found.sets.value < 1
    assert found == agreement(judgements[::-1], ["x", "y", "never"])


def test_what_one_coder_alone_has_read_says_nothing():
    found = agreement([Judgement("1", "A", frozenset("x"))], ["x"])
    assert (found.sets.value, found.sets.units, found.codes["x"].value) == (None, 0, None)
    assert agreement([], ["x"]).sets.judgements == 0


def test_agreement_is_followed_from_one_period_to_the_next():
    good = [Judgement(str(u), c, frozenset("x" if u % 2 else "")) for u in range(10) for c in "AB"]
    bad = [Judgement(str(u), c, frozenset("x" if (u + (c == "B")) % 2 else "")) for u in range(10) for c in "AB"]
    found = by_period({"avant": bad, "après": good}, ["x"])
    assert found["avant"].codes["x"].value < 0 < found["après"].codes["x"].value == 1
