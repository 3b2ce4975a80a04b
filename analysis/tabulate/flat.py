"""Flat tables (« tris à plat »): what was answered to one question, with its base and its non-responses."""

from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from analysis.corpus import Variable

VOLUNTEERS_NOTICE = "Participants volontaires : résultats non représentatifs de la population."
VERY_WEAK_BASE = 30
WEAK_BASE = 60


@dataclass(frozen=True)
class FlatRow:
    """One category: respondents who gave it, their share of those who answered, and its share of all answers.

    Shares are percentages with one decimal, None when nobody answered.
    """

    label: str
    count: int
    of_respondents: float | None
    of_answers: float | None


@dataclass(frozen=True)
class FlatTable:
    """`base` people were asked, `answered` of them answered, the others are counted apart, never in the shares.

    No confidence interval: participants are volunteers, not a sample.
    """

    key: str
    label: str
    multiple: bool
    base: int
    answered: int
    rows: tuple[FlatRow, ...]
    notes: tuple[str, ...]

    @property
    def nonresponse(self) -> int:
        """People asked who did not answer."""
        return self.base - self.answered

    @property
    def nonresponse_share(self) -> float | None:
        """Percentage of non-responses among the people asked."""
        return percentage(self.nonresponse, self.base)

    @property
    def figures(self) -> dict[str, Any]:
        """The table as plain data, with its non-responses."""
        return {**asdict(self), "nonresponse": self.nonresponse, "nonresponse_share": self.nonresponse_share}


def percentage(part: int, whole: int) -> float | None:
    """100 × part / whole with one decimal, halves rounded up, exactly; None for an empty base."""
    if not whole:
        return None
    return float((Decimal(100 * part) / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def base_notes(answered: int) -> list[str]:
    """What must be said about the size of a base."""
    if answered < VERY_WEAK_BASE:
        return [f"Base très faible (moins de {VERY_WEAK_BASE} répondants) : à lire avec une grande prudence."]
    if answered < WEAK_BASE:
        return [f"Base faible (moins de {WEAK_BASE} répondants) : à lire avec prudence."]
    return []


def flat_table(variable: Variable) -> FlatTable:
    """Count one variable over all its rows; every category is listed, the empty ones too."""
    counts = [int(count) for count in variable.members.sum(axis=0)]
    answered = int(variable.answered.sum())
    answers = sum(counts)
    notes = [VOLUNTEERS_NOTICE, *base_notes(answered)]
    if variable.multiple:
        notes.append("Plusieurs réponses possibles : le total des parts de répondants peut dépasser 100 %.")
    else:
        notes.append("Le total peut différer de 100 % à cause des arrondis.")
    return FlatTable(
        key=variable.key,
        label=variable.label,
        multiple=variable.multiple,
        base=len(variable.members),
        answered=answered,
        rows=tuple(
            FlatRow(label, count, percentage(count, answered), percentage(count, answers))
            for label, count in zip(variable.categories, counts, strict=True)
        ),
        notes=tuple(notes),
    )
