"""From one version of a codebook to the next: what changed in it, whom it recodes, and what no code covers yet."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from analysis.coding.codebook import Code, Codebook
from analysis.coding.hits import Hit
from analysis.coding.quality import Drift, drift
from analysis.lexical.frequencies import LemmaTokens
from analysis.semantic.themes import find_themes

_SHOWN = 5
_TOLD_PATTERNS = 4
_SPREAD = 0.1


@dataclass(frozen=True)
class CodeChange:
    """One code that differs: `kind` is `added`, `removed` or `changed`; `fields` names what changed in it."""

    code: str
    kind: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Revision:
    """What changed between two codebooks; groups of patterns that changed touch every code that uses them."""

    before: str
    after: str
    codes: tuple[CodeChange, ...]
    groups: tuple[str, ...]
    identical: bool


def compare(before: Codebook, after: Codebook) -> Revision:
    """The differences between two versions, codes in the order of the new one, then those removed."""
    old, new = ({code.id: code for code in plan.codes} for plan in (before, after))
    changes = []
    for identifier, code in new.items():
        if identifier not in old:
            changes.append(CodeChange(identifier, "added", ()))
        elif different := _different(old[identifier], code):
            changes.append(CodeChange(identifier, "changed", different))
    changes += [CodeChange(identifier, "removed", ()) for identifier in old if identifier not in new]
    one, two = dict(before.groups), dict(after.groups)
    groups = tuple(sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name)))
    return Revision(before.version, after.version, tuple(changes), groups, before.digest == after.digest)


def _different(one: Code, two: Code) -> tuple[str, ...]:
    """Names of the fields that differ, the parsed patterns left to their text."""
    names = [field.name for field in fields(Code) if field.name != "nodes"]
    return tuple(name for name in names if getattr(one, name) != getattr(two, name))


def impact(
    units: Sequence[str], before: Sequence[Hit], after: Sequence[Hit], codes: Sequence[str]
) -> tuple[Drift, ...]:
    """The contributions that gain or lose each code when a codebook is revised, before anyone approves it.

    Args:
        units: ids of the contributions, in the order the hits refer to.
        before: what the rules of the old version found.
        after: what those of the new one found, on the same contributions.
        codes: the codes to tell of.
    """
    return drift(_by_unit(units, before), _by_unit(units, after), codes)


def _by_unit(units: Sequence[str], hits: Sequence[Hit]) -> dict[str, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for hit in hits:
        found[hit.text].add(hit.code)
    return {unit: found[rank] for rank, unit in enumerate(units)}


@dataclass(frozen=True)
class Proposal:
    """A code that could be added for contributions that no code covers: `size` of them speak of it.

    `patterns` are lemmas that many of them hold; `examples` are ids of typical contributions. It has neither definition
    nor approval: a person writes them, or leaves it.
    """

    label: str
    size: int
    share: float
    patterns: tuple[str, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Proposals:
    """Proposals, the largest first, over the `uncovered` contributions among the `readable` ones."""

    proposals: tuple[Proposal, ...]
    uncovered: int
    readable: int
    notices: tuple[str, ...]


def propose(
    units: Sequence[str],
    words: LemmaTokens,
    readable: NDArray[np.bool_],
    hits: Sequence[Hit],
    *,
    number: int | None = None,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Proposals:
    """Propose codes from the themes of the contributions without code.

    Args:
        units: ids of the n contributions.
        words: their lemmas.
        readable: those that can be coded, shape (n,).
        hits: what the codebook found.
        number: of proposals; None takes as many themes as stay stable.
        seed: of the measure of stability.
        progress: called with (numbers of themes tried, numbers to try).
    """
    covered = np.zeros(len(units), dtype=np.bool_)
    covered[[hit.text for hit in hits]] = True
    open_ranks = readable & ~covered
    left = _kept(words, open_ranks)
    found = find_themes(left, len(units), number=number, seed=seed, progress=progress)
    spread = _spread(left, found.label)
    proposals = [
        Proposal(
            label=", ".join(word for word, _ in theme.words[:3]),
            size=theme.size,
            share=round(theme.size / max(int(readable.sum()), 1), 4),
            patterns=tuple(
                word for word, _ in theme.words if spread.get((theme.number, word), 0) >= _SPREAD * theme.size
            )[:_TOLD_PATTERNS],
            examples=tuple(units[rank] for rank in theme.typical[:_SHOWN]),
        )
        for theme in found.themes
    ]
    notices = tuple(notice for notice in found.notices if "aucun des mots" not in notice)
    return Proposals(tuple(proposals), int(open_ranks.sum()), int(readable.sum()), notices)


def _kept(words: LemmaTokens, texts: NDArray[np.bool_]) -> LemmaTokens:
    inside = texts[words.texts]
    return replace(
        words,
        numbers=words.numbers[inside],
        texts=words.texts[inside],
        forms=words.forms[inside],
        breaks=words.breaks[inside],
    )


def _spread(words: LemmaTokens, label: NDArray[np.int64]) -> dict[tuple[int, str], int]:
    """Contributions of each theme that hold each lemma."""
    pairs = np.unique(np.stack([words.texts, words.numbers], axis=1), axis=0)
    found: defaultdict[tuple[int, str], int] = defaultdict(int)
    for text, lemma in pairs.tolist():
        if label[text] >= 0:
            found[int(label[text]), words.lemmas[lemma]] += 1
    return found
