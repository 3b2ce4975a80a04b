"""A sealed secret opens with the keys of the settings, for its own row, and with nothing else."""

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consult.errors import UnavailableError
from consult.sealing import Keyring, phrases, second_factors

OLD, NEW = "o" * 32, "n" * 32
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_a_secret_is_sealed_with_the_first_key_and_opened_with_any():
    kept = second_factors(OLD).seal(SECRET, "row")
    assert SECRET not in kept
    assert len(kept) <= 200, "the width of the column"
    both = second_factors(f"{NEW}, {OLD}")
    assert both.unseal(kept, "row") == SECRET
    assert not both.is_current(kept)
    renewed = both.seal(SECRET, "row")
    assert both.is_current(renewed)
    assert second_factors(NEW).unseal(renewed, "row") == SECRET
    with pytest.raises(UnavailableError):
        second_factors(NEW).unseal(kept, "row")


def test_the_same_secret_is_never_sealed_twice_alike():
    ring = second_factors(OLD)
    assert ring.seal(SECRET, "row") != ring.seal(SECRET, "row")


def test_a_sealed_secret_moved_altered_or_cut_does_not_open():
    ring = second_factors(OLD)
    mark, name, body = ring.seal(SECRET, "row").split(":")
    raw = bytearray(base64.b64decode(body))
    raw[20] ^= 1
    altered = base64.b64encode(bytes(raw)).decode()
    for kept, row in [
        (f"{mark}:{name}:{body}", "other row"),
        (f"{mark}:{name}:{altered}", "row"),
        (f"{mark}:{name}:{body[:8]}", "row"),
        (f"{mark}:{name}:", "row"),
        (f"{mark}:00000000:{body}", "row"),
        (mark + ":", "row"),
    ]:
        with pytest.raises(UnavailableError, match="Prévenez l’exploitant"):
            ring.unseal(kept, row)


def test_without_a_key_a_secret_stays_in_clear_and_is_sealed_once_there_is_one():
    none = second_factors("")
    assert none.seal(SECRET, "row") == SECRET
    assert none.unseal(SECRET, "row") == SECRET
    assert none.is_current(SECRET)
    assert not second_factors(OLD).is_current(SECRET)
    assert second_factors(OLD).unseal(SECRET, "row") == SECRET


def test_keys_of_two_purposes_are_not_the_same():
    kept = Keyring([OLD], "one").seal(SECRET, "row")
    with pytest.raises(UnavailableError):
        Keyring([OLD], "two").unseal(kept, "row")


def test_the_format_is_for_good():
    """Opened here without our code: a migration and a backup of years ago rely on it."""
    derived = HKDF(SHA256(), 36, salt=None, info=b"consult second factor").derive(OLD.encode())
    mark, name, body = second_factors(OLD).seal(SECRET, "row").split(":")
    sealed = base64.b64decode(body)
    assert (mark, name) == ("sealed", derived[32:].hex())
    assert AESGCM(derived[:32]).decrypt(sealed[:12], sealed[12:], b"row").decode() == SECRET


def test_the_setting_lists_keys():
    assert phrases(f" {NEW} ,{OLD},") == [NEW, OLD]
