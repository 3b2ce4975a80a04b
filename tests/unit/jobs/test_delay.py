"""The wait between two attempts doubles, is capped, and is drawn by lot in its second half."""

import datetime as dt

import pytest

from consult.jobs.service import LONGEST_DELAY, delay


@pytest.mark.parametrize(
    ("attempts", "lot", "seconds"),
    [(1, 0.0, 5), (1, 1.0, 10), (2, 0.0, 10), (2, 0.5, 15), (3, 1.0, 40), (8, 1.0, 1280), (10, 1.0, 3600)],
)
def test_delays(attempts, lot, seconds):
    assert delay(attempts, lambda: lot) == dt.timedelta(seconds=seconds)


def test_a_great_number_of_attempts_stays_at_the_cap():
    assert delay(10_000, lambda: 1.0) == LONGEST_DELAY
