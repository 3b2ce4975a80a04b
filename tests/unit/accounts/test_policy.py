"""Addresses, waits, cookies: the rules themselves, without a database."""

import datetime as dt
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.accounts import policy
from consult.actor import Role
from consult.errors import InvalidError
from consult.settings import Settings


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jean.Dupont@Exemple.fr", "jean.dupont@EXEMPLE.FR", True),
        ("jean+vote@exemple.fr", "jean@exemple.fr", True),
        ("a@bücher.example", "a@xn--bcher-kva.example", True),
        ("jean@exemple.fr", "jeanne@exemple.fr", False),
        ("jean.dupont@exemple.fr", "jeandupont@exemple.fr", False),
    ],
)
def test_an_address_is_told_from_another_by_its_canonical_form(one, other, same):
    keys = {policy.email_key(address, tags_differ=False) for address in (one, other)}
    assert (len(keys) == 1) is same


def test_tags_make_two_people_when_the_setting_says_so():
    keys = {policy.email_key(address, tags_differ=True) for address in ("jean+a@exemple.fr", "jean@exemple.fr")}
    assert len(keys) == 2


@pytest.mark.parametrize(
    "typed",
    ["", "sans-arobase", "a@b", "a@exemple.fr\r\nBcc: b@exemple.fr", "a b@exemple.fr", "a@exemple.fr, b@exemple.fr",
     "a" * 300 + "@exemple.fr", "a@exemple.fr\x00", "<a@exemple.fr>"],
)  # fmt: skip
def test_addresses_that_no_mail_should_reach_are_refused(typed):
    with pytest.raises(InvalidError):
        policy.clean_email(typed)
    assert isinstance(policy.typed_email_key(typed, tags_differ=False), str), "only a wrong one, to sign in"


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ("/consultations/a?page=2", "/consultations/a?page=2"),
        ("//ailleurs.example", "/"),
        ("/\\ailleurs.example", "/"),
        ("https://ailleurs.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("\t//ailleurs.example", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_the_way_back_never_leaves_the_site(wanted, kept):
    assert policy.local_path(wanted, "/") == kept


@pytest.mark.parametrize("throttle", [policy.LOGIN_FROM_ADDRESS, policy.LOGIN_OF_ACCOUNT, policy.SECOND_FACTOR])
def test_waits_double_then_stay_bounded(throttle):
    """AT-19.6: never a permanent lock."""
    waits = [throttle.wait(failures) for failures in range(1, 200)]
    assert all(wait == dt.timedelta(0) for wait in waits[: throttle.free - 1])
    assert waits[throttle.free - 1] > dt.timedelta(0)
    assert waits == sorted(waits)
    assert waits[-1] == throttle.longest <= dt.timedelta(hours=1)
    assert waits[throttle.free] == 2 * waits[throttle.free - 1]


def test_the_cookie_takes_the_host_prefix_with_https():
    """AT-19.2."""
    safe = policy.session_cookie(Settings(public_url="https://consultation.example"))
    assert safe.holding("t", days=1) == {
        "key": "__Host-consult", "value": "t", "max_age": 86_400, "path": "/", "secure": True, "httponly": True,
        "samesite": "Lax",
    }  # fmt: skip
    assert policy.session_cookie(Settings()).name == "consult_session"


def test_staff_sessions_are_shorter():
    settings = Settings()
    idle, whole = policy.session_life((Role.PARTICIPANT,), settings)
    staff_idle, staff_whole = policy.session_life((Role.PARTICIPANT, Role.READER), settings)
    assert staff_idle < idle
    assert staff_whole < whole


@given(st.text(alphabet=string.printable, max_size=50))
def test_signed_values_come_back_unless_touched(value):
    signed = policy.sign("secret", "kind", value)
    assert policy.unsign("secret", "kind", signed) == value
    assert policy.unsign("secret", "other", signed) is None
    assert policy.unsign("autre", "kind", signed) is None
    assert policy.unsign("secret", "kind", signed + "0") is None


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox sous Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Safari/604", "Safari sous iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140 Safari/537 Edg/140", "Edge sous Windows"),
        ("<script>alert(1)</script>", "Navigateur"),
        ("", "Navigateur"),
    ],
)  # fmt: skip
def test_a_browser_is_named_without_being_fingerprinted(agent, name):
    assert policy.browser_name(agent) == name
