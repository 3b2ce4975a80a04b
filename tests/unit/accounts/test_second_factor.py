"""One-time codes against the RFC's own table; recovery codes; the QR code read back."""

import datetime as dt
import re

import pyotp
import pytest

from consult.accounts.second_factor import policy
from consult.qr import qr_path

# RFC 6238, appendix B, SHA-1: the last six of the eight digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_TABLE = [
    (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "code"), RFC_TABLE)
def test_codes_are_those_of_the_rfc(seconds, code):
    """AT-D.4."""
    now = dt.datetime.fromtimestamp(seconds, dt.UTC)
    step = policy.matching_step(RFC_SECRET, code, now=now, last_step=None)
    assert step == seconds // 30
    assert policy.matching_step(RFC_SECRET, code, now=now, last_step=step) is None, "a code serves once"
    assert policy.matching_step(RFC_SECRET, code, now=now + dt.timedelta(seconds=30), last_step=None) == step
    assert policy.matching_step(RFC_SECRET, code, now=now + dt.timedelta(seconds=90), last_step=None) is None


def test_an_older_code_cannot_follow_a_newer_one():
    now = dt.datetime.fromtimestamp(1111111109, dt.UTC)
    later = pyotp.TOTP(RFC_SECRET).generate_otp(1111111109 // 30 + 1)
    step = policy.matching_step(RFC_SECRET, later, now=now, last_step=None)
    assert policy.matching_step(RFC_SECRET, "081804", now=now, last_step=step) is None


@pytest.mark.parametrize("code", ["", "28708", "2870820", "٢٨٧٠٨٢", "abcdef", "é" * 6])
def test_what_is_no_code_matches_nothing(code):
    now = dt.datetime.fromtimestamp(59, dt.UTC)
    assert policy.matching_step(RFC_SECRET, code, now=now, last_step=None) is None


def test_recovery_codes_are_long_different_and_forgiving_to_type():
    codes = policy.new_recovery_codes(_bytes())
    assert len(set(codes)) == policy.RECOVERY_CODES
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code) for code in codes)
    spelt = codes[0].upper().replace("-", " ")
    assert policy.recovery_digest(spelt) == policy.recovery_digest(codes[0])


def _bytes():
    numbers = iter(range(256))
    return lambda size: bytes([next(numbers)]) * size


def test_the_qr_code_draws_the_finder_patterns():
    uri = policy.provisioning_uri(RFC_SECRET, account="a@exemple.fr", issuer="Agence « essai »")
    assert uri.startswith("otpauth://totp/")
    side, path = qr_path(uri)
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path)}
    assert (side - 17 - 8) % 4 == 0, "a QR code's side, with its quiet zone of four modules"
    for corner in ((4, 4), (side - 11, 4), (4, side - 11)):
        assert all((corner[0] + n, corner[1]) in dark for n in range(7))
    assert not any(x < 4 or y < 4 for x, y in dark)
