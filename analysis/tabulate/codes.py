"""The codes of an open question as a closed variable, to be tabulated like any other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import nonresponse
from analysis.coding.codebook import Codebook
from analysis.coding.given import Given
from analysis.coding.standing import Measure, Standings, of_codebook, of_codes
from analysis.corpus import Corpus, Variable
from analysis.languages import Language
from analysis.reconciliation import Reconciliation, reconcile

KEY, LABEL = "codes", "Codes"
NO_CODE, UNDECIDED = "Aucun code", "Indécidables"


@dataclass(frozen=True)
class Coded:
    """The answers of a corpus, with their codes first among the variables, what is known of each, and where all went.

    Every answer holds a category: the codes that may be shown, « Aucun code », or « Indécidables » when a person must
    decide (doubtful or withheld codes alone, answers that only point elsewhere). `rows` are the ranks of the answers in
    the corpus, shape (n,).
    """

    rows: NDArray[np.int64]
    variables: tuple[Variable, ...]
    standings: Standings
    reconciliation: Reconciliation


def coded(
    corpus: Corpus, given: Sequence[Given], plan: Codebook | None, measures: Sequence[Measure], read: Language
) -> Coded:
    """Put the codes given to the contributions of a corpus beside its variables.

    With a codebook, a code counts the contributions of those below it. Raises AnalysisError when another version of the
    codebook was measured.
    """
    names = sorted({each.code for each in given})
    standings = of_codebook(measures, corpus.key, plan, names) if plan else of_codes(measures, corpus.key, names)
    shown = [code for code, standing in standings.items() if standing.shown]
    members, doubtful = _members(corpus, given, plan, shown)
    sorting = nonresponse.sort(corpus.texts, nonresponse.load(read.rules))
    answers = ~sorting.nonresponse
    members &= answers[:, None]
    held = np.asarray(members.any(axis=1), dtype=np.bool_)
    undecided = answers & ~held & (sorting.undecidable | doubtful)
    none = answers & ~held & ~undecided
    labels = {code.id: code.label for code in plan.codes} if plan else {}
    categories = (*(standings[code].named(labels.get(code, code)) for code in shown), NO_CODE, UNDECIDED)
    variable = Variable(KEY, LABEL, categories, np.column_stack([members, none, undecided]), multiple=True)
    rows = np.flatnonzero(answers)
    return Coded(
        rows=rows,
        variables=tuple(each.take(rows) for each in (variable, *corpus.variables)),
        standings=standings,
        reconciliation=reconcile(corpus, sorting, held, undecided),
    )


def _members(
    corpus: Corpus, given: Iterable[Given], plan: Codebook | None, shown: Sequence[str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who holds each code shown, shape (n, codes), and who holds one that is doubtful or not shown, shape (n,)."""
    column = {code: rank for rank, code in enumerate(shown)}
    row = {unit: rank for rank, unit in enumerate(corpus.ids)}
    above = {code.id: tuple(plan.ancestors(code.id)) for code in plan.codes} if plan else {}
    members = np.zeros((len(corpus.ids), len(shown)), dtype=np.bool_)
    doubtful = np.zeros(len(corpus.ids), dtype=np.bool_)
    for each in given:
        place = row.get(each.unit)
        if place is None:
            continue
        if each.doubtful or each.code not in column:
            doubtful[place] = True
            continue
        for code in (each.code, *above.get(each.code, ())):
            if code in column:
                members[place, column[code]] = True
    return members, doubtful
