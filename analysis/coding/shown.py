"""What a codebook finds in a corpus, once the codes that may not be shown are taken away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.coding.codebook import Codebook
from analysis.coding.hits import Hits, no_hits
from analysis.coding.standing import Measure, Standings, of_codebook, withheld
from analysis.corpus import Corpus


@dataclass(frozen=True)
class Coding:
    """The hits of the codes that may be shown, and the standing of all.

    Of the n texts, `coded` (n,) hold such a code; `withheld` (n,) hold others alone: a person must read them.
    """

    standings: Standings
    hits: Hits
    coded: NDArray[np.bool_]
    withheld: NDArray[np.bool_]


def shown_codes(
    corpus: Corpus, codebook: Codebook | None, measures: Sequence[Measure], find: Callable[[Codebook], Hits]
) -> Coding:
    """Code a corpus by `find` and keep what may be shown; nothing is coded without a codebook.

    Raises AnalysisError when another version of the codebook was measured.
    """
    standings = of_codebook(measures, corpus.key, codebook) if codebook else {}
    found = find(codebook) if codebook else no_hits()
    shown = found.without(withheld(standings))
    coded, held = (np.zeros(len(corpus.ids), dtype=np.bool_) for _ in range(2))
    coded[shown.texts] = True
    held[found.texts] = True
    return Coding(standings, shown, coded, held & ~coded)
