"""The public rows of themes, contributions, arguments, votes and ballots: what dump and API show, in this form only."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.clock import hour, written
from consult.consultations.datasets import PublicRows
from consult.consultations.models import ContentStatus, Step
from consult.contributions import policy
from consult.contributions.ballots.models import Ballot
from consult.contributions.ballots.policy import ranking
from consult.contributions.models import Argument, Proposal, StepSecret, Theme, Vote
from consult.protocols import Row

# A content whose author's address is not confirmed was never public, nor logged.
_PUBLIC_STATUSES: Final = tuple(status for status in ContentStatus if status is not ContentStatus.PENDING)


class ThemesDataset(PublicRows):
    """Headings."""

    model = Theme
    name: ClassVar[str] = "themes"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "step": "Étape",
        "title": "Titre",
        "position": "Rang dans l’étape",
    }

    def _select(self, consultation_id: uuid.UUID) -> Any:
        return (
            select(Theme.id, Theme.step_id, Theme.title, Theme.position)
            .join(Step, Step.id == Theme.step_id)
            .where(Step.consultation_id == consultation_id)
        )

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        del session, consultation_id
        return lambda row: {
            "id": str(row.id), "step": str(row.step_id), "title": row.title, "position": row.position
        }  # fmt: skip


class ContributionsDataset(PublicRows):
    """Proposals, whatever became of them; the text of those that are published."""

    model = Proposal
    name: ClassVar[str] = "contributions"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "step": "Étape",
        "theme": "Thème, s’il y en a un",
        "title": "Titre ; vide si la contribution n’est pas publiée",
        "body": "Texte ; vide si la contribution n’est pas publiée",
        "status": "État : published, hidden (masquée), withdrawn (retirée par son auteur), erased (effacée)",
        "status_reason": "Motif de la décision de masquer",
        "origin": "Origine : live (en ligne), imported (importée), offline (hors ligne), test (essai)",
        "author": "Auteur, sous un identifiant propre à l’étape et sans lien avec celui de ses votes",
        "created_at": "Heure du dépôt (UTC)",
        "votes_for": "Votes « d’accord »",
        "votes_mixed": "Votes « mitigé »",
        "votes_against": "Votes « pas d’accord »",
        "imported_votes_for": "Votes « d’accord » importés d’une autre plateforme",
        "imported_votes_mixed": "Votes « mitigé » importés d’une autre plateforme",
        "imported_votes_against": "Votes « pas d’accord » importés d’une autre plateforme",
        "kind": "Nature : proposal (proposition), version (version d’article), et ce que l’administration soumet : "
        "article (texte d’un article), question (question d’un débat)",
        "article": "Article dont c’est le texte ou une version",
        "rewrites": "Contribution que cette version récrit",
        "reason": "Exposé des motifs d’une version ; vide si elle n’est pas publiée",
        "sources": "Sources que cite une version, ou la question d’un débat : adresse et titre",
        "departement": "Département que l’auteur a déclaré, si l’étape le demande : son code, 99 hors de France",
        "points": "Points que lui donnent les bulletins, là où l’on vote par bulletin",
        "ballots": "Bulletins qui lui donnent des points",
        "first_choices": "Bulletins qui la classent première, là où l’on vote par classement",
    }

    def _select(self, consultation_id: uuid.UUID) -> Any:
        return _public(
            select(
                *(Proposal.kind, Proposal.article_id, Proposal.rewrites_id, Proposal.reason, Proposal.sources),
                Proposal.departement,
                *(Proposal.id, Proposal.step_id, Proposal.theme_id, Proposal.title, Proposal.body, Proposal.status),
                *(Proposal.status_reason, Proposal.origin, Proposal.author_id, Proposal.created_at),
                *(Proposal.votes_for, Proposal.votes_mixed, Proposal.votes_against),
                *(Proposal.imported_votes_for, Proposal.imported_votes_mixed, Proposal.imported_votes_against),
                *(Proposal.points, Proposal.ballots, Proposal.first_choices),
            ),
            Proposal,
            consultation_id,
        )

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        author = _opaque(session, consultation_id, policy.author_of)

        def write(row: Any) -> Row:
            return {
                "id": str(row.id),
                "step": str(row.step_id),
                "theme": str(row.theme_id) if row.theme_id else None,
                "title": _published(row, row.title),
                "body": _published(row, row.body),
                "status": row.status.value,
                "status_reason": row.status_reason,
                "origin": row.origin.value,
                "author": author(row.step_id, row.author_id),
                "created_at": written(hour(row.created_at)),
                "votes_for": row.votes_for,
                "votes_mixed": row.votes_mixed,
                "votes_against": row.votes_against,
                "imported_votes_for": row.imported_votes_for,
                "imported_votes_mixed": row.imported_votes_mixed,
                "imported_votes_against": row.imported_votes_against,
                "kind": row.kind.value,
                "article": str(row.article_id) if row.article_id else None,
                "rewrites": str(row.rewrites_id) if row.rewrites_id else None,
                "reason": _published(row, row.reason),
                "sources": row.sources or [] if row.status is ContentStatus.PUBLISHED else [],
                "departement": _published(row, row.departement),
                "points": row.points,
                "ballots": row.ballots,
                "first_choices": row.first_choices,
            }

        return write


class ArgumentsDataset(PublicRows):
    """Arguments, whatever became of them; the text of those that are published."""

    model = Argument
    name: ClassVar[str] = "arguments"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "contribution": "Contribution qu’il appuie ou critique",
        "side": "Camp : for (pour), against (contre)",
        "title": "Titre, s’il y en a un",
        "body": "Texte ; vide si l’argument n’est pas publié",
        "status": "État : published, hidden (masqué), withdrawn (retiré par son auteur), erased (effacé)",
        "status_reason": "Motif de la décision de masquer",
        "origin": "Origine : live (en ligne), imported (importé), offline (hors ligne), test (essai)",
        "author": "Auteur, sous un identifiant propre à l’étape et sans lien avec celui de ses votes",
        "created_at": "Heure du dépôt (UTC)",
        "votes_for": "Votes « utile »",
        "imported_votes_for": "Votes « utile » importés d’une autre plateforme",
    }

    def _select(self, consultation_id: uuid.UUID) -> Any:
        return _public(
            select(
                *(Argument.id, Argument.proposal_id, Argument.step_id, Argument.side, Argument.title, Argument.body),
                *(Argument.status, Argument.status_reason, Argument.origin, Argument.author_id, Argument.created_at),
                *(Argument.votes_for, Argument.imported_votes_for),
            ),
            Argument,
            consultation_id,
        )

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        author = _opaque(session, consultation_id, policy.author_of)

        def write(row: Any) -> Row:
            return {
                "id": str(row.id),
                "contribution": str(row.proposal_id),
                "side": row.side.value,
                "title": _published(row, row.title),
                "body": _published(row, row.body),
                "status": row.status.value,
                "status_reason": row.status_reason,
                "origin": row.origin.value,
                "author": author(row.step_id, row.author_id),
                "created_at": written(hour(row.created_at)),
                "votes_for": row.votes_for,
                "imported_votes_for": row.imported_votes_for,
            }

        return write


class VotesDataset(PublicRows):
    """Votes that count, one by one."""

    model = Vote
    name: ClassVar[str] = "votes"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "target_type": "Ce sur quoi porte le vote : contribution ou argument",
        "target": "Identifiant de la contribution ou de l’argument",
        "value": "Position : for (d’accord, ou utile), mixed (mitigé), against (pas d’accord)",
        "voter": "Votant, sous un identifiant propre à l’étape et sans lien avec celui des auteurs",
        "cast_at": "Heure du vote (UTC)",
    }

    def _select(self, consultation_id: uuid.UUID) -> Any:
        return select(
            Vote.id, Vote.step_id, Vote.proposal_id, Vote.argument_id, Vote.value, Vote.account_id, Vote.cast_at
        ).where(Vote.consultation_id == consultation_id, Vote.counted.is_(True))

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        voter = _opaque(session, consultation_id, policy.voter_of)
        return lambda row: {
            "id": str(row.id),
            "target_type": "contribution" if row.proposal_id else "argument",
            "target": str(row.proposal_id or row.argument_id),
            "value": row.value.value,
            "voter": voter(row.step_id, row.account_id),
            "cast_at": written(hour(row.cast_at)),
        }


class BallotsDataset(PublicRows):
    """Ballots that count, one by one."""

    model = Ballot
    name: ClassVar[str] = "ballots"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant",
        "step": "Étape",
        "choices": "Points donnés à chaque contribution, de la mieux dotée à la moins dotée ; dans un classement de "
        "cinq places, la première a 5 points, la deuxième 4, et ainsi de suite",
        "voter": "Votant, sous un identifiant propre à l’étape et sans lien avec celui des auteurs",
        "cast_at": "Heure du bulletin (UTC)",
    }

    def _select(self, consultation_id: uuid.UUID) -> Any:
        return select(Ballot.id, Ballot.step_id, Ballot.choices, Ballot.account_id, Ballot.cast_at).where(
            Ballot.consultation_id == consultation_id, Ballot.counted.is_(True)
        )

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        voter = _opaque(session, consultation_id, policy.voter_of)
        return lambda row: {
            "id": str(row.id),
            "step": str(row.step_id),
            "choices": [{"contribution": text, "points": row.choices[text]} for text in ranking(row.choices)],
            "voter": voter(row.step_id, row.account_id),
            "cast_at": written(hour(row.cast_at)),
        }


def _public(query: Any, model: Any, consultation_id: uuid.UUID) -> Any:
    return query.where(model.consultation_id == consultation_id, model.status.in_(_PUBLIC_STATUSES))


def _published(row: Any, text: str | None) -> str | None:
    return text if row.status is ContentStatus.PUBLISHED else None


def _opaque(
    session: Session, consultation_id: uuid.UUID, derive: Callable[[bytes, uuid.UUID], str]
) -> Callable[[uuid.UUID, uuid.UUID | None], str | None]:
    """Who did it, by step and account; None for nobody, and for everybody once the step's secret is destroyed."""
    secrets = {
        row.step_id: row.secret
        for row in session.execute(
            select(StepSecret.step_id, StepSecret.secret)
            .join(Step, Step.id == StepSecret.step_id)
            .where(Step.consultation_id == consultation_id)
        )
    }

    def name(step_id: uuid.UUID, account_id: uuid.UUID | None) -> str | None:
        secret = secrets.get(step_id)
        return derive(secret, account_id) if secret and account_id else None

    return name


DATASETS: Final = (ThemesDataset(), ContributionsDataset(), ArgumentsDataset(), VotesDataset(), BallotsDataset())
