"""Argument maps: what is said for and against each proposal, arguments that say the same grouped in threads.

Threads are made within one proposal and one side, by average linkage on the cosine of their words, so that one
argument close to two others does not chain them together. A thread is told by its most central argument and by the
words that set it apart; every argument stands in exactly one thread.

Source: Sokal & Michener (1958), average linkage; Müllner (2011), « Modern hierarchical, agglomerative clustering
algorithms », arXiv:1109.2378.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.feature_extraction.text import TfidfVectorizer

from analysis.errors import AnalysisError
from analysis.languages import FRENCH, language

SIDES = ("for", "against")
CLOSE = 0.22
MOST = 4_000
_TOLD_WORDS = 5

_Ranks = NDArray[np.int64]


class Argument(NamedTuple):
    """One argument on a proposal: its side (`for`, `against`) and how many people found it useful."""

    id: str
    target: str
    side: str
    text: str
    support: int = 0


@dataclass(frozen=True)
class Thread:
    """Arguments of one side that say the same; `central` is the one nearest to all the others.

    `arguments` are sorted by falling support; `support` is their sum.
    """

    side: str
    arguments: tuple[str, ...]
    central: str
    support: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class ArgumentMap:
    """What is said of one proposal: arguments for and against, and their threads, the most supported first."""

    target: str
    counts: dict[str, int]
    support: dict[str, int]
    threads: tuple[Thread, ...]


def argument_maps(
    arguments: Sequence[Argument],
    *,
    close: float = CLOSE,
    code: str = FRENCH,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[ArgumentMap, ...]:
    """One map a proposal, the most argued first. Results do not depend on the order of the arguments.

    Args:
        arguments: published arguments, texts of any length (an empty one is a thread of its own).
        close: mean cosine from which two groups of arguments are one thread.
        code: of the language they are written in.
        progress: called with (proposals done, proposals to do).
    """
    if not arguments:
        raise AnalysisError("Aucun argument publié dans ce jeu : il n’y a pas de trame à dresser.")
    unknown = next((argument for argument in arguments if argument.side not in SIDES), None)
    if unknown:
        raise AnalysisError(f"Argument « {unknown.id} » : la position « {unknown.side} » n’est ni pour ni contre.")
    ordered = sorted(arguments, key=lambda argument: (argument.target, argument.side, argument.id))
    table, names = _table([argument.text for argument in ordered], code)
    places: dict[str, dict[str, list[int]]] = defaultdict(lambda: {side: [] for side in SIDES})
    for rank, argument in enumerate(ordered):
        places[argument.target][argument.side].append(rank)
    maps = []
    for done, (target, sides) in enumerate(places.items(), start=1):
        threads = [
            _thread(ordered, table, names, side, members)
            for side, ranks in sides.items()
            for members in _groups(table, np.array(ranks, dtype=np.int64), close)
        ]
        maps.append(
            ArgumentMap(
                target=target,
                counts={side: len(ranks) for side, ranks in sides.items()},
                support={side: sum(ordered[rank].support for rank in ranks) for side, ranks in sides.items()},
                threads=tuple(sorted(threads, key=lambda t: (-t.support, -len(t.arguments), t.central))),
            )
        )
        if progress:
            progress(done, len(places))
    return tuple(sorted(maps, key=lambda item: (-sum(item.counts.values()), item.target)))


def _table(texts: list[str], code: str) -> tuple[Any, tuple[str, ...]]:
    """Rows of unit length: words, then pieces of words, which bring inflected forms together."""
    words = TfidfVectorizer(sublinear_tf=True, strip_accents="unicode", stop_words=_function_words(code))
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 5), sublinear_tf=True, strip_accents="unicode")
    try:
        table = sparse.hstack([words.fit_transform(texts), pieces.fit_transform(texts)]).tocsr()
    except ValueError:  # no text holds a word
        return sparse.csr_matrix((len(texts), 1)), ()
    return (table / np.sqrt(2)).tocsr(), tuple(words.get_feature_names_out())


def _function_words(code: str) -> list[str]:
    plain = TfidfVectorizer(strip_accents="unicode").build_preprocessor()
    return sorted({plain(word) for word in language(code).function_words if len(word) > 1 and word.isalpha()})


def _groups(table: Any, ranks: _Ranks, close: float) -> list[_Ranks]:
    if len(ranks) > MOST:
        raise AnalysisError(
            f"Une proposition a reçu {len(ranks)} arguments d’un même côté, au-delà des {MOST} qui se comparent deux "
            "à deux : regroupez d’abord les doublons."
        )
    if len(ranks) < 2:  # noqa: PLR2004 -- nothing to compare
        return [ranks] if len(ranks) else []
    mine = table[ranks]
    distance = np.clip(1 - (mine @ mine.T).toarray(), 0, 1)
    condensed = np.round(distance[np.triu_indices(len(ranks), 1)], 9)
    label = fcluster(linkage(condensed, "average"), 1 - close, criterion="distance")
    return [ranks[label == group] for group in np.unique(label)]


def _thread(ordered: Sequence[Argument], table: Any, names: tuple[str, ...], side: str, members: _Ranks) -> Thread:
    mine = table[members]
    total = np.asarray(mine.sum(axis=0)).ravel()
    closeness = np.round(np.asarray(mine @ total).ravel(), 9)
    central = ordered[int(members[int(closeness.argmax())])]
    weight = total[: len(names)]
    best = [int(i) for i in np.argsort(-weight, kind="stable")[:_TOLD_WORDS] if weight[i] > 0]
    listed = sorted((ordered[int(rank)] for rank in members), key=lambda a: (-a.support, a.id))
    return Thread(
        side=side,
        arguments=tuple(argument.id for argument in listed),
        central=central.id,
        support=sum(argument.support for argument in listed),
        words=tuple(names[i] for i in best),
    )
