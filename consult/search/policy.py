"""From French text to index words: what makes « Écoles », « l’école » and « ecole » one word."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST_WORD: Final = 40
QUERY_WORDS: Final = 12

_LIGATURES: Final = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "’": "'", "ʼ": "'", "‘": "'"})
_ELISION: Final = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|presqu)'")
_WORD: Final = re.compile(r"[a-z0-9]+")
_PLURAL_FROM: Final = 4  # « bus », « pas » keep their s


def words(text: str) -> list[str]:
    """The words of a text, in order: lower case, no accent, no elided article, a light French singular.

    A plural in -aux or -ails meets its singular in -al or -ail, so that « travaux » finds « travail ».
    """
    plain = unicodedata.normalize("NFKD", text.translate(_LIGATURES).casefold())
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return [_singular(word)[:LONGEST_WORD] for word in _WORD.findall(_ELISION.sub(" ", plain))]


def query_words(text: str) -> list[str]:
    """The words that a document must all hold: grammatical words are left out unless there are no others."""
    asked = list(dict.fromkeys(words(text)))
    meaningful = [word for word in asked if word not in _EMPTY]
    return (meaningful or asked)[:QUERY_WORDS]


def _singular(word: str) -> str:
    if len(word) < _PLURAL_FROM or word.isdigit():
        return word
    if word.endswith("eaux"):
        return word[:-1]
    if word.endswith("aux"):
        return word[:-3] + "al"
    if word[-1] in "sx":
        word = word[:-1]
    return word[:-3] + "al" if word.endswith("ail") else word


# Words that a question holds without meaning to look for them.
_EMPTY: Final = frozenset(
    words(
        "a au aux avec ce ces cette dans de des du elle elles en et est il ils je la le les leur leurs lui ma mais me "
        "mes mon ne nos notre nous on ou par pas pour qu que qui sa se ses si son sont sur ta te tes ton tu un une vos "
        "votre vous y"
    )
)
