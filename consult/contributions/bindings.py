"""What this feature hands to `app.py` through the protocols: its step, two moderable contents, its personal data."""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar, cast

from sqlalchemy import ColumnElement, delete, or_, select, union
from sqlalchemy.orm import Session

from consult import clock
from consult.actor import Actor
from consult.consultations.bindings import Page
from consult.consultations.models import ContentStatus, Origin, Step
from consult.contributions import order, policy, queries, service, votes, voting
from consult.contributions.ballots import service as ballots
from consult.contributions.ballots.models import Ballot
from consult.contributions.models import (
    OFFICIAL,
    Argument,
    ContentVersion,
    ContributionDraft,
    Proposal,
    Side,
    StepSecret,
    Theme,
    Vote,
)
from consult.errors import NotFoundError
from consult.personal import KeptRows, plain_row
from consult.protocols import ModerableItem, PersonalData, Row
from consult.search import service as search

ContentT = TypeVar("ContentT", Proposal, Argument)


class ProposalsStep:
    """Citizens write proposals under themes, argue for and against, and vote as the step says."""

    kind: ClassVar[str] = "proposals"
    label: ClassVar[str] = "Propositions et votes"
    staff_pages: ClassVar[tuple[tuple[str, str], ...]] = (
        ("regles", "Règles"),
        ("themes", "Thèmes"),
        ("moderation", "Modération"),
    )

    def __init__(self, page: Page) -> None:
        self._page = page

    def create(self, session: Session, step: Step) -> None:
        """Draw the secret of the step's opaque identifiers."""
        session.add(StepSecret(step_id=step.id, organisation_id=step.organisation_id, secret=secrets.token_bytes(32)))
        session.flush()

    def duplicate(self, session: Session, source: Step, target: Step) -> None:
        """Copy the settings and the themes; the target keeps its own secret and seed."""
        target.introduction, target.settings = source.introduction, dict(source.settings)
        for theme in queries.themes(session, source.id):
            session.add(
                Theme(
                    organisation_id=target.organisation_id,
                    step_id=target.id,
                    slug=theme.slug,
                    title=theme.title,
                    position=theme.position,
                )
            )
        session.flush()

    def rules(self, session: Session, step: Step) -> Mapping[str, Any]:
        """Positions of the vote, arguments, lengths, themes, and how the random order is drawn."""
        asked = policy.asks_departement(step.settings)
        more = {} if asked is policy.Asked.NO else {"departement": asked.value}
        return more | {
            **voting.frozen(voting.rule_of(step.settings)),
            "arguments": policy.takes_arguments(step.settings),
            "limits": dataclasses.asdict(policy.limits(step.settings)),
            "themes": [{"id": str(theme.id), "title": theme.title} for theme in queries.themes(session, step.id)],
            "random_order": order.RULE,
        }

    def purge_test_traces(self, session: Session, step: Step) -> int:
        """Delete the votes, arguments and proposals made in test mode."""
        removed = 0
        for model in (Vote, Argument, Proposal):
            made = (model.step_id == step.id, model.origin == Origin.TEST)
            ids = session.scalars(select(model.id).where(*made)).all()
            session.execute(delete(model).where(*made))
            removed += len(ids)
        return removed

    def render(self, session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
        """The list of proposals."""
        return self._page(session, step, actor, now, arguments)

    def census(self, session: Session, step: Step) -> Mapping[str, int]:
        """Published contributions, arguments, votes, and imported votes apart."""
        return queries.census(session, step)


class _Content(ABC, Generic[ContentT]):
    """What the two moderable contents share: locking, hiding, restoring."""

    model: ClassVar[Any]

    def hide(self, session: Session, item_id: uuid.UUID, reason: str) -> list[str]:
        """Withhold from the public; counts follow. Raises NotFoundError, ConflictError."""
        return service.hide(session, self._item(session, item_id), reason, clock.now())

    def restore(self, session: Session, item_id: uuid.UUID) -> list[str]:
        """Undo `hide`. Raises NotFoundError, ConflictError."""
        return service.restore(session, self._item(session, item_id))

    def get(self, session: Session, item_id: uuid.UUID) -> ModerableItem | None:
        """The item, or None; a write session locks its row."""
        if session.get_bind().get_execution_options().get("consult_write", True):
            query = select(self.model).where(self.model.id == item_id).with_for_update()
            session.execute(query.execution_options(populate_existing=True))  # its page may have read it before
        return self.items(session, [item_id]).get(item_id)

    @abstractmethod
    def items(self, session: Session, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, ModerableItem]:
        """Several items in one query."""

    def _item(self, session: Session, item_id: uuid.UUID) -> ContentT:
        item = session.scalar(select(self.model).where(self.model.id == item_id))
        if item is None:
            raise NotFoundError("Ce contenu n’existe pas.")
        return cast("ContentT", item)


class ProposalContent(_Content[Proposal]):
    """A proposal, for moderation."""

    type: ClassVar[str] = "proposal"
    label: ClassVar[str] = "Proposition"
    model: ClassVar[Any] = Proposal

    def items(self, session: Session, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, ModerableItem]:
        """Several proposals in one query."""
        return {
            proposal.id: ModerableItem(
                id=proposal.id,
                type=self.type,
                consultation_id=proposal.consultation_id,
                author_id=proposal.author_id,
                title=proposal.title or "Proposition effacée",
                body="\n\n".join(_said(proposal)),
                status=proposal.status.value,
                status_reason=proposal.status_reason,
                created_at=proposal.created_at,
                address=f"/contributions/{proposal.id}",
                step_id=proposal.step_id,
                version=proposal.version,
            )
            for proposal in session.scalars(
                select(Proposal).where(Proposal.id.in_(ids), Proposal.kind.not_in(OFFICIAL))
            )
        }


def _said(proposal: Proposal) -> list[str]:
    """All that a proposal says; a version of an article has its reason and its sources besides."""
    sources = (f"{source['title']} ({source['url']})" for source in proposal.sources or ())
    return [text for text in (proposal.body, proposal.reason, *sources) if text]


class ArgumentContent(_Content[Argument]):
    """An argument, for moderation; its title says on what it is, while that is published."""

    type: ClassVar[str] = "argument"
    label: ClassVar[str] = "Argument"
    model: ClassVar[Any] = Argument

    def items(self, session: Session, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, ModerableItem]:
        """Several arguments in one query."""
        rows = session.execute(
            select(Argument, Proposal.title, Proposal.status)
            .join(Proposal, Proposal.id == Argument.proposal_id)
            .where(Argument.id.in_(ids))
        )
        return {
            argument.id: self._moderable(argument, title if status is ContentStatus.PUBLISHED else None)
            for argument, title, status in rows
        }

    def _moderable(self, argument: Argument, proposal_title: str | None) -> ModerableItem:
        side = "pour" if argument.side is Side.FOR else "contre"
        on = f"«\u202f{proposal_title}\u202f»" if proposal_title else "une proposition qui n’est plus publiée"
        return ModerableItem(
            id=argument.id,
            type=self.type,
            consultation_id=argument.consultation_id,
            author_id=argument.author_id,
            title=f"Argument {side} {on}",
            body=f"{argument.title}\n\n{argument.body}" if argument.title else argument.body,
            status=argument.status.value,
            status_reason=argument.status_reason,
            created_at=argument.created_at,
            address=f"/arguments/{argument.id}",
            step_id=argument.step_id,
            version=argument.version,
        )


class VoteData(KeptRows):
    """Votes: gone, so that what is counted is what somebody stands by."""

    table: ClassVar[str] = "vote"
    label: ClassVar[str] = "Votes"
    purpose: ClassVar[str] = "Compter votre avis une fois et une seule, et vous laisser le changer."
    kept: ClassVar[str] = (
        "Tant que la consultation est publiée, sauf retrait\u00a0; sans lien avec vous six mois après."
    )
    model = Vote

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Take them all back, and what the log let read of them; the counts follow."""
        return votes.erase_all(session, account_id, now)

    def erase_unpublished(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Those that never counted; the others are known by an identifier that tells nobody any more."""
        del now
        uncounted = delete(Vote).where(Vote.account_id == account_id, Vote.counted.is_(False)).returning(Vote.id)
        return len(session.scalars(uncounted).all())


class BallotData(KeptRows):
    """Ballots: gone, as votes."""

    table: ClassVar[str] = "ballot"
    label: ClassVar[str] = "Bulletins\u00a0: points répartis, classements"
    purpose: ClassVar[str] = VoteData.purpose
    kept: ClassVar[str] = VoteData.kept
    model = Ballot

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Take them all back, and what the log let read of them; the counts follow."""
        return ballots.erase_all(session, account_id, now)

    def erase_unpublished(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Those that never counted, as with votes."""
        del now
        uncounted = delete(Ballot).where(Ballot.account_id == account_id, Ballot.counted.is_(False))
        return len(session.scalars(uncounted.returning(Ballot.id)).all())


class DraftData:
    """What was written before signing in: it names no account, its text alone tells whose it is."""

    table: ClassVar[str] = "contribution_draft"
    label: ClassVar[str] = "Brouillons de propositions et d’arguments"
    purpose: ClassVar[str] = "Vous rendre, une fois connecté, ce que vous aviez commencé à écrire."
    kept: ClassVar[str] = "Un jour."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Drafts of what the account then published."""
        for draft in session.scalars(select(ContributionDraft).where(_drafted_by(account_id))):
            yield plain_row(draft, also=("step_id", "content", "expires_at"))

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Delete them."""
        del now
        gone = delete(ContributionDraft).where(_drafted_by(account_id)).returning(ContributionDraft.digest)
        return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def _drafted_by(account_id: uuid.UUID) -> ColumnElement[bool]:
    body: ColumnElement[str] = ContributionDraft.content["body"].as_string()
    texts = union(
        *(select(model.body).where(model.author_id == account_id) for model in (Proposal, Argument)),
        select(ContentVersion.body).where(_version_of(account_id)),
    )
    return body.in_(texts)


class VersionData:
    """What proposals and arguments said before their edits."""

    table: ClassVar[str] = "content_version"
    label: ClassVar[str] = "Versions antérieures de vos textes"
    purpose: ClassVar[str] = "Montrer à tous ce qui a changé dans un texte sur lequel on a voté."
    kept: ClassVar[str] = "Autant que le texte."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Each former text."""
        versions = select(ContentVersion).where(_version_of(account_id)).order_by(ContentVersion.replaced_at)
        for version in session.scalars(versions):
            yield plain_row(version)

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Delete them."""
        del now
        return _delete_versions(session, _version_of(account_id))

    def erase_unpublished(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Delete those of what is not published."""
        del now
        unpublished = (Proposal.status != ContentStatus.PUBLISHED, Argument.status != ContentStatus.PUBLISHED)
        return _delete_versions(session, _version_of(account_id, *unpublished))


def _delete_versions(session: Session, which: ColumnElement[bool]) -> int:
    gone = delete(ContentVersion).where(which).returning(ContentVersion.id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def _version_of(account_id: uuid.UUID, *of: ColumnElement[bool]) -> ColumnElement[bool]:
    proposals = select(Proposal.id).where(Proposal.author_id == account_id, *of[:1])
    arguments = select(Argument.id).where(Argument.author_id == account_id, *of[1:])
    return or_(ContentVersion.proposal_id.in_(proposals), ContentVersion.argument_id.in_(arguments))


class _ContentData(KeptRows):
    purpose: ClassVar[str] = "Publier votre avis et l’analyser avec celui des autres."
    kept: ClassVar[str] = "Tant que la consultation est publiée, sauf retrait ou effacement."
    owner: ClassVar[str] = "author_id"

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Empty them; the log says that there was something, not what."""
        return self._erase(session, account_id, now, frozenset())

    def erase_unpublished(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Empty those that are not published; the others stay, and the key of their form goes."""
        return self._erase(session, account_id, now, frozenset({ContentStatus.PUBLISHED}))

    def _erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime, kept: frozenset[ContentStatus]) -> int:
        items = self.rows(session, account_id)
        for item in items:
            session.refresh(item, with_for_update=True)  # a moderator may have just hidden it
            if item.status in kept:
                item.submission_key = None
            else:
                service.erase(session, item, now)
        session.flush()
        if items:
            search.forget(session)  # the index keeps their words too
        return len(items)


class ProposalData(_ContentData):
    """Proposals."""

    table: ClassVar[str] = "proposal"
    label: ClassVar[str] = "Propositions"
    model = Proposal


class ArgumentData(_ContentData):
    """Arguments."""

    table: ClassVar[str] = "argument"
    label: ClassVar[str] = "Arguments"
    model = Argument


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (  # drafts and versions first: the contents tell whose they are
    VoteData(),
    BallotData(),
    DraftData(),
    VersionData(),
    ArgumentData(),
    ProposalData(),
)
