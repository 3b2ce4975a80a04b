"""Forms of proposals and arguments. They draw and hold what was typed; `policy` and `service` alone judge it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from itertools import starmap
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    Form,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from consult import departements, traces
from consult.consultations.policy import TITLE_LENGTH
from consult.contributions import labels, policy
from consult.contributions.models import Side
from consult.contributions.policy import Asked, Limits
from consult.contributions.voting import MOST_PLACES, MOST_POINTS, VoteKind, VoteRule, rule_of
from consult.errors import InvalidError
from consult.labels import number

_BALLOT_SETTINGS = {"points": VoteKind.POINTS, "points_most": VoteKind.POINTS, "ranked": VoteKind.RANKING}
SIDES = [SelectChoice(Side.FOR.value, "Pour"), SelectChoice(Side.AGAINST.value, "Contre")]


def proposal_form(
    settings: Mapping[str, Any],
    themes: Any,
    typed: MultiDict[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Any:
    """The form of a proposal, as the settings of its step ask for it, with its themes."""
    limits, asked = policy.limits(settings), policy.asks_departement(settings)

    class ProposalForm(Form):  # type: ignore[misc]  # WTForms has no types
        title = StringField(
            "Titre",
            [InputRequired(), Length(max=limits.title_max)],
            description=f"Une phrase qui dit l’idée, de {limits.title_min} à {number(limits.title_max)} caractères.",
        )
        theme = SelectField("Thème", [InputRequired()], choices=[SelectChoice("", "Choisir un thème")])
        body = TextAreaField(
            "Votre proposition",
            [InputRequired(), Length(max=limits.body_max)],
            description=(
                f"De {limits.body_min} à {number(limits.body_max)} caractères. Une ligne vide sépare les paragraphes, "
                "un tiret commence une liste. N’indiquez ni nom ni coordonnées."
            ),
        )
        departement = SelectField(
            "Département",
            [InputRequired()] if asked is Asked.REQUIRED else [],
            choices=[SelectChoice("", "Choisir un département"), *starmap(SelectChoice, departements.choices())],
            description=(
                "Public\u00a0: vous le déclarez, il paraît à côté de votre proposition et dans les données ouvertes."
                + ("" if asked is Asked.REQUIRED else " Vous pouvez ne pas le donner.")
            ),
        )
        sure = sure_field()
        submission_key = HiddenField()
        version = HiddenField()

    form = ProposalForm(typed, data=values)
    form.theme.choices = [*form.theme.choices, *(SelectChoice(str(theme.id), theme.title) for theme in themes)]
    if not themes:
        del form.theme
    if asked is Asked.NO:
        del form.departement
    return form


def argument_form(
    limits: Limits, typed: MultiDict[str, str] | None = None, values: Mapping[str, Any] | None = None
) -> Any:
    """The form of an argument with the limits of its step."""

    class ArgumentForm(Form):  # type: ignore[misc]  # WTForms has no types
        side = RadioField("Votre argument est", [InputRequired()], choices=SIDES)
        title = StringField(
            "Titre",
            [Length(max=limits.title_max)],
            description=f"Facultatif : l’idée en une phrase, de {limits.title_min} à {limits.title_max} caractères.",
        )
        body = TextAreaField(
            "Votre argument",
            [InputRequired(), Length(max=limits.argument_max)],
            description=(
                f"De {limits.argument_min} à {number(limits.argument_max)} caractères. Un seul argument à la fois."
            ),
        )
        sure = sure_field()
        submission_key = HiddenField()
        version = HiddenField()

    return ArgumentForm(typed, data=values)


class ThemeForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A theme to add to a step."""

    title = StringField("Nouveau thème", [Length(max=TITLE_LENGTH)])


class WholeNumber(IntegerField):  # type: ignore[misc]  # WTForms has no types
    """A whole number; what is not one is refused in French."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Raise ValueError, which WTForms shows on the field, and keep what was typed."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Écrivez un nombre entier, en chiffres.") from None


def _number(label: str, most: int, description: str) -> WholeNumber:
    return WholeNumber(
        label,
        [Optional(), NumberRange(1, most, f"Écrivez un nombre de 1 à {most}.")],
        description=description,
    )


class RulesForm(Form):  # type: ignore[misc]  # WTForms has no types
    """How people take part in a step."""

    vote = RadioField("Vote", [InputRequired()], choices=list(starmap(SelectChoice, labels.VOTES.items())))
    points = _number("Points à répartir", MOST_POINTS, "Pour le vote par points\u00a0: combien chaque personne en a.")
    points_most = _number(
        "Points au plus par proposition", MOST_POINTS, "Facultatif. Sans lui, on peut tout donner à une seule."
    )
    ranked = _number(
        "Places du classement", MOST_PLACES, "Pour le classement\u00a0: combien de propositions chacun peut classer."
    )
    departement = RadioField(
        "Département de l’auteur d’une proposition",
        choices=[
            SelectChoice(Asked.NO.value, "Pas demandé"),
            SelectChoice(Asked.OPTIONAL.value, "Demandé, facultatif"),
            SelectChoice(Asked.REQUIRED.value, "Demandé, obligatoire"),
        ],
        description="L’auteur le déclare\u00a0; il est public, à côté de la proposition et dans les données ouvertes.",
    )
    arguments = BooleanField(
        "Recueillir des arguments pour et contre",
        description="Sous chaque texte soumis au vote, chacun peut dire pourquoi et juger utiles les arguments lus.",
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """What the kind of vote needs besides: an empty field is refused there alone."""
        valid = super().validate(extra_validators)
        if self.vote.data == VoteKind.POINTS and not self.points.errors:
            if not self.points.data:
                self.points.errors = ["Dites combien de points chaque personne répartit."]
            elif (self.points_most.data or 1) > self.points.data:
                self.points_most.errors = ["Le maximum par proposition ne peut pas dépasser les points à répartir."]
        if self.vote.data == VoteKind.RANKING and not self.ranked.errors and not self.ranked.data:
            self.ranked.errors = ["Dites combien de propositions chaque personne peut classer."]
        return valid and not self.errors


def rules_form(kind: str, settings: Mapping[str, Any], typed: MultiDict[str, str] | None = None) -> RulesForm:
    """The form of the rules of a step of that kind, as they are or as they were typed."""
    now: dict[str, Any] = {
        "vote": rule_of(settings).kind.value,
        "arguments": policy.takes_arguments(settings),
        "departement": policy.asks_departement(settings).value,
    }
    now |= {name: settings.get(name) for name in _BALLOT_SETTINGS}
    form = RulesForm(typed, data=now)
    if kind != "proposals":
        for name in ("departement", *_BALLOT_SETTINGS):
            del form[name]
        form.vote.choices = [each for each in form.vote.choices if not VoteRule(VoteKind(each.value)).by_ballot]
    return form


def chosen_rules(form: RulesForm) -> dict[str, Any]:
    """The settings that a form says, by name; None for one that is as usual."""
    chosen: dict[str, Any] = {"arguments": None if form.arguments.data else False}
    chosen["vote"] = None if form.vote.data == VoteKind.THREE_WAY else form.vote.data
    for name, kind in _BALLOT_SETTINGS.items():
        chosen[name] = (form[name].data or None) if form.vote.data == kind else None
    if "departement" in form:
        chosen["departement"] = None if form.departement.data == Asked.NO else form.departement.data
    return chosen


def sure_field() -> Any:
    """Shown to those alone whose text seems to hold personal data."""
    return BooleanField("J’ai relu mon texte : publier quand même")


def check_traces(form: Any) -> None:
    """Raise InvalidError when the text seems to hold personal data, unless its author has seen so and is sure."""
    written = (form[name] for name in ("title", "body", "reason", "sources") if name in form)
    words = traces.warning({field.label.text: field.data or "" for field in written})
    if words and not form.sure.data:
        raise InvalidError(words, fields={"sure": words})


def chosen_theme(form: Any) -> uuid.UUID | None:
    """The theme that was chosen; None when there is none, or when what was sent is no identifier."""
    typed = form.theme.data if "theme" in form else None
    try:
        return uuid.UUID(typed) if typed else None
    except ValueError:
        return None


def chosen_departement(form: Any) -> str | None:
    """The code that was chosen, or sent; None when there is none."""
    return form.departement.data or None if "departement" in form else None


def chosen_side(form: Any) -> Side:
    """For or against. Raises InvalidError when neither was chosen."""
    if form.side.data not in set(Side):
        message = "Dites si votre argument est pour ou contre."
        raise InvalidError(message, fields={"side": message})
    return Side(form.side.data)


def read_version(form: Any) -> int:
    """The version that the form was opened on; 0, which no content has, when what was sent is no number."""
    typed = form.version.data or ""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0  # noqa: PLR2004  # fits
