"""Where each contribution received went: the line that stands in every result."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.corpus import Corpus
from analysis.nonresponse import Sorting


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
