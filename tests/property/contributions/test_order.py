"""The balance of a list of arguments, whatever their number, the seed and the hour."""

import datetime as dt
import hashlib
import re
import uuid
from collections import Counter
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import consult
from consult.clock import hour_number
from consult.contributions import order
from consult.contributions.models import Side

SEEDS = st.text("0123456789abcdef", min_size=32, max_size=32)
HOURS = st.integers(min_value=400_000, max_value=900_000)  # from 2015 to 2072
IDS = st.lists(st.uuids(version=4), max_size=60, unique=True)


def rank(seed, item):
    """The documented rank, worked out anew: the first 63 bits of SHA-256 of the seed and the 16 bytes of the id."""
    return int(hashlib.sha256(seed.encode() + item.bytes).hexdigest()[:16], 16) // 2


def listed(seed, hour, subject, sides):
    """The whole list of that hour."""
    drawn = {side: order.shuffled(seed, hour, ids) for side, ids in sides.items()}
    return order.balanced(drawn, order.first_side(seed, subject, hour))


@given(SEEDS, HOURS, st.uuids(version=4), IDS, st.integers(min_value=0, max_value=60))
def test_sides_alternate_while_both_last_and_nobody_is_lost(seed, hour, subject, ids, split):
    sides = {Side.FOR: ids[:split], Side.AGAINST: ids[split:]}
    side_of = {each: side for side, members in sides.items() for each in members}
    found = listed(seed, hour, subject, sides)
    assert sorted(found) == sorted(ids)
    both = found[: 2 * min(len(members) for members in sides.values())]
    assert all(side_of[one] is not side_of[other] for one, other in pairwise(both))
    if both:
        assert side_of[both[0]] is order.first_side(seed, subject, hour)
    assert len({side_of[each] for each in found[len(both) :]}) <= 1


@given(SEEDS, HOURS, st.uuids(version=4), IDS, st.integers(min_value=0, max_value=60), st.integers(1, 20))
def test_pages_of_one_hour_show_each_argument_once(seed, hour, subject, ids, split, size):
    pages = []
    for start in range(0, max(1, len(ids)), size):  # each page is drawn again, from rows in any order
        rows = sorted(ids, key=lambda each: hashlib.sha256(bytes([start % 256]) + each.bytes).digest())
        sides = {
            Side.FOR: [each for each in rows if each in ids[:split]],
            Side.AGAINST: [each for each in rows if each in ids[split:]],
        }
        pages += listed(seed, hour, subject, sides)[start : start + size]
    assert Counter(pages) == Counter(ids)


@given(SEEDS, HOURS, st.uuids(version=4))
def test_each_side_begins_about_half_of_any_day(seed, hour, subject):
    begun = Counter(order.first_side(seed, subject, each) for each in range(hour, hour + 24))
    assert all(11 <= begun[side] <= 13 for side in Side)


@given(SEEDS, HOURS, st.uuids(version=4), IDS)
def test_anyone_can_work_the_order_out_again(seed, hour, subject, ids):
    assert order.shuffled(seed, hour, ids) == sorted(ids, key=lambda each: rank(f"{seed}:{hour}", each))
    drawn = rank(f"{seed}:{hour // 2 * 2}", subject) % 2
    assert order.first_side(seed, subject, hour) is (Side.AGAINST if (drawn + hour) % 2 else Side.FOR)


def test_everybody_is_first_as_often_as_another_over_a_month():
    ids = [uuid.UUID(int=number) for number in range(10)]
    firsts = Counter(order.shuffled("00ff" * 8, hour, ids)[0] for hour in range(500_000, 500_720))
    assert all(45 <= firsts[each] <= 105 for each in ids)  # 72 expected; four standard deviations


def test_neither_side_keeps_an_hour_of_the_day_for_itself():
    evenings = range(500_000, 500_000 + 24 * 60, 24)
    begun = Counter(order.first_side("00ff" * 8, uuid.UUID(int=1), hour) for hour in evenings)
    assert min(begun[side] for side in Side) >= 20


@given(st.floats(min_value=1.4e9, max_value=3e9), st.integers(-50, 50))
def test_only_the_hour_before_may_be_asked_for(seconds, shift):
    now = dt.datetime.fromtimestamp(seconds, dt.UTC)
    present = hour_number(now)
    assert dt.datetime.fromtimestamp(present * 3_600, dt.UTC) == now.replace(minute=0, second=0, microsecond=0)
    wanted = present - 1 if shift == -1 else present
    assert order.hour_asked(str(present + shift), now) == wanted
    for typed in (None, "", "0", "abc", "١٢", f" {present - 1}", str(present - 1) + "0"):
        assert order.hour_asked(typed, now) == present


def published_program():
    """The functions of the program that the guide gives to the public."""
    guide = (Path(consult.__file__).parent / "help" / "ordre.md").read_text(encoding="utf-8")
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", guide, flags=re.DOTALL)[1], names)  # our own guide
    return names


PROGRAM = published_program()


@given(SEEDS, HOURS, st.uuids(version=4), IDS, st.integers(min_value=0, max_value=60))
def test_the_program_of_the_guide_gives_the_same_lists(seed, hour, subject, ids, split):
    sides = {Side.FOR: ids[:split], Side.AGAINST: ids[split:]}
    written = ([str(each) for each in members] for members in sides.values())
    assert PROGRAM["arguments"](seed, hour, str(subject), *written) == [
        str(each) for each in listed(seed, hour, subject, sides)
    ]
    start = order.start_rank(seed, subject, hour)
    turned = sorted(ids, key=lambda each: (rank(seed, each) < start, rank(seed, each)))
    assert PROGRAM["propositions"](seed, hour, str(subject), [str(each) for each in ids]) == [
        str(each) for each in turned
    ]
