"""Where each contribution received went: the line that stands in every result."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.corpus import Corpus
from analysis.nonresponse import Sorting
from analysis.plurals import counted

CODED = ("codée", "codées")


@dataclass(frozen=True)
class Reconciliation:
    """Where each contribution received went. The parts always add up: nothing is dropped silently.

    Raises AssertionError otherwise: it would be a fault of ours, never of the input.
    """

    received: int
    set_apart: int
    nonresponse: int
    undecidable: int
    coded: int
    no_code: int

    def __post_init__(self) -> None:
        parts = self.set_apart + self.nonresponse + self.undecidable + self.coded + self.no_code
        if parts != self.received or min(vars(self).values()) < 0:
            raise AssertionError(f"reconciliation: {self.received} received, {parts} accounted for")

    @property
    def billable(self) -> int:
        """Contributions that are billed: public, and not a non-response."""
        return self.undecidable + self.coded + self.no_code

    @property
    def figures(self) -> dict[str, int]:
        """The parts and the billable count, as plain data."""
        return {**vars(self), "billable": self.billable}

    def told(self, held: Sequence[str] = CODED, left: str = "sans code", *, ending: str = "e") -> str:
        """The same in one French line.

        `held` says what the contributions coded are here, singular then plural, and `left` what the others are;
        `ending` agrees with what was received.
        """
        parts = (
            counted(self.set_apart, f"écarté{ending}"),
            counted(self.nonresponse, "non-réponse"),
            counted(self.undecidable, "indécidable"),
            counted(self.coded, held[0], held[-1]),
            f"{self.no_code} {left}",
        )
        return f"{counted(self.received, f'reçu{ending}')} = {' + '.join(parts)}"


def reconcile(
    corpus: Corpus, sorting: Sorting, coded: NDArray[np.bool_], undecided: NDArray[np.bool_] | None = None
) -> Reconciliation:
    """The reconciliation of one corpus of n texts.

    Args:
        corpus: the texts, and what was received and set apart.
        sorting: which of them are answers.
        coded: those that hold a code (a theme, where there are no codes), shape (n,).
        undecided: those left undecided, shape (n,); by default those that only point elsewhere.
    """
    billed, left = ~sorting.nonresponse, sorting.undecidable if undecided is None else undecided
    return Reconciliation(
        received=corpus.received,
        set_apart=sum(corpus.set_apart.values()),
        nonresponse=int(sorting.nonresponse.sum()),
        undecidable=int(left.sum()),
        coded=int(coded.sum()),
        no_code=int((billed & ~left & ~coded).sum()),
    )


def account_line(corpus: Corpus, found: Reconciliation, held: Sequence[str] = CODED, left: str = "sans code") -> str:
    """The line of a corpus, which says of an external source that it is no contribution."""
    beside = " ; source externe, hors du compte des contributions" if corpus.external else ""
    ending = "" if corpus.unit == "argument" else "e"
    return f"{corpus.key} : {found.told(held, left, ending=ending)}{beside}"


def account(found: Iterable[tuple[Corpus, Reconciliation]]) -> dict[str, Any]:
    """What a manifest says of the corpora read: the reconciliation of each, and where external sources come from."""
    pairs = list(found)
    beside = {corpus.key: asdict(corpus.provenance) for corpus, _ in pairs if corpus.provenance}
    parts = {"reconciliation": {corpus.key: each.figures for corpus, each in pairs}}
    return {**parts, "external": beside} if beside else parts
