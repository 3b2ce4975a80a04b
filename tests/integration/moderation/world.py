"""An organisation where somebody wrote and others moderate."""

from sqlalchemy import func, select

from consult.actor import Actor, Role
from consult.contributions.bindings import ArgumentContent, ProposalContent
from consult.moderation import queries, service
from consult.moderation.letters import Links
from consult.moderation.models import HIDES
from consult.moderation.service import Wanted
from consult.questionnaires.bindings import ReplyContent
from consult.registry.models import EntryKind
from consult.registry.service import append
from tests.factories import (
    make_account,
    make_argument,
    make_consultation,
    make_organisation,
    make_proposal,
    make_question,
    make_reply,
    make_step,
)

CONTENTS = {content.type: content for content in (ProposalContent(), ArgumentContent(), ReplyContent())}
LINKS = Links("https://exemple.fr", "https://exemple.fr/charte", lambda token: f"https://exemple.fr/c/{token}")
WORDS = "Le texte insulte une personne nommée."


class World:
    """An organisation with an open consultation, an author, two moderators and one content of each type."""

    def __init__(self, session):
        self.session = session
        self.organisation = make_organisation(session)
        session.info["tenant"] = self.organisation.id
        self.consultation = make_consultation(session, self.organisation)
        self.author = make_account(session, self.organisation)
        self.moderators = [make_account(session, self.organisation, Role.MODERATOR) for _ in range(2)]
        proposals = make_step(session, self.consultation)
        questionnaire = make_step(session, self.consultation, kind="questionnaire")
        self.question = question = make_question(session, questionnaire)
        proposal = make_proposal(session, proposals, self.author)
        self.items = {
            "proposal": proposal,
            "argument": make_argument(session, proposal, self.author),
            "reply": make_reply(session, questionnaire, self.author, {question: "Un texte rude."}),
        }

    def actor(self, rank=0):
        account = self.moderators[rank]
        return Actor(account.id, account.pseudonym, confirmed=True, roles=frozenset({Role.MODERATOR}))

    def log(self, now, kind) -> list[str]:
        """What the public log says of an item and of an edit of it; returns the refs."""
        item, name = self.items[kind], "contribution" if kind == "proposal" else kind
        shared = {"organisation_id": self.organisation.id, "consultation_id": self.consultation.id, "now": now}
        said = [{name: str(item.id), "version": version} for version in (1, 2)]
        first, edit = (
            append(self.session, **shared, kind=entry, content=content)
            for entry, content in zip((EntryKind.CONTRIBUTION, EntryKind.EDIT), said, strict=True)
        )
        item.registry_ref, item.version = first, 2
        return [first, edit]

    def report(self, now, *, kind="proposal", reporter="a", reason="insult", comment=""):
        return service.report(
            self.session,
            CONTENTS[kind],
            self.items[kind].id,
            organisation_id=self.organisation.id,
            reason=reason,
            comment=comment,
            reporter=reporter,
            now=now,
        )

    def decide(
        self, now, act, *, kind="proposal", seen=0, actor=None, ground="insult", message=WORDS, version=None, **said
    ):
        return service.decide(
            self.session,
            CONTENTS[kind],
            self.items[kind].id,
            Wanted(act, seen, ground if act in HIDES else "", message, version, **said),
            actor=actor or self.actor(),
            organisation=self.organisation,
            links=LINKS,
            now=now,
        )

    def count(self, model):
        return self.session.scalar(select(func.count()).select_from(model))

    def queue(self, **values):
        return queries.queue(self.session, CONTENTS, scope=values.pop("scope", None), **values)
