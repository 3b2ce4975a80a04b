"""Forms of the analyst: the codebook's text, the run."""

from __future__ import annotations

from wtforms import Form, IntegerField, SelectField, TextAreaField
from wtforms.validators import InputRequired, NumberRange


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
