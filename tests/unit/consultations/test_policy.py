"""When a consultation and its steps take acts."""

import datetime as dt

import pytest

from consult.consultations.models import ConsultationStatus
from consult.consultations.policy import Dates, Phase, accepts_acts, phase, slug_of, step_state

DAY = dt.timedelta(days=1)
T0 = dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC)  # the night of the change of hour in Paris
WHOLE = Dates(T0, T0 + 10 * DAY)
STEP = Dates(T0 + DAY, T0 + 2 * DAY)
INSTANT = dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("now", "whole", "step"),
    [
        (T0 - INSTANT, Phase.UPCOMING, Phase.UPCOMING),
        (T0, Phase.OPEN, Phase.UPCOMING),
        (T0 + DAY - INSTANT, Phase.OPEN, Phase.UPCOMING),
        (T0 + DAY, Phase.OPEN, Phase.OPEN),
        (T0 + 2 * DAY - INSTANT, Phase.OPEN, Phase.OPEN),
        (T0 + 2 * DAY, Phase.OPEN, Phase.CLOSED),
        (T0 + 10 * DAY, Phase.CLOSED, Phase.CLOSED),
    ],
)
def test_the_first_instant_is_inside_and_the_last_outside(now, whole, step):
    assert phase(WHOLE, now) is whole
    assert step_state(STEP, WHOLE, now) is step
    assert accepts_acts(STEP, WHOLE, now) is (step is Phase.OPEN)


def test_a_draft_takes_nothing_and_a_closed_one_no_more():
    inside = T0 + DAY
    assert not accepts_acts(STEP, Dates(WHOLE.opens_at, WHOLE.closes_at, ConsultationStatus.DRAFT), inside)
    closed = Dates(WHOLE.opens_at, WHOLE.closes_at, ConsultationStatus.CLOSED)
    assert step_state(STEP, closed, inside) is Phase.CLOSED


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Nos trajets de tous les jours", "nos-trajets-de-tous-les-jours"),
        ("L’œuvre à Évry : 2e édition !", "l-oeuvre-a-evry-2e-edition"),
        ("🚲", "sans-titre"),
        ("mot " * 40, "-".join(["mot"] * 20)),
    ],
)
def test_a_title_becomes_an_address(title, slug):
    assert slug_of(title) == slug
    assert len(slug_of(title)) <= 80
