"""What was done since midnight in the steps opened last: ballots, and replies on invitation. See `lately.yaml`."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations.models import Step
from consult.contributions import service as contributions
from consult.contributions.ballots import policy as ballots
from consult.contributions.ballots.service import Change, act, giving
from consult.contributions.models import Proposal
from consult.contributions.voting import VoteKind, VoteRule, rule_of
from consult.demo.content import read
from consult.demo.records import DemoParticipant
from consult.questionnaires import policy as questionnaires
from consult.questionnaires.builder import service as builder
from consult.questionnaires.by_code import codes
from consult.questionnaires.by_code import service as by_code
from consult.questionnaires.invitations import policy as invitations
from consult.questionnaires.invitations import service as inviting
from consult.questionnaires.invitations.models import Invitation
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import Question
from consult.sealing import Keyring

INVITATION: Final = "DEMO-INVI-TATI-ONAU-COMI-TEDE-SUSA-GERS"  # public, as the passwords of the demonstration
_STEPS: Final = 4  # of points that one gives at once, at most


@dataclass(slots=True)
class Lately:
    """Who takes part, in which steps; `midnight` begins the day of `now`."""

    session: Session
    steps: Mapping[str, Step]  # by slug
    organiser: Actor
    people: Sequence[DemoParticipant]
    accounts: Mapping[str, uuid.UUID]
    keys: Keyring
    midnight: dt.datetime
    now: dt.datetime
    rng: random.Random

    def ask(self, now: dt.datetime) -> None:
        """Write the questions of the questionnaire on invitation, while the consultation is a draft."""
        told = read("lately.yaml")["invited"]
        for asked in told["questions"]:
            draft = QuestionDraft(
                kind=asked["kind"],
                wording=asked["wording"],
                options=tuple(asked.get("options", ())),
                maximum=asked.get("maximum"),
                max_length=1_000 if "said" in asked else None,
            )
            builder.add(self.session, self.steps[told["step"]], draft, actor=self.organiser, now=now)

    def run(self) -> None:
        """Everything, one act after the other, from midnight until now: the log would call backdated what is not."""
        told = read("lately.yaml")
        acts = sum(len(each["proposals"]) + each["voters"] for each in told["ballots"]) + told["invited"]["replies"]
        pause = (self.now - self.midnight) / (acts + 2)
        clock = (self.midnight + pause * rank for rank in range(1, acts + 2))
        for each in told["ballots"]:
            self._vote(each, clock)
        self._invite(told["invited"], clock)

    def _vote(self, told: Mapping[str, Any], clock: Any) -> None:
        step = self.steps[told["step"]]
        rule, pulls = rule_of(step.settings), {}
        for rank, drafted in enumerate(told["proposals"]):
            text = self._propose(step, drafted, f"{step.slug}.{rank}", next(clock))
            pulls[str(text.id)] = drafted
        for person in self.rng.sample(list(self.people), told["voters"]):
            weights = {text: each["pull"] * self._taste(person, each) for text, each in pulls.items()}
            change = self._ballot(rule, weights)
            act(self.session, step.id, account_id=self.accounts[person.id], change=change, now=next(clock))

    def _propose(self, step: Step, drafted: Mapping[str, Any], key: str, now: dt.datetime) -> Proposal:
        mine = [person for person in self.people if person.group == drafted.get("mine", person.group)]
        return contributions.submit_proposal(
            self.session,
            step=step,
            account_id=self.accounts[self.rng.choice(mine).id],
            title=drafted["title"],
            body=drafted["body"],
            theme_id=None,
            submission_key=key,
            now=now,
        )

    @staticmethod
    def _taste(person: DemoParticipant, drafted: Mapping[str, Any]) -> float:
        return 2.5 if drafted.get("mine") == person.group else 1.0 if "mine" not in drafted else 0.6

    def _ballot(self, rule: VoteRule, weights: Mapping[str, float]) -> Change:
        """Points spread by handfuls over what draws the person most, or so many texts ranked."""
        given: dict[str, int] = {}
        while sum(given.values()) < rule.points if rule.kind is VoteKind.POINTS else len(given) < rule.points:
            text = self.rng.choices(list(weights), list(weights.values()))[0]
            left = min(rule.most - given.get(text, 0), rule.points - sum(given.values()))
            given[text] = given.get(text, 0) + (min(left, self.rng.randint(1, _STEPS)))
        ranked = list(given)
        return giving(given) if rule.kind is VoteKind.POINTS else lambda of, _: ballots.ranked(of, ranked)

    def _invite(self, told: Mapping[str, Any], clock: Any) -> None:
        step, now = self.steps[told["step"]], next(clock)
        questions = self.session.scalars(
            select(Question).where(Question.step_id == step.id).order_by(Question.position)
        ).all()
        drawn = inviting.issue_codes(
            self.session, step, name=told["batch"], count=told["codes"], actor=self.organiser, now=now
        )
        for code in drawn[: told["replies"]]:
            by_code.submit(
                self.session,
                step,
                questions,
                self._answers(questions, told["questions"]),
                actor=Actor(),
                code=codes.draw(),
                keys=self.keys,
                now=next(clock),
                invitation=code,
            )
        known = select(Invitation).where(Invitation.digest == invitations.digest(step.organisation_id, drawn[-1]))
        self.session.scalars(known).one().digest = invitations.digest(step.organisation_id, INVITATION)

    def _answers(self, questions: Sequence[Question], asked: Sequence[Mapping[str, Any]]) -> dict[uuid.UUID, Any]:
        given = {}
        for question, told in zip(questions, asked, strict=True):
            if "said" in told:
                typed = [self.rng.choice(told["said"])] if self.rng.random() < 0.4 else []  # noqa: PLR2004  # few write
            else:
                ids = [str(option.id) for option in question.options]
                typed = sorted(set(self.rng.choices(ids, told["weights"], k=told.get("maximum", 1))))
            given[question.id] = questionnaires.read(question, typed)
        return given
