"""Forms of moderation; `policy` and `service` judge what they hold."""

from __future__ import annotations

from wtforms import BooleanField, Form, RadioField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from consult.consultations.labels import GROUNDS, OTHER_REPORT
from consult.moderation.policy import COMMENT_LENGTH, MESSAGE_LENGTH

_GROUNDS = [SelectChoice(ground.code, f"{ground.label} (article {ground.article})") for ground in GROUNDS.values()]


class ReportForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A citizen's report."""

    reason = RadioField("Raison du signalement", [InputRequired()], choices=[*_GROUNDS, SelectChoice(*OTHER_REPORT)])
    comment = TextAreaField(
        "Commentaire",
        [Length(max=COMMENT_LENGTH)],
        description="Facultatif, sauf pour une autre raison. Lu par les seules personnes qui modèrent.",
    )


class DecisionForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What every decision says: whether what a machine suggested served; only the person who decides can know."""

    machine = BooleanField(
        "Une suggestion de la machine m’a servi",
        description="La décision, le courriel à l’auteur et les chiffres publics diront qu’une machine y a pris part.",
    )


class HideForm(DecisionForm):
    """A decision to hide."""

    ground = RadioField("Motif", [InputRequired()], choices=_GROUNDS)
    message = TextAreaField(
        "Message à l’auteur",
        [InputRequired(), Length(max=MESSAGE_LENGTH)],
        description="Dites simplement ce qui, dans ce texte, est contraire à l’article, et ce que l’auteur peut faire.",
    )


class ExplainForm(DecisionForm):
    """A decision that needs no ground, only words for the author: restore, uphold."""

    message = TextAreaField("Message à l’auteur", [InputRequired(), Length(max=MESSAGE_LENGTH)])


class WordForm(DecisionForm):
    """A decision that may be told without a word."""

    message = TextAreaField("Message à l’auteur", [Length(max=MESSAGE_LENGTH)], description="Facultatif.")


class EscalateForm(DecisionForm):
    """A content left to an administrator."""

    message = TextAreaField(
        "Note pour l’administrateur",
        [InputRequired(), Length(max=MESSAGE_LENGTH)],
        description="Ce qui vous fait hésiter. L’auteur ne la lit pas.",
    )


class NoteForm(DecisionForm):
    """What concerns moderators alone: reports set aside, a first reading."""

    message = TextAreaField(
        "Note", [Length(max=MESSAGE_LENGTH)], description="Facultatif. Pour le journal de la modération."
    )


class EntrustForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A content that an administrator entrusts to a moderator."""

    holder = SelectField("Confier à", [InputRequired()])


class ContestForm(Form):  # type: ignore[misc]  # WTForms has no types
    """An author's contestation."""

    statement = TextAreaField(
        "Pourquoi contestez-vous cette décision ?",
        [Length(max=MESSAGE_LENGTH)],
        description="Facultatif. Lu par la personne qui réexaminera la décision.",
    )
