"""Writing a mail: rendered and queued in the transaction of the act that causes it."""

from __future__ import annotations

import datetime as dt
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape
from sqlalchemy.orm import Session

from consult.errors import InvalidError
from consult.jobs import service as jobs
from consult.labels import FILTERS
from consult.mail.models import OutgoingMail

JOB_KIND: Final = "mail.deliver"
ATTEMPTS: Final = 24  # over some twelve hours: a mail server that is away for a night
LONGEST_ADDRESS: Final = 254  # RFC 5321, § 4.5.3.1.3
LONGEST_SUBJECT: Final = 200


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("consult", "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters.update(FILTERS)
    return environment


ENVIRONMENT: Final = _environment()


def send(
    session: Session,
    *,
    organisation_id: uuid.UUID,
    to: str,
    template: str,
    context: Mapping[str, Any],
    now: dt.datetime,
) -> OutgoingMail:
    """Queue the mail `templates/mail/<template>.txt` (and `.html` when there is one) for one person.

    It leaves only if the caller's transaction commits. The context holds what the template names, `organisation_name`
    and `site_url` for the layout. Raises InvalidError for an address that cannot be written to, and jinja2's
    UndefinedError, a fault of the caller, for a name that the context lacks.
    """
    recipient = mailable(to)
    text = ENVIRONMENT.get_template(f"mail/{template}.txt")
    subject = _one_line(_block(text, "subject", context))
    values = {**context, "subject": subject}
    mail = OutgoingMail(
        id=uuid.uuid4(),
        organisation_id=organisation_id,
        template=template,
        recipient=recipient,
        subject=subject,
        text=text.render(values).strip() + "\n",
        html=_html(template, values),
        message_id=uuid.uuid4().hex,
        created_at=now,
    )
    session.add(mail)
    session.flush()
    payload = {"mail": str(mail.id)}
    jobs.enqueue(session, JOB_KIND, payload, organisation_id=organisation_id, now=now, max_attempts=ATTEMPTS)
    return mail


def mailable(address: str) -> str:
    """The address as SMTP takes it, its domain in ASCII; raises InvalidError for what would break a header.

    Whether the address exists is the confirmation mail's business, not this function's.
    """
    address = address.strip()
    local, at, domain = address.rpartition("@")
    forbidden = any(
        character in '",:;<>()[]\\' or character.isspace() or unicodedata.category(character)[0] == "C"
        for character in address
    )
    if not (local and at and domain) or "@" in local or forbidden or len(address) > LONGEST_ADDRESS:
        raise _unmailable()
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise _unmailable() from None


def _unmailable() -> InvalidError:
    words = "Cette adresse électronique n’est pas valable. Vérifiez-la, par exemple : prenom.nom@exemple.fr."
    return InvalidError(words, fields={"email": words})


def _html(template: str, values: Mapping[str, Any]) -> str | None:
    name = f"mail/{template}.html"
    if name not in ENVIRONMENT.list_templates(filter_func=lambda found: found == name):
        return None
    return ENVIRONMENT.get_template(name).render(values)


def _block(template: Template, name: str, context: Mapping[str, Any]) -> str:
    return "".join(template.blocks[name](template.new_context(dict(context))))


def _one_line(subject: str) -> str:
    """A subject without line breaks or control characters, so that no header can be added through it."""
    visible = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in subject)
    return " ".join(visible.split())[:LONGEST_SUBJECT]
