"""The forms of accounts: what is typed, and the French words when it cannot be accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wtforms import BooleanField, EmailField, Field, Form, HiddenField, PasswordField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from consult.accounts import policy
from consult.accounts.passwords import policy as passwords
from consult.accounts.pseudonyms.forms import PseudonymForm
from consult.errors import InvalidError


def _refused_by(check: Callable[[str], object], field: Field) -> None:
    try:
        check(field.data or "")
    except InvalidError as error:
        raise ValidationError(error.message) from None


class EmailForm(Form):  # type: ignore[misc]  # WTForms has no types
    """An address."""

    class Meta:
        locales = ("fr",)

    email = EmailField(
        "Adresse électronique",
        [
            InputRequired("Saisissez votre adresse électronique."),
            Length(max=policy.EMAIL_MAX_LENGTH, message="Cette adresse est trop longue."),
        ],
    )

    def validate_email(self, field: Field) -> None:
        """Refuse what no mail could reach."""
        _refused_by(policy.clean_email, field)


class SignInForm(Form):  # type: ignore[misc]
    """Address and password: an impossible address is only a wrong one, so that the reply tells nothing."""

    email = StringField("Adresse électronique", [InputRequired("Saisissez votre adresse électronique.")])
    password = PasswordField("Mot de passe", [InputRequired("Saisissez votre mot de passe.")])


class NewPasswordForm(Form):  # type: ignore[misc]
    """A new password, shown or hidden by the page's own button: typing it twice would protect from nothing."""

    password = PasswordField(
        "Nouveau mot de passe",
        [InputRequired("Choisissez un mot de passe.")],
        description=(
            f"{passwords.MIN_LENGTH} caractères au moins, {passwords.MAX_LENGTH} au plus, de toute sorte. "
            "Plusieurs mots sans rapport entre eux font un bon mot de passe."
        ),
    )

    def __init__(self, *args: Any, context: tuple[str, ...] = (), staff: bool = False, **kwargs: Any) -> None:
        """`context`: what anyone could try first. `staff`: the longer rule."""
        super().__init__(*args, **kwargs)
        self.context, self._staff = context, staff
        if staff:
            self.password.description = self.password.description.replace(
                str(passwords.MIN_LENGTH), str(passwords.STAFF_MIN_LENGTH), 1
            )

    def validate_password(self, field: Field) -> None:
        """Refuse before hashing."""
        reason = passwords.refusal(field.data or "", staff=self._staff, context=self.context)
        if reason:
            raise ValidationError(reason)


class ChangePasswordForm(NewPasswordForm):
    """The current password, and another."""

    current = PasswordField("Mot de passe actuel", [InputRequired("Saisissez votre mot de passe actuel.")])


class TakeOverForm(NewPasswordForm):
    """A password, and what becomes of what was prepared by whoever signed up: anything but « publish » deletes it."""

    prepared = RadioField(
        choices=[
            SelectChoice("delete", "Supprimer\u00a0: ce n’est pas moi, ou je n’en veux plus"),
            SelectChoice("publish", "Publier et compter\u00a0: c’est moi qui l’ai préparé"),
        ],
        default="delete",
        validate_choice=False,
    )

    def __init__(self, *args: Any, prepared: str, **kwargs: Any) -> None:
        """`prepared`: what there is, in words; nothing is asked when there is nothing."""
        super().__init__(*args, **kwargs)
        self._found = bool(prepared)
        if self._found:
            self.prepared.label.text = f"Ce compte a préparé {prepared} avant cette confirmation"
        else:
            del self.prepared

    @property
    def publishes(self) -> bool:
        """Whether the holder of the address takes as theirs what was prepared."""
        return self._found and self.prepared.data == "publish"

    @property
    def outcome(self) -> str:
        """What became of it, to be told."""
        if not self._found:
            return ""
        if self.publishes:
            return "Ce que ce compte avait préparé est publié et compté, là où l’étape est ouverte."
        return "Ce que ce compte avait préparé est supprimé."


class JoinForm(PseudonymForm, EmailForm):
    """Pseudonym, address, terms: all that is asked of whom an identity provider vouches for."""

    terms = BooleanField(
        "J’accepte les conditions d’utilisation et la charte de participation",
        [InputRequired("Cochez la case pour accepter les conditions et la charte.")],
    )

    def __init__(self, *args: Any, reserved: tuple[str, ...] = (), **kwargs: Any) -> None:
        """`reserved`: names nobody may wear, such as the organisation's."""
        super().__init__(*args, reserved=reserved, **kwargs)
        self.email.description = "Jamais affichée. Un lien y est envoyé pour confirmer votre compte."


class SignUpForm(JoinForm, NewPasswordForm):
    """And a password; `proof` or `stamp` tell a person from a robot."""

    proof = HiddenField()
    stamp = HiddenField()

    def __init__(self, *args: Any, reserved: tuple[str, ...] = (), **kwargs: Any) -> None:
        """Reserved names are no password either."""
        super().__init__(*args, reserved=reserved, **kwargs)
        self.context = (*reserved, self.pseudonym.data or "", self.email.data or "")
        self.password.label.text = "Mot de passe"
