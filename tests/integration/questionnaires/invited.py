"""A questionnaire on invitation, its organiser, the mails of its batches, and browsers that follow links."""

import re

from sqlalchemy import func, select

from consult.actor import Actor, Role
from consult.consultations.models import Step
from consult.jobs.models import Job
from consult.mail.models import OutgoingMail
from consult.questionnaires import policy as questionnaires
from consult.questionnaires.invitations import jobs, service
from consult.questionnaires.policy import Access
from consult.registry.models import RegistryEntry
from consult.settings import Settings
from tests import factories as f
from tests.integration.questionnaires.test_pages import NOW, Site

ORGANISER = Actor(pseudonym="Organisatrice", roles=frozenset({Role.ORGANISER}))
SETTINGS = Settings(public_url="https://exemple.fr")
LINK = re.compile(r"https://exemple\.fr\S*/invitation\?code=(\S+)")


class Invited(Site):
    """A questionnaire of two pages, on invitation."""

    def __init__(self, app, **settings):
        super().__init__(app, app.test_client())
        with self.writing() as session:
            settings = {questionnaires.ACCESS: Access.INVITATIONS.value, **settings}
            session.get_one(Step, self.step.id).settings = settings

    def step_of(self, session):
        session.info["tenant"] = self.organisation.id
        return session.get_one(Step, self.step.id)

    def codes(self, count=1, name="Courriers"):
        with self.writing() as session:
            return service.issue_codes(session, self.step_of(session), name=name, count=count, actor=ORGANISER, now=NOW)

    def mail(self, text, name="Maires"):
        with self.writing() as session:
            batch, known = service.issue_by_mail(
                session, self.step_of(session), name=name, text=text, actor=ORGANISER, now=NOW
            )
            return batch.id, known

    def work(self, **limits):
        """Run the jobs that were asked for; gives the codes of the mails, by recipient."""
        with self.writing() as session:
            before = set(session.scalars(select(OutgoingMail.id)))
            for job in session.scalars(select(Job).where(Job.kind == service.JOB_KIND).order_by(Job.created_at)).all():
                for turn, _ in enumerate(
                    jobs.SendInvitations(SETTINGS, now=lambda: NOW).run(session, job.payload, {}), 1
                ):
                    session.flush()
                    if turn == limits.get("turns"):
                        break
            new = session.scalars(select(OutgoingMail).where(OutgoingMail.id.not_in(before))).all()
            return {mail.recipient: LINK.search(mail.text)[1] for mail in new}

    def act(self, what, *arguments):
        with self.writing() as session:
            return what(session, self.step_of(session), *arguments, actor=ORGANISER, now=NOW)

    def follow(self, code, client=None):
        """The link, then its button."""
        client = client or self.client
        page = client.get(f"/invitation?code={code}")
        token = f.csrf_token(client, "/reponse-par-code")
        return page, client.post("/invitation", data={"csrf_token": token, "code": code})

    def post(self, page, action, fields, client=None):
        client = client or self.client
        form = {"csrf_token": f.csrf_token(client, "/reponse-par-code"), "page": page, "action": action}
        return client.post(f"{self.path}/repondre", data={**form, **fields})

    def reply(self, code, text="Plus de trains le soir.", client=None):
        """From the link to the sending."""
        client = client or self.app.test_client()
        self.follow(code, client)
        self.post(1, "next", self.first(), client)
        carried = re.search(r'name="code" value="([A-Z2-7-]+)"', client.get(f"{self.path}/repondre?page=2").text)[1]
        return self.post(2, "send", self.second(text) | {"code": carried}, client)

    def count(self, model, *criteria):
        with self.writing() as session:
            return session.scalar(select(func.count()).select_from(model).where(*criteria))

    def logged(self):
        with self.writing() as session:
            openings = session.scalars(select(RegistryEntry.opening).order_by(RegistryEntry.id))
            return [each["invitations"] for each in openings if each and "invitations" in each]
