"""Estimates from real samples equal the values printed by R's `survey` package and by a course on `hdv2003`."""

import csv

import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.tabulate.design import Design, independence, mean, share, total

pytestmark = pytest.mark.real_data


@pytest.fixture
def rows(real_data):
    def read(path):
        with (real_data / path).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


@pytest.fixture
def stratified(rows):
    schools = rows("survey_api/apistrat.csv")
    names = sorted({row["stype"] for row in schools})
    codes = np.array([names.index(row["stype"]) for row in schools])
    population = np.array([float(next(row["fpc"] for row in schools if row["stype"] == name)) for name in names])
    return schools, Design(column(schools, "pw"), codes, population)


def test_a_simple_sample_gives_the_values_of_the_manual(rows):
    """R survey, help pages `svymean` and `api`: svydesign(id=~1, weights=~pw, data=apisrs, fpc=~fpc)."""
    schools = rows("survey_api/apisrs.csv")
    design = Design.simple(column(schools, "pw"), population=6194)
    found = mean(design, column(schools, "api00"))
    assert (found.value, found.error) == pytest.approx((656.58, 9.2497), abs=5e-3)
    found = total(design, column(schools, "enroll"))
    assert (found.value, found.error) == pytest.approx((3621074, 169520), abs=0.7)
    kinds = {kind: total(design, np.array([float(row["stype"] == kind) for row in schools])) for kind in "EHM"}
    assert {kind: (each.value, each.error) for kind, each in kinds.items()} == {
        "E": pytest.approx((4397.74, 196.00), abs=5e-3),
        "H": pytest.approx((774.25, 142.85), abs=5e-3),
        "M": pytest.approx((1022.01, 160.33), abs=5e-3),
    }


def test_a_stratified_sample_gives_the_values_of_the_manual(stratified):
    """svydesign(id=~1, strata=~stype, weights=~pw, data=apistrat, fpc=~fpc)."""
    schools, design = stratified
    found = mean(design, column(schools, "api00"))
    assert (found.value, found.error) == pytest.approx((662.29, 9.4089), abs=5e-3)
    found = total(design, column(schools, "enroll"))
    assert (found.value, found.error) == pytest.approx((3687178, 114642), abs=0.7)
    assert design.degrees == 197


def test_a_weighted_count_gives_the_values_of_the_course(rows):
    """Barnier, « Introduction à R et au tidyverse »: wtd.table(hdv2003$sexe, weights = hdv2003$poids)."""
    people = rows("survey_hdv2003/hdv2003.csv")
    weights = column(people, "poids")
    men = np.array([row["sexe"] == "Homme" for row in people])
    assert (round(float(weights[men].sum())), round(float(weights[~men].sum()))) == (5149382, 5921844)
    found = share(Design.simple(weights), men)
    assert found.value == pytest.approx(5149382 / (5149382 + 5921844), abs=1e-6)
    assert found.low < found.value < found.high
    assert found.effect > 1, "unequal weights cost precision"


def test_a_simple_sample_is_tested_as_pearson_did(rows):
    """Rao and Scott (1984): without design each direction is divided by n / (n - 1), whatever the association."""
    schools = rows("survey_api/apisrs.csv")
    wide = np.array([int(row["sch.wide"] == "Yes") for row in schools])
    kind = np.array(["EHM".index(row["stype"]) for row in schools])
    found = independence(Design.simple(np.ones(len(schools))), wide, kind)
    assert found.effects == pytest.approx([200 / 199] * 2)
    assert found.statistic == pytest.approx(found.pearson * 199 / 200 / 2)
    assert found.degrees == pytest.approx(2)


def test_the_correction_is_that_of_the_jackknife(stratified):
    """An independent variance, leaving each school out in turn, gives the same effect, a little wider."""
    schools, design = stratified
    wide = np.array([int(row["sch.wide"] == "Yes") for row in schools])
    kind = np.array([int(float(row["api00"]) > 650) for row in schools])
    found = independence(design, wide, kind)

    def odds(weights):
        cells = np.bincount(wide * 2 + kind, weights=weights, minlength=4)
        return np.log(cells[0] * cells[3] / (cells[1] * cells[2]))

    whole, variance = odds(design.weights), 0.0
    for stratum in np.unique(design.strata):
        mine = np.flatnonzero(design.strata == stratum)
        n, size = len(mine), float(design.population[stratum])
        for left in mine:
            weights = design.weights.copy()
            weights[mine] *= n / (n - 1)
            weights[left] = 0
            variance += (1 - n / size) * (n - 1) / n * (odds(weights) - whole) ** 2
    shares = np.bincount(wide * 2 + kind, weights=design.weights, minlength=4) / design.weights.sum()
    simple = (1 / shares).sum() / len(schools)
    assert found.effects[0] == pytest.approx(variance / simple, rel=0.1)


@pytest.mark.parametrize(
    ("weights", "strata", "population", "words"),
    [
        ([1, 0], [0, 0], None, "plus grand que zéro"),
        ([1, 1, 1], [0, 0, 1], None, "qu’une personne"),
        ([1, 1], [0, 0], [1], "plus de personnes"),
    ],
)
def test_a_sample_that_says_nothing_of_its_error_is_refused(weights, strata, population, words):
    with pytest.raises(AnalysisError) as refused:
        Design(np.array(weights, dtype=float), np.array(strata), None if population is None else np.array(population))
    assert words in str(refused.value)
