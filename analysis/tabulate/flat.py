"""Flat tables (« tris à plat »): what was answered to one question, with its base and its non-responses."""

from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from analysis.corpus import Variable
from analysis.intervals import wilson

VOLUNTEERS_NOTICE = "Participants volontaires : résultats non représentatifs de la population."
INTERVALS_NOTICE = "Intervalles de confiance à 95 % (Wilson) des parts de répondants, sans poids ni strates"
VERY_WEAK_BASE = 30
WEAK_BASE = 60


class Sample(StrEnum):
    """How people came to answer, as whoever asked them declares it."""

    VOLUNTEERS = "volunteers"
    RANDOM = "random"
    QUOTA = "quota"

    @property
    def notice(self) -> str:
        """What every table says of it."""
        return {
            Sample.VOLUNTEERS: VOLUNTEERS_NOTICE,
            Sample.RANDOM: "Échantillon déclaré tiré au hasard.",
            Sample.QUOTA: "Échantillon déclaré par quotas.",
        }[self]


@dataclass(frozen=True)
class FlatRow:
    """One category: respondents who gave it, their share of those who answered, and its share of all answers.

    Shares are percentages with one decimal, None when nobody answered; `interval` holds the bounds at 95 % of the share
    of respondents, None unless they are a sample.
    """

    label: str
    count: int
    of_respondents: float | None
    of_answers: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class FlatTable:
    """`base` people were asked, `answered` of them answered, the others are counted apart, never in the shares."""

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


def flat_table(variable: Variable, sample: Sample = Sample.VOLUNTEERS) -> FlatTable:
    """Count one variable over all its rows; every category is listed, the empty ones too.

    Volunteers are no sample: their shares have no interval. That of quotas is the one of a random draw, by convention.
    """
    counts = [int(count) for count in variable.members.sum(axis=0)]
    answered = int(variable.answered.sum())
    answers = sum(counts)
    notes = [sample.notice, *_interval_notes(sample), *base_notes(answered)]
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
            FlatRow(
                label,
                count,
                percentage(count, answered),
                percentage(count, answers),
                None if sample is Sample.VOLUNTEERS else _interval(count, answered),
            )
            for label, count in zip(variable.categories, counts, strict=True)
        ),
        notes=tuple(notes),
    )


def _interval(count: int, answered: int) -> tuple[float, float] | None:
    if not answered:
        return None
    low, high = wilson(count, answered)
    return round(100 * low, 1), round(100 * high, 1)


def _interval_notes(sample: Sample) -> list[str]:
    """What must be said of the intervals of a table that has some."""
    by_reference = ", par référence à un tirage au hasard" if sample is Sample.QUOTA else ""
    return [] if sample is Sample.VOLUNTEERS else [f"{INTERVALS_NOTICE}{by_reference}."]
