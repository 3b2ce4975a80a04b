"""Requests to exercise a right: sent, answered, lifted, and the mails that tell of them."""

import datetime as dt

from sqlalchemy import select

from consult.accounts.policy import Mailbox
from consult.actor import Actor, Role
from consult.app import bindings as bound
from consult.mail.models import OutgoingMail
from consult.privacy.rights import service
from consult.privacy.rights.models import Outcome, Right, RightsRequest
from consult.settings import Settings
from tests import factories as f
from tests.integration.privacy.town import EMAIL

SITE, DAY = "https://exemple.fr", dt.timedelta(days=1)
WHY = "Je conteste ce qui est écrit de moi, merci de le geler."
WORDS = "Votre demande est fondée, nous y faisons droit."
CONTENT_TYPES = bound(Settings()).content_types
MAILBOX = Mailbox("a", per_hour=3, per_day=5)


def ask(town, right=Right.LIMITATION, *, account=None, statement=WHY, now=f.NOW) -> RightsRequest:
    account_id = (account or town.person).id
    return service.ask(town.session, town.organisation, account_id, right, statement, site=SITE, now=now)


def agent(town) -> Actor:
    return Actor(town.admin.id, town.admin.pseudonym, roles=frozenset({Role.ADMINISTRATOR}))


def answer(town, request, outcome=Outcome.GRANTED, words=WORDS, now=f.NOW + DAY):
    return service.answer(
        town.session, town.organisation, CONTENT_TYPES, request.id, outcome, words,
        actor=agent(town), site=SITE, now=now,
    )  # fmt: skip


def extend(town, request, now):
    return service.extend(
        town.session, town.organisation, request.id, "La recherche porte sur trois consultations.",
        actor=agent(town), site=SITE, now=now,
    )  # fmt: skip


def lift(town, request, actor, words="", now=f.NOW + 2 * DAY):
    return service.lift(
        town.session, town.organisation, CONTENT_TYPES, request.id, actor=actor, words=words, site=SITE, now=now
    )  # fmt: skip


def mails(town, to=EMAIL) -> list[OutgoingMail]:
    sent = select(OutgoingMail).where(OutgoingMail.recipient == to, OutgoingMail.template.startswith("rights_"))
    return list(town.session.scalars(sent.order_by(OutgoingMail.created_at, OutgoingMail.id)))


def one(town, template, to=EMAIL) -> str:
    (mail,) = (mail for mail in mails(town, to) if mail.template == template)
    return f"{mail.subject}\n{mail.text}"


def write_in(town, email, now=f.NOW):
    service.ask_without_account(
        town.session, town.organisation, email=email, right=Right.ERASURE, statement=WHY, mailbox=MAILBOX, site=SITE,
        now=now,
    )  # fmt: skip


def link_in(mail) -> str:
    return mail.text.split(f"{SITE}/droits/")[1].split()[0]
