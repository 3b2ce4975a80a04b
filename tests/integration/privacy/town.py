"""A person who did all that one can do, agents with acts of every kind, and a search of the whole database."""

import datetime as dt
import json
import uuid

from sqlalchemy import select, text

from consult.accounts import service as accounts
from consult.accounts.models import Membership, TokenPurpose
from consult.actor import Actor, Role
from consult.audit import service as audit
from consult.coding.models import AnalysisRun, Codebook, CodebookApproval, Party, QualitySample, SampleCoder
from consult.contributions import drafts, service, votes
from consult.contributions.arguments import service as arguments
from consult.contributions.bindings import ArgumentContent, ProposalContent
from consult.contributions.models import Side, VoteValue
from consult.imports.models import ImportBatch
from consult.mail import service as mail
from consult.migrations import load_models
from consult.moderation import policy as moderation_policy
from consult.moderation import service as moderation
from consult.moderation.letters import Links
from consult.moderation.models import Act
from consult.moderation.service import Wanted
from consult.opendata.keys.models import ApiKey
from consult.opendata.mission.models import MissionPackage
from consult.opendata.raw.models import RawExport
from consult.questionnaires import drafts as reply_drafts
from consult.questionnaires import queries as questionnaires
from consult.questionnaires import service as replies
from consult.tickets.models import Ticket, TicketEvent, TicketFile, TicketMessage
from tests import factories as f

EMAIL, PSEUDONYM = "Ysolde.Quartz@exemple.fr", "Ysolde Quartz"
# Words that no other row holds, one for each place where a person writes.
WRITTEN = {
    "title": "ornithorynque", "body": "zanzibar", "edited": "bakélite", "argument": "koulibiac",
    "argument edited": "hippogriffe", "hidden": "vermicelle", "withdrawn": "galipette", "reply": "trombidion",
    "reply edited": "brimborion", "private": "ribambelle", "other": "tintamarre", "reply draft": "farfadet",
    "comment": "patatras", "contest": "saperlotte", "pending": "croquembouche",
}  # fmt: skip
LINKS = Links("https://exemple.fr", "https://exemple.fr/charte", lambda token: f"https://exemple.fr/c/{token}")


class Town:
    """One organisation; `person` took part in every way, `admin` and `ditp` acted as agents, `other` is somebody."""

    def __init__(self, session):
        self.session = session
        self.organisation = f.make_organisation(session, slug="agence", access_register_email="rssi@exemple.fr")
        session.info["tenant"] = self.organisation.id
        self.person = f.make_account(session, self.organisation, email=EMAIL, pseudonym=PSEUDONYM)
        self.other = f.make_account(session, self.organisation)
        self.admin = f.make_account(session, self.organisation, Role.ADMINISTRATOR, Role.DITP)
        self.moderator = f.make_account(session, self.organisation, Role.MODERATOR)
        self.consultation = f.make_consultation(session, self.organisation)
        self.step = f.make_step(session, self.consultation)
        self.questionnaire = f.make_step(session, self.consultation, kind="questionnaire")
        self.questions = {
            name: f.make_question(session, self.questionnaire, kind, options, visibility=visibility)
            for name, kind, options, visibility in (
                ("public", "long_text", (), "rows"),
                ("private", "long_text", (), "administration"),
                ("choice", "single", ("Oui", ("Autre", "other")), "rows"),
            )
        }
        self.later = f.NOW + dt.timedelta(hours=2)

    # what a person does

    def write(self, account, word, **values):
        return service.submit_proposal(
            self.session, step=self.step, account_id=account.id, title=f"Une idée {values.pop('title', word)}",
            body=f"Il faudrait {word} partout.", theme_id=None, submission_key=word, now=f.NOW,
        )  # fmt: skip

    def argue(self, account, proposal, word):
        return arguments.submit_argument(
            self.session, step=self.step, proposal=proposal, account_id=account.id, side=Side.FOR,
            body=f"Parce que chacun veut {word}.", submission_key=word, now=f.NOW,
        )  # fmt: skip

    def edit(self, item, account, word):
        service.edit(
            self.session, item, step=self.step, account_id=account.id, title=item.title,
            body=f"Tout bien réfléchi, plutôt {word}.", theme_id=None, version=item.version, now=self.later,
        )  # fmt: skip

    def vote(self, account, target, value=VoteValue.FOR):
        votes.cast_vote(self.session, target, step=self.step, account_id=account.id, value=value, now=f.NOW)

    def reply(self, account, *, public, private, other, seen=0):
        choice = self.questions["choice"]
        answers = {
            self.questions["public"].id: {"text": public, "options": [], "other": None},
            self.questions["private"].id: {"text": private, "options": [], "other": None},
            choice.id: {"text": None, "options": [str(choice.options[1].id)], "other": other},
        }
        questions = questionnaires.questions(self.session, self.questionnaire.id)
        actor = Actor(account.id, account.pseudonym, confirmed=True)
        return replies.submit(
            self.session, self.questionnaire, questions, answers, actor=actor, seen=seen, now=f.NOW
        )  # fmt: skip

    def report(self, account, item, comment):
        content = ProposalContent() if item.__tablename__ == "proposal" else ArgumentContent()
        moderation.report(
            self.session, content, item.id, organisation_id=self.organisation.id, reason="other", comment=comment,
            reporter=moderation_policy.reporter(account.id), now=f.NOW,
        )  # fmt: skip

    def decide(self, account, item, act, message, *, seen=0):
        actor = Actor(account.id, account.pseudonym, roles=frozenset({Role.MODERATOR}))
        return moderation.decide(
            self.session, ProposalContent(), item.id,
            Wanted(act, seen, "insult" if act is Act.HIDE else "", message),
            actor=actor, organisation=self.organisation, links=LINKS, now=self.later,
        )  # fmt: skip

    def live(self) -> None:
        """Everything, of the person and around them."""
        session, person, w = self.session, self.person, WRITTEN
        drafts.keep(
            session, self.step, {"title": w["title"], "body": f"Il faudrait {w['body']} partout."},
            token="t", address_key="a", now=f.NOW
        )  # fmt: skip
        self.mine = self.write(person, w["body"], title=w["title"])
        self.edit(self.mine, person, w["edited"])
        self.theirs = self.write(self.other, "tramway")
        self.argument = self.argue(person, self.theirs, w["argument"])
        self.edit(self.argument, person, w["argument edited"])
        self.argue(self.other, self.mine, "autobus")
        self.withdrawn = self.write(person, w["withdrawn"])
        service.withdraw(session, self.withdrawn, account_id=person.id, now=self.later)
        for account, target, value in (
            (person, self.theirs, VoteValue.AGAINST), (self.other, self.theirs, VoteValue.FOR),
            (self.other, self.argument, VoteValue.FOR), (self.other, self.mine, VoteValue.FOR),
            (person, self.mine, VoteValue.FOR), (self.admin, self.theirs, VoteValue.MIXED),
        ):  # fmt: skip
            self.vote(account, target, value)
        self.hidden = self.write(person, w["hidden"])
        self.vote(person, self.hidden)
        self.moderate()
        self.reply(person, public=w["reply"], private=w["private"], other=w["other"])
        self.replied = self.reply(person, public=w["reply edited"], private=w["private"], other=w["other"], seen=1)
        self.reply(self.other, public="rail", private="route", other="eau")
        drafted = {self.questions["public"].id: {"text": w["reply draft"], "options": [], "other": None}}
        second = f.make_step(session, self.consultation, kind="questionnaire")
        reply_drafts.save(session, second, drafted, reply_drafts.Holder(person.id), now=f.NOW)
        accounts.open_session(session, person, now=f.NOW, life=(dt.timedelta(hours=1), dt.timedelta(hours=2)))
        accounts.issue_link(session, person, TokenPurpose.RESET_PASSWORD, f.NOW)
        f.make_pseudonym(session, person, self.consultation, "Wolfram Quartz")
        for followed in (self.consultation, self.theirs):
            f.make_subscription(session, person, followed)
        f.make_security_key(session, person, name="clé de Wolfram Quartz")
        self.work()
        self.claim()
        session.flush()

    def moderate(self) -> None:
        self.report(self.person, self.theirs, f"Ceci est {WRITTEN['comment']}.")
        self.report(self.other, self.hidden, f"{PSEUDONYM} parle de {WRITTEN['hidden']}.")
        decision = self.decide(
            self.moderator, self.hidden, Act.HIDE, f"Le mot « {WRITTEN['hidden']} » est une insulte."
        )
        decision.contest_digest = accounts.digest("lien")
        moderation.contest(self.session, "lien", f"Mais non, {WRITTEN['contest']}.", now=self.later)

    def work(self) -> None:
        """Acts of agents: `admin` did one of each."""
        admin, session = self.admin, self.session
        where = {"organisation_id": self.organisation.id, "consultation_id": self.consultation.id}
        book = Codebook(**where, number=1, title="Plan", source="…", digest="d", author_id=admin.id, created_at=f.NOW)
        session.add(book)
        session.flush()
        session.add_all(
            [
                CodebookApproval(
                    organisation_id=self.organisation.id, codebook_id=book.id, party=Party.DITP, approver_id=admin.id,
                    approver_name=admin.pseudonym, approved_at=f.NOW,
                ),
                AnalysisRun(
                    **where, id=(run := uuid.uuid4()), seed=1, requested_by_id=admin.id, requested_at=f.NOW
                ),
                QualitySample(
                    **where, id=(sample := uuid.uuid4()), run_id=run, codebook_id=book.id, corpus="c", title="Corpus",
                    unit="contribution", size=0, seed=1, per_stratum=1, readers=1, precision=0.7, recall=0.5,
                    key="{}", drawn_by_id=admin.id, drawn_at=f.NOW,
                ),
                SampleCoder(
                    organisation_id=self.organisation.id, sample_id=sample, account_id=admin.id, rank=0
                ),
                ImportBatch(
                    **where, step_id=self.step.id, target="proposals", file_name="a.csv", file_sha256="0",
                    mapping="{}", actor_id=admin.id, started_at=f.NOW,
                ),
                RawExport(
                    organisation_id=self.organisation.id, passphrase="scellée", requested_by_id=admin.id,
                    requested_at=f.NOW,
                ),
                MissionPackage(
                    organisation_id=self.organisation.id, consultation_id=self.consultation.id,
                    requested_by_id=admin.id, requested_at=f.NOW,
                ),
                ApiKey(
                    organisation_id=self.organisation.id, name="Entrepôt", digest="0" * 64, scopes=["raw"],
                    created_by_id=admin.id, created_at=f.NOW, expires_at=self.later,
                ),
                Ticket(
                    organisation_id=self.organisation.id, number=1, kind="anomaly", t0=f.NOW, title="Une panne",
                    body="Le site ne répond plus.", reported_by_id=admin.id,
                    events=[
                        TicketEvent(
                            organisation_id=self.organisation.id, number=1, at=f.NOW, kind="opened",
                            side="administration", account_id=admin.id,
                        )
                    ],
                    messages=[
                        TicketMessage(
                            organisation_id=self.organisation.id, said_at=f.NOW, side="administration",
                            author_id=admin.id, body="Où en êtes-vous ?",
                        )
                    ],
                    files=[
                        TicketFile(
                            organisation_id=self.organisation.id, sent_at=f.NOW, sender_id=admin.id, name="a.txt",
                            media_type="text/plain", digest="0" * 64, size=1, content=b"a",
                        )
                    ],
                ),
            ]
        )  # fmt: skip
        self.reader = f.make_account(session, self.organisation, Role.READER)
        membership = session.scalars(select(Membership).where(Membership.account_id == self.reader.id)).one()
        membership.granted_by_id = membership.revoked_by_id = admin.id
        membership.revoked_at, membership.revocation_reason = self.later, "Départ."
        self.dismissed = self.write(self.other, "funiculaire")
        self.report(self.moderator, self.dismissed, "À voir.")
        self.decide(admin, self.dismissed, Act.DISMISS, "")
        actor = Actor(admin.id, admin.pseudonym, roles=frozenset({Role.ADMINISTRATOR}))
        audit.record(
            session, actor=actor, organisation_id=self.organisation.id, action="consultation.open",
            target_type="consultation", target_id=self.consultation.id, now=f.NOW,
        )  # fmt: skip

    def claim(self) -> None:
        """Somebody typed the person's address and never confirmed it; mails wait, to the person and about them."""
        self.claimant = f.make_account(
            self.session, self.organisation, email=EMAIL.lower(), pseudonym="Quelqu’un", confirmed_at=None
        )
        self.write(self.claimant, WRITTEN["pending"])
        for to in (EMAIL, "rssi@exemple.fr", f"x{EMAIL}"):
            context = {"organisation_name": "Agence", "site_url": "https://exemple.fr", "at": f.NOW, "held": 1}
            mail.send(
                self.session, organisation_id=self.organisation.id, to=to, template="accounts_access_register",
                context=context | {"csv": f"{PSEUDONYM};{EMAIL};lecteur" if to[0] == "r" else ""}, now=f.NOW,
            )  # fmt: skip


def found(session, *needles: str) -> set[str]:
    """Every « table.column » that holds one of these words, whatever its case, in any row of any organisation."""
    session.flush()
    wanted = [needle.casefold() for needle in needles]
    places = set()
    for table in load_models().tables.values():
        for row in session.execute(text(f'SELECT * FROM "{table.name}"')).mappings():
            for column, value in row.items():
                if any(needle in as_text(value).casefold() for needle in wanted):
                    places.add(f"{table.name}.{column}")
    return places


def as_text(value) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode(errors="replace")
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, str) and value.startswith(("{", "[")):
        return json.dumps(json.loads(value), ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def naming(session, account_id: uuid.UUID) -> dict[str, int]:
    """Every « table.column » that holds the id of an account, with how many rows."""
    session.flush()
    counts = {}
    for table in load_models().tables.values():
        for column in table.columns:
            if type(column.type).__name__ != "Uuid":
                continue
            rows = session.execute(select(column).select_from(table).where(column == account_id)).all()
            if rows:
                counts[f"{table.name}.{column.name}"] = len(rows)
    return counts
