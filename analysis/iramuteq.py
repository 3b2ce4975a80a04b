"""IRaMuTeQ's corpus format, both ways: one file of texts, each after a line of « starred » variables.

    **** *id_12 *region_bretagne
    The text, on as many lines as it takes.

A variable name is what stands before the first underscore, its value all that follows; neither holds a space. What the
format cannot hold is written so that it can be read again: spaces become underscores, a line of text that begins
with « **** » or « -* » gets a space before it.

Source: Loubère & Ratinaud (2014), « Documentation IRaMuTeQ 0.6 alpha 3 », § 2.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analysis.corpus import Corpus, Source, Variable
from analysis.errors import AnalysisError

STAR = "****"
_ID = "id"
_THEME = "-*"
_UNSAFE = re.compile(r"[^\w-]+")


def looks_like(path: Path) -> bool:
    """Whether a file begins as a corpus of this format does."""
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith((STAR.encode(), b"0001 *", b"0000 *"))


def read_corpus(path: Path) -> Source:
    """Read a corpus. Raises AnalysisError naming the line at fault.

    The variable `id`, when every text has one and no two the same, names the contributions; else their rank does. A
    thematic line (`-*theme`) is no text: texts under it are read whole.
    """
    raw = path.read_bytes()
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise AnalysisError(f"« {path.name} » n’est pas en UTF-8 : enregistrez-le de nouveau en UTF-8.") from None
    stars: list[dict[str, list[str]]] = []
    texts: list[list[str]] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith((STAR, "0001 *", "0000 *")):
            stars.append(_starred(path.name, number, line))
            texts.append([])
        elif not texts:
            if line.strip():
                raise AnalysisError(f"« {path.name} », ligne {number} : un texte doit suivre une ligne « {STAR} ».")
        elif not line.startswith(_THEME):
            texts[-1].append(line.removeprefix(" ") if line.startswith((f" {STAR}", f" {_THEME}")) else line)
    named = [star[_ID][0] if len(star.get(_ID, ())) == 1 else "" for star in stars]
    ids = named if all(named) and len(set(named)) == len(named) else [str(rank) for rank in range(1, len(stars) + 1)]
    corpus = Corpus(
        key=path.stem,
        title=path.stem,
        unit="row",
        ids=tuple(ids),
        texts=tuple("\n".join(text).strip("\n") for text in texts),
        variables=tuple(_variables(stars)),
    )
    return Source(path.stem, path.stem, (corpus,), (), {path.name: hashlib.sha256(raw).hexdigest()})


def _starred(name: str, number: int, line: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for star in line.split()[1:]:
        if not star.startswith("*") or len(star) == 1:
            raise AnalysisError(f"« {name} », ligne {number} : « {star} » n’est pas une variable (*nom_valeur).")
        variable, _, value = star[1:].partition("_")
        found.setdefault(variable, []).append(value)
    return found


def _variables(stars: list[dict[str, list[str]]]) -> Iterator[Variable]:
    names = dict.fromkeys(name for star in stars for name in star if name != _ID)
    for name in names:
        categories = sorted({value for star in stars for value in star.get(name, ())})
        column = {category: rank for rank, category in enumerate(categories)}
        members = np.zeros((len(stars), len(categories)), dtype=np.bool_)
        for row, star in enumerate(stars):
            members[row, [column[value] for value in star.get(name, ())]] = True
        multiple = bool((members.sum(axis=1) > 1).any())
        yield Variable(name, name, tuple(categories), members, multiple)


def write_corpus(corpus: Corpus) -> str:
    """The corpus in IRaMuTeQ's format. Every contribution is there, in order; variables with no answer are left out.

    Raises AnalysisError when two variables, categories or identifiers become the same once written.
    """
    names = _distinct([variable.key for variable in corpus.variables], "les variables", joined=False)
    values = [_distinct(variable.categories, f"les modalités de « {variable.label} »") for variable in corpus.variables]
    ids = _distinct(corpus.ids, "les identifiants")
    lines: list[str] = []
    for row, text in enumerate(corpus.texts):
        stars = [f"*{_ID}_{ids[row]}"]
        for rank, variable in enumerate(corpus.variables):
            stars += [f"*{names[rank]}_{values[rank][column]}" for column in np.flatnonzero(variable.members[row])]
        lines.append(" ".join([STAR, *stars]))
        lines += [f" {line}" if line.startswith((STAR, _THEME)) else line for line in text.splitlines()]
        lines.append("")
    return "\n".join(lines)


def _distinct(labels: tuple[str, ...] | list[str], what: str, *, joined: bool = True) -> list[str]:
    found = [_safe(label, joined=joined) for label in labels]
    if len(set(found)) < len(set(labels)) or not all(found):
        raise AnalysisError(f"Corpus impossible à écrire : {what} se confondent une fois les espaces et signes ôtés.")
    return found


def _safe(label: str, *, joined: bool) -> str:
    name = _UNSAFE.sub("_" if joined else "-", unicodedata.normalize("NFC", label)).strip("_-")
    return name if joined else name.replace("_", "-")


def starred(variable: Variable, category: str) -> str:
    """A category as the format writes it: `*region_bretagne`."""
    return f"*{_safe(variable.key, joined=False)}_{_safe(category, joined=True)}"
