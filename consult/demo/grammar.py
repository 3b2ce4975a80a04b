"""Invented answers: templates expanded at random, then written as people write."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Mapping, Sequence

from consult.demo.people import chance

_INNERMOST = re.compile(r"\{([^{}]*)\}")
_TAGS = re.compile(r"^\[([a-z+]+)\] ")
_CONTRACTIONS = {
    "à le ": "au ",
    "à les ": "aux ",
    "de le ": "du ",
    "de les ": "des ",
    "de des ": "de ",
    "de un ": "d'un ",
    "de une ": "d'une ",
}
_WORD = re.compile(r"[a-zA-ZÀ-ÿœ'-]+")
MISSPELT_SHARE = 0.35  # of the words that have a known misspelling, in careless answers
BARE_SHARE = 0.3  # of the words that lose their accents there


class Grammar:
    """Expands `{one|of|these}` and `{slot}`, nested at will, with its own source of randomness."""

    def __init__(self, slots: Mapping[str, str | Sequence[str]], rng: random.Random) -> None:
        self._slots = slots
        self._rng = rng

    def expand(self, template: str) -> str:
        """One sentence of the template: contracted (à le: au), spaced and capitalised. KeyError on an unknown slot."""
        return _tidy(self._raw(template))

    def fragment(self, template: str) -> str:
        """As `expand`, without a capital."""
        text = _tidy(self._raw(template))
        return text if template[:1].isupper() else text[:1].lower() + text[1:]

    def _raw(self, template: str) -> str:
        while "{" in template:
            template = _INNERMOST.sub(lambda found: self._pick(found[1]), template)
        return template

    def _pick(self, content: str) -> str:
        if "|" in content:
            return self._rng.choice(content.split("|"))
        name = content[:1].lower() + content[1:]
        value = self._slots[name]
        text = self._raw(value if isinstance(value, str) else self._rng.choice(value))
        return text[:1].upper() + text[1:] if content[:1].isupper() else text


def tagged(template: str) -> tuple[frozenset[str], str]:
    """Split « [rural+voiture] text » into the tags a profile must carry and the text."""
    found = _TAGS.match(template)
    if not found:
        return frozenset(), template
    return frozenset(found[1].split("+")), template[found.end() :]


def bare(text: str) -> str:
    """The text without accents or cedillas."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def restyle(text: str, style: str, misspellings: Mapping[str, str], rng: random.Random) -> str:
    """The same text as written by a neat, plain, careless, shouting or expressive person."""
    if style == "capitals":
        return bare(text).upper().rstrip(".")
    if style == "careless":
        return _careless(text, misspellings, rng)
    if style == "expressive":
        return re.sub(r"\.$", rng.choice([" !", " !!!", "...", " !!", "…"]), text)
    if style == "plain":
        text = text.rstrip(".") if chance(rng, 0.6) else text
        return text[:1].lower() + text[1:] if chance(rng, 0.4) else text
    return text.replace("'", "’") if chance(rng, 0.5) else text


def _careless(text: str, misspellings: Mapping[str, str], rng: random.Random) -> str:
    def mangle(found: re.Match[str]) -> str:
        word = found[0].lower()
        if word in misspellings and chance(rng, MISSPELT_SHARE):
            return misspellings[word]
        return bare(word) if chance(rng, BARE_SHARE) else word

    text = _WORD.sub(mangle, text).rstrip(".")
    if chance(rng, 0.15):
        return text.replace(", ", ",")
    if chance(rng, 0.18):
        return text.replace(". ", " ")
    return _swap_two_letters(text, rng) if chance(rng, 0.12) else text


def _swap_two_letters(text: str, rng: random.Random) -> str:
    spots = [
        i for i in range(1, len(text) - 2) if text[i].isalpha() and text[i + 1].isalpha() and text[i - 1].isalpha()
    ]
    if not spots:
        return text
    i = rng.choice(spots)
    return text[:i] + text[i + 1] + text[i] + text[i + 2 :]


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ([,.])", r"\1", text)
    for two_words, one in _CONTRACTIONS.items():
        text = re.sub(rf"\b{two_words}", one, text)
    return text[:1].upper() + text[1:]
