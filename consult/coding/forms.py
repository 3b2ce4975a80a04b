"""Forms of the analyst: the codebook's text, the run, the blind sample and its coding."""

from __future__ import annotations

from wtforms import BooleanField, Form, HiddenField, IntegerField, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget


class CodebookForm(Form):  # type: ignore[misc]  # WTForms has no types
    """The codebook as YAML."""

    source = TextAreaField("Plan de codification (YAML)", [InputRequired("Écrivez ou collez le plan de codification.")])


class RunForm(Form):  # type: ignore[misc]  # WTForms has no types
    """With which codebook, and which seed of the random draws."""

    codebook = SelectField("Plan de codification", choices=[])
    seed = IntegerField(
        "Graine des tirages",
        [
            InputRequired("Donnez un nombre entier : il permet de refaire la même analyse."),
            NumberRange(0, 2**31 - 1, "Donnez un nombre entre 0 et 2 147 483 647."),
        ],
        default=1,
    )


def _whole(label: str, low: int, high: int, default: int) -> IntegerField:
    words = f"Donnez un nombre entier entre {low} et {high}."
    return IntegerField(label, [InputRequired(words), NumberRange(low, high, words)], default=default)


def _boxes(label: str) -> SelectMultipleField:
    return SelectMultipleField(
        label, choices=[], widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), validate_choice=True
    )


class SampleForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Which corpus is measured, on how many contributions, by whom, and what is asked of a code."""

    corpus = SelectField("Corpus à mesurer", choices=[])
    coders = _boxes("Personnes qui codent")
    readers = _whole("Personnes par contribution", 1, 5, 2)
    per_stratum = _whole("Contributions par code, et autant sans le code", 1, 500, 50)
    seed = _whole("Graine du tirage", 0, 2**31 - 1, 1)
    precision = _whole("Précision exigée d’un code (%)", 0, 100, 70)
    recall = _whole("Rappel exigé d’un code (%)", 0, 100, 50)
    alpha = IntegerField(
        "Accord exigé entre personnes (alpha, en centièmes)",
        [Optional(), NumberRange(0, 100, "Donnez un nombre entier entre 0 et 100, ou rien.")],
    )


class SampleCodingForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What one person gives one contribution: codes, or none of them, said so that nothing passes by mistake."""

    unit = HiddenField()
    codes = _boxes("Codes")
    nothing = BooleanField("Aucun de ces codes")

    def validate_codes(self, field: SelectMultipleField) -> None:
        """Codes, or none: one of both, never both."""
        if bool(field.data) == bool(self.nothing.data):
            raise ValidationError("Cochez un code au moins, ou bien « Aucun de ces codes ».")
