"""Tables: the same columns for each row; and majority judgement, whose columns are mentions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from wtforms import RadioField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.fields.core import UnboundField
from wtforms.widgets import CheckboxInput, ListWidget

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
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import OptionKind, Question

MOST_ROWS: Final = 50
MOST_COLUMNS: Final = 20
SEPARATOR: Final = ":"


class Matrix(Kind):
    """One column for each row."""

    name = "matrix"
    label = "Grille, une réponse par ligne"
    about = "Les mêmes réponses proposées pour plusieurs lignes ; une seule par ligne."
    option_kinds = (OptionKind.ROW, OptionKind.NORMAL)
    words = MappingProxyType({"options": ("Colonnes", "Une par ligne.")})

    def missing(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Cette question est obligatoire. Donnez une réponse à chaque ligne."

    def read(self, question: Question, sent: Sent) -> Given:
        """Cells in the order of rows then columns; unknown ones last."""
        typed = [(part, value) for part, values in sent.parts.items() for value in values if value]
        rows, columns = _axes(question)
        across, down = _ranks(rows), _ranks(columns)
        cells = {(across.get(row, len(rows)), down.get(column, len(columns)), row, column) for row, column in typed}
        return nothing() | {"options": [f"{row}{SEPARATOR}{column}" for *_, row, column in sorted(cells)]}

    def check(self, question: Question, given: Given) -> str | None:
        """See Kind."""
        found = self._fault(question, given)
        return found[1] if found else None

    def fault_at(self, question: Question, given: Given) -> str:
        """The first row at fault."""
        found = self._fault(question, given)
        return found[0] if found else next(iter(_axes(question)[0]))

    def _fault(self, question: Question, given: Given) -> tuple[str, str] | None:
        rows, columns = _axes(question)
        chosen = _by_row(given["options"])
        first = next(iter(rows))
        known = chosen.keys() <= rows.keys() and columns.keys() >= set().union(*chosen.values())
        if given["text"] is not None or not known:
            return first, "Une des réponses choisies n’existe pas. Rechargez la page et choisissez dans la grille."
        for row, label in rows.items():
            if question.required and row not in chosen:
                return row, f"Il manque une réponse à « {label} ». Donnez-en une."
            if (why := self.too_many(len(chosen.get(row, ())))) is not None:
                return row, f"« {label} » : {why}"
        return None

    def too_many(self, count: int) -> str | None:
        """Why so many columns cannot be chosen in a row."""
        return "une seule réponse est possible. N’en gardez qu’une." if count > 1 else None

    def hint(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Une réponse par ligne."

    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """See Kind."""
        rows, columns = _axes(question)
        choices = [SelectChoice(key, text) for key, text in columns.items()]
        parts = {row: self.row(text, choices, question) for row, text in rows.items()}
        return {MAIN: composite(question, label, description, parts)}

    def row(self, label: str, choices: list[SelectChoice], question: Question) -> UnboundField:
        """The field of one row."""
        more = [] if question.required else [SelectChoice("", "Sans réponse")]
        return RadioField(label, choices=choices + more)

    def values(self, question: Question, given: Given) -> dict[str, Any]:
        """See Kind."""
        chosen = _by_row(given["options"])
        return {MAIN: {row: self.value(chosen.get(row, [])) for row in _axes(question)[0]}}

    def value(self, columns: list[str]) -> Any:
        """What fills the field of a row."""
        return columns[0] if columns else ""

    def shown(self, question: Question, given: Given) -> list[str]:
        """See Kind."""
        rows, columns = _axes(question)
        chosen = _by_row(given["options"])
        return [
            f"{label}\u00a0: {', '.join(columns.get(key, key) for key in chosen[row])}"
            for row, label in rows.items()
            if row in chosen
        ]

    def groups(self, question: Question) -> list[Group]:
        """See Kind: each row is counted by itself."""
        rows, columns = _axes(question)
        return [
            Group(
                {f"{row}{SEPARATOR}{key}": text for key, text in columns.items()},
                label=label,
                without=self.without(row),
            )
            for row, label in rows.items()
        ]

    def without(self, row: str) -> str | None:
        """See Group."""
        return f"{row}{SEPARATOR}"

    def faults(self, draft: QuestionDraft) -> dict[str, str]:
        """See Kind."""
        given = self.labelled(draft)
        rows = [label for label, kind in given if kind is OptionKind.ROW]
        columns = [label for label, kind in given if kind is not OptionKind.ROW]
        faults = label_faults("rows", rows, least=1, most=MOST_ROWS, thing="ligne")
        return faults | label_faults("options", columns, least=2, most=MOST_COLUMNS, thing="colonne")


class MatrixMultiple(Matrix):
    """Any number of columns for each row."""

    name = "matrix_multiple"
    label = "Grille, plusieurs réponses par ligne"
    about = "Les mêmes réponses proposées pour plusieurs lignes ; autant qu’on veut par ligne."

    def too_many(self, count: int) -> str | None:
        """See Matrix."""
        del count
        return None

    def hint(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Plusieurs réponses possibles par ligne."

    def row(self, label: str, choices: list[SelectChoice], question: Question) -> UnboundField:
        """See Matrix."""
        del question
        return SelectMultipleField(
            label, choices=choices, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
        )

    def value(self, columns: list[str]) -> Any:
        """See Matrix."""
        return columns

    def without(self, row: str) -> str | None:
        """See Matrix."""
        del row
        return None


class Judgement(Matrix):
    """Majority judgement (Balinski and Laraki): a mention for each proposal, judged by the one in the middle."""

    name = "judgement"
    label = "Jugement majoritaire"
    about = "Une mention pour chaque proposition ; le résultat est la mention majoritaire."
    mentions = ("Excellent", "Très bien", "Bien", "Assez bien", "Passable", "Insuffisant", "À rejeter")
    words = MappingProxyType(
        {
            "rows": ("Propositions à juger", "Une par ligne."),
            "options": (
                "Mentions",
                f"De la meilleure à la pire, une par ligne. Vide : {', '.join(mentions)}.",
            ),
        }
    )

    def hint(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Donnez une mention à chaque proposition ; la même peut servir plusieurs fois."

    def labelled(self, draft: QuestionDraft) -> list[tuple[str, OptionKind]]:
        """See Kind."""
        typed = any(label.strip() for label in draft.options)
        return super().labelled(draft if typed else replace(draft, options=self.mentions))

    def summary(self, question: Question, counts: Mapping[str, int]) -> list[str]:
        """The majority mention of each proposal: the best that more than half of its judges give or go beyond.

        An even number of judges split in the middle is given the lower of the two, as the method says.
        """
        found = []
        for group in self.groups(question):
            given = [(label, counts.get(cell, 0)) for cell, label in group.cells.items()]
            judges, reached = sum(count for _, count in given), 0
            for label, count in given:
                reached += count
                if judges and reached * 2 > judges:
                    found.append(f"{group.label}\u00a0: mention majoritaire « {label} »")
                    break
        return found


def _ranks(keys: Iterable[str]) -> dict[str, int]:
    return {key: rank for rank, key in enumerate(keys)}


def _axes(question: Question) -> tuple[dict[str, str], dict[str, str]]:
    return labels_of(question, OptionKind.ROW), labels_of(question, OptionKind.NORMAL)


def _by_row(cells: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for cell in cells:
        row, _, column = cell.partition(SEPARATOR)
        found.setdefault(row, []).append(column)
    return found
