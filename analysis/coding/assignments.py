"""Who gave which code to which contribution, and why: people first, then rules, then the model.

The three never mix: each assignment names its origin and its reason; what people coded is never overwritten, nor
completed, by the machine.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.coding.classifier import NOTICE, Model, Predicted
from analysis.coding.experts import Views
from analysis.coding.hits import Hit

HUMAN, RULE, MODEL = "human", "rule", "model"
_AT_ONCE = 5_000  # texts


@dataclass(frozen=True)
class Assignment:
    """One code given to one contribution.

    `origin` is `human`, `rule` or `model`; `reason` the pattern and words of a rule, or the words that decided the
    model (empty for people). `score` and `threshold` are the model's, `review` tells a person must decide;
    `copy_of` names the near-duplicate that was read instead.
    """

    unit: str
    code: str
    origin: str
    reason: str
    score: float | None = None
    threshold: float | None = None
    review: bool = False
    copy_of: str | None = None


@dataclass(frozen=True)
class Coded:
    """All assignments, by contribution then code, and the contributions left to a person (`to_read`).

    Every contribution is in exactly one of: coded by people, coded by the machine, left to a person, without code.
    """

    assignments: tuple[Assignment, ...]
    to_read: tuple[str, ...]
    counts: dict[str, int]
    notice: str = NOTICE


def combine(
    units: Sequence[str],
    texts: Sequence[str],
    human: Mapping[str, frozenset[str]],
    clusters: NDArray[np.int64],
    *,
    hits: Sequence[Hit] = (),
    model: Model | None = None,
    vectors: NDArray[np.float64] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Coded:
    """Code every contribution.

    Args:
        units: ids of the n contributions to be coded (non-responses left out).
        texts: theirs.
        human: the codes of those that people read; an empty set is « no code », not « unread ».
        clusters: near-duplicate cluster of each, shape (n,): one of each cluster is read by the model, first of all.
        hits: what the lexicon rules found, ranks among `units`.
        model: the classifier, if one was learnt.
        vectors: sentence vectors (n, 1024) for a model that uses them.
        progress: called with (texts that the model has read, texts to read).
    """
    unread = np.array([unit not in human for unit in units], dtype=np.bool_)
    found = [Assignment(unit, code, HUMAN, "") for unit in units for code in sorted(human.get(unit, ()))]
    ruled = {(hit.text, hit.code): hit for hit in hits if unread[hit.text]}
    found += [
        Assignment(units[text], code, RULE, f"{hit.pattern} → « {hit.words} »") for (text, code), hit in ruled.items()
    ]
    doubtful = np.zeros(len(units), dtype=np.bool_)
    if model is not None and unread.any():
        suggested, doubtful = _suggested(units, texts, clusters, unread, model, vectors, progress)
        found += [item for rank, item in suggested if (rank, item.code) not in ruled]
    found.sort(key=lambda item: (item.unit, item.code))
    return _counted(units, found, doubtful, human)


def without(coded: Coded, codes: Container[str]) -> Coded:
    """The same, less what the machine gave of these codes: who keeps no sure code is left to a person.

    What people coded stays.
    """
    kept = tuple(item for item in coded.assignments if item.origin == HUMAN or item.code not in codes)
    moved = sorted(_sure(coded.assignments) - _sure(kept))
    counts = {**coded.counts, "machine": coded.counts["machine"] - len(moved)}
    counts["to_read"] += len(moved)
    return Coded(kept, (*coded.to_read, *moved), counts, coded.notice)


def _sure(assignments: Iterable[Assignment]) -> set[str]:
    """The contributions that hold a code that the machine is sure of."""
    return {item.unit for item in assignments if not item.review and item.origin != HUMAN}


def _suggested(
    units: Sequence[str],
    texts: Sequence[str],
    clusters: NDArray[np.int64],
    unread: NDArray[np.bool_],
    model: Model,
    vectors: NDArray[np.float64] | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[tuple[int, Assignment]], NDArray[np.bool_]]:
    """The model's suggestions with the rank of their text, and the texts it leaves to a person, shape (n,)."""
    ranks = np.flatnonzero(unread)
    _, first, place = np.unique(clusters[ranks], return_index=True, return_inverse=True)
    read = ranks[first]
    given: list[list[Assignment]] = []
    abstained = np.zeros(len(read), dtype=np.bool_)
    for low in range(0, len(read), _AT_ONCE):
        block = read[low : low + _AT_ONCE]
        views = model.views([texts[i] for i in block], None if vectors is None else vectors[block])
        predicted = model.decide(views)
        given += _of_block([units[i] for i in block], model, views, predicted)
        abstained[low : low + len(block)] = predicted.abstained
        if progress:
            progress(low + len(block), len(read))
    found = []
    for rank, row in zip(ranks.tolist(), place.tolist(), strict=True):
        copied = {} if read[row] == rank else {"unit": units[rank], "copy_of": units[read[row]]}
        found += [(rank, replace(item, **copied)) for item in given[row]]
    doubtful = np.zeros(len(units), dtype=np.bool_)
    doubtful[ranks] = abstained[place]
    return found, doubtful


def _of_block(units: Sequence[str], model: Model, views: Views, predicted: Predicted) -> list[list[Assignment]]:
    """The suggestions for each text of a block."""
    given: list[list[Assignment]] = [[] for _ in units]
    for row, code in np.argwhere(predicted.given).tolist():
        item = Assignment(
            unit=units[row],
            code=predicted.codes[code],
            origin=MODEL,
            reason=", ".join(model.reasons(views, row, code)) or "forme générale du texte",
            score=round(float(predicted.score[row, code]), 4),
            threshold=round(float(predicted.threshold[code]), 4),
            review=bool(predicted.doubtful[row, code]),
        )
        given[row].append(item)
    return given


def _counted(
    units: Sequence[str],
    found: list[Assignment],
    doubtful: NDArray[np.bool_],
    human: Mapping[str, frozenset[str]],
) -> Coded:
    sure = _sure(found)
    left = tuple(unit for unit, doubt in zip(units, doubtful, strict=True) if doubt and unit not in sure)
    apart = set(left)
    counts = {"human": 0, "machine": 0, "to_read": len(left), "no_code": 0}
    for unit in units:
        if unit in human:
            counts["human"] += 1
        elif unit not in apart:
            counts["machine" if unit in sure else "no_code"] += 1
    return Coded(tuple(found), left, counts)
