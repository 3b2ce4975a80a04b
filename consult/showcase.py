"""The live component page: every component with long texts, empty states and errors."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask import render_template
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    FileField,
    Form,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

LONG_ANSWER = (
    "Oui, à condition que l’avis de chaque commune soit publié avec la réponse qui lui a été faite, même lorsqu’il "
    "n’est pas suivi"
)


@dataclass(frozen=True, slots=True)
class Step:
    """What the calendar shows of a step."""

    title: str
    state: str
    starts: dt.datetime | None = None
    ends: dt.datetime | None = None
    kind: str = ""
    summary: str = ""
    href: str = "#step_list"


class ShowcaseForm(Form):  # type: ignore[misc]  # WTForms has no types
    """One field of each kind. Never submitted."""

    class Meta:
        """The library's own messages in French."""

        locales = ("fr",)

    pseudonym = StringField("Pseudonyme", [InputRequired(), Length(max=40)], description="Il sera public.")
    email = EmailField("Adresse électronique", [InputRequired(), Regexp(r".+@.+", message="Il manque le signe « @ ».")])
    password = PasswordField(
        "Mot de passe", render_kw={"autocomplete": "new-password"}, description="Douze caractères au moins."
    )
    territory = SelectField(
        "Votre territoire",
        choices=[SelectChoice("", "Choisir"), SelectChoice("38", "Isère"), SelectChoice("974", "La Réunion")],
    )
    age = IntegerField("Âge", [Optional(), NumberRange(15, 120, "Donnez un nombre entre 15 et 120.")])
    day = DateField("Date d’ouverture", [Optional()])
    proposal = TextAreaField("Votre proposition", [InputRequired("Écrivez votre proposition."), Length(max=2000)])
    answer = RadioField(
        "Faut-il publier l’avis des communes ?",
        [InputRequired("Choisissez une réponse.")],
        choices=[SelectChoice("yes", LONG_ANSWER), SelectChoice("no", "Non"), SelectChoice("unknown", "Sans opinion")],
    )
    themes = SelectMultipleField(
        "Thèmes suivis",
        choices=[
            SelectChoice("water", "Eau"),
            SelectChoice("rail", "Transports ferroviaires"),
            SelectChoice("school", "École"),
        ],
        option_widget=widgets.CheckboxInput(),
        widget=widgets.ListWidget(prefix_label=False),
        description="Plusieurs réponses possibles.",
    )
    picture = FileField("Illustration")
    charter = BooleanField("J’accepte la charte de participation", [InputRequired("L’accord est nécessaire.")])


def render(*, now: dt.datetime) -> str:
    """The page of components; `now` dates its example calendar."""
    typed = MultiDict(
        {"pseudonym": "Marguerite_du_Vercors", "email": "marguerite chez exemple.fr", "age": "7", "territory": "38"}
    )
    refused = ShowcaseForm(prefix="refused-")
    refused.process(MultiDict({f"refused-{name}": value for name, value in typed.items()}))
    refused.validate()
    day = dt.timedelta(days=1)
    steps = [
        Step("Questionnaire", "closed", starts=now - 60 * day, ends=now - 30 * day, kind="Questionnaire"),
        Step(
            "Vos propositions pour les petites lignes, les gares et les correspondances",
            "open",
            starts=now - 5 * day,
            ends=now + 25 * day,
            kind="Propositions et votes",
            summary="Proposez, argumentez, votez.",
        ),
        Step("Restitution et réponses de l’administration", "upcoming"),
    ]
    return render_template("site/components.html", form=ShowcaseForm(), refused=refused, steps=steps)
