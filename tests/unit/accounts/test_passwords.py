"""Passwords: the rule table, the strength it guarantees, and how they are kept."""

import math
import threading
import time

import argon2
import pytest
from argon2.low_level import Type
from hypothesis import given
from hypothesis import strategies as st

from consult.accounts.passwords import policy, service
from consult.errors import InvalidError, UnavailableError

CONTEXT = ("Marie Curie", "marie.dupont@exemple.fr", "Agence des mobilités")


@pytest.mark.parametrize(
    ("password", "accepted"),
    [
        ("kdjwhgqpzmx", False),  # 11
        ("kdjwhgqpzmxn", True),  # 12, one class: no composition rule
        ("correct cheval agrafe pile", True),
        ("J’aime les trains de nuit", True),
        ("密码很长但是没有人会猜到它吧", True),
        ("x" * 129, False),
        ("kdjwhgqpzmxn" * 10 + "abcdefgh", True),  # 128
        ("motdepasse2024!", False),
        ("M0tD3P@sse2024!", False),
        ("azertyuiopqsdfg", False),
        ("123456789012345", False),
        ("aaaaaaaaaaaaaaaa", False),
        ("Toto1234Toto1234", False),
        ("abcdefghijklmnop", False),
        ("839105726481", False),  # 12 digits: 40 bits
        ("8391057264817305", True),  # 16 digits: 53 bits
        ("bonjoursoleilchocolat", False),
        ("marie.dupont1984", False),  # the address
        ("AgenceMobilites75", False),  # the organisation
        ("MarieCurieCurie!", False),  # the pseudonym
    ],
)
def test_rule_table_of_participants(password, accepted):
    """AT-D.1, AT-18.7."""
    assert (policy.refusal(password, context=CONTEXT) == "") is accepted


@pytest.mark.parametrize(("password", "accepted"), [("kdjwhgqpzmxnrt", False), ("kdjwhgqpzmxnrtv", True)])
def test_staff_need_fifteen_characters(password, accepted):
    """AT-D.1, AT-18.7."""
    assert (policy.refusal(password, staff=True) == "") is accepted


@pytest.mark.parametrize("size", [10, 26, 36, 52, 62, 95])
def test_what_is_accepted_is_worth_fifty_bits_even_drawn_from_few_signs(size):
    """AT-D.2: attempts are slowed, so the case of 80 bits (password alone, unrestricted) does not arise."""
    shortest = max(policy.MIN_LENGTH, math.ceil(policy.MIN_BITS / math.log2(size)))
    assert shortest * math.log2(size) >= 50
    if size == 10:
        digits = "8391057264817305"
        assert policy.refusal(digits[: shortest - 1]) != ""
        assert policy.refusal(digits[:shortest]) == ""


@given(st.text(max_size=140))
def test_any_text_is_judged_quickly_and_without_error(password):
    assert isinstance(policy.refusal(password, context=CONTEXT), str)


def test_a_megabyte_is_refused_before_it_is_hashed(monkeypatch):
    monkeypatch.setattr(service.HASHER.__class__, "hash", lambda *_: pytest.fail("hashed"))
    monkeypatch.setattr(service.HASHER.__class__, "verify", lambda *_: pytest.fail("hashed"))
    with pytest.raises(InvalidError, match="128"):
        service.keep("x" * 1_000_000)
    assert not service.matches("whatever", "x" * 1_000_000)


def test_hashes_are_argon2id_above_the_floor(true_hashes):
    """AT-D.3: at least 19 MiB and two passes (OWASP), RFC 9106's second choice in fact."""
    kept = service.keep("crayon-wagon-brume-ocre")
    parameters = argon2.extract_parameters(kept.hash)
    assert parameters.type is Type.ID
    assert parameters.memory_cost >= 19 * 1024
    assert parameters.time_cost >= 2
    assert parameters.salt_len >= 16
    assert service.matches(kept.hash, "crayon-wagon-brume-ocre")
    assert not service.matches(kept.hash, "crayon-wagon-brume-ocrf")
    assert service.renewed(kept.hash, "crayon-wagon-brume-ocre") is None


def test_a_weaker_hash_is_renewed():
    """AT-D.3."""
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("crayon-wagon-brume-ocre")
    renewed = service.renewed(weak, "crayon-wagon-brume-ocre")
    assert renewed is not None
    assert argon2.extract_parameters(renewed).memory_cost == service.HASHER.memory_cost


def test_every_keyboard_makes_the_same_password():
    kept = service.keep("été à la plage, côté dune")
    assert service.matches(kept.hash, "e\u0301te\u0301 a\u0300 la plage, co\u0302te\u0301 dune")


@pytest.mark.parametrize("hashed", [None, "", "pas un hash", "$argon2id$v=19$m=1,t=1,p=1$$"])
def test_what_is_no_hash_matches_nothing(hashed):
    assert not service.matches(hashed, "crayon-wagon-brume-ocre")


def test_hashes_run_a_few_at_a_time_and_the_queue_is_bounded(monkeypatch):
    slots = threading.BoundedSemaphore(1)
    monkeypatch.setattr(service, "_slots", slots)
    monkeypatch.setattr(service, "_QUEUE_SECONDS", 0.05)
    with slots:
        start = time.monotonic()
        with pytest.raises(UnavailableError):
            service.matches(None, "crayon-wagon-brume-ocre")
    assert time.monotonic() - start < 5
    assert not service.matches(None, "crayon-wagon-brume-ocre"), "the slot is free again"
