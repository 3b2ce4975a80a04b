"""Forms of the staff side: consultations, steps, closing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    Form,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from consult.accounts.forms import EmailForm
from consult.clock import PARIS
from consult.consultations.age.policy import USUAL, AgeRule
from consult.consultations.policy import SUMMARY_LENGTH, TITLE_LENGTH
from consult.errors import ConsultError


class ParisDateTimeField(DateTimeLocalField):  # type: ignore[misc]  # WTForms has no types
    """An instant typed and shown in Paris time, held in UTC."""

    def process_data(self, value: dt.datetime | None) -> None:
        """Show a stored instant."""
        self.data = value.astimezone(PARIS).replace(tzinfo=None) if value else None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed. Raises ValueError telling how to type it."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Donnez une date et une heure, par exemple 2026-09-01T08:00.") from None

    @property
    def instant(self) -> dt.datetime:
        """The instant, in UTC."""
        moment: dt.datetime | None = self.data
        if moment is None:
            raise ValueError("read before the form was validated")
        return moment.replace(tzinfo=PARIS).astimezone(dt.UTC)


def _dates() -> tuple[ParisDateTimeField, ParisDateTimeField]:
    formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
    return (
        ParisDateTimeField("Début", [InputRequired("Donnez la date et l’heure de début.")], format=formats,
                           description="Heure de Paris."),
        ParisDateTimeField("Fin", [InputRequired("Donnez la date et l’heure de fin.")], format=formats,
                           description="Heure de Paris ; l’instant de fin est exclu."),
    )  # fmt: skip


class ConsultationForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A consultation's texts and dates, and the age it asks for."""

    class Meta(EmailForm.Meta):
        """The library's own messages in French."""

    title = StringField(
        "Titre", [InputRequired("Donnez un titre."), Length(max=TITLE_LENGTH, message="Ce titre est trop long.")]
    )
    summary = TextAreaField(
        "Résumé",
        [Length(max=SUMMARY_LENGTH, message="Ce résumé est trop long.")],
        description="Une ou deux phrases, affichées sur la page d’accueil.",
    )
    description = TextAreaField(
        "Présentation", description="Pourquoi cette consultation, qui décide, et de quoi. HTML simple accepté."
    )
    outcome = TextAreaField(
        "Ce qui sera fait des contributions", description="Ce à quoi l’administration s’engage. HTML simple accepté."
    )
    opens_at, closes_at = _dates()
    minimum_age = IntegerField(
        "Âge minimal à déclarer",
        [Optional()],
        description=(
            f"Vide\u00a0: rien n’est demandé. {USUAL}, par exemple\u00a0: chacun dit une fois «\u00a0J’ai {USUAL} ans "
            "ou plus\u00a0» avant de participer, sans donner sa date de naissance. Figé à l’ouverture. Les "
            "questionnaires sans compte le disent avant l’envoi, qui vaut déclaration."
        ),
    )
    parental_consent = BooleanField(
        "Plus jeune, participer avec l’accord de la personne qui exerce l’autorité parentale"
    )

    @property
    def age(self) -> AgeRule:
        """The age asked for, as it was typed."""
        return AgeRule(self.minimum_age.data, bool(self.parental_consent.data))


class StepForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A step's title, introduction and dates; its kind is chosen once."""

    kind = SelectField("Type d’étape")
    title = StringField(
        "Titre", [InputRequired("Donnez un titre."), Length(max=TITLE_LENGTH, message="Ce titre est trop long.")]
    )
    introduction = TextAreaField("Introduction", description="HTML simple accepté.")
    opens_at, closes_at = _dates()


class CloseForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Why a consultation is closed before or at its end."""

    reason = TextAreaField(
        "Motif",
        [InputRequired("Indiquez pourquoi la consultation est fermée."), Length(max=1_000, message="Trop long.")],
        description="Il est public et inscrit au registre.",
    )


def put_errors(form: Any, error: ConsultError) -> None:
    """Show a service's refusal where it belongs: on the fields it names, else above the form."""
    known = {name: reason for name, reason in error.fields.items() if name in form}
    for name, reason in known.items():
        form[name].errors = [*form[name].errors, reason]
    if not known:
        form.form_errors = [*form.form_errors, error.message]
