"""Order, opaque identifiers and limits."""

import hashlib
import hmac
import uuid

import pytest

from consult.contributions import policy
from consult.errors import InvalidError

ITEM = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


def test_the_random_order_can_be_replayed_by_anyone_from_the_published_seed():
    digest = hashlib.sha256(b"00ff" + ITEM.bytes).hexdigest()
    assert policy.random_rank("00ff", ITEM) == int(f"{int(digest, 16):0256b}"[:63], 2)
    assert policy.random_rank("00fe", ITEM) != policy.random_rank("00ff", ITEM)


def test_authors_and_voters_are_stable_in_a_step_and_cannot_be_linked():
    secret, other = b"s" * 32, b"t" * 32
    author, voter = policy.author_of(secret, ITEM), policy.voter_of(secret, ITEM)
    assert author == policy.author_of(secret, ITEM)
    assert len({author, voter, policy.author_of(other, ITEM), policy.voter_of(other, ITEM), ITEM.hex}) == 5
    key = hmac.new(secret, b"consult/v1/voter\x01", "sha256").digest()
    assert voter == hmac.new(key, ITEM.bytes, "sha256").hexdigest()[:32]


def test_a_submission_key_is_its_senders_own():
    assert policy.submission_digest(ITEM, "k") != policy.submission_digest(uuid.uuid4(), "k")


@pytest.mark.parametrize(("typed", "kept"), [("  Un\r\n titre\x00\t ", "Un titre"), ("\u00a0Ça  va", "Ça va")])
def test_a_title_is_one_clean_line(typed, kept):
    assert policy.one_line(typed) == kept


def test_a_text_keeps_its_lines_without_control_characters():
    assert policy.many_lines("\x00Un\r\ndeux\rtrois\n\n\tquatre \x1b[0m\n") == "Un\ndeux\ntrois\n\n\tquatre [0m"


def test_limits_come_from_the_step_and_each_wrong_field_is_named():
    accepted = policy.limits({"title_max": 10, "unknown": 3})
    assert accepted.title_max == 10
    assert accepted.body_max == policy.Limits().body_max
    with pytest.raises(InvalidError) as refused:
        policy.check_proposal("x" * 11, "", accepted)
    assert set(refused.value.fields) == {"title", "body"}
