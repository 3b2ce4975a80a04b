"""Ranking options from the preferred one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from wtforms import SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.fields.core import UnboundField

from consult.labels import number
from consult.questionnaires.kinds.base import (
    MAIN,
    Given,
    Group,
    Kind,
    Sent,
    composite,
    label_faults,
    labels_of,
    nothing,
)
from consult.questionnaires.kinds.choices import limit_faults
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import OptionKind, Question

MOST_RANKED: Final = 30


class Ranking(Kind):
    """A rank for each option, or for the first ones; kept as `<option>:<rank>`, the preferred one first."""

    name = "ranking"
    label = "Classement"
    about = "Ranger des réponses par ordre de préférence."
    whole = True  # rows and columns of its counts both add up: what one hides, the other would tell
    option_kinds = (OptionKind.NORMAL,)
    settings = ("minimum", "maximum")
    words = MappingProxyType(
        {
            "options": ("Réponses à classer", f"Une par ligne, {MOST_RANKED} au plus."),
            "minimum": ("Nombre minimal de rangs à donner", "Sans précision : tous, si la réponse est obligatoire."),
            "maximum": ("Nombre maximal de rangs à donner", "Sans précision : tous."),
        }
    )

    def missing(self, question: Question) -> str:
        """See Kind."""
        return f"Cette question est obligatoire. Donnez un rang à {self._least(question)} réponses au moins."

    def read(self, question: Question, sent: Sent) -> Given:
        """See Kind; what is no rank comes last."""
        known = {key: place for place, key in enumerate(labels_of(question, OptionKind.NORMAL))}
        typed = [(part, value) for part, values in sent.parts.items() for value in values[:1] if value]
        last = len(known) + 1
        ordered = sorted(typed, key=lambda each: (_rank(each[1]) or last, known.get(each[0], last), each))
        return nothing() | {"options": [f"{key}:{rank}" for key, rank in ordered]}

    def check(self, question: Question, given: Given) -> str | None:
        """See Kind."""
        labels = labels_of(question, OptionKind.NORMAL)
        pairs = _pairs(given)
        ranks = [_rank(rank) for _, rank in pairs]
        if (
            not labels.keys() >= {key for key, _ in pairs}
            or None in ranks
            or len({key for key, _ in pairs}) < len(pairs)
        ):
            return "Un des rangs donnés n’existe pas. Rechargez la page et choisissez dans les listes."
        twice = next((rank for rank in ranks if ranks.count(rank) > 1), None)
        if twice is not None:
            return f"Le rang {twice} est donné à plusieurs réponses. Gardez-le pour une seule."
        missing = next((rank for rank in range(1, len(ranks) + 1) if rank not in ranks), None)
        if missing is not None:
            return f"Le rang {missing} manque. Donnez les rangs de 1 à {len(ranks)}, sans en sauter."
        least, most = self._least(question), self._most(question)
        if len(ranks) < least:
            return f"Vous avez classé {len(ranks)} réponses sur les {least} attendues au moins. Classez-en davantage."
        if len(ranks) > most:
            return f"Vous avez classé {len(ranks)} réponses, la limite est de {most}. Retirez les derniers rangs."
        return None

    def fault_at(self, question: Question, given: Given) -> str:
        """The first option whose rank another one has, else the first without a rank."""
        pairs = _pairs(given)
        ranks = [rank for _, rank in pairs]
        twice = next((key for place, (key, rank) in enumerate(pairs) if rank in ranks[:place]), None)
        options = labels_of(question, OptionKind.NORMAL)
        return twice or next((key for key in options if key not in {each for each, _ in pairs}), next(iter(options)))

    def _least(self, question: Question) -> int:
        count = len(question.options)
        most = self._most(question)
        return int(question.settings.get("minimum") or (min(most, count) if question.required else 1))

    def _most(self, question: Question) -> int:
        return int(question.settings.get("maximum") or len(question.options))

    def hint(self, question: Question) -> str:
        """See Kind."""
        most = self._most(question)
        if most < len(question.options):
            return f"Classez jusqu’à {most} réponses : 1 pour celle que vous préférez."
        return "Donnez le rang 1 à la réponse que vous préférez, 2 à la suivante, et ainsi de suite."

    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """See Kind."""
        ranks = [SelectChoice("", "Sans rang")]
        ranks += [SelectChoice(str(rank), str(rank)) for rank in range(1, self._most(question) + 1)]
        options = labels_of(question, OptionKind.NORMAL)
        parts = {key: SelectField(text, choices=ranks) for key, text in options.items()}
        return {MAIN: composite(question, label, description, parts)}

    def values(self, question: Question, given: Given) -> dict[str, Any]:
        """See Kind."""
        del question
        return {MAIN: dict(_pairs(given))}

    def shown(self, question: Question, given: Given) -> list[str]:
        """See Kind."""
        labels = labels_of(question, OptionKind.NORMAL)
        return [f"{rank}. {labels.get(key, key)}" for key, rank in _pairs(given)]

    def groups(self, question: Question) -> list[Group]:
        """See Kind: how many gave each rank to each option."""
        ranks = range(1, self._most(question) + 1)
        return [
            Group({f"{key}:{rank}": f"Rang {rank}" for rank in ranks}, label=label, without=f"{key}:")
            for key, label in labels_of(question, OptionKind.NORMAL).items()
        ]

    def summary(self, question: Question, counts: Mapping[str, int]) -> list[str]:
        """The mean rank of each option, the best first, of those who ranked it."""
        means = []
        for group in self.groups(question):
            given = [(rank, counts.get(cell, 0)) for rank, cell in enumerate(group.cells, 1)]
            people = sum(count for _, count in given)
            if people:
                means.append((sum(rank * count for rank, count in given) / people, group.label))
        return [f"{label}\u00a0: rang moyen {number(mean, 2)}" for mean, label in sorted(means)]

    def faults(self, draft: QuestionDraft) -> dict[str, str]:
        """See Kind."""
        labels = [label for label, _ in self.labelled(draft)]
        faults = label_faults("options", labels, least=2, most=MOST_RANKED, thing="réponse")
        return faults or limit_faults(draft, len(labels))


def _pairs(given: Given) -> list[tuple[str, str]]:
    return [(key, rank) for key, _, rank in (each.partition(":") for each in given["options"])]


def _rank(typed: str) -> int | None:
    """A rank written as the lists give it."""
    rank = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= len(str(MOST_RANKED)) else 0
    return rank if rank and str(rank) == typed else None
