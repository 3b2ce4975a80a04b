"""Forms of tickets. They hold what was typed; `policy` and `service` judge it."""

from __future__ import annotations

from typing import Final

from wtforms import FileField, Form, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from consult.labels import NO_BREAK
from consult.tickets import labels, policy

_SEVERITIES: Final = [
    SelectChoice(each.value, f"{word}{NO_BREAK}: {labels.MEANINGS[each]}")
    for each, (word, _) in labels.SEVERITIES.items()
]


class _Form(Form):  # type: ignore[misc]  # WTForms has no types
    """What the library itself has to say is said in French."""

    class Meta:
        locales = ("fr",)


class ReportForm(_Form):
    """A new ticket."""

    kind = RadioField(
        "Nature",
        [InputRequired("Choisissez la nature.")],
        choices=[SelectChoice(each.value, labels.KINDS[each]) for each in policy.REPORTED],
        default=policy.REPORTED[0].value,
    )
    title = StringField("Titre", [InputRequired(), Length(max=policy.TITLE_MAX)])
    body = TextAreaField(
        "Description",
        [InputRequired(), Length(max=policy.BODY_MAX)],
        description="Ce qui ne va pas, où, depuis quand, pour qui. Pas de donnée personnelle.",
    )
    severity = RadioField(
        "Gravité",
        [Optional()],
        choices=_SEVERITIES,
        description="D’une anomalie. Les délais du contrat en dépendent.",
    )


class SeverityForm(_Form):
    """The severity of an anomaly, and why."""

    severity = RadioField("Gravité", [InputRequired("Choisissez la gravité.")], choices=_SEVERITIES)
    reason = TextAreaField(
        "Motif",
        [InputRequired(), Length(max=policy.REASON_MAX)],
        description="Inscrit à l’historique. Les délais sont recalculés depuis le même signalement.",
    )


class ReasonForm(_Form):
    """Why a ticket is closed, or opened again."""

    reason = TextAreaField("Motif", [InputRequired(), Length(max=policy.REASON_MAX)])


class MilestoneForm(_Form):
    """A milestone."""

    milestone = SelectField("Étape", [InputRequired("Choisissez l’étape.")])


class RefusalForm(MilestoneForm):
    """A milestone that is refused, and why."""

    reason = TextAreaField("Motif", [InputRequired(), Length(max=policy.REASON_MAX)])


class ExplainForm(_Form):
    """Cause and release."""

    cause = StringField(
        "Cause",
        [Length(max=policy.TITLE_MAX)],
        description="En quelques mots, les mêmes d’un ticket à l’autre\u00a0: les causes répétées se comptent.",
    )
    release = StringField("Version qui corrige", [Length(max=policy.TITLE_MAX)])


class PublicForm(_Form):
    """What the status page says."""

    words = TextAreaField(
        "Ce que dit la page de statut",
        [Length(max=policy.PUBLIC_MAX)],
        description="Public, sans donnée personnelle. Vide\u00a0: la page n’en dit rien.",
    )


class MessageForm(_Form):
    """A message of the thread."""

    body = TextAreaField("Message", [InputRequired("Écrivez un message."), Length(max=policy.BODY_MAX)])


class FileForm(_Form):
    """A file."""

    file = FileField(
        "Fichier",
        description="Image JPEG, PNG ou WebP, récrite sans métadonnées, ou texte brut (.txt, .log) de 200 ko au plus.",
    )
