"""An administration, whoever runs its platform, and their tickets."""

from sqlalchemy import select

from consult.accounts.notices.service import Sender
from consult.actor import Actor, Role
from consult.db import ALL_TENANTS
from consult.mail.models import OutgoingMail
from consult.seam import service_levels as levels
from consult.tickets import policy, service
from consult.tickets.models import Kind
from tests import factories as f

SITE, SECRET = "https://exemple.fr", "secret-des-essais"
REASON = "Le formulaire de vote ne répond plus."


class World:
    """An organisation with an administrator; an operator and a member of the DITP, of no organisation in particular."""

    def __init__(self, session):
        self.session, self.now = session, f.NOW
        session.info["tenant"] = ALL_TENANTS
        self.organisation = f.make_organisation(session)
        home = f.make_organisation(session)  # where the accounts of platform staff are
        self.accounts = {
            Role.ADMINISTRATOR: f.make_account(session, self.organisation, Role.ADMINISTRATOR),
            Role.OPERATOR: f.make_account(session, home, Role.OPERATOR),
            Role.DITP: f.make_account(session, home, Role.DITP),
        }
        session.info["tenant"] = self.organisation.id
        self.sender = Sender(self.organisation, SITE, SECRET)
        self.admin, self.operator, self.ditp = (self.actor(role) for role in self.accounts)

    def actor(self, role):
        account = self.accounts[role]
        return Actor(account.id, account.pseudonym, confirmed=True, roles=frozenset({role}))

    def acting(self, actor):
        return {"actor": actor, "sender": self.sender, "now": self.now}

    def report(self, severity=levels.Severity.BLOCKING, *, actor=None, kind=Kind.ANOMALY, **values):
        said = {"title": "Le vote ne répond plus", "body": "Depuis midi, chaque vote rend une erreur 500."} | values
        return service.report(
            self.session, kind=kind, severity=severity, **said, **self.acting(actor or self.admin)
        )  # fmt: skip

    def after(self, **length):
        self.now += type(self.now - self.now)(**length)
        return self

    def reach(self, ticket, milestone):
        service.reach(self.session, ticket, levels.Milestone(milestone), **self.acting(self.operator))

    def set_severity(self, ticket, severity, actor=None):
        service.set_severity(self.session, ticket, severity, REASON, **self.acting(actor or self.admin))

    def clocks(self, ticket):
        return policy.clocks(ticket.kind, ticket.t0, policy.state(ticket.events), self.now)

    def mails(self, template=None):
        query = select(OutgoingMail).order_by(OutgoingMail.created_at, OutgoingMail.recipient)
        if template:
            query = query.where(OutgoingMail.template == template)
        return self.session.scalars(query).all()

    def told(self, template=None):
        """Which role was written to."""
        roles = {account.email: role for role, account in self.accounts.items()}
        return sorted(roles[mail.recipient].value for mail in self.mails(template))
