import datetime as dt
from decimal import Decimal

import pytest

from consult import labels

UTC = dt.UTC


def test_dates_are_written_as_the_french_write_them():
    assert labels.date(dt.date(2026, 11, 22)) == "22 novembre 2026"
    assert labels.date(dt.date(2026, 8, 1)) == "1er août 2026"
    assert labels.date(dt.date(2026, 1, 11)) == "11 janvier 2026"
    assert labels.date(dt.date(2026, 1, 31)) == "31 janvier 2026"


def test_instants_are_shown_in_paris_in_winter_and_in_summer():
    assert labels.moment(dt.datetime(2026, 11, 22, 13, 5, tzinfo=UTC)) == "22 novembre 2026 à 14\u00a0h\u00a005"
    assert labels.moment(dt.datetime(2026, 7, 14, 22, 30, tzinfo=UTC)) == "15 juillet 2026 à 0\u00a0h\u00a030"


def test_an_instant_falls_on_its_day_in_paris():
    assert labels.date(dt.datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == "1er janvier 2027"


@pytest.mark.parametrize("show", [labels.date, labels.moment])
def test_an_instant_without_time_zone_is_refused(show):
    with pytest.raises(ValueError, match="time zone"):
        show(dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_numbers_are_grouped_by_narrow_spaces():
    assert labels.number(1_234_567) == "1\u202f234\u202f567"
    assert labels.number(Decimal("1234.56"), 1) == "1\u202f234,6"
    assert labels.number(12.0, 2) == "12"
    assert labels.number(-3) == "\u22123"


def test_shares_are_written_as_percentages():
    assert labels.percent(0.1234) == "12,3\u202f%"
    assert labels.percent(1) == "100\u202f%"
    assert labels.percent(Decimal("0.5"), 0) == "50\u202f%"
