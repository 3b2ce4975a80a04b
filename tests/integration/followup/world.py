"""An administration that consulted, and what it says afterwards."""

import datetime as dt

from sqlalchemy import select

from consult.accounts.notices.service import Sender
from consult.actor import Actor, Role
from consult.followup import service
from consult.followup.models import Commitment, OfficialAnswer, Outcome, Stage, TargetType, UseCase
from consult.mail.models import OutgoingMail
from consult.registry.models import RegistryEntry
from tests import factories as f

SITE, SECRET = "https://exemple.fr", "secret-des-essais"
REASON = "La décision a été annulée par le juge."


class World:
    """An open consultation with a proposal of somebody, and who answers for the administration."""

    def __init__(self, session):
        self.session = session
        self.organisation = f.make_organisation(session)
        session.info["tenant"] = self.organisation.id
        self.consultation = f.make_consultation(session, self.organisation)
        self.step = f.make_step(session, self.consultation)
        self.theme = f.make_theme(session, self.step)
        self.author = f.make_account(session, self.organisation)
        self.proposal = f.make_proposal(session, self.step, self.author)
        decider = f.make_account(session, self.organisation, Role.DECISION_MAKER)
        self.actor = Actor(decider.id, decider.pseudonym, confirmed=True, roles=frozenset({Role.DECISION_MAKER}))
        self.now = f.NOW
        self.sender = Sender(self.organisation, SITE, SECRET)

    def acting(self):
        return {"consultation": self.consultation, "actor": self.actor, "sender": self.sender, "now": self.now}

    def answer(self, target_type=TargetType.CONTRIBUTION, target_id=None, **values):
        said = {
            "target_type": target_type,
            "target_id": target_id or self.proposal.id,
            "outcome": Outcome.UNDER_STUDY,
            "authority": "Direction des mobilités",
            "body": "Nous étudions ce train du soir avec la région.",
        }
        return self._draft(OfficialAnswer, said | values)

    def commitment(self, **values):
        said = {
            "title": "Un train du soir",
            "body": "Un train de plus, du lundi au samedi.",
            "owner": "Direction des mobilités",
            "stage": Stage.PLANNED,
            "due_on": dt.date(2026, 6, 1),
            "link": "",
            "links": [],
        }
        return self._draft(Commitment, said | values)

    def case(self, **values):
        said = {
            "title": "Les trajets du soir",
            "partner": "Direction des mobilités",
            "theme": "Transports",
            "summary": "Un mois de propositions sur les trajets du soir.",
            "starts_on": dt.date(2026, 3, 1),
            "ends_on": dt.date(2026, 3, 31),
            "result_link": "",
            "licence": "etalab-2.0",
        }
        return self._draft(UseCase, said | values)

    def _draft(self, model, values):
        return service.create(self.session, model, self.consultation, values, actor=self.actor, now=self.now)

    def publish(self, item, *, seen=None):
        service.publish(self.session, item, seen=item.edits if seen is None else seen, **self.acting())
        return item

    def change(self, item, *, seen=None, **values):
        service.change(self.session, item, values, seen=item.edits if seen is None else seen, **self.acting())

    def withdraw(self, item, reason=REASON):
        service.withdraw(self.session, item, reason=reason, actor=self.actor, sender=self.sender, now=self.now)

    def entries(self):
        rows = self.session.scalars(select(RegistryEntry).order_by(RegistryEntry.id))
        return [(row.kind.value, row.opening) for row in rows]

    def mails(self):
        return self.session.scalars(select(OutgoingMail).order_by(OutgoingMail.created_at, OutgoingMail.id)).all()
