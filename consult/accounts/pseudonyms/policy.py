"""What a pseudonym may be: told from every other by its look, and never that of an institution (AT-18.2)."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from importlib import resources
from typing import Any, Final

import yaml

from consult.errors import InvalidError

MAX_LENGTH: Final = 40
KEY_MAX_LENGTH: Final = 160
_PUNCTUATION: Final = " .-_'’"
_SHORTEST_RESERVED: Final = 4
_FILES: Final = resources.files(__name__.rpartition(".")[0])


def _confusables() -> dict[int, str]:
    lines = (_FILES / "confusables.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if not line.startswith("#"))
    return {ord(sign): look for look, signs in pairs for sign in signs}


# What Unicode's table lacks, or sees otherwise than a hurried reader of French: lower-case letters of other alphabets,
# small capitals, digits for letters.
_TAKEN_FOR: Final = str.maketrans(
    dict(zip("кмтвнпαβεικνπτυχηζμγω", "kmtbhnabelkvntuxnzuyw", strict=True))
    | dict(zip("ᴀʙᴅᴇғɢʜᴊᴋĸʟᴍʍɴᴘʀᴛʏ", "abdefghjkklmmnprty", strict=True))
    | dict(zip("01345789", "oleastbg", strict=True))
)
_CONFUSABLES: Final = _confusables()


def skeleton(text: str) -> str:
    """What a hurried reader sees of a name, whatever its case: the key of its uniqueness.

    Without accents, spaces and punctuation, look-alike signs made one (NFKC, then the skeleton of Unicode TR39).
    """
    return _seen(unicodedata.normalize("NFKC", text).casefold())


def written_look(text: str) -> str:
    """The skeleton of a name in the case that it is written in: capitals of two alphabets may be alike where their
    small letters are not (Η is an H, η an n).
    """
    as_written = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text)).translate(_CONFUSABLES)
    return _seen(as_written.casefold())


def looks(text: str) -> set[str]:
    """Both skeletons of a name: it passes for every other that shares one of them, whoever came first."""
    return {skeleton(text), written_look(text)}


def columns(pseudonym: str) -> dict[str, str]:
    """What a row keeps of the name of its account: the name, and by what it is told from others."""
    return {
        "pseudonym": pseudonym,
        "pseudonym_key": skeleton(pseudonym),
        "pseudonym_look": written_look(pseudonym),
    }


def _seen(folded: str) -> str:
    text = folded
    for table in (_TAKEN_FOR, _CONFUSABLES, _TAKEN_FOR):
        text = unicodedata.normalize("NFD", text).translate(table).casefold()
    bare = "".join(sign for sign in unicodedata.normalize("NFD", text) if sign.isalnum())
    # Capital i and small l are one sign in most typefaces; « rn » and « vv » pass for one letter.
    return unicodedata.normalize("NFC", bare).replace("i", "l").replace("rn", "m").replace("vv", "w")[:KEY_MAX_LENGTH]


def clean(typed: str, *, reserved: Iterable[str] = ()) -> str:
    """The pseudonym as it will be shown. `reserved` adds names that nobody may wear, such as the organisation's.

    Raises InvalidError naming the field.
    """
    pseudonym = " ".join(unicodedata.normalize("NFKC", typed).split())
    reason = _refusal(pseudonym, reserved)
    if reason:
        raise InvalidError(reason, fields={"pseudonym": reason})
    return pseudonym


def _refusal(pseudonym: str, reserved: Iterable[str]) -> str:
    if not pseudonym:
        return "Choisissez un pseudonyme."
    if len(pseudonym) > MAX_LENGTH:
        return f"Le pseudonyme compte au plus {MAX_LENGTH} caractères\u00a0; raccourcissez-le."
    if not all(unicodedata.category(sign)[0] in "LMN" or sign in _PUNCTUATION for sign in pseudonym):
        return "Le pseudonyme n’accepte que lettres, chiffres, espaces, points, tirets et apostrophes."
    if not skeleton(pseudonym):
        return "Le pseudonyme doit contenir au moins une lettre ou un chiffre."
    official = _official_in(pseudonym, reserved)
    if official:
        return (
            f"Ce pseudonyme pourrait passer pour celui d’un service officiel ou d’une institution\u00a0: il rappelle "
            f"«\u00a0{official}\u00a0». Choisissez-en un qui n’en contienne pas le nom."
        )
    return ""


def _official_in(pseudonym: str, reserved: Iterable[str]) -> str | None:
    """The official name that a pseudonym holds, whole or as one of its words."""
    anywhere, whole_words = _official_names()
    # A short name of an organisation is a word of its own: anywhere, it would forbid common syllables.
    own = _with_looks(reserved)
    long = [pair for pair in own if len(pair[1]) >= _SHORTEST_RESERVED]
    short = [pair for pair in own if len(pair[1]) < _SHORTEST_RESERVED]
    seen = looks(pseudonym)
    for name, bare in (*long, *anywhere):
        if any(bare in look for look in seen):
            return name
    words = {look for word in re.split(r"[ .\-_'’]+", pseudonym) for look in looks(word)} | seen
    return next((name for name, bare in (*short, *whole_words) if bare in words), None)


def _with_looks(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name.strip(), look) for name in names for look in looks(name) if look]


@functools.cache
def _official_names() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    names: dict[str, Any] = yaml.safe_load((_FILES / "official.yaml").read_text(encoding="utf-8"))
    return _with_looks(names["anywhere"]), _with_looks(names["words"])
