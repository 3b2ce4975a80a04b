"""A consultation with a content of each type in each state, reached by the acts that people do, as they do them."""

import datetime as dt
import json
import uuid
from dataclasses import dataclass, field, replace

from consult.accounts.models import Account
from consult.actor import Actor, Role
from consult.app import TASKS, create_app, sequencing
from consult.coding.jobs import run_folder
from consult.coding.models import AnalysisRun, RunStatus
from consult.consultations.models import ContentStatus
from consult.contributions import service as contributions
from consult.contributions.arguments import service as arguments
from consult.contributions.models import Side
from consult.db import ALL_TENANTS
from consult.jobs.schedule import Schedule
from consult.jobs.worker import Worker
from consult.opendata.service import request_whole_dump
from consult.questionnaires import queries as questionnaires
from consult.questionnaires import service as replies
from consult.registry import sequencer
from tests import factories as f
from tests.integration.reporting.test_result_pages import corpus

PUBLISHED, PENDING = ContentStatus.PUBLISHED, ContentStatus.PENDING
HIDDEN, WITHDRAWN, ERASED = ContentStatus.HIDDEN, ContentStatus.WITHDRAWN, ContentStatus.ERASED
GROUND = "insult"
KEPT_SECONDS = 3_600.0  # a page in memory is forgotten by an act, or seen to stay


@dataclass
class Content:
    """A content: the words that its texts alone have held, the one to search it by last, and its salts in the log."""

    type: str
    state: ContentStatus
    id: uuid.UUID
    address: str
    words: tuple[str, ...]
    author: Account
    salts: set[str] = field(default_factory=set)


class Square:
    """One organisation; in its open consultation, one author for each state wrote one content of each type."""

    def __init__(self, database, settings) -> None:
        self.database, self.settings = database, replace(settings, page_cache_seconds=KEPT_SECONDS)
        self.app = create_app(self.settings)
        self.bindings = self.app.extensions["bindings"]
        self.now = dt.datetime.now(dt.UTC)
        self.visitor = self.app.test_client(use_cookies=False)
        self.contents: list[Content] = []
        with database.transaction(tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            self._build(session)
            self.authors = {state: self._author(session, state) for state in ContentStatus}
            self.host = self._propose(session, f.make_account(session, self.organisation), *("tramway",) * 3)
        self.later = self.now

    def _build(self, session) -> None:
        self.organisation = f.make_organisation(session)
        session.info["tenant"] = self.organisation.id
        self.staff = {
            role: f.make_account(session, self.organisation, role)
            for role in (Role.ADMINISTRATOR, Role.MODERATOR, Role.ORGANISER)
        }
        self.open = f.make_consultation(session, self.organisation, now=self.now)
        f.make_step(session, self.open, kind="presentation")
        self.step = f.make_step(session, self.open)
        self.asked = f.make_step(session, self.open, kind="questionnaire")
        self.question = f.make_question(session, self.asked, visibility="rows")
        self.reserved = f.make_question(session, self.asked, visibility="administration")
        self.results = f.make_step(session, self.open, kind="results")
        draft = {"slug": "quozebauche", "title": "Quozebauche", "summary": "Quozebauche", "description": "Quozebauche"}
        self.draft = f.make_consultation(session, self.organisation, opened=False, now=self.now, **draft)
        step = f.make_step(session, self.draft, slug="quozebauche-pas", title="Quozebauche", introduction="Quozebauche")
        f.make_theme(session, step, title="Quozebauche")
        asked = f.make_step(session, self.draft, kind="questionnaire", title="Quozebauche")
        f.make_question(session, asked, "single", ["Quozebauche"], wording="Quozebauche ?")

    def _author(self, session, state: ContentStatus) -> Account:
        values = {"pseudonym": f"Quoznom {state.value}", "email": f"quozmail.{state.value}@exemple.fr"}
        confirmed = {"confirmed_at": None} if state is PENDING else {}
        return f.make_account(session, self.organisation, now=self.now, **values, **confirmed)

    # what people do

    def write(self) -> None:
        """Everybody writes a content of each type, then edits it; what is not confirmed stays pending."""
        makers = {"proposal": self._propose, "argument": self._argue, "reply": self._reply}
        assert makers.keys() == self.bindings.content_types.keys(), "a new type of content needs its rows in the table"
        with self.database.transaction(tenant=self.organisation.id) as session:
            session.expire_on_commit = False
            session.add_all([self.step, self.asked, self.host])
            for state, author in self.authors.items():
                for name, make in makers.items():
                    words = tuple(f"{prefix}{name}{state.value}" for prefix in ("quozavant", "quozapres", "quozotout"))
                    made = make(session, author, *words)
                    address = self.bindings.content_types[name].items(session, [made.id])[made.id].address
                    self.contents.append(Content(name, state, made.id, address, words, author))

    def _propose(self, session, author, before, after, always):
        made = contributions.submit_proposal(
            session, step=self.step, account_id=author.id, title=f"Une idée {always}",
            body=f"Il faudrait {before} partout.", theme_id=None, submission_key=always, now=self.now,
        )  # fmt: skip
        self._edit(session, made, author, f"Une idée {always}", after)
        return made

    def _argue(self, session, author, before, after, always):
        made = arguments.submit_argument(
            session, step=self.step, proposal=self.host, account_id=author.id, side=Side.FOR,
            body=f"Parce que chacun veut {before} et {always}.", submission_key=always, now=self.now,
        )  # fmt: skip
        self._edit(session, made, author, None, f"{after} et {always}")
        return made

    def _edit(self, session, item, author, title, words) -> None:
        contributions.edit(
            session, item, step=self.step, account_id=author.id, title=title,
            body=f"Tout bien réfléchi, plutôt {words}.", theme_id=None, version=item.version, now=self.now,
        )  # fmt: skip

    def _reply(self, session, author, before, after, always):
        actor = Actor(author.id, author.pseudonym, confirmed=author.confirmed_at is not None)
        questions = questionnaires.questions(session, self.asked.id)
        for seen, words in enumerate((before, f"{after} et {always}")):
            given = {"text": words, "options": [], "other": None}
            reserved = {"text": f"quozreserve {before}", "options": [], "other": None}
            answers = {self.question.id: given, self.reserved.id: reserved}
            made = replies.submit(session, self.asked, questions, answers, actor=actor, seen=seen, now=self.now)
        return made

    def analyse(self) -> None:
        """A published analysis names every content that is published now."""
        run_id, shown = uuid.uuid4(), [each for each in self.contents if each.state is not PENDING]
        asked = f"{self.asked.slug}:q{self.question.position}"
        keys = {"proposal": ("contribution", "idees"), "argument": ("argument", "raisons"), "reply": ("reply", asked)}
        corpora = [
            {**corpus([str(each.id) for each in shown if each.type == name]), "unit": unit, "key": key}
            for name, (unit, key) in keys.items()
        ]
        results = {
            "publishable": True, "notices": [], "codebook": {"title": "Plan", "version": "1", "digest": "b" * 64},
            "source": {"digest": "c" * 64, "position": None}, "questionnaires": [], "corpora": corpora,
        }  # fmt: skip
        report = run_folder(self.settings.data_path, run_id) / "report"
        report.mkdir(parents=True)
        (report / "results.json").write_text(json.dumps(results), encoding="utf-8")
        words = [
            {"corpus": each["key"], "lemma": "piste", "contributions": each["codes"][0]["contributions"]}
            for each in corpora
        ]
        (report / "words.ndjson").write_text("".join(json.dumps(each) + "\n" for each in words), encoding="utf-8")
        with self.database.transaction(tenant=self.organisation.id) as session:
            session.add(
                AnalysisRun(
                    id=run_id, organisation_id=self.organisation.id, consultation_id=self.open.id, seed=3,
                    status=RunStatus.DONE, requested_at=self.now, finished_at=self.now, manifest_digest="a" * 64,
                    publishable=True,
                )
            )  # fmt: skip
        page = f"/gestion/consultations/{self.open.slug}/analyse/{run_id}"
        self._post(self.staff[Role.ORGANISER], f"{page}/publier", page)

    def take_away(self, content: Content) -> None:
        """Bring a published content to its state; an erasure takes all that its author wrote."""
        if content.state is HIDDEN:
            self._post(self.authors[PUBLISHED], f"/signaler/{content.type}/{content.id}", reason=GROUND)
            page = f"/gestion/moderation/{content.type}/{content.id}"
            words = {"hide-ground": GROUND, "hide-message": "Le texte insulte une personne nommée."}
            self._post(self.staff[Role.MODERATOR], page, page, act="hide", seen="0", **words)
        elif content.state is WITHDRAWN:
            base = {"proposal": "/contributions", "argument": "/arguments", "reply": "/mon-compte/reponses"}
            page = f"{base[content.type]}/{content.id}"
            self._post(content.author, f"{page}/retirer", page if content.type == "reply" else f"{page}/retirer")
        elif content.state is ERASED:
            page = "/mon-compte/supprimer"
            self._post(content.author, page, page, mode="everything", password=f.PASSWORD)

    def _post(self, account, path, page=None, **form) -> None:
        client = self.app.test_client()
        f.sign_in(client, account, now=self.now)
        reply = client.post(path, data={**form, "csrf_token": f.csrf_token(client, page or path)})
        assert reply.status_code == 303, path

    # what machines do

    def sign(self) -> None:
        """Every act gets its place in the log, whose files are written."""
        features = sequencing(self.bindings, self.settings)
        sequencer.from_settings(self.database, self.settings, features).run_until_settled()

    def work(self) -> None:
        """The tasks and jobs of the next quarter of an hour, and new files of all consultations, made once a day."""
        self.later += dt.timedelta(minutes=15)
        Schedule(TASKS).enqueue_due(self.database, self.later)
        with self.database.transaction(tenant=self.organisation.id) as session:
            request_whole_dump(session, self.organisation.id, now=self.now)
        worker = Worker(self.database, self.bindings.job_handlers, now=lambda: self.later)
        while worker.run_once():
            pass
