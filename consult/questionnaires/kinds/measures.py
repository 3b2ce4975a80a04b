"""Figures and days: a note on a scale, a number with its unit, a date."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.fields.core import UnboundField
from wtforms.widgets import DateInput

from consult.labels import number
from consult.questionnaires.kinds.base import MAIN, Given, Group, Kind, Sent, nothing, required
from consult.questionnaires.kinds.choices import NO_ANSWER, NO_OPTION
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import Question

MOST_NOTES: Final = 21
GREATEST: Final = 10**12
MOST_DIGITS: Final = 20
LABEL_LENGTH: Final = 60
_BLANKS: Final = re.compile(r"[\s\u00a0\u202f]")
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_FRENCH_DAY: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", re.ASCII)


class Scale(Kind):
    """A note between two ends, whose meaning is written; its key is the note."""

    name = "scale"
    label = "Échelle"
    ordered = True
    about = "Une note entre deux extrêmes, par exemple de 0 à 10."
    settings = ("minimum", "maximum", "low", "high")
    words = MappingProxyType(
        {
            "minimum": ("Note la plus basse", "Sans précision : 0."),
            "maximum": ("Note la plus haute", "Sans précision : 10."),
        }
    )

    def notes(self, question: Question) -> list[str]:
        """The notes, from the lowest."""
        lowest, highest = question.settings.get("minimum"), question.settings.get("maximum")
        return [str(note) for note in range(lowest or 0, (10 if highest is None else highest) + 1)]

    def missing(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Cette question est obligatoire. Choisissez une note."

    def read(self, question: Question, sent: Sent) -> Given:
        """See Kind."""
        del question
        return nothing() | {"options": sorted({value for value in sent.values if value})}

    def check(self, question: Question, given: Given) -> str | None:
        """See Kind."""
        notes = self.notes(question)
        if len(given["options"]) != 1 or given["options"][0] not in notes:
            return f"Choisissez une seule note, de {notes[0]} à {notes[-1]}."
        return None

    def hint(self, question: Question) -> str:
        """See Kind."""
        notes, low, high = self.notes(question), question.settings.get("low"), question.settings.get("high")
        ends = [note + (f" ({words})" if words else "") for note, words in ((notes[0], low), (notes[-1], high))]
        return f"De {ends[0]} à {ends[1]}."

    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """See Kind."""
        choices = [SelectChoice(note, note) for note in self.notes(question)]
        if not question.required:
            choices.append(SelectChoice("", NO_ANSWER))
        return {MAIN: RadioField(label, required(question), choices=choices, description=description)}

    def values(self, question: Question, given: Given) -> dict[str, Any]:
        """See Kind."""
        del question
        return {MAIN: given["options"][0] if given["options"] else ""}

    def shown(self, question: Question, given: Given) -> list[str]:
        """See Kind."""
        return [f"{given['options'][0]} sur une échelle de {self.notes(question)[0]} à {self.notes(question)[-1]}"]

    def groups(self, question: Question) -> list[Group]:
        """See Kind."""
        return [Group({note: note for note in self.notes(question)}, without=NO_OPTION)]

    def summary(self, question: Question, counts: Mapping[str, int]) -> list[str]:
        """The mean note."""
        given = [(int(note), counts.get(note, 0)) for note in self.notes(question)]
        people = sum(count for _, count in given)
        return [f"Note moyenne : {number(sum(note * count for note, count in given) / people, 2)}"] if people else []

    def faults(self, draft: QuestionDraft) -> dict[str, str]:
        """See Kind."""
        lowest, highest = draft.minimum or 0, 10 if draft.maximum is None else draft.maximum
        faults = {
            name: f"Ce texte compte {LABEL_LENGTH} caractères au plus. Raccourcissez-le."
            for name in ("low", "high")
            if len(getattr(draft, name)) > LABEL_LENGTH
        }
        if not -100 <= lowest <= 100:  # noqa: PLR2004  # a note is a small figure
            faults["minimum"] = "Donnez une note la plus basse entre -100 et 100."
        elif not lowest < highest < lowest + MOST_NOTES:
            faults["maximum"] = f"Donnez une note la plus haute entre {lowest + 1} et {lowest + MOST_NOTES - 1}."
        return faults


class Number(Kind):
    """A number, with the unit that the organiser names; kept in figures with a point."""

    name = "number"
    label = "Nombre"
    ordered = True
    about = "Une quantité, avec son unité."
    settings = ("unit", "minimum", "maximum")
    words = MappingProxyType(
        {"minimum": ("Plus petite valeur admise", ""), "maximum": ("Plus grande valeur admise", "")}
    )

    def missing(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Cette question est obligatoire. Écrivez un nombre, en chiffres."

    def read(self, question: Question, sent: Sent) -> Given:
        """See Kind; what is no number is kept as it was typed."""
        del question
        typed = sent.one()
        value = parsed(typed)
        return nothing() | {"text": (typed if value is None else plain(value)) or None}

    def check(self, question: Question, given: Given) -> str | None:
        """See Kind."""
        value = parsed(given["text"] or "")
        if value is None or given["options"] or given["other"]:
            return f"Écrivez un nombre en chiffres, de {MOST_DIGITS} signes au plus, par exemple 12 ou 12,5."
        least, most = question.settings.get("minimum"), question.settings.get("maximum")
        if least is not None and value < least:
            return f"Ce nombre est plus petit que {number(least)}, la plus petite valeur admise. Corrigez-le."
        if most is not None and value > most:
            return f"Ce nombre est plus grand que {number(most)}, la plus grande valeur admise. Corrigez-le."
        return None

    def hint(self, question: Question) -> str:
        """See Kind."""
        unit = question.settings.get("unit")
        least, most = question.settings.get("minimum"), question.settings.get("maximum")
        bounds = {
            (True, True): f"entre {number(least or 0)} et {number(most or 0)}",
            (True, False): f"au moins {number(least or 0)}",
            (False, True): f"au plus {number(most or 0)}",
        }.get((least is not None, most is not None), "")
        parts = [f"en {unit}" if unit else "", bounds]
        said = ", ".join(part for part in parts if part)
        return f"Un nombre {said}." if said else "Un nombre, en chiffres."

    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """See Kind."""
        keys = {"inputmode": "decimal", "autocomplete": "off"}
        return {MAIN: StringField(label, required(question), description=description, render_kw=keys)}

    def values(self, question: Question, given: Given) -> dict[str, Any]:
        """See Kind."""
        del question
        return {MAIN: (given["text"] or "").replace(".", ",")}

    def shown(self, question: Question, given: Given) -> list[str]:
        """See Kind."""
        value, unit = parsed(given["text"] or ""), question.settings.get("unit")
        text = given["text"] or "" if value is None else french(value)
        return [f"{text}\u00a0{unit}" if unit else text]

    def faults(self, draft: QuestionDraft) -> dict[str, str]:
        """See Kind."""
        faults = {
            name: "Donnez une valeur de douze chiffres au plus."
            for name in ("minimum", "maximum")
            if not -GREATEST < (getattr(draft, name) or 0) < GREATEST
        }
        if draft.minimum is not None and draft.maximum is not None and draft.minimum > draft.maximum:
            faults["maximum"] = "La plus grande valeur est inférieure à la plus petite. Corrigez l’une des deux."
        if len(draft.unit) > LABEL_LENGTH:
            faults["unit"] = f"L’unité compte {LABEL_LENGTH} caractères au plus. Raccourcissez-la."
        return faults


class Date(Kind):
    """A day; kept as AAAA-MM-JJ."""

    name = "date"
    label = "Date"
    ordered = True
    about = "Un jour du calendrier."

    def missing(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Cette question est obligatoire. Donnez une date."

    def read(self, question: Question, sent: Sent) -> Given:
        """See Kind; what is no day is kept as it was typed."""
        del question
        typed = sent.one()
        day = day_of(typed)
        return nothing() | {"text": (typed if day is None else day.isoformat()) or None}

    def check(self, question: Question, given: Given) -> str | None:
        """See Kind."""
        del question
        if day_of(given["text"] or "") is None or given["options"] or given["other"]:
            return "Cette date n’existe pas. Écrivez-la ainsi : 14/07/2026."
        return None

    def hint(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Jour, mois, année : 14/07/2026."

    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """See Kind."""
        return {MAIN: StringField(label, required(question), description=description, widget=DateInput())}

    def shown(self, question: Question, given: Given) -> list[str]:
        """See Kind."""
        del question
        day = day_of(given["text"] or "")
        return [given["text"] or "" if day is None else f"{day:%d/%m/%Y}"]


def parsed(typed: str) -> Decimal | None:
    """A number as a French hand or a program writes it."""
    text = _BLANKS.sub("", typed).replace(",", ".").replace("\u2212", "-")
    if len(text) > MOST_DIGITS or not _NUMBER.fullmatch(text):
        return None
    return Decimal(text)


def plain(value: Decimal) -> str:
    """A number in figures with a point, without useless zeros."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text.removeprefix("+")


def french(value: Decimal) -> str:
    """A number as a French page shows it, every digit kept."""
    text = plain(value)
    whole, _, rest = text.partition(".")
    return number(int(whole)) + (f",{rest}" if rest else "") if whole != "-0" else f"-0,{rest}"


def day_of(typed: str) -> dt.date | None:
    """A day as a browser or a French hand writes it."""
    french_day = _FRENCH_DAY.fullmatch(typed)
    try:
        if french_day:
            day, month, year = map(int, french_day.groups())
            return dt.date(year, month, day)
        return dt.date.fromisoformat(typed) if len(typed) == len("2026-07-14") else None
    except ValueError:
        return None
