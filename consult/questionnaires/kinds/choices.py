"""Choices among options: one or several, in sight or in a list to unfold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar, Final

from wtforms import RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.fields.core import UnboundField
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from consult.labels import number
from consult.questionnaires.kinds.base import (
    MAIN,
    MOST_OPTIONS,
    OTHER,
    Given,
    Group,
    Kind,
    Sent,
    clean_text,
    label_faults,
    labels_of,
    option_of,
    required,
)
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import OptionKind, Question

OTHER_LENGTH: Final = 500
EXPLANATION_LENGTH: Final = 2000
NO_OPTION: Final = ""  # who answered without choosing any: an imported reply may
NO_ANSWER: Final = "Je ne réponds pas à cette question"


class Choice(Kind):
    """What choices share."""

    takes_labels = True
    option_kinds: ClassVar[tuple[OptionKind, ...]] = (OptionKind.NORMAL, OptionKind.OTHER, OptionKind.EXCLUSIVE)

    def missing(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Cette question est obligatoire. Choisissez une réponse."

    def read(self, question: Question, sent: Sent) -> Given:
        """Ids in the order of the question, once each, unknown ones last; « autre » counts only with its option."""
        known = [str(option.id) for option in question.options]
        chosen = {value for value in sent.values if value}
        options = [value for value in known if value in chosen] + sorted(chosen.difference(known))
        detail = clean_text(sent.one(OTHER)) or None
        return {"text": None, "options": options, "other": detail if _other_chosen(question, options) else None}

    def check(self, question: Question, given: Given) -> str | None:
        """See Kind."""
        chosen = given["options"]
        if given["text"] is not None or not {str(option.id) for option in question.options} >= set(chosen):
            return "Une des réponses choisies n’existe pas. Rechargez la page et choisissez dans la liste."
        exclusive = option_of(question, OptionKind.EXCLUSIVE)
        alone = exclusive is not None and str(exclusive.id) in chosen
        if exclusive is not None and alone and len(chosen) > 1:
            return f"« {exclusive.label} » ne va avec aucune autre réponse. Décochez-la, ou décochez les autres."
        if not alone and (refused := self.check_number(question, len(chosen))):
            return refused
        return _check_other(question, given)

    def check_number(self, question: Question, count: int) -> str | None:
        """Whether so many options may be chosen."""
        del question
        return "Une seule réponse est possible. N’en gardez qu’une." if count > 1 else None

    def fault_at(self, question: Question, given: Given) -> str:
        """The field of « autre » when it alone is at fault."""
        alone = _check_other(question, given) is not None and self.check_number(question, len(given["options"])) is None
        return OTHER if alone else MAIN

    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """See Kind."""
        found = {MAIN: self.main(question, label, description)}
        other = option_of(question, OptionKind.OTHER)
        if other is not None:
            found[OTHER] = StringField(f"Votre précision pour « {other.label} »", [Length(max=OTHER_LENGTH)])
        return found

    def main(self, question: Question, label: str, description: str) -> UnboundField:
        """The field of the options themselves."""
        choices = [SelectChoice(str(option.id), option.label) for option in question.options]
        if not question.required:
            choices.append(SelectChoice("", NO_ANSWER))
        return RadioField(choices=choices, validators=required(question), label=label, description=description)

    def values(self, question: Question, given: Given) -> dict[str, Any]:
        """See Kind."""
        del question
        return {MAIN: given["options"][0] if given["options"] else "", OTHER: given["other"] or ""}

    def shown(self, question: Question, given: Given) -> list[str]:
        """See Kind."""
        chosen = set(given["options"])
        found = [option for option in question.options if str(option.id) in chosen]
        return [
            f"{option.label}\u00a0: {given['other']}"
            if option.kind is OptionKind.OTHER and given["other"]
            else option.label
            for option in found
        ]

    def groups(self, question: Question) -> list[Group]:
        """See Kind."""
        return [Group(labels_of(question, *OptionKind), without=NO_OPTION)]

    def faults(self, draft: QuestionDraft) -> dict[str, str]:
        """See Kind."""
        labels = [label for label, _ in self.labelled(draft)]
        return label_faults("options", labels, least=2, most=MOST_OPTIONS, thing="réponse")


class Single(Choice):
    """One option, all of them in sight."""

    name = "single"
    label = "Choix unique"
    about = "Une réponse parmi celles que vous proposez."


class Dropdown(Choice):
    """One option of a list to unfold, for long ones."""

    name = "dropdown"
    label = "Liste déroulante"
    about = "Une réponse dans une longue liste, jusqu’à mille."

    def main(self, question: Question, label: str, description: str) -> UnboundField:
        """See Choice."""
        choices = [SelectChoice("", "Choisissez" if question.required else NO_ANSWER)]
        choices += [SelectChoice(str(option.id), option.label) for option in question.options]
        return SelectField(choices=choices, validators=required(question), label=label, description=description)


class Satisfaction(Choice):
    """One level of satisfaction; those usual in France unless the organiser writes others."""

    name = "satisfaction"
    label = "Échelle de satisfaction"
    about = "De « très satisfait » à « pas du tout satisfait », ou vos propres niveaux."
    option_kinds = (OptionKind.NORMAL, OptionKind.EXCLUSIVE)
    levels = ("Très satisfait", "Plutôt satisfait", "Plutôt pas satisfait", "Pas du tout satisfait")
    words = MappingProxyType(
        {
            "options": ("Niveaux", f"Un par ligne, du plus haut au plus bas. Laissez vide pour : {', '.join(levels)}."),
            "exclusive": ("Hors de l’échelle", "Par exemple : Sans opinion. Laissez vide s’il n’y en a pas."),
        }
    )

    def labelled(self, draft: QuestionDraft) -> list[tuple[str, OptionKind]]:
        """See Kind."""
        typed = any(label.strip() for label in draft.options)
        return super().labelled(draft if typed else replace(draft, options=self.levels))


class Quiz(Choice):
    """A question that has a right answer, explained to whoever gave theirs."""

    name = "quiz"
    label = "Quiz"
    about = "Une question dont la bonne réponse est expliquée à qui a répondu."
    option_kinds = (OptionKind.NORMAL,)
    settings = ("right", "explanation")
    words = MappingProxyType(
        {"explanation": ("Explication", "Montrée avec la bonne réponse, une fois la réponse envoyée.")}
    )

    def lesson(self, question: Question) -> str:
        """The right answer and why, for whoever has answered."""
        right, why = question.settings.get("right", ""), question.settings.get("explanation", "")
        return f"Bonne réponse : {right}. {why}".strip()

    def faults(self, draft: QuestionDraft) -> dict[str, str]:
        """See Kind."""
        faults = super().faults(draft)
        if draft.right.strip() not in {label for label, _ in self.labelled(draft)}:
            faults["right"] = "Recopiez ici une des réponses proposées : celle qui est juste."
        if len(draft.explanation) > EXPLANATION_LENGTH:
            faults["explanation"] = f"L’explication compte {EXPLANATION_LENGTH} caractères au plus. Raccourcissez-la."
        return faults


class Multiple(Choice):
    """Several options, within limits."""

    name = "multiple"
    label = "Choix multiple"
    about = "Plusieurs réponses, avec un minimum et un maximum si besoin."
    several = True
    settings = ("minimum", "maximum")

    def missing(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Cette question est obligatoire. Cochez au moins une réponse."

    def check_number(self, question: Question, count: int) -> str | None:
        """See Choice."""
        least, most = question.settings.get("minimum"), question.settings.get("maximum")
        if least and count < least:
            return f"Vous avez coché {_answers(count)}, il en faut au moins {least}. Cochez-en davantage."
        if most and count > most:
            return f"Vous avez coché {_answers(count)}, la limite est de {most}. Décochez-en {count - most}."
        return None

    def hint(self, question: Question) -> str:
        """See Kind."""
        least, most = question.settings.get("minimum"), question.settings.get("maximum")
        if least and most:
            return f"Cochez de {least} à {number(most)} réponses."
        if most:
            return f"Cochez {number(most)} réponses au plus." if most > 1 else "Cochez une réponse au plus."
        return f"Cochez au moins {least} réponses." if least and least > 1 else "Plusieurs réponses possibles."

    def main(self, question: Question, label: str, description: str) -> UnboundField:
        """See Choice."""
        return SelectMultipleField(
            choices=[SelectChoice(str(option.id), option.label) for option in question.options],
            validators=required(question),
            widget=ListWidget(prefix_label=False),
            option_widget=CheckboxInput(),
            label=label,
            description=description,
        )

    def values(self, question: Question, given: Given) -> dict[str, Any]:
        """See Kind."""
        del question
        return {MAIN: given["options"], OTHER: given["other"] or ""}

    def groups(self, question: Question) -> list[Group]:
        """See Kind."""
        return [Group(labels_of(question, *OptionKind))]

    def faults(self, draft: QuestionDraft) -> dict[str, str]:
        """See Kind."""
        return super().faults(draft) or limit_faults(draft, len(self.labelled(draft)))


def limit_faults(draft: QuestionDraft, count: int) -> dict[str, str]:
    """What is wrong with the least and the greatest number of answers, of so many."""
    faults = {}
    if draft.minimum is not None and not 1 <= draft.minimum <= count:
        faults["minimum"] = f"Le minimum se situe entre 1 et {count}, le nombre de réponses proposées."
    if draft.maximum is not None and not max(1, draft.minimum or 1) <= draft.maximum <= count:
        faults["maximum"] = f"Le maximum se situe entre {max(1, draft.minimum or 1)} et {count}."
    return faults


def _other_chosen(question: Question, options: Sequence[str]) -> bool:
    option = option_of(question, OptionKind.OTHER)
    return option is not None and str(option.id) in options


def _check_other(question: Question, given: Given) -> str | None:
    label, length = option_of(question, OptionKind.OTHER), len(given["other"] or "")
    if label is None or str(label.id) not in given["options"]:
        return None
    if not length:
        return f"Vous avez choisi « {label.label} ». Précisez votre réponse dans le champ prévu."
    if length > OTHER_LENGTH:
        return f"Votre précision compte {number(length)} caractères, la limite est de {OTHER_LENGTH}. Raccourcissez-la."
    return None


def _answers(count: int) -> str:
    return "1 réponse" if count == 1 else f"{number(count)} réponses"
