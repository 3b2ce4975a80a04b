"""What a pseudonym may be: the rules themselves, without a database (AT-18.2)."""

import ctypes
import ctypes.util
import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.accounts.pseudonyms import policy
from consult.errors import InvalidError
from consult.organisations.models import Organisation
from consult.organisations.policy import protected_names
from tests.conftest import missing


@pytest.mark.parametrize(
    "other",
    [
        "JEAN-PAUL",
        "jean paul",
        "Jean.Paul",
        "Jеаn Pаul",
        "JeanPauI",
        "J3an Pau1",
        "Jéan-Päul",
        "ｊｅａｎｐａｕｌ",
        "jean_paul",
    ],
)
def test_names_that_look_alike_have_one_skeleton(other):
    """AT-18.2."""
    assert policy.skeleton(other) == policy.skeleton("Jean-Paul")


@pytest.mark.parametrize(
    ("one", "other"), [("Jean", "Jeanne"), ("Citoyen 6", "Citoyen 9"), ("Зоя", "Зоe"), ("北京", "東京")]
)
def test_names_that_differ_keep_apart(one, other):
    assert policy.skeleton(one) != policy.skeleton(other)


@pytest.mark.parametrize(
    "name",
    [
        "Ministère de l’Écologie", "MINISTERE", "M1n1stère", "Мinistère", "Préfet du 13", "Préfecture", "gouvernement",
        "Gouv.fr", "La DITP", "modérateur_2", "Modération", "Équipe", "État", "Admin", "Sénateur", "Agence des trajets",
        "agence-des-trajets 2", "m i n i s t è r e",
    ],
)  # fmt: skip
def test_nobody_passes_for_an_official_service(name):
    """AT-18.2."""
    with pytest.raises(InvalidError, match="officiel"):
        policy.clean(name, reserved=("Agence des trajets",))


@pytest.mark.parametrize(
    "name", ["Zoé", "Arsenal", "Мария", "李雷", "O’Connor", "x", "Marie-Ève 75", "Stade de Reims", "المواطن", "Statue"]
)
def test_ordinary_names_of_any_alphabet_are_accepted(name):
    assert policy.clean(f"  {name} ") == name


@pytest.mark.parametrize(
    "name",
    ["", "   ", "...", "x" * 41, "a\u202eb", "a\u200bb", "moi@exemple.fr", "<b>gras</b>", "<script>alert(1)</script>",
     '" onmouseover=alert(1) x="', "javascript:alert(1)", "{{7*7}}", "a\x00b", "🙂"],
)  # fmt: skip
def test_names_that_could_harm_or_cannot_be_read_are_refused(name):
    """AT-19.7."""
    with pytest.raises(InvalidError) as refusal:
        policy.clean(name)
    assert set(refusal.value.fields) == {"pseudonym"}


@given(st.text(max_size=60))
def test_whatever_is_typed_is_refused_or_fits_the_columns(typed):
    try:
        name = policy.clean(typed)
    except InvalidError:
        return
    assert 1 <= len(name) <= 40
    assert 1 <= len(policy.skeleton(name)) <= 160
    assert name.isprintable()


class Icu:
    """The skeleton of TR39 as ICU computes it."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("icui18n")
        if name is None:
            missing("no ICU library: install libicu")
        library, version = ctypes.CDLL(name), name.rpartition(".")[2]
        opened = getattr(library, f"uspoof_open_{version}")
        opened.restype = ctypes.c_void_p
        self._skeleton = getattr(library, f"uspoof_getSkeletonUTF8_{version}")
        integers = (ctypes.c_uint32, ctypes.c_char_p, ctypes.c_int32, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p)
        self._skeleton.argtypes = [ctypes.c_void_p, *integers]
        self._checker = opened(ctypes.byref(ctypes.c_int(0)))

    def skeleton(self, text: str) -> str:
        given, buffer, error = text.encode(), ctypes.create_string_buffer(4000), ctypes.c_int(0)
        length = self._skeleton(self._checker, 0, given, len(given), buffer, 4000, ctypes.byref(error))
        assert error.value <= 0
        return buffer.raw[:length].decode()


def test_the_table_of_look_alikes_is_that_of_unicode():
    """Every sign that a pseudonym may hold, against another implementation, whatever its version of Unicode."""
    icu, differing, compared = Icu(), [], 0
    for sign in map(chr, [*range(0xD800), *range(0xE000, 0x20000)]):
        if unicodedata.category(sign)[0] not in "LMN" or unicodedata.normalize("NFKD", sign) != sign:
            continue
        compared += 1
        mine = unicodedata.normalize("NFD", policy._CONFUSABLES.get(ord(sign), sign))
        if mine != icu.skeleton(sign):
            differing.append(sign)
    assert compared > 50_000
    assert len(differing) < 100, "a few signs change place from a version to the next"


def test_names_that_unicode_confuses_have_one_skeleton():
    icu, rng, by_look = Icu(), random.Random(39), {}
    for sign, look in policy._CONFUSABLES.items():
        if len(look) == 1 and unicodedata.category(look)[0] == "L":
            by_look.setdefault(look, []).append(chr(sign))
    for _ in range(500):
        name = "".join(rng.choice("abcdeghijlopqrsuvxyz") for _ in range(8))
        other = "".join(rng.choice([letter, *by_look.get(letter, ())]) for letter in name)
        assert icu.skeleton(other) == icu.skeleton(name)
        assert policy.looks(other) & policy.looks(name), (name, other)


@pytest.mark.parametrize(("other", "name"), [("ΗΑΝΝΑ", "Hanna"), ("ВЕРА", "Bepa"), ("ΜΙΝΙSΤΕRΕ", "ministere")])
def test_capitals_of_another_alphabet_pass_for_ours(other, name):
    assert policy.skeleton(name) in policy.looks(other)


@pytest.mark.parametrize(
    "name",
    ["Le CESE", "C.N.I.L", "INSEE", "France  Travail", "Conseil d'Etat", "c0ur des c0mptes", "Service-Public", "D1TP",
     "Ρréfet", "ꓟinistre", "ＭＩＮＩＳＴＲＥ", "FranceConnect", "Région Bout-du-Monde", "regi0n bout du m0nde"],
)  # fmt: skip
def test_names_of_institutions_are_refused_with_the_name_and_the_remedy(name):
    with pytest.raises(InvalidError, match=r"il rappelle «\u00a0.+\u00a0»\. Choisissez-en un qui n’en contienne pas"):
        policy.clean(name, reserved=("Région Bout-du-Monde",))


@pytest.mark.parametrize(
    "name",
    [
        "Statue",
        "Chanceuse",
        "Marseille",
        "Carsten",
        "Linseed",
        "Cesenatico",
        "Policier",
        "Étatsunien",
        "Tar 3",
    ],
)
def test_words_that_hold_an_acronym_are_ordinary(name):
    assert policy.clean(name, reserved=("ARS", "TA")) == name


def test_the_names_of_an_organisation_are_its_own_and_those_it_lists():
    listed = " Jeanne Dupré\r\n\nANE "
    organisation = Organisation(name="Agence", legal_name="Agence des essais", protected_names=listed)
    assert protected_names(organisation) == ("Agence", "Agence des essais", "Jeanne Dupré", "ANE")
    for name in ("jeanne.dupre 75", "L’ANE", "agence 2"):
        with pytest.raises(InvalidError, match="il rappelle"):
            policy.clean(name, reserved=protected_names(organisation))
    assert policy.clean("Planeur", reserved=protected_names(organisation)) == "Planeur"
