"""The form of one question: the fields that its kind uses, under the words that it gives them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import HiddenInput

from consult.questionnaires import conditions, kinds, labels, wording
from consult.questionnaires.builder.service import WORDING_LENGTH
from consult.questionnaires.kinds.base import OPTION_LENGTH, Kind, option_of
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.kinds.texts import LongText, ShortText
from consult.questionnaires.models import AnswerVisibility, OptionKind, Question
from consult.questionnaires.policy import Access

WHOLE_NUMBER: Final = "Écrivez un nombre entier, en chiffres."
TOO_LONG: Final = "Ce texte est trop long : {} caractères au plus."
CHOOSE: Final = "Choisissez une des possibilités de la liste."
LEAVES: Final = 4
KEPT: Final = "kept"  # a condition that this form cannot show stays as it is
COMMON: Final = frozenset({"kind", "wording", "help", "page", "condition"})
OF_QUESTIONS: Final = frozenset({"required", "visibility"})
BY_OPTION: Final = {
    OptionKind.ROW: "rows",
    OptionKind.NORMAL: "options",
    OptionKind.OTHER: "other",
    OptionKind.EXCLUSIVE: "exclusive",
}


class _WholeNumber(IntegerField):  # type: ignore[misc]  # WTForms has no types
    """An integer whose refusal speaks French."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(WHOLE_NUMBER) from None


class _Choice(SelectField):  # type: ignore[misc]
    def pre_validate(self, form: Form) -> None:  # noqa: ARG002  # WTForms' signature
        if self.data not in {choice.value for choice in self.iter_choices()}:
            raise ValidationError(CHOOSE)


class _Radio(RadioField, _Choice):  # type: ignore[misc]
    pass


class ModeForm(Form):  # type: ignore[misc]
    """Who may reply, and whether replies are tied to accounts."""

    access = _Radio(
        "Qui peut répondre",
        choices=[SelectChoice(access.value, label) for access, label in labels.ACCESSES.items()],
        default=Access.ACCOUNTS.value,
        description=(
            "Annoncé aux personnes avant qu’elles répondent, dit à côté de chaque résultat, et figé à l’ouverture. "
            "Sans compte, chacun garde un code pour relire ou retirer sa réponse."
        ),
    )

    mode = _Radio(
        "Réponses",
        choices=[SelectChoice(mode, label) for mode, label in labels.MODES.items()],
        description=(
            "Annoncé aux personnes avant qu’elles répondent, et figé à l’ouverture. Anonymes : rien ne relie une "
            "réponse à un compte ; elles paraissent par lots, et chacun garde un code pour modifier la sienne."
        ),
    )

    edits = _Radio(
        "Une fois envoyées",
        choices=[SelectChoice(mode, label) for mode, label in labels.EDITS.items()],
        default="open",
        description="Annoncé aux personnes avant qu’elles envoient, et figé à l’ouverture.",
    )


class CorrectionForm(Form):  # type: ignore[misc]
    """The text of a question, once the consultation is open."""

    wording = TextAreaField(
        "Question",
        [InputRequired("Écrivez la question."), Length(max=WORDING_LENGTH, message=TOO_LONG.format(WORDING_LENGTH))],
        render_kw={"rows": 2},
    )
    help = StringField("Aide", description="Une phrase affichée sous la question, si besoin.")
    seen = _WholeNumber(widget=HiddenInput(), validators=[Optional()])


class LeafForm(Form):  # type: ignore[misc]
    """One comparison; without a question, none."""

    question = _Choice("Question", default="")
    operator = _Choice(
        "Comparaison",
        choices=[SelectChoice(name, label) for name, label in wording.OPERATORS.items()],
        default=next(iter(wording.OPERATORS)),
    )
    value = StringField("Valeur", description="La réponse recopiée, un nombre, ou une date (jour/mois/année).")

    def key(self, question: Question) -> str:
        """The value that was typed, as a condition over that question keeps it."""
        return wording.understood(question, self.operator.data, self.value.data or "")


class ConditionForm(Form):  # type: ignore[misc]
    """When a question is asked: up to `LEAVES` comparisons over earlier answers."""

    how = _Choice(
        "La question est posée",
        choices=[
            SelectChoice("", "toujours"),
            SelectChoice(conditions.ALL, "si toutes ces comparaisons sont vraies"),
            SelectChoice(conditions.ANY, "si l’une de ces comparaisons est vraie"),
            SelectChoice(KEPT, "comme il a été importé, sans y toucher"),
        ],
        default="",
    )
    leaves = FieldList(FormField(LeafForm, "Comparaison"), "Comparaisons", min_entries=LEAVES, max_entries=LEAVES)

    def over(self, earlier: Sequence[Question], numbers: Mapping[uuid.UUID, int]) -> ConditionForm:
        """This form, offering these questions to compare."""
        asking = [each for each in earlier if kinds.of(each).asks]
        choices = [SelectChoice("", "Aucune")]
        choices += [SelectChoice(str(each.id), f"{numbers[each.id]}. {each.wording[:80]}") for each in asking]
        for rank, leaf in enumerate(self.leaves, 1):
            leaf.label.text = f"Comparaison {rank}"
            leaf.form.question.choices = choices
        return self

    def declared(self, earlier: Sequence[Question], known: conditions.Condition | None) -> conditions.Condition | None:
        """The condition that was typed: labels become keys, numbers and days take the form in which they are kept."""
        if self.how.data == KEPT:
            return known
        by_id = {str(each.id): each for each in earlier}
        found = [
            {"question": leaf.question.data, "is": leaf.operator.data, "value": leaf.key(by_id[leaf.question.data])}
            for leaf in (entry.form for entry in self.leaves)
            if leaf.question.data
        ]
        return {self.how.data: found} if self.how.data else None


class QuestionForm(Form):  # type: ignore[misc]
    """What an organiser says of a question; `builder.service` checks it as a whole."""

    kind = HiddenField("Type de question")
    wording = TextAreaField(
        "Question",
        [InputRequired("Écrivez la question."), Length(max=WORDING_LENGTH, message=TOO_LONG.format(WORDING_LENGTH))],
        render_kw={"rows": 2},
    )
    help = StringField("Aide", description="Une phrase affichée sous la question, si besoin.")
    rows = TextAreaField("Lignes", description="Une par ligne.", render_kw={"rows": 6})
    options = TextAreaField("Réponses proposées", description="Une par ligne.", render_kw={"rows": 8})
    other = StringField(
        "Réponse « autre », avec un texte à préciser",
        [Length(max=OPTION_LENGTH, message=TOO_LONG.format(OPTION_LENGTH))],
        description="Par exemple : Autre. Laissez vide s’il n’y en a pas.",
    )
    exclusive = StringField(
        "Réponse qui exclut les autres",
        [Length(max=OPTION_LENGTH, message=TOO_LONG.format(OPTION_LENGTH))],
        description="Par exemple : Aucune de ces réponses. Laissez vide s’il n’y en a pas.",
    )
    right = StringField("Bonne réponse", description="Recopiez une des réponses proposées.")
    explanation = TextAreaField("Explication", render_kw={"rows": 4})
    unit = StringField("Unité", description="Par exemple : kilomètres par jour.")
    minimum = _WholeNumber("Nombre minimal de réponses", [Optional()])
    low = StringField("Sens de la note la plus basse", description="Par exemple : pas du tout.")
    maximum = _WholeNumber("Nombre maximal de réponses", [Optional()])
    high = StringField("Sens de la note la plus haute", description="Par exemple : tout à fait.")
    max_length = _WholeNumber(
        "Longueur maximale, en caractères",
        [Optional()],
        description=(
            f"Sans précision : {ShortText.usual_length} pour un texte court, {LongText.usual_length} pour un texte "
            "long."
        ),
    )
    required = BooleanField("Réponse obligatoire")
    visibility = _Radio(
        "Publication des réponses",
        choices=[SelectChoice(visibility.value, label) for visibility, label in labels.VISIBILITIES.items()],
        default=AnswerVisibility.ROWS.value,
        description=(
            "Annoncée aux personnes qui répondent. Pour l’âge, le territoire ou la profession, préférez les totaux. "
            "Les textes, les nombres et les dates n’ont pas de totaux publiés."
        ),
    )
    condition = FormField(ConditionForm, "Condition")
    page = _WholeNumber("Page du questionnaire", [InputRequired("Donnez un numéro de page.")], default=1)

    def suit(self, kind: Kind, earlier: Sequence[Question], numbers: Mapping[uuid.UUID, int]) -> QuestionForm:
        """This form with the fields that a kind uses alone, its condition over earlier questions."""
        used = {*COMMON, *kind.settings, *(BY_OPTION[role] for role in kind.option_kinds)}
        used |= OF_QUESTIONS if kind.asks else set()
        for name in list(self._fields):
            if name not in used:
                del self[name]
        for name, (label, description) in kind.words.items():
            self[name].label.text, self[name].description = label, description
        self.condition.form.over(earlier, numbers)
        return self

    def draft(self, earlier: Sequence[Question], known: conditions.Condition | None) -> QuestionDraft:
        """What was typed, for the service; `known`: the condition that the question has."""
        said: dict[str, Any] = {name: value for name, value in self.data.items() if value is not None}
        said |= {name: tuple(said[name].splitlines()) for name in ("options", "rows") if name in said}
        said["condition"] = self.condition.form.declared(earlier, known)
        if "visibility" in said:
            said["visibility"] = AnswerVisibility(said["visibility"])
        return QuestionDraft(**said)


def filled_from(question: Question, earlier: Sequence[Question]) -> QuestionForm:
    """The form of an existing question."""
    by_kind = {kind: option_of(question, kind) for kind in (OptionKind.OTHER, OptionKind.EXCLUSIVE)}
    listed = {
        BY_OPTION[kind]: "\n".join(option.label for option in question.options if option.kind is kind)
        for kind in (OptionKind.NORMAL, OptionKind.ROW)
    }
    return QuestionForm(
        data={
            "kind": question.kind,
            "wording": question.wording,
            "help": question.help,
            "required": question.required,
            "visibility": question.visibility.value,
            "page": question.page,
            **listed,
            **{kind.value: option.label for kind, option in by_kind.items() if option is not None},
            **question.settings,
            "condition": _typed(conditions.of(question), earlier),
        }
    )


def _typed(condition: conditions.Condition | None, earlier: Sequence[Question]) -> dict[str, Any]:
    """A condition as the form shows it."""
    if condition is None:
        return {}
    how = conditions.ANY if conditions.ANY in condition else conditions.ALL
    parts = condition.get(how, ())
    if how not in condition or len(parts) > LEAVES or not all("question" in each for each in parts):
        return {"how": KEPT}
    words = {str(each.id): kinds.words_of(each) for each in earlier if kinds.of(each).asks}
    leaves = [
        {
            "question": leaf["question"],
            "operator": leaf["is"],
            "value": words.get(leaf["question"], {}).get(leaf.get("value", ""), leaf.get("value", "")),
        }
        for leaf in parts
    ]
    return {"how": how, "leaves": leaves}
