"""Forms of help; `policy` judges the texts."""

from __future__ import annotations

from wtforms import Form, HiddenField, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from consult.accounts.forms import EmailForm
from consult.tickets.assistance import labels, policy
from consult.tickets.assistance.models import Topic


class HelpForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What an account asks."""

    class Meta(EmailForm.Meta):
        """The library's own messages in French."""

    topic = RadioField(
        "Votre demande concerne",
        [InputRequired("Choisissez ce que votre demande concerne.")],
        choices=[SelectChoice(each.value, labels.TOPICS[each]) for each in Topic],
    )
    body = TextAreaField(
        "Votre demande",
        [InputRequired("Écrivez votre demande."), Length(max=policy.BODY_MAX)],
        description="Ce que vous cherchiez à faire, sur quelle page, et ce qui s’est passé. Lu par les seules "
        "personnes chargées de répondre. N’écrivez ni mot de passe ni donnée sensible.",
    )


class VisitorForm(HelpForm, EmailForm):
    """What somebody without account asks; `proof` or `stamp` tell a person from a robot."""

    proof = HiddenField()
    stamp = HiddenField()

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.email.description = "La réponse y sera envoyée. Un premier message vérifie qu’elle est à vous."


class MessageForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What who asked adds."""

    class Meta(EmailForm.Meta):
        """The library's own messages in French."""

    body = TextAreaField("Votre message", [InputRequired("Écrivez un message."), Length(max=policy.BODY_MAX)])
