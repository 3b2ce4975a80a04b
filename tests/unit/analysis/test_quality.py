import numpy as np
import pytest

from analysis.coding.quality import Bounds, drift, judge
from analysis.coding.sampling import STRATA, draw, folds, split
from analysis.errors import AnalysisError

N = 2_000


def coding(seed, *, precision=0.8, recall=0.6, prevalence=0.1):
    """A true code, a machine of known quality, and its scores less their threshold."""
    draws = np.random.default_rng(seed)
    truth = draws.random(N) < prevalence
    noise = prevalence * recall * (1 - precision) / precision / (1 - prevalence)
    given = np.where(truth, draws.random(N) < recall, draws.random(N) < noise)
    margin = np.where(given, 1, -1) * draws.random(N) * 0.5
    return truth, given, margin


def judged(seed, *, per_stratum=60, **quality):
    truth, given, margin = coding(seed, **quality)
    units = [f"{n:05}" for n in range(N)]
    sample = draw(units, {"x": given}, margins={"x": margin}, per_stratum=per_stratum, seed=seed)
    people = {unit: frozenset("x" if truth[int(unit)] else "") for unit in sample.units}
    (found,) = judge(sample, people)
    return found, {
        "precision": truth[given].mean(),
        "recall": given[truth].mean(),
        "prevalence": truth.mean(),
    }


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """AT-U4.6: precision, recall and corrected prevalence with intervals, over 60 consultations of known truth."""
    held = {"precision": 0, "recall": 0, "prevalence": 0}
    for seed in range(60):
        found, truth = judged(seed)
        for name, value in truth.items():
            estimate = getattr(found, name)
            held[name] += estimate.low <= value <= estimate.high
    assert all(count >= 53 for count in held.values()), held


def test_corrected_prevalence_is_unbiased_where_the_raw_count_is_not():
    gaps, raw = [], []
    for seed in range(30):
        found, truth = judged(seed, precision=0.5, recall=0.9)
        gaps.append(found.prevalence.value - truth["prevalence"])
        raw.append(found.given / found.total - truth["prevalence"])
    assert abs(np.mean(gaps)) < 0.006
    assert np.mean(raw) > 0.05


def test_a_code_read_whole_has_its_exact_quality():
    truth, given, _ = coding(1)
    units = [f"{n:05}" for n in range(N)]
    sample = draw(units, {"x": given}, per_stratum=N)
    (found,) = judge(sample, {unit: frozenset("x" if truth[int(unit)] else "") for unit in units})
    assert found.precision.value == pytest.approx(truth[given].mean(), abs=1e-4)
    assert found.recall.value == pytest.approx(given[truth].mean(), abs=1e-4)
    assert found.sampled == N


@pytest.mark.parametrize(
    ("quality", "bounds", "verdict", "word"),
    [
        ({"precision": 0.97, "recall": 0.95}, Bounds(0.7, 0.5), "published", ""),
        ({"precision": 0.8, "recall": 0.9}, Bounds(0.76, 0.5), "marked", "prudence"),
        ({"precision": 0.4, "recall": 0.9}, Bounds(0.7, 0.5), "withheld", "précision 0,"),
        (
            {"precision": 0.97, "recall": 0.95},
            Bounds(0.7, 0.5, alpha=0.6),
            "withheld",
            "accord entre codeurs non mesuré",
        ),
    ],
)
def test_a_code_under_its_threshold_is_withheld_or_marked(quality, bounds, verdict, word):
    truth, given, margin = coding(5, **quality)
    units = [f"{n:05}" for n in range(N)]
    sample = draw(units, {"x": given}, margins={"x": margin}, per_stratum=80, seed=2)
    (found,) = judge(sample, {u: frozenset("x" if truth[int(u)] else "") for u in sample.units}, bounds=bounds)
    assert found.verdict == verdict
    assert word in found.reason


def test_a_code_given_to_nobody_is_withheld_as_unmeasurable():
    sample = draw(["a", "b"], {"x": np.zeros(2, dtype=bool)})
    (found,) = judge(sample, {"a": frozenset(), "b": frozenset()})
    assert (found.precision, found.verdict) == (None, "withheld")
    assert "non mesurable" in found.reason


def test_a_sample_coded_in_part_is_refused():
    sample = draw(["a", "b"], {"x": np.array([True, False])})
    with pytest.raises(AnalysisError, match="1 contribution de l’échantillon n’a pas été codée"):
        judge(sample, {"a": frozenset("x")})
    with pytest.raises(AnalysisError, match="au moins une"):
        draw(["a"], {"x": np.array([True])}, per_stratum=0)


def test_the_sample_is_stratified_seeded_and_blind():
    _, given, margin = coding(3)
    units = [f"{n:05}" for n in range(N)]
    made = draw(units, {"x": given, "y": ~given}, margins={"x": margin}, per_stratum=20, seed=7)
    assert made == draw(units, {"y": ~given, "x": given}, margins={"x": margin}, per_stratum=20, seed=7)
    assert made.units != draw(units, {"x": given, "y": ~given}, per_stratum=20, seed=8).units
    counts = {name: sum(d.code == "x" and d.stratum == name for d in made.drawn) for name in STRATA}
    assert counts == dict.fromkeys(STRATA, 20)
    assert sum(made.sizes["x"].values()) == N
    ranks = [int(given[int(unit)]) for unit in made.units]
    assert 0.2 < np.mean(ranks[: len(ranks) // 2]) < 0.8  # the order of reading does not sort by what the machine said


def test_near_duplicates_are_read_once_and_never_leak():
    clusters = np.repeat(np.arange(20), 10)
    units = [f"{n:03}" for n in range(200)]
    sample = draw(units, {"x": clusters < 10}, clusters=clusters, per_stratum=50)
    assert len({clusters[int(unit)] for unit in sample.units}) == len(sample.units) <= 20
    (found,) = judge(sample, {unit: frozenset("x" if clusters[int(unit)] < 5 else "") for unit in sample.units})
    assert found.sampled == len(sample.units)
    assert found.precision.high - found.precision.low > 0.3  # ten texts read, not fifty
    tested = split(clusters, 0.3, seed=4)
    assert not set(clusters[tested]) & set(clusters[~tested])
    assert 0.2 < tested.mean() <= 0.3
    places = folds(clusters, 5)
    assert all(len(set(places[clusters == c])) == 1 for c in range(20))
    assert np.bincount(places).tolist() == [40] * 5


def test_drift_between_versions_names_the_contributions_that_moved():
    before = {str(n): {"x"} if n < 10 else set() for n in range(40)}
    after = {str(n): {"x"} if n < 30 else set() for n in range(39)} | {"new": {"x"}}
    (x, y) = drift(before, after, ["x", "y"])
    assert (x.before, x.after, len(x.gained), x.lost, x.corrected) == (10, 30, 20, (), True)
    assert x.p_value == pytest.approx(2 * 0.5**20, rel=1e-3)
    assert (y.before, y.after, y.p_value, y.corrected) == (0, 0, 1.0, False)
