"""The form of one question."""

from __future__ import annotations

from typing import Any, Final

from wtforms import BooleanField, Form, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from consult.questionnaires import labels, policy
from consult.questionnaires.builder.service import OPTION_LENGTH, WORDING_LENGTH, QuestionDraft
from consult.questionnaires.models import AnswerVisibility, OptionKind, Question, QuestionKind

WHOLE_NUMBER: Final = "Écrivez un nombre entier, en chiffres."
TOO_LONG: Final = "Ce texte est trop long : {} caractères au plus."
CHOOSE: Final = "Choisissez une des possibilités de la liste."


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


class QuestionForm(Form):  # type: ignore[misc]
    """What an organiser says of a question; `builder.service` checks it as a whole."""

    kind = _Choice(
        "Type de question", choices=[SelectChoice(kind.value, label) for kind, label in labels.KINDS.items()]
    )
    wording = TextAreaField(
        "Question",
        [InputRequired("Écrivez la question."), Length(max=WORDING_LENGTH, message=TOO_LONG.format(WORDING_LENGTH))],
    )
    help = StringField("Aide", description="Une phrase affichée sous la question, si besoin.")
    required = BooleanField("Réponse obligatoire")
    visibility = _Radio(
        "Publication des réponses",
        choices=[SelectChoice(visibility.value, label) for visibility, label in labels.VISIBILITIES.items()],
        default=AnswerVisibility.ROWS.value,
        description=(
            "Annoncée aux personnes qui répondent. Pour l’âge, le territoire ou la profession, préférez les totaux."
        ),
    )
    page = _WholeNumber("Page du questionnaire", [InputRequired("Donnez un numéro de page.")], default=1)
    options = TextAreaField("Réponses proposées", description="Une par ligne. Pour les questions à choix seulement.")
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
    minimum = _WholeNumber("Nombre minimal de réponses", [Optional()], description="Choix multiple seulement.")
    maximum = _WholeNumber("Nombre maximal de réponses", [Optional()], description="Choix multiple seulement.")
    max_length = _WholeNumber(
        "Longueur maximale, en caractères",
        [Optional()],
        description=(
            f"Textes seulement. Sans précision : {policy.DEFAULT_LENGTH[QuestionKind.SHORT_TEXT]} pour un texte court, "
            f"{policy.DEFAULT_LENGTH[QuestionKind.LONG_TEXT]} pour un texte long."
        ),
    )

    def draft(self) -> QuestionDraft:
        """What was typed, for the service."""
        return QuestionDraft(
            kind=QuestionKind(self.kind.data),
            wording=self.wording.data or "",
            help=self.help.data or "",
            required=self.required.data,
            visibility=AnswerVisibility(self.visibility.data),
            page=self.page.data,
            options=tuple((self.options.data or "").splitlines()),
            other=self.other.data or "",
            exclusive=self.exclusive.data or "",
            minimum=self.minimum.data,
            maximum=self.maximum.data,
            max_length=self.max_length.data,
        )


def filled_from(question: Question) -> QuestionForm:
    """The form of an existing question."""
    by_kind = {kind: policy.option_of(question, kind) for kind in (OptionKind.OTHER, OptionKind.EXCLUSIVE)}
    special: dict[str, Any] = {kind.value: option.label for kind, option in by_kind.items() if option is not None}
    return QuestionForm(
        data={
            "kind": question.kind.value,
            "wording": question.wording,
            "help": question.help,
            "required": question.required,
            "visibility": question.visibility.value,
            "page": question.page,
            "options": "\n".join(option.label for option in question.options if option.kind is OptionKind.NORMAL),
            **special,
            **question.settings,
        }
    )
