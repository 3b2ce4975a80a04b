"""Which passwords are accepted: length, and how many guesses they would take. No composition rule.

The CNIL (deliberation 2022-100) asks for 50 bits where attempts are slowed, as they are here, and 80 where nothing
slows them; staff add a second factor.
"""

from __future__ import annotations

import math
import re
import string
import unicodedata
from collections.abc import Iterable
from typing import Final

MIN_LENGTH: Final = 12
STAFF_MIN_LENGTH: Final = 15
MAX_LENGTH: Final = 128
MIN_BITS: Final = 50.0

_PIECE_BITS: Final = 8.0  # what a known word or a run is worth: one of 256
_MIN_RUN: Final = 3
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_LEET: Final = str.maketrans("0134578@$!€|", "oieastbasiel")
_ROWS: Final = (
    "azertyuiop", "qsdfghjklm", "wxcvbn", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm",
    "1234567890", "abcdefghijklmnopqrstuvwxyz", "&é\"'(-è_çà)=",
)  # fmt: skip
# Words that lists of stolen passwords open with, in French and in English, and the words of this place.
_COMMON: Final = (
    "password", "passwort", "motdepasse", "mot de passe", "passe", "secret", "admin", "administrateur", "root",
    "user", "login", "connexion", "welcome", "bienvenue", "bonjour", "coucou", "salut", "hello", "bonsoir", "merci",
    "soleil", "chocolat", "doudou", "loulou", "chouchou", "poupette", "princesse", "princess", "papillon", "football",
    "marseille", "paris", "toulouse", "bordeaux", "lyon", "nantes", "france", "francais", "dragon", "monkey", "master",
    "iloveyou", "jetaime", "jevousaime", "amour", "maman", "papa", "famille", "maison", "licorne", "nounours",
    "sunshine", "shadow", "superman", "batman", "starwars", "pokemon", "naruto", "liverpool", "arsenal", "chelsea",
    "michael", "jordan", "charlie", "nicolas", "thomas", "julien", "camille", "alexandre", "antoine", "maxime",
    "isabelle", "nathalie", "sophie", "martine", "monique", "catherine", "philippe", "stephane", "olivier", "vincent",
    "letmein", "trustno", "whatever", "freedom", "computer", "internet", "samsung", "google", "facebook", "azerty",
    "qwerty", "loveme", "cheval", "chien", "chat", "tigre", "lapin", "rugby", "tennis", "musique", "guitare",
    "janvier", "fevrier", "mars", "avril", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
    "printemps", "automne", "hiver", "summer", "winter", "spring", "autumn", "lundi", "mardi", "mercredi", "jeudi",
    "vendredi", "samedi", "dimanche", "test", "demo", "toto", "tata", "titi", "changeme", "changezmoi", "provisoire",
    "consultation", "consult", "citoyen", "contribution", "proposition", "republique", "gouvernement", "ministere",
)  # fmt: skip


def refusal(password: str, *, staff: bool = False, context: Iterable[str] = ()) -> str:
    """Why the password cannot be accepted, in French; an empty string when it can.

    `context` is what anyone could try first: pseudonym, address, name of the organisation.
    """
    least = STAFF_MIN_LENGTH if staff else MIN_LENGTH
    if len(password) > MAX_LENGTH:
        return f"Le mot de passe compte au plus {MAX_LENGTH} caractères ; raccourcissez-le."
    if len(password) < least:
        return f"Le mot de passe compte au moins {least} caractères ; allongez-le, par exemple avec plusieurs mots."
    if bits(password, context) < MIN_BITS:
        return (
            "Ce mot de passe est trop facile à deviner : il contient des mots, des suites ou des répétitions très "
            "courants. Ajoutez des mots sans rapport entre eux."
        )
    return ""


def bits(password: str, context: Iterable[str] = ()) -> float:
    """A cautious estimate of the guesses the password takes, as a power of two.

    Known words, keyboard and alphabetical runs and years count for one choice among 256 each, a repetition for
    nothing, the other signs for one drawn from the classes that the password uses.
    """
    length, pieces = _unexplained(_without_repetition(_fold(password)), context)
    return length * math.log2(_alphabet(password)) + _PIECE_BITS * pieces


def _alphabet(password: str) -> int:
    classes = ((string.ascii_lowercase, 26), (string.ascii_uppercase, 26), (string.digits, 10))
    known = sum(size for signs, size in classes if any(sign in signs for sign in password))
    others = any(sign not in string.ascii_letters + string.digits for sign in password)
    return max(known + (33 if others else 0), 2)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _without_repetition(text: str) -> str:
    """The shortest beginning of which the text is a repetition."""
    for period in range(1, len(text) // 2 + 1):
        if (text[:period] * (len(text) // period + 1))[: len(text)] == text:
            return text[:period]
    return text


def _unexplained(text: str, context: Iterable[str]) -> tuple[int, int]:
    """How many characters belong to no known piece, and how many pieces were found."""
    parts = [part for word in context for part in re.split(r"[\W_]+", _fold(word)) if len(part) > _MIN_RUN]
    words = sorted({*(_fold(word) for word in _COMMON), *parts}, key=len, reverse=True)
    pieces = 0
    for table in ({}, _LEET):
        reading = text.translate(table)
        for word in words:
            while (start := reading.find(word)) >= 0:
                reading, text = _blank(reading, start, len(word)), _blank(text, start, len(word))
                pieces += 1
    for run in _runs(text):
        text = _blank(text, *run)
        pieces += 1
    return len(text) - text.count("\0"), pieces


def _blank(text: str, start: int, length: int) -> str:
    return text[:start] + "\0" * length + text[start + length :]


def _runs(text: str) -> list[tuple[int, int]]:
    """Where the text repeats a sign, follows a keyboard row or the alphabet, or gives a year: (start, length)."""
    found = [(match.start(), match.end() - match.start()) for match in _YEAR.finditer(text)]
    start = 0
    while start < len(text):
        length = _run_length(text, start)
        if length >= _MIN_RUN and text[start] != "\0" and not any(a <= start < a + size for a, size in found):
            found.append((start, length))
        start += max(length, 1) if length >= _MIN_RUN else 1
    return found


def _run_length(text: str, start: int) -> int:
    same = 1
    while text[start : start + 1] and text[start : start + same + 1] == text[start] * (same + 1):
        same += 1
    longest = same
    for row in _ROWS:
        for line in (row, row[::-1]):
            length = 1
            while start + length < len(text) and text[start : start + length + 1] in line:
                length += 1
            longest = max(longest, length)
    return longest
