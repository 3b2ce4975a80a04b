"""The contract's clocks at the boundary second, on the nights when clocks change, and on odd days."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import AnalysisError
from analysis.service_levels import (
    ACCESSIBILITY,
    ALERTS,
    CONTRACT,
    DELAYS,
    PARIS,
    Milestone,
    Sample,
    Severity,
    availability,
    clocks,
    deadlines,
    month,
    penalty,
)

SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)
# The table of the CCTP, in minutes, written a second time.
TABLE = {
    "blocking": (15, 240, 480, 1_440, 2_880),
    "major": (30, 480, 720, 2_160, 4_320),
    "minor": (240, 7_200, 14_400, 28_800, 43_200),
}
MOMENTS = {
    "one minute to midnight": dt.datetime(2026, 5, 12, 23, 59, tzinfo=PARIS),
    "a Saturday": dt.datetime(2026, 5, 16, 10, 0, tzinfo=PARIS),
    "New Year": dt.datetime(2026, 1, 1, 0, 0, tzinfo=PARIS),
    "the night that loses an hour": dt.datetime(2026, 3, 29, 1, 30, tzinfo=PARIS),
    "the night that gains an hour": dt.datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=PARIS),
    "the same half past two, again": dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=PARIS),
    "the eve of 29 February": dt.datetime(2028, 2, 28, 12, 0, tzinfo=PARIS),
}


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("moment", MOMENTS)
def test_at_a_1_the_fifteen_deadlines_are_exact(moment, severity):
    t0 = MOMENTS[moment]
    found = deadlines(t0, DELAYS[severity])
    elapsed = [(instant - t0.astimezone(dt.UTC)) / MINUTE for instant in found.values()]
    assert elapsed == list(TABLE[severity])


@pytest.mark.parametrize(
    ("t0", "severity", "milestone", "shown"),
    [
        # 24 hours after 1:30 on the night when 2:00 becomes 3:00, clocks in Paris show 2:30 the day after.
        ("the night that loses an hour", "blocking", "resolved", "2026-03-30 02:30"),
        ("the night that gains an hour", "blocking", "resolved", "2026-10-26 01:30"),
        ("the same half past two, again", "blocking", "acknowledged", "2026-10-25 02:45"),
        ("the eve of 29 February", "blocking", "resolved", "2028-02-29 12:00"),
        ("the eve of 29 February", "minor", "diagnosed", "2028-03-04 12:00"),
        ("New Year", "minor", "caught_up", "2026-01-31 00:00"),
    ],
)
def test_a_day_is_24_hours_whatever_clocks_show(t0, severity, milestone, shown):
    found = deadlines(MOMENTS[t0], DELAYS[Severity(severity)])[Milestone(milestone)]
    assert f"{found.astimezone(PARIS):%Y-%m-%d %H:%M}" == shown


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("milestone", CONTRACT)
def test_at_a_2_the_deadline_itself_is_kept_and_one_second_later_is_not(severity, milestone):
    t0 = MOMENTS["a Saturday"]
    end = deadlines(t0, DELAYS[severity])[milestone]
    rank = CONTRACT.index(milestone)
    for now, late in ((end, dt.timedelta(0)), (end + SECOND, SECOND)):
        reached = clocks(t0, DELAYS[severity], {milestone: now}, now=now + dt.timedelta(days=90))[rank]
        waiting = clocks(t0, DELAYS[severity], {}, now=now)[rank]
        assert (reached.late, reached.breached) == (waiting.late, waiting.breached) == (late, late > dt.timedelta(0))
        assert (reached.reached, waiting.reached) == (now.astimezone(dt.UTC), None)


def test_what_nobody_did_becomes_late_by_the_clock_alone():
    t0 = MOMENTS["New Year"]
    found = clocks(t0, DELAYS[Severity.BLOCKING], {}, now=t0 + dt.timedelta(hours=5))
    assert [clock.breached for clock in found] == [True, True, False, False, False]
    assert found[0].late == dt.timedelta(hours=4, minutes=45)


def test_a_milestone_stands_for_those_before_it():
    t0 = MOMENTS["a Saturday"]
    done = t0 + dt.timedelta(hours=3)
    found = clocks(t0, DELAYS[Severity.BLOCKING], {Milestone.RESOLVED: done}, now=t0 + dt.timedelta(days=30))
    assert [clock.reached is not None for clock in found] == [True, True, True, True, False]
    assert [clock.breached for clock in found] == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("minutes", "alert"), [(0, 0), (7, 0), (7.5, 50), (11.9, 50), (12, 80), (15, 80), (15 + 1 / 60, 100), (999, 100)]
)
def test_at_a_4_alerts_come_at_half_four_fifths_and_over(minutes, alert):
    t0 = MOMENTS["a Saturday"]
    found = clocks(t0, DELAYS[Severity.BLOCKING], {}, now=t0 + minutes * MINUTE)
    assert found[0].alert == alert


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("milestone", CONTRACT)
def test_every_delay_is_kept_at_its_second_and_broken_at_the_next_one_on_every_odd_night(moment, severity, milestone):
    """AT-A.1, AT-A.2: 7 moments × 3 severities × 5 delays, judged by what a clock that never changes would show."""
    t0, rank = MOMENTS[moment], CONTRACT.index(milestone)
    end = t0.astimezone(dt.UTC) + TABLE[severity][rank] * MINUTE
    states = [
        clocks(t0, DELAYS[severity], {}, now=(end + seconds * SECOND).astimezone(PARIS))[rank] for seconds in (-1, 0, 1)
    ]
    assert [(each.breached, each.alert) for each in states] == [(False, 80), (False, 80), (True, 100)]
    assert {each.deadline for each in states} == {end}


@pytest.mark.parametrize("moment", MOMENTS)
def test_at_2_6_a_request_about_accessibility_is_owed_an_answer_in_seven_days(moment):
    t0 = MOMENTS[moment]
    end = t0.astimezone(dt.UTC) + dt.timedelta(hours=168)
    found = [clocks(t0, ACCESSIBILITY, {}, now=end + late * SECOND)[0] for late in (0, 1)]
    assert [(each.milestone, each.deadline, each.breached) for each in found] == [
        (Milestone.ANSWERED, end, False),
        (Milestone.ANSWERED, end, True),
    ]


@settings(max_examples=200)
@given(
    st.integers(0, 4 * 365 * 24 * 60).map(lambda minutes: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + minutes * MINUTE),
    st.sampled_from(Severity),
    st.sets(st.sampled_from(CONTRACT)),
    st.integers(0, 60 * 24 * 40),
)
def test_a_change_of_severity_only_moves_deadlines_from_the_same_t0(t0, severity, given_milestones, minutes):
    now = t0 + minutes * MINUTE
    reached = dict.fromkeys(given_milestones, now)
    for other in Severity:
        found = clocks(t0, DELAYS[other], reached, now=now)
        assert [clock.deadline - t0 for clock in found] == list(DELAYS[other].values())
        assert all(clock.alert in {0, *ALERTS} for clock in found)
        assert all(clock.breached == (now > clock.deadline) for clock in found)
        assert all((clock.alert == ALERTS[-1]) == clock.breached for clock in found)
    assert severity in DELAYS


@pytest.mark.parametrize("hours", [-1, 25])
def test_a_milestone_before_its_report_or_to_come_is_refused(hours):
    t0 = MOMENTS["a Saturday"]
    with pytest.raises(AnalysisError, match="ne précède pas son signalement"):
        clocks(
            t0, DELAYS[Severity.MAJOR], {Milestone.DIAGNOSED: t0 + hours * 60 * MINUTE}, now=t0 + dt.timedelta(days=1)
        )


def test_a_time_without_its_zone_is_refused():
    with pytest.raises(AnalysisError, match="sans fuseau"):
        deadlines(MOMENTS["a Saturday"].replace(tzinfo=None), DELAYS[Severity.MAJOR])


# Availability --------------------------------------------------------------------------------------------------------

START, END = month(2026, 6)


def probed(start=START, end=END, *, down=(), silent=()):
    """A sample a minute; `down` and `silent` are pairs of minutes from the start, the second excluded."""
    minutes = int((end - start) / MINUTE)
    for minute in range(minutes):
        if not any(a <= minute < b for a, b in silent):
            yield Sample(start + minute * MINUTE, up=not any(a <= minute < b for a, b in down))


def measured(**told):
    return availability(probed(**told), START, END, every=MINUTE)


@pytest.mark.parametrize(
    ("year", "number", "hours"), [(2026, 6, 720), (2026, 3, 743), (2026, 10, 745), (2028, 2, 696), (2026, 12, 744)]
)
def test_a_month_lasts_what_clocks_in_paris_make_it_last(year, number, hours):
    start, end = month(year, number)
    assert (end - start) / dt.timedelta(hours=1) == hours


def test_at_14_1_a_month_seen_up_is_wholly_available():
    found = measured()
    assert (found.percentage, found.outages, found.breached) == (100.0, (), False)
    assert found.allowed == found.left == dt.timedelta(minutes=43, seconds=12)


def test_outages_are_told_by_their_start_and_end_and_added_up():
    found = measured(down=((100, 110), (110, 115), (2_000, 2_001)))
    assert [(each.start, each.length) for each in found.outages] == [
        (START + 100 * MINUTE, 15 * MINUTE),
        (START + 2_000 * MINUTE, MINUTE),
    ]
    assert found.down == 16 * MINUTE
    assert found.left == dt.timedelta(minutes=27, seconds=12)


@pytest.mark.parametrize(
    ("silent", "down"),
    [((500, 501), 0), ((500, 560), 59), ((0, 30), 30), ((43_170, 43_200), 29), ((0, 43_200), 43_200)],
)
def test_when_nobody_looked_it_counts_as_down(silent, down):
    """One missed sample is not an absence; beyond, the last one holds no longer than a second interval."""
    found = measured(silent=(silent,))
    assert found.down == down * MINUTE
    assert all(not each.seen for each in found.outages)


def test_one_probe_of_several_that_saw_it_down_prevails():
    twice = [*probed(), *(Sample(START + minute * MINUTE, up=False) for minute in (5, 6))]
    assert availability(twice, START, END, every=MINUTE).down == 2 * MINUTE
    assert availability(twice[::-1], START, END, every=MINUTE).down == 2 * MINUTE


@pytest.mark.parametrize(
    ("seconds", "percentage", "breached"),
    [(2_592, 99.9, False), (2_593, 99.899961, True), (2_591, 99.900038, False)],
)
def test_at_14_3_the_promise_is_broken_by_one_second_too_many(seconds, percentage, breached):
    second = dt.timedelta(seconds=1)
    total = int((END - START) / second)
    samples = [Sample(START, up=False), Sample(START + seconds * second, up=True)]
    found = availability(samples, START, END, every=total * second)
    assert (found.percentage, found.breached) == (percentage, breached)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(-3, 200), st.booleans()), max_size=60))
def test_time_up_and_down_make_the_period_whatever_is_sampled(told):
    start = START
    end = start + 180 * MINUTE
    found = availability([Sample(start + at * MINUTE, up=up) for at, up in told], start, end, every=MINUTE)
    assert dt.timedelta(0) <= found.down <= end - start
    assert sum((each.length for each in found.outages), dt.timedelta(0)) == found.down
    assert all(a.end <= b.start for a, b in zip(found.outages, found.outages[1:], strict=False))
    # Minute by minute, as somebody would count it on a calendar.
    seen = {}
    for at, up in told:
        seen[at] = seen.get(at, True) and up
    up_minutes = 0
    for minute in range(180):
        last = max((at for at in seen if at <= minute), default=None)
        up_minutes += last is not None and minute - last < 2 and seen[last]
    assert found.down == (180 - up_minutes) * MINUTE


@pytest.mark.parametrize("end", [START, START - MINUTE])
def test_a_period_that_does_not_last_is_refused(end):
    with pytest.raises(AnalysisError, match="doivent durer"):
        availability([], START, end, every=MINUTE)


def test_a_penalty_is_worked_out_only_where_a_rate_is_given():
    assert penalty(10_000, 3, 1_000) == 30.0
    assert penalty(10_000, 3, 0) == 0.0
