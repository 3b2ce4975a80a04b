"""Spellings of one mailbox are one; two people's are two."""

import datetime as dt

import pytest

from consult.accounts.policy import mailbox
from consult.settings import Settings

SETTINGS = Settings(email_tags=True)
NOW = dt.datetime(2026, 3, 2, 9, 41, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("zoe@exemple.fr", "ZOE+mot@Exemple.fr", True),
        ("zoe.durand@gmail.com", "z.o.edurand+x@googlemail.com", True),
        ("zoe.durand@exemple.fr", "zoedurand@exemple.fr", False),
        ("zoe@exemple.fr", "zoe@exemple.com", False),
    ],
)
def test_spellings_of_a_mailbox(one, other, same):
    assert (mailbox(one, SETTINGS).key == mailbox(other, SETTINGS).key) is same


def test_the_key_tells_nothing_of_the_address():
    assert "zoe" not in mailbox("zoe@exemple.fr", SETTINGS).key
    assert mailbox("zoe@exemple.fr", SETTINGS).key != mailbox("zoe@exemple.fr", Settings(secret_key="k" * 40)).key


@pytest.mark.parametrize(
    ("minutes", "kept", "full"),
    [
        ([], 0, False),
        ([10, 20], 2, False),
        ([10, 20, 30], 3, True),
        ([10, 20, 60], 3, False),
        (range(90, 90 + 9 * 60, 60), 9, False),
        (range(90, 90 + 10 * 60, 60), 10, True),
        ([1440, 1500], 0, False),
    ],
)
def test_three_an_hour_and_ten_a_day(minutes, kept, full):
    sent = [(NOW - dt.timedelta(minutes=past)).isoformat() for past in minutes]
    day, refused = mailbox("zoe@exemple.fr", SETTINGS).spared(sent, NOW)
    assert (len(day), refused) == (kept, full)
