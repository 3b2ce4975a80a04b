"""What questions whose answers stand in an order amount to: rankings, majority judgement, notes on a scale.

Sources: Borda (1781), Mémoire sur les élections au scrutin; Balinski & Laraki (2007), PNAS 104, 8720-8725, for the
majority grade and the gauge that parts proposals of the same grade.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import groupby
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.corpus import Variable
from analysis.errors import AnalysisError
from analysis.tabulate.flat import Sample, base_notes, percentage

Json = dict[str, Any]


@dataclass(frozen=True)
class Ranked:
    """An option: its mean rank among those who ranked it, how many put it first, and their share of respondents."""

    label: str
    ranked: int
    mean_rank: float | None
    first_choices: int
    of_respondents: float | None
    borda: int


@dataclass(frozen=True)
class Judged:
    """A proposal, its majority mention, the shares of judges above and below it, and its place; equals share one.

    Without any judge it has none of them.
    """

    label: str
    judges: int
    mention: str | None = None
    above: float | None = None
    below: float | None = None
    place: int | None = None


@dataclass(frozen=True)
class Noted:
    """Notes on a scale: their mean, its standard deviation among these people, and the median."""

    label: str
    people: int
    mean: float | None
    deviation: float | None
    median: float | None


def ranking(options: Sequence[Variable]) -> list[Ranked]:
    """One line an option. Of k ranks the first is worth k points, the next one less; an option left out has none."""
    people = int(_answered(options).sum())
    found = []
    for option in options:
        counts = _counts(option)
        ranked, most = sum(counts), len(counts)
        total = sum(rank * count for rank, count in enumerate(counts, 1))
        mean = round(total / ranked, 2) if ranked else None
        first = counts[0] if counts else 0
        points = (most + 1) * ranked - total
        found.append(Ranked(option.group, ranked, mean, first, percentage(first, people), points))
    return found


def judgement(proposals: Sequence[Variable]) -> list[Judged]:
    """One line a proposal. Mentions go from the best to the worst; of two in the middle the lower one is taken."""
    gauges = [_gauge(_counts(proposal)) for proposal in proposals]
    known = [gauge for gauge in gauges if gauge]
    found = []
    for proposal, gauge in zip(proposals, gauges, strict=True):
        counts, label = _counts(proposal), proposal.group
        judges = sum(counts)
        if gauge is None:
            found.append(Judged(label, judges))
            continue
        middle = gauge[0]
        above, below = sum(counts[:middle]), sum(counts[middle + 1 :])
        place = 1 + sum(other < gauge for other in known)
        shares = percentage(above, judges), percentage(below, judges)
        found.append(Judged(label, judges, proposal.categories[middle], *shares, place))
    return found


def _gauge(counts: Sequence[int]) -> tuple[int, int, Fraction] | None:
    """What sorts proposals, the best first: the rank of the mention, then whether more judges are above or below."""
    judges = sum(counts)
    if not judges:
        return None
    middle = next(rank for rank in range(len(counts)) if 2 * sum(counts[: rank + 1]) > judges)
    above, below = Fraction(sum(counts[:middle]), judges), Fraction(sum(counts[middle + 1 :]), judges)
    return (middle, 0, -above) if above > below else (middle, 1, below)


def scale(question: Sequence[Variable]) -> list[Noted]:
    """The notes of one question, whose categories are figures."""
    (variable,) = question
    try:
        figures = [int(category) for category in variable.categories]
    except ValueError:
        raise AnalysisError(f"Question « {variable.label} » : une de ses notes n’est pas un nombre.") from None
    notes = np.repeat(figures, _counts(variable))
    if not len(notes):
        return [Noted(variable.label, 0, None, None, None)]
    deviation = round(sqrt(float(notes.var(ddof=1))), 2) if len(notes) > 1 else None
    return [Noted(variable.label, len(notes), round(float(notes.mean()), 2), deviation, float(np.median(notes)))]


SUMMARIES: dict[str, tuple[Callable[[Sequence[Variable]], Sequence[Any]], str]] = {
    "ranking": (
        ranking,
        (
            "Rang moyen : parmi les personnes qui ont classé la réponse. Points de Borda : autant que de rangs au "
            "premier, un de moins à chaque rang suivant, aucun à une réponse non classée."
        ),
    ),
    "judgement": (
        judgement,
        (
            "Mention majoritaire : celle du milieu, la plus basse des deux si les juges sont en nombre pair ; à "
            "mention égale, la part la plus grande, au-dessus ou au-dessous, décide de la place."
        ),
    ),
    "scale": (scale, "Moyenne, écart-type et médiane des notes données."),
}


def summaries(variables: Sequence[Variable], sample: Sample) -> Iterator[Json]:
    """A table for each question, in order, whose kind has a summary."""
    for question, members in groupby(variables, key=lambda variable: variable.question):
        parts = list(members)
        if question is None or question.kind not in SUMMARIES:
            continue
        lines, note = SUMMARIES[question.kind]
        answered = int(_answered(parts).sum())
        yield {
            "key": question.key,
            "label": question.wording,
            "kind": question.kind,
            "base": len(parts[0].members),
            "answered": answered,
            "summary": [asdict(line) for line in lines(parts)],
            "notes": [sample.notice, *base_notes(answered), note],
        }


def _answered(parts: Sequence[Variable]) -> NDArray[np.bool_]:
    return np.asarray(np.any([part.answered for part in parts], axis=0), dtype=np.bool_)


def _counts(variable: Variable) -> list[int]:
    return [int(count) for count in variable.members.sum(axis=0)]
