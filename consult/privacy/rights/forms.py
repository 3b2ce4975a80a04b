"""The forms of rights: what a person asks, what the administration answers."""

from __future__ import annotations

from wtforms import Form, HiddenField, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from consult.accounts.forms import EmailForm
from consult.contributions.policy import many_lines
from consult.privacy.rights.labels import NAMES
from consult.privacy.rights.models import Outcome, Right
from consult.privacy.rights.policy import SELF_SERVED, SHORTEST_TEXT, TEXT_LENGTH


def _text(label: str, missing: str, description: str = "") -> TextAreaField:
    shown = f"{TEXT_LENGTH} caractères au plus\u00a0: raccourcissez."
    validators = [
        InputRequired(missing),
        Length(min=SHORTEST_TEXT, message=f"{missing} Écrivez {SHORTEST_TEXT} caractères au moins."),
        Length(max=TEXT_LENGTH, message=shown),
    ]
    return TextAreaField(label, validators, description=description, filters=[lambda typed: many_lines(typed or "")])


def _choices(*rights: Right) -> list[SelectChoice]:
    return [SelectChoice(right.value, NAMES[right][0].upper() + NAMES[right][1:]) for right in rights]


class RequestForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What an account asks of the administration; the other rights are at hand in its own pages."""

    class Meta(EmailForm.Meta):
        """The library's own messages in French."""

    right = RadioField(
        "Quel droit voulez-vous exercer\u00a0?",
        [InputRequired("Choisissez le droit que vous voulez exercer.")],
        choices=_choices(*(right for right in Right if right not in SELF_SERVED)),
    )
    statement = _text(
        "Votre demande",
        "Dites ce que vous demandez et pourquoi.",
        "Dites de quelles données il s’agit (donnez l’adresse de la page), ce que vous demandez, et pourquoi. Lu par "
        "les seules personnes chargées de répondre.",
    )


class VisitorForm(RequestForm, EmailForm):
    """What somebody without account asks; `proof` or `stamp` tell a person from a robot."""

    proof = HiddenField()
    stamp = HiddenField()

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.right.choices = _choices(*Right)
        self.email.description = "La réponse y sera envoyée. Un premier message vérifie qu’elle est à vous."


class AnswerForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Granted or refused, with the reason."""

    class Meta(EmailForm.Meta):
        """The library's own messages in French."""

    outcome = RadioField(
        "Réponse",
        [InputRequired("Choisissez la réponse.")],
        choices=[
            SelectChoice(Outcome.GRANTED.value, "Accepter la demande"),
            SelectChoice(Outcome.REFUSED.value, "Refuser la demande"),
        ],
    )
    words = _text(
        "Message à la personne",
        "Motivez la réponse.",
        "Ce qui a été fait, ou pourquoi la demande est refusée. Le courriel dit lui-même comment saisir la CNIL.",
    )


class ExtendForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Two more months."""

    words = _text(
        "Motif de la prolongation",
        "Dites à la personne pourquoi il faut plus de temps.",
        "Complexité ou nombre des demandes (article 12, § 3). Envoyé à la personne avec la nouvelle date.",
    )


class LiftForm(Form):  # type: ignore[misc]  # WTForms has no types
    """The end of what was granted."""

    words = _text("Message à la personne", "Dites à la personne pourquoi la mesure est levée.")
