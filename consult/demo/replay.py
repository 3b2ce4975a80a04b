"""Acts of the demonstration, written in the order and at the hours they are said to have happened.

Contents, reports and decisions go through the features' own services; votes and replies, which are thousands, in bulk.
What is written in bulk commits to the very contents that `cast_vote` and `submit` commit to; a test compares.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import rfc8785
from sqlalchemy import insert
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations.models import Consultation, Origin, Step
from consult.contributions import counters
from consult.contributions import service as contributions
from consult.contributions.arguments import service as arguments
from consult.contributions.bill import service as bill
from consult.contributions.bill.policy import read_sources
from consult.contributions.models import Argument, Proposal, Side, StepSecret, Vote, VoteValue
from consult.contributions.policy import voter_of
from consult.db import Base
from consult.demo.records import (
    DemoArgument,
    DemoContent,
    DemoDecision,
    DemoProposal,
    DemoReply,
    DemoReport,
    DemoVersion,
    DemoVote,
)
from consult.moderation import policy as moderation_policy
from consult.moderation import service as moderation
from consult.moderation.letters import Links
from consult.moderation.models import Act
from consult.organisations.models import Organisation
from consult.protocols import ContentType
from consult.questionnaires import policy as questionnaires
from consult.questionnaires.kinds.base import Given, nothing
from consult.questionnaires.models import Answer, Question, Reply
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind

Tell: TypeAlias = Callable[[int, int, str], None]
DemoAct: TypeAlias = DemoProposal | DemoVersion | DemoArgument | DemoVote | DemoReply | DemoReport | DemoDecision


@dataclass(frozen=True, slots=True)
class Stage:
    """What has been set up for the acts: rows of the database by the names that the generated content uses."""

    organisation: Organisation
    consultation: Consultation
    steps: Mapping[str, Step]  # by slug
    accounts: Mapping[str, uuid.UUID]
    themes: Mapping[str, uuid.UUID]
    questions: Mapping[str, Question]
    options: Mapping[tuple[str, str], str]  # (question, option) -> option id
    submitted: Mapping[str, Proposal]  # the texts of the bill and the question of the debate
    moderator: Actor
    content_types: Mapping[str, ContentType]
    midnight: dt.datetime  # that begins the opening day, in Paris
    site: str


class Replay:
    """Writes the acts on a stage."""

    def __init__(self, session: Session, stage: Stage) -> None:
        self._session, self._stage = session, stage
        self._contents: dict[str, Proposal | Argument] = dict(stage.submitted)
        self._rows: dict[type[Base], list[dict[str, Any]]] = {Vote: [], Reply: [], Answer: []}

    def run(self, content: DemoContent, tell: Tell) -> None:
        """Hour by hour; within one, contents come before what speaks of them."""
        sources: tuple[tuple[DemoAct, ...], ...] = (
            content.proposals,
            content.bill.versions,
            (*content.arguments, *content.bill.arguments, *content.debate.arguments),
            (*content.votes, *content.bill.votes, *content.debate.votes),
            content.replies,
            content.reports,
            content.decisions,
        )
        hours: dict[int, list[list[Any]]] = defaultdict(lambda: [[] for _ in sources])
        for kind, acts in enumerate(sources):
            for act in acts:
                hours[act.minute // 60][kind].append(act)
        for done, hour in enumerate(sorted(hours), start=1):
            proposals, versions, arguments, votes, replies, reports, decisions = hours[hour]
            for proposal in proposals:
                self._propose(proposal)
            for version in versions:
                self._rewrite(version)
            for argument in arguments:
                self._argue(argument)
            self._vote(votes)
            self._reply(replies)
            for report in reports:
                self._report(report)
            for decision in decisions:
                self._decide(decision)
            tell(done, len(hours), "Écriture de la démonstration")
        for model, rows in self._rows.items():
            self._session.execute(insert(model), rows)

    @property
    def ids(self) -> Mapping[str, uuid.UUID]:
        """The contents that were written, by their names in the demonstration."""
        return {name: content.id for name, content in self._contents.items()}

    def _propose(self, proposal: DemoProposal) -> None:
        self._contents[proposal.id] = contributions.submit_proposal(
            self._session,
            step=self._stage.steps["vos-propositions"],
            account_id=self._stage.accounts[proposal.author],
            title=proposal.title,
            body=proposal.body,
            theme_id=self._stage.themes[proposal.theme],
            submission_key=proposal.id,
            now=self._at(proposal.minute),
        )

    def _rewrite(self, version: DemoVersion) -> None:
        rewritten = self._contents[version.rewrites]
        assert isinstance(rewritten, Proposal)
        self._contents[version.id] = bill.submit_version(
            self._session,
            step=self._stage.steps["projet-de-loi"],
            rewritten=rewritten,
            account_id=self._stage.accounts[version.author],
            title=version.title,
            body=version.body,
            reason=version.reason,
            sources=read_sources(version.sources),
            submission_key=version.id,
            now=self._at(version.minute),
        )

    def _argue(self, argument: DemoArgument) -> None:
        target = self._contents[argument.proposal]
        assert isinstance(target, Proposal)
        self._contents[argument.id] = arguments.submit_argument(
            self._session,
            step=self._session.get_one(Step, target.step_id),
            proposal=target,
            account_id=self._stage.accounts[argument.author],
            side=Side(argument.side),
            title=argument.title,
            body=argument.body,
            submission_key=argument.id,
            now=self._at(argument.minute),
        )

    def _vote(self, votes: Sequence[DemoVote]) -> None:
        if not votes:
            return
        targets = [self._contents[vote.target] for vote in votes]
        secrets = {step: self._session.get_one(StepSecret, step).secret for step in {each.step_id for each in targets}}
        openings = [
            {
                "step": str(target.step_id),
                "contribution" if isinstance(target, Proposal) else "argument": str(target.id),
                "version": target.version,
                "value": vote.value,
                "voter": voter_of(secrets[target.step_id], self._stage.accounts[vote.voter]),
            }
            for vote, target in zip(votes, targets, strict=True)
        ]
        effects = [
            counters.effect("contribution" if isinstance(target, Proposal) else "argument", target.id, {value: 1})
            for value, target in zip((VoteValue(vote.value) for vote in votes), targets, strict=True)
        ]
        ids = [uuid.uuid4() for _ in votes]
        refs = self._log(EntryKind.VOTE_CAST, openings, votes[0].minute, effects, ids)
        for vote_id, vote, target, ref in zip(ids, votes, targets, refs, strict=True):
            self._rows[Vote].append(
                {
                    "organisation_id": self._stage.organisation.id,
                    "proposal_id": target.id if isinstance(target, Proposal) else None,
                    "argument_id": target.id if isinstance(target, Argument) else None,
                    "value": VoteValue(vote.value),
                    "id": vote_id,
                    "consultation_id": self._stage.consultation.id,
                    "step_id": target.step_id,
                    "account_id": self._stage.accounts[vote.voter],
                    "cast_at": self._at(vote.minute),
                    "registry_ref": ref,
                }
            )

    def _reply(self, replies: Sequence[DemoReply]) -> None:
        if not replies:
            return
        step, questions = self._stage.steps["votre-quotidien"], list(self._stage.questions.values())
        rows: list[dict[str, Any]] = []
        openings: list[dict[str, Any]] = []
        for reply in replies:
            reply_id, received_at, given = uuid.uuid4(), self._at(reply.minute), self._given(reply)
            refused = questionnaires.errors(questions, given)
            assert not refused, refused
            public = rfc8785.dumps(questionnaires.public_answers(questions, given))
            openings.append(
                {
                    "type": "reply",
                    "reply": str(reply_id),
                    "step": str(step.id),
                    "version": 1,
                    "answers_sha256": hashlib.sha256(public).hexdigest(),
                }
            )
            rows.append(
                {
                    "id": reply_id,
                    "organisation_id": self._stage.organisation.id,
                    "consultation_id": self._stage.consultation.id,
                    "step_id": step.id,
                    "account_id": self._stage.accounts[reply.author],
                    "received_on": received_at.date(),
                    "received_at": received_at,
                }
            )
            shared = {"organisation_id": self._stage.organisation.id, "reply_id": reply_id}
            self._rows[Answer] += [
                {**shared, "id": uuid.uuid4(), "question_id": key, **answer} for key, answer in given.items()
            ]
        submitted = conservation.flow("reply", Origin.LIVE, conservation.SUBMITTED)
        refs = self._log(EntryKind.CONTRIBUTION, openings, replies[0].minute, [submitted] * len(openings))
        self._rows[Reply] += [{**row, "registry_ref": ref} for row, ref in zip(rows, refs, strict=True)]

    def _given(self, reply: DemoReply) -> dict[uuid.UUID, Given]:
        values = {key: [self._stage.options[key, option] for option in chosen] for key, chosen in reply.choices.items()}
        values |= {key: [text] for key, text in (reply.texts | reply.figures).items()}
        given = {
            self._stage.questions[key].id: questionnaires.read(self._stage.questions[key], typed)
            for key, typed in values.items()
        }
        for key, cells in reply.cells.items():
            keys = [":".join(self._stage.options.get((key, part), part) for part in cell.split(":")) for cell in cells]
            given[self._stage.questions[key].id] = nothing() | {"options": keys}
        return given

    def _report(self, report: DemoReport) -> None:
        item = self._contents[report.target]
        moderation.report(
            self._session,
            self._stage.content_types[_type_of(item)],
            item.id,
            organisation_id=self._stage.organisation.id,
            reason=report.reason,
            comment=report.comment,
            reporter=moderation_policy.reporter(self._stage.accounts[report.reporter]),
            now=self._at(report.minute),
        )

    def _decide(self, decision: DemoDecision) -> None:
        item = self._contents[decision.target]
        hides, site = decision.action == "hide", self._stage.site
        moderation.decide(
            self._session,
            self._stage.content_types[_type_of(item)],
            item.id,
            moderation.Wanted(
                act=Act.HIDE if hides else Act.DISMISS,
                seen=0,
                ground=decision.reason if hides else "",
                message=decision.explanation,
            ),
            actor=self._stage.moderator,
            organisation=self._stage.organisation,
            links=Links(site, f"{site}/charte", lambda token: f"{site}/moderation/contester/{token}"),
            now=self._at(decision.minute),
        )

    def _at(self, minute: int) -> dt.datetime:
        return self._stage.midnight + dt.timedelta(minutes=minute)

    def _log(
        self,
        kind: EntryKind,
        openings: list[dict[str, Any]],
        minute: int,
        effects: Sequence[counters.Effect] | None = None,
        vote_ids: Sequence[uuid.UUID] | None = None,
    ) -> list[str]:
        return registry.append_all(
            self._session,
            organisation_id=self._stage.organisation.id,
            consultation_id=self._stage.consultation.id,
            kind=kind,
            contents=openings,
            now=self._at(minute),
            effects=effects,
            vote_ids=vote_ids,
        )


def _type_of(item: Proposal | Argument) -> str:
    return "proposal" if isinstance(item, Proposal) else "argument"
