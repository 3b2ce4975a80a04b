"""Write the demonstration into the database: set it up as its organiser would, then replay its acts."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from consult import seam
from consult.accounts.models import Account
from consult.accounts.notices.service import Sender
from consult.accounts.passwords.service import KeptPassword, keep
from consult.accounts.pseudonyms.policy import columns
from consult.accounts.sign_up.policy import TERMS_VERSION
from consult.actor import Actor, Role
from consult.clock import PARIS
from consult.coding import service as coding
from consult.coding.models import AnalysisRun, RunStatus
from consult.consultations import service as consultations
from consult.consultations.models import Consultation, Step
from consult.contributions.bill.builder import service as bill
from consult.contributions.bill.queries import texts as texts_of
from consult.contributions.debate import service as debate
from consult.contributions.manage import service as themes
from consult.contributions.models import Level
from consult.db import ALL_TENANTS, Database, as_tenant
from consult.demo import streets, visitors
from consult.demo.content import codebook, generate, source
from consult.demo.debate import ID as DEBATE
from consult.demo.followup import Decider
from consult.demo.lately import Lately
from consult.demo.people import DAYS, MINUTES_PER_DAY
from consult.demo.records import DemoContent, DemoQuestion
from consult.demo.replay import Replay, Stage, Tell
from consult.errors import ForbiddenError
from consult.jobs.worker import Worker
from consult.media.pictures import Picture, recoded
from consult.organisations import service as organisations
from consult.organisations.models import Organisation
from consult.protocols import Bindings
from consult.questionnaires.anonymous import urns
from consult.questionnaires.builder import service as builder
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import AnswerVisibility, Question
from consult.questionnaires.pictures.service import attach
from consult.sealing import second_factors
from consult.settings import Settings

SEED: Final = 2026
ORGANISATION: Final = "mobilites-du-quotidien"  # its identifier, in consultation.yaml
OPENING_HOUR: Final = 9
CLOSING_HOUR: Final = 20
PREPARATION: Final = dt.timedelta(days=5)  # between the first draft and the opening


def load(
    database: Database,
    bindings: Bindings,
    settings: Settings,
    *,
    now: dt.datetime,
    seed: int = SEED,
    tell: Tell = lambda _done, _total, _message: None,
) -> bool:
    """Load the demonstration in one transaction; False, and nothing done, when its organisation exists already.

    The consultation opened twenty-eight days before `now`; its analysis is asked for, see `analyse`. Raises
    ForbiddenError in production: the passwords of the demonstration are public.
    """
    if settings.production:
        raise ForbiddenError("La démonstration a des mots de passe publics : elle ne se charge pas en production.")
    with database.transaction(tenant=ALL_TENANTS, write=False) as reading:
        if reading.scalar(select(Organisation.id).where(Organisation.slug == ORGANISATION)):
            return False
    content = generate(seed)
    password = keep(visitors.PASSWORD, staff=True)
    with database.transaction(tenant=ALL_TENANTS) as session:
        _Loader(session, bindings, settings, content, now).run(password, tell)
    return True


def analyse(database: Database, bindings: Bindings, *, now: dt.datetime) -> bool:
    """Run the analysis that `load` asked for, as a worker would, and publish it; False when there was none to run."""
    handler = bindings.job_handlers[coding.RUN_JOB]
    if not Worker(database, {handler.kind: handler}).run_once():
        return False
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = session.scalars(select(Organisation).where(Organisation.slug == ORGANISATION)).one()
        with as_tenant(session, organisation.id):
            run = session.scalars(select(AnalysisRun).where(AnalysisRun.status == RunStatus.DONE)).one_or_none()
            if run is None:
                return False
            consultation = session.get_one(Consultation, run.consultation_id)
            coding.publish(session, run, consultation, actor=visitors.actor(session, Role.ORGANISER), now=now)
    return True


class _Loader:
    """One load: where each generated thing went in the database."""

    def __init__(
        self, session: Session, bindings: Bindings, settings: Settings, content: DemoContent, now: dt.datetime
    ) -> None:
        self._session, self._bindings, self._content, self._now = session, bindings, content, now
        self._site, self._secret = settings.public_url.rstrip("/"), settings.secret_key
        self._keyring, self._seal_keys = second_factors(settings.seal_keys), settings.seal_keys
        today = now.astimezone(PARIS).date()
        self._midnight = dt.datetime.combine(today - dt.timedelta(days=DAYS), dt.time(), PARIS)
        self._opened_at = self._morning(0)
        self._accounts: dict[str, uuid.UUID] = {}
        self._themes: dict[str, uuid.UUID] = {}
        self._questions: dict[str, Question] = {}
        self._options: dict[tuple[str, str], str] = {}

    def run(self, password: KeptPassword, tell: Tell) -> None:
        """Everything, in the order in which it would have happened."""
        described = self._content.organisation
        identity = {name: getattr(described, name) for name in described.__slots__ if name != "slug"}
        created_at = self._opened_at - PREPARATION
        self._organisation = organisations.create_organisation(
            self._session, slug=described.slug, fictional=True, now=created_at, **identity
        )
        self._session.flush()
        with as_tenant(self._session, self._organisation.id):
            self._actors = visitors.create(
                self._session,
                self._organisation,
                password,
                site=self._site,
                now=created_at,
                keyring=self._keyring,
            )
            self._write_participants()
            self._set_up(created_at)
            replay = Replay(self._session, self._stage())
            replay.run(self._content, tell)
            self._lately().run()
            self._decider(replay).run()
            self._ask_for_analysis()

    def _write_participants(self) -> None:
        """The invented people have neither address nor password: nobody can sign in as one of them."""
        rows = []
        for person in self._content.participants:
            joined = self._at(person.joined_minute)
            self._accounts[person.id] = uuid.uuid4()
            rows.append(
                {
                    "id": self._accounts[person.id],
                    "organisation_id": self._organisation.id,
                    **columns(person.pseudonym),
                    "created_at": joined,
                    "confirmed_at": joined,
                    "terms_version": TERMS_VERSION,
                    "terms_accepted_at": joined,
                }
            )
        self._session.execute(insert(Account), rows)

    def _set_up(self, created_at: dt.datetime) -> None:
        described, organiser = self._content.consultation, self._actors[Role.ORGANISER]
        self._consultation = consultations.create_consultation(
            self._session,
            organisation_id=self._organisation.id,
            actor=organiser,
            title=described.title,
            slug=described.slug,
            summary=described.summary,
            description=described.description,
            outcome=described.outcome,
            opens_at=self._opened_at,
            closes_at=self._evening(described.closes_on_day),
            fictional=True,
            now=created_at,
        )
        self._add_steps(organiser, created_at)
        for theme in self._content.themes:
            added = themes.add_theme(self._session, self._steps["vos-propositions"], title=theme.title)
            self._themes[theme.id] = added.id
        self._write_bill(organiser, created_at)
        self._ask(organiser, created_at)
        self._write_questions(organiser, created_at)
        consultations.open_consultation(
            self._session,
            self._consultation,
            organisation=self._organisation,
            actor=organiser,
            step_kinds=self._bindings.step_kinds,
            now=self._opened_at,
        )

    def _add_steps(self, organiser: Actor, now: dt.datetime) -> None:
        self._steps: dict[str, Step] = {}
        for step in self._content.consultation.steps:
            self._steps[step.slug] = consultations.add_step(
                self._session,
                self._consultation,
                actor=organiser,
                kind=self._bindings.step_kinds[step.kind],
                title=step.title,
                slug=step.slug,
                introduction=step.body,
                opens_at=self._morning(step.opens_on_day),
                closes_at=self._evening(step.closes_on_day),
                settings=step.settings,
                order_seed=hashlib.sha256(f"{self._content.seed}/{step.slug}".encode()).hexdigest()[:32],
                now=now,
            )

    def _write_bill(self, organiser: Actor, now: dt.datetime) -> None:
        step = self._steps["projet-de-loi"]
        parts: dict[str, uuid.UUID] = {}
        for part in self._content.bill.parts:
            draft = bill.PartDraft(Level(part.level), heading=part.heading, body=part.body)
            parent_id = parts[part.inside] if part.inside else None
            parts[part.id] = bill.add(self._session, step, draft, parent_id=parent_id, actor=organiser, now=now).id
        texts = texts_of(self._session, step.id)
        self._submitted = {name: texts[part_id] for name, part_id in parts.items() if part_id in texts}

    def _ask(self, organiser: Actor, now: dt.datetime) -> None:
        asked = self._content.debate
        draft = debate.QuestionDraft(asked.title, asked.body, asked.sources)
        self._submitted[DEBATE] = debate.ask(self._session, self._steps["le-debat"], draft, actor=organiser, now=now)

    def _write_questions(self, organiser: Actor, now: dt.datetime) -> None:
        for asked in self._content.questions:
            draft = QuestionDraft(
                kind=asked.kind,
                wording=asked.wording,
                help=asked.help,
                required=asked.required,
                visibility=AnswerVisibility(asked.visibility),
                options=tuple(label for key, label in asked.options if key != asked.exclusive),
                exclusive=dict(asked.options)[asked.exclusive] if asked.exclusive else "",
                max_length=asked.max_length,
                rows=tuple(label for _, label in asked.rows),
                condition=self._condition(asked),
                **({"maximum": asked.max_choices} | asked.settings),
            )
            question = builder.add(self._session, self._steps["votre-quotidien"], draft, actor=organiser, now=now)
            self._questions[asked.id] = question
            by_label = {option.label: str(option.id) for option in question.options}
            self._options |= {(asked.id, key): by_label[label] for key, label in (*asked.options, *asked.rows)}
            self._illustrate(asked, question)
        self._lately().ask(now)

    def _illustrate(self, asked: DemoQuestion, question: Question) -> None:
        drawn = recoded([streets.draw(key) for key, _ in asked.pictures]) if asked.pictures else []
        by_id = {str(option.id): option for option in question.options}
        for (key, alt), picture in zip(asked.pictures, drawn, strict=True):
            assert isinstance(picture, Picture), picture
            attach(by_id[self._options[asked.id, key]], picture, alt)

    def _condition(self, asked: DemoQuestion) -> dict[str, Any] | None:
        if asked.only_if is None:
            return None
        question, operator, option = asked.only_if
        looked_at = str(self._questions[question].id)
        return {"all": [{"question": looked_at, "is": operator, "value": self._options[question, option]}]}

    def _stage(self) -> Stage:
        return Stage(
            organisation=self._organisation,
            consultation=self._consultation,
            steps=self._steps,
            accounts=self._accounts,
            themes=self._themes,
            questions=self._questions,
            options=self._options,
            submitted=self._submitted,
            moderator=self._actors[Role.MODERATOR],
            content_types=self._bindings.content_types,
            midnight=self._midnight,
            site=self._site,
        )

    def _lately(self) -> Lately:
        return Lately(
            session=self._session,
            steps=self._steps,
            organiser=self._actors[Role.ORGANISER],
            people=self._content.participants,
            accounts=self._accounts,
            keys=urns.keyring(self._seal_keys),
            midnight=self._at(DAYS * MINUTES_PER_DAY),
            now=self._now,
            rng=source(self._content.seed, "lately"),
        )

    def _decider(self, replay: Replay) -> Decider:
        return Decider(
            session=self._session,
            consultation=self._consultation,
            actor=self._actors[Role.DECISION_MAKER],
            sender=Sender(self._organisation, self._site, self._secret),
            now=self._now,
            ids={**self._themes, **replay.ids},
        )

    def _ask_for_analysis(self) -> None:
        """Keep the codebook, approved by both parties a week ago, and have it run on what is public now."""
        week_ago = self._now - dt.timedelta(days=7)
        analyst = self._actors[Role.ANALYST]
        kept = coding.save_codebook(
            self._session, self._consultation, seam.read_codebook(codebook()), actor=analyst, now=week_ago
        )
        for role in (Role.DITP, Role.ADMINISTRATOR):
            coding.approve(self._session, kept, self._consultation, actor=self._actors[role], now=week_ago)
        coding.request_run(
            self._session, self._consultation, codebook=kept, seed=self._content.seed, actor=analyst, now=self._now
        )

    def _at(self, minute: int) -> dt.datetime:
        return self._midnight + dt.timedelta(minutes=minute)

    def _morning(self, day: int) -> dt.datetime:
        return self._midnight + dt.timedelta(days=day, hours=OPENING_HOUR)

    def _evening(self, day: int) -> dt.datetime:
        return self._midnight + dt.timedelta(days=day, hours=CLOSING_HOUR)
