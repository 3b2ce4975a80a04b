"""A consultation in which all that can happen has happened, what a third party gets of it, and what they run on it."""

import datetime as dt
import json
import shutil
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from consult.accounts.notices.service import Sender
from consult.actor import Actor, Role
from consult.app import bindings, sequencing
from consult.consultations import service as consultations
from consult.consultations.models import Consultation
from consult.contributions import service as contributions
from consult.contributions import votes
from consult.contributions.arguments import service as arguments
from consult.contributions.models import Level, Side, VoteValue
from consult.db import ALL_TENANTS, Database
from consult.followup import service as followup
from consult.followup.models import Commitment, OfficialAnswer, Outcome, Stage, TargetType
from consult.moderation import service as moderation
from consult.moderation.letters import Links
from consult.moderation.models import HIDES, Act
from consult.moderation.service import Wanted
from consult.opendata.dump import Identity, write_dump
from consult.organisations.policy import LEGAL_NOTICE
from consult.privacy.service import erase_account
from consult.questionnaires import queries as questionnaires
from consult.questionnaires import service as replies
from consult.questionnaires.anonymous import batches
from consult.questionnaires.anonymous.urns import LEAST, keyring
from consult.questionnaires.by_code import codes
from consult.questionnaires.by_code import service as anonymous
from consult.questionnaires.invitations import service as invitations
from consult.questionnaires.invitations.models import InvitationBatch
from consult.questionnaires.models import AnswerVisibility
from consult.questionnaires.policy import ACCESS, ANONYMOUS, Access
from consult.registry import queries
from consult.registry import verifier as program
from consult.registry.tiles import WIDTH
from consult.settings import Settings
from tests import factories as f
from tests.registers import sequencer, tamper

NOW = f.NOW
LATER = NOW + dt.timedelta(hours=2)
LAST = LATER + dt.timedelta(days=1)  # after all that the scene plays
LINKS = Links("https://exemple.fr", "https://exemple.fr/charte", lambda token: f"https://exemple.fr/c/{token}")
ORGANISER = Actor(pseudonym="organisatrice", roles=frozenset({Role.ORGANISER}))
SLUG = "nos-trajets"


class Scene:
    """A consultation in which all that can happen has happened, placed, signed, and open to a third party."""

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        self.folder = folder
        self.database = database or Database(f"sqlite:///{folder}/consult.db")
        self.bindings = bindings(Settings())

    def copy(self, folder: Path) -> "Scene":
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Scene(folder)

    def place(self, **options) -> None:
        features = sequencing(self.bindings, Settings())
        options = {"on_placed": features.on_placed, "count": features.count} | options
        sequencer(self.database, self.folder, **options).run_until_settled()

    def sign_anew(self) -> None:
        """As a host that throws its stores away, and signs with its own key what its database says now."""
        for name in ("first", "second"):
            shutil.rmtree(self.folder / name)
        tamper(self.database, "UPDATE registry_log SET size = 0, signed_size = 0, signed_root = NULL")
        tamper(self.database, "UPDATE registry_entry SET position = NULL")
        self.place()

    def publish(self) -> Path:
        """The folder of a third party: the files of the log, its openings, and the open dump."""
        site = self.folder / "site"
        shutil.rmtree(site, ignore_errors=True)
        publish_log(self.database, self.folder, site)
        (site / SLUG).mkdir()
        with self.database.session(write=False, tenant=ALL_TENANTS) as session:
            consultation = session.scalars(select(Consultation)).one()
            identity = Identity("agence", SLUG, "Nos trajets", "https://exemple.fr", NOW)
            for _ in write_dump(session, consultation.id, identity, self.bindings.public_datasets, site / SLUG):
                pass
        return site

    def verify(self, *arguments: object) -> tuple[int, list[dict], str]:
        return verify(self.publish(), self.folder, *arguments)


def publish_log(database: Database, folder: Path, site: Path) -> None:
    """The files of the log of the first store, and its openings."""
    shutil.copytree(folder / "first/agence", site / "registry/agence")
    (site / "registry/index.json").write_text(json.dumps([{"organisation": "agence"}]))
    (site / "registry/agence/openings").mkdir()
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        log = queries.log_named(session, "agence")
        for index in range(-(-log.size // WIDTH)):
            rows = queries.opened(session, log, index * WIDTH, WIDTH)
            path = site / "registry/agence/openings" / f"{index:03d}"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def verify(source: object, folder: Path, *arguments: object) -> tuple[int, list[dict], str]:
    """Exit code, frauds named and text of the verifier, run as a stranger runs it: isolated from the platform."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-I", program.__file__, source, "--wait", "0", "--json", report, *arguments]
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False, timeout=60)
    logs = json.loads(report.read_text()) if report.exists() else []
    return done.returncode, [fraud for log in logs for fraud in log["frauds"]], done.stdout + done.stderr


class Seed:
    """Acts, through the services."""

    def __init__(
        self,
        session,
        scene: Scene,
        *,
        slug="agence",
        anonymous=False,
        words=False,
        bill=False,
        ballots=(),
        invited=False,
    ) -> None:
        self.session, self.bindings = session, scene.bindings
        self.organisation = f.make_organisation(session, slug=slug, **dict.fromkeys(LEGAL_NOTICE, "donné"))
        session.info["tenant"] = self.organisation.id
        self.people = [f.make_account(session, self.organisation) for _ in range(4)]
        dates = {"opens_at": NOW, "closes_at": NOW + dt.timedelta(days=10)}
        self.whole = consultations.create_consultation(
            session, organisation_id=self.organisation.id, actor=ORGANISER, title="Nos trajets", now=NOW, **dates
        )
        self.step, self.form = (
            consultations.add_step(
                session, self.whole, actor=ORGANISER, kind=scene.bindings.step_kinds[kind], title=kind, now=NOW, **dates
            )
            for kind in ("proposals", "questionnaire")
        )
        seen = {"visibility": AnswerVisibility.ROWS}
        self.question = f.make_question(session, self.form, "picture_single", ["Oui", "Non"], **seen)
        for option in self.question.options:
            f.make_picture(session, option)
        if bill:
            self.bill = consultations.add_step(
                session, self.whole, actor=ORGANISER, kind=scene.bindings.step_kinds["bill"], title="loi", now=NOW,
                **dates,
            )  # fmt: skip
            title = f.make_part(session, self.bill, Level.TITLE, heading="Des trajets")
            articles = [f.make_part(session, self.bill, parent=title, heading=word) for word in ("Gratuité", "Prix")]
            self.articles = [f.text_of_article(session, article) for article in articles]
        self.balloted = [
            consultations.add_step(
                session, self.whole, actor=ORGANISER, kind=scene.bindings.step_kinds["proposals"],
                title=settings["vote"], now=NOW, settings=settings, **dates,
            )
            for settings in ballots
        ]  # fmt: skip
        if words:
            self.words = f.make_question(session, self.form, visibility=AnswerVisibility.ROWS)
            self.reserved = f.make_question(session, self.form, visibility=AnswerVisibility.ADMINISTRATION)
        if anonymous or invited:
            settings = {ANONYMOUS: True} | ({ACCESS: Access.INVITATIONS.value} if invited else {})
            self.secret = consultations.add_step(
                session, self.whole, actor=ORGANISER, kind=scene.bindings.step_kinds["questionnaire"], title="secret",
                now=NOW, settings=settings, **dates,
            )  # fmt: skip
            f.make_question(session, self.secret, "single", ["Jour", "Nuit"])
        consultations.open_consultation(
            session, self.whole, organisation=self.organisation, actor=ORGANISER,
            step_kinds=scene.bindings.step_kinds, now=NOW,
        )  # fmt: skip

    def write(self, author, title, now=NOW):
        return contributions.submit_proposal(
            self.session, step=self.step, account_id=author.id, title=title, theme_id=None, submission_key=title,
            body=f"Il faudrait cela partout : {title}.", now=now,
        )  # fmt: skip

    def argue(self, author, proposal, body):
        return arguments.submit_argument(
            self.session, step=self.step, proposal=proposal, account_id=author.id, side=Side.FOR, body=body,
            submission_key=body, now=NOW,
        )  # fmt: skip

    def vote(self, voter, target, value=VoteValue.FOR, now=NOW):
        votes.cast_vote(self.session, target, step=self.step, account_id=voter.id, value=value, now=now)

    def decide(self, item, act, seen):
        actor = Actor(self.people[3].id, "modération", roles=frozenset({Role.MODERATOR}))
        wanted = Wanted(act, seen, "insult" if act in HIDES else "", "Le motif, en vingt lettres au moins.")
        moderation.decide(
            self.session, self.bindings.content_types["proposal"], item.id, wanted,
            actor=actor, organisation=self.organisation, links=LINKS, now=LATER,
        )  # fmt: skip

    def reply(self, author, option, seen=0):
        asked = questionnaires.questions(self.session, self.form.id)
        answers = {each.id: {"text": None, "options": [], "other": None} for each in asked}
        answers[self.question.id]["options"] = [str(option.id)]
        actor = Actor(author.id, author.pseudonym, confirmed=True)
        return replies.submit(self.session, self.form, asked, answers, actor=actor, seen=seen, now=LATER)

    def govern(self, train, bus) -> None:
        """What the administration says of it: an answer corrected, one taken back; a commitment and an update."""
        acting = {"consultation": self.whole, "actor": ORGANISER, "sender": self._sender(), "now": LATER}
        said = {"outcome": Outcome.ACCEPTED, "authority": "La direction", "body": "Un train de plus dès septembre."}
        kept, gone = (
            self._say(OfficialAnswer, {**said, "target_type": TargetType.CONTRIBUTION, "target_id": each.id})
            for each in (train, bus)
        )
        followup.change(self.session, kept, {**said, "outcome": Outcome.PARTLY_ACCEPTED}, seen=kept.edits, **acting)
        promise = {"title": "Un train du soir", "body": "Du lundi au samedi, toute l’année.", "owner": "La direction"}
        kept_promise, gone_promise = (
            self._say(Commitment, {**promise, "due_on": None, "link": "", "links": [kept.id, train.id]})
            for _ in range(2)
        )
        followup.follow_up(
            self.session, kept_promise, stage=Stage.IN_PROGRESS, body="Les essais ont commencé.",
            seen=kept_promise.edits, actor=ORGANISER, now=LATER,
        )  # fmt: skip
        for each in (gone, gone_promise):
            followup.withdraw(
                self.session, each, reason="Publié par erreur.", actor=ORGANISER, sender=self._sender(), now=LATER
            )

    def _sender(self) -> Sender:
        return Sender(self.organisation, "https://exemple.fr", "secret")

    def _say(self, model, values):
        acting, sender = {"actor": ORGANISER, "now": LATER}, self._sender()
        made = followup.create(self.session, model, self.whole, values, **acting)
        followup.publish(self.session, made, consultation=self.whole, seen=made.edits, sender=sender, **acting)
        return made

    def reply_anonymously(self) -> None:
        """A batch in which replies were edited, withdrawn, hidden, and withdrawn then hidden; two more wait."""
        (asked,) = questions = questionnaires.questions(self.session, self.secret.id)
        day, night = ({asked.id: {"text": None, "options": [str(each.id)], "other": None}} for each in asked.options)
        given, own = [codes.draw() for _ in range(2 * LEAST + 2)], self.organisation.id
        keys = {"keys": keyring(""), "now": LATER}
        for code in given:
            actor = Actor(f.make_account(self.session, self.organisation).id, confirmed=True)
            anonymous.submit(self.session, self.secret, questions, day, actor=actor, code=code, **keys)
        assert batches.flush(self.session, self.secret, **keys)
        for code in given[2:LEAST]:
            anonymous.change(self.session, own, code, night, **keys)
        for code in given[:2]:
            anonymous.withdraw(self.session, own, code, **keys)
        moderator = Actor(self.people[3].id, "modération", roles=frozenset({Role.MODERATOR}))
        for code in (given[0], given[LEAST]):
            hidden = anonymous.find(self.session, own, code, keys=keyring("")).reply
            moderation.decide(
                self.session, self.bindings.content_types["reply"], hidden.id,
                Wanted(Act.HIDE, 0, "insult", "Le motif, en vingt lettres au moins."),
                actor=moderator, organisation=self.organisation, links=LINKS, now=LATER,
            )  # fmt: skip
        assert batches.flush(self.session, self.secret, keys=keyring(""), now=LAST)

    def reply_by_invitation(self) -> None:
        """Some invitations served, some were revoked, as many as replies are left."""
        (asked,) = questions = questionnaires.questions(self.session, self.secret.id)
        day = {asked.id: {"text": None, "options": [str(asked.options[0].id)], "other": None}}
        acting = {"actor": ORGANISER, "now": LATER}
        drawn = invitations.issue_codes(self.session, self.secret, name="Courriers", count=LEAST + 5, **acting)
        keys = {"keys": keyring(""), "now": LATER}
        for code in drawn[:LEAST]:
            anonymous.submit(
                self.session, self.secret, questions, day, actor=Actor(), code=codes.draw(), invitation=code, **keys
            )
        (batch,) = self.session.scalars(select(InvitationBatch))
        assert invitations.revoke(self.session, self.secret, batch.id, **acting) == 5
        assert batches.flush(self.session, self.secret, **keys)

    def live(self) -> None:
        ann, bob, cid, _ = self.people
        train, bus = self.write(ann, "Des trains le soir"), self.write(bob, "Des bus le matin")
        gone, hidden = self.write(ann, "Des vélos à louer"), self.write(bob, "Des injures en gras")
        restored = self.write(ann, "Des bancs à l’ombre")
        argument = self.argue(bob, train, "Cela ferait moins de voitures.")
        for voter in (ann, bob, cid):
            self.vote(voter, train)
            self.vote(voter, bus, VoteValue.AGAINST)
        self.vote(cid, argument)
        self.vote(bob, train, VoteValue.MIXED, now=LATER)
        votes.withdraw_vote(self.session, bus, step=self.step, account_id=bob.id, now=LATER)
        for item, title in ((train, "Des trains le soir et la nuit"), (gone, "Des vélos à louer partout")):
            contributions.edit(
                self.session, item, step=self.step, account_id=ann.id, title=title, body=item.body, theme_id=None,
                version=1, now=LATER,
            )  # fmt: skip
        contributions.withdraw(self.session, gone, account_id=ann.id, now=LATER)
        self.decide(hidden, Act.HIDE, 0)
        self.decide(restored, Act.HIDE, 0)
        self.decide(restored, Act.RESTORE, 1)
        yes, no = self.question.options
        self.reply(ann, yes)
        changed = self.reply(bob, yes)
        self.reply(bob, no, seen=1)
        actor = Actor(bob.id, bob.pseudonym, confirmed=True)
        replies.withdraw(self.session, changed.id, actor=actor, now=LATER)
        self.reply(bob, yes, seen=2)
        self.write(cid, "Une idée qui sera effacée", now=LATER)
        self.reply(cid, no)
        self.govern(train, bus)
        self.session.flush()
        erase_account(self.session, self.bindings, cid, now=LATER)
