"""Reading a bill: its parts, its texts, what was written on each article."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, func, literal_column, select, union_all
from sqlalchemy.orm import Session

from consult.consultations.models import ContentStatus, Step
from consult.contributions import queries as contributions
from consult.contributions.models import Article, Level, Proposal, ProposalKind
from consult.contributions.order import start_rank
from consult.contributions.queries import PAGE, Page, Sort, cards, orders

# As the conditions of the indexes say.
_TEXT: Final[ColumnElement[ProposalKind]] = literal_column(f"'{ProposalKind.ARTICLE.value}'")
_VERSION: Final[ColumnElement[ProposalKind]] = literal_column(f"'{ProposalKind.VERSION.value}'")
_P: Final = Proposal.__table__.c
_PUBLISHED: Final = _P.status == ContentStatus.PUBLISHED


def parts(session: Session, step_id: uuid.UUID) -> list[Article]:
    """The parts of a bill, in no order: see `numbering.outline`."""
    return list(session.scalars(select(Article).where(Article.step_id == step_id)))


def texts(session: Session, step_id: uuid.UUID) -> dict[uuid.UUID, Proposal]:
    """The text of each article, by the id of the article."""
    articles = select(Article.id).where(Article.step_id == step_id)
    found = select(Proposal).where(Proposal.kind == _TEXT, Proposal.article_id.in_(articles))
    return {text.article_id: text for text in session.scalars(found) if text.article_id is not None}


def text_of(session: Session, article_id: uuid.UUID) -> Proposal:
    """The text of an article."""
    return session.scalars(select(Proposal).where(Proposal.kind == _TEXT, Proposal.article_id == article_id)).one()


def contents(session: Session, step_id: uuid.UUID) -> dict[uuid.UUID, Any]:
    """What the table of contents says of each article, by its id: id of its text, votes, arguments and versions.

    Written on tables, which the tenant filter leaves alone: everything hangs on a step found under it.
    """
    article, version = Article.__table__.c, Proposal.__table__.alias("version").c
    versions = select(func.count()).where(
        version.kind == _VERSION, version.article_id == _P.article_id, version.status == ContentStatus.PUBLISHED
    )
    arguments = contributions.arguments_of(_P.id)
    articles = select(article.id).where(article.step_id == step_id)
    rows = session.execute(
        select(
            *(_P.id, _P.article_id, _P.votes_total),
            arguments.label("arguments"),
            versions.scalar_subquery().label("versions"),
        ).where(_P.kind == _TEXT, _P.article_id.in_(articles))
    )
    return {row.article_id: row for row in rows}


def retained(session: Session, step_id: uuid.UUID) -> dict[uuid.UUID, Proposal]:
    """The text of each article that the votes support most, by the id of the article: see `labels.RETAINED`."""
    columns = (_P.id, _P.article_id, _P.kind, _P.random_rank, _P.votes_for, _P.votes_against)
    within = _P.article_id.in_(select(Article.id).where(Article.step_id == step_id))
    submitted = select(*columns).where(_P.kind == _TEXT, within)
    supported = select(*columns).where(_P.kind == _VERSION, within, _PUBLISHED, _P.votes_for > _P.votes_against)
    each = union_all(submitted, supported).subquery().c  # one index finds the ones, another the others
    voices = case((each.votes_for > each.votes_against, each.votes_for), else_=-1)
    best = [voices.desc(), (each.kind == _TEXT).desc(), each.random_rank, each.id]
    rank = func.row_number().over(partition_by=each.article_id, order_by=best)
    ranked = select(each.id, rank.label("rank")).subquery()
    first = select(ranked.c.id).where(ranked.c.rank == 1)
    found = session.scalars(select(Proposal).where(Proposal.id.in_(first)))
    return {text.article_id: text for text in found if text.article_id is not None}


def holding(session: Session, found: Select[uuid.UUID]) -> set[uuid.UUID]:
    """The articles of which the text or a published version is among the contents found."""
    articles = select(Proposal.article_id).where(Proposal.id.in_(found), Proposal.status == ContentStatus.PUBLISHED)
    return {article_id for article_id in session.scalars(articles) if article_id is not None}


def versions(
    session: Session,
    step: Step,
    article_id: uuid.UUID,
    *,
    hour: int,
    of: uuid.UUID | None = None,
    sort: Sort = Sort.RANDOM,
    number: int = 1,
) -> Page:
    """A page of the published versions of an article, or of those that rewrite one text (`of`).

    `hour` is the one whose random order is read. Rows are those of `contributions.proposals`.
    """
    kept = [_P.kind == _VERSION, _P.article_id == article_id, _PUBLISHED]
    if of is not None:
        kept.append(_P.rewrites_id == of)
    total = session.scalar(select(func.count()).select_from(Proposal.__table__).where(*kept)) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    order = orders(sort)
    ids = (
        select(_P.id, literal_column(str(total)).label("total"))
        .where(*kept)
        .order_by(*order)
        .limit(PAGE)
        .offset((number - 1) * PAGE)
        .subquery()
    )
    start = {"start": start_rank(step.order_seed, step.id, hour)}
    return Page(session.execute(cards(ids).order_by(*order), start).all(), number, pages, total)


def titles(session: Session, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """The titles of contents that are published."""
    query = select(Proposal.id, Proposal.title).where(Proposal.id.in_(ids), Proposal.status == ContentStatus.PUBLISHED)
    return {row.id: row.title for row in session.execute(query)}


def census(session: Session, step: Step) -> Mapping[str, int]:
    """What citizens did in the step: the texts that it submits to them are not counted among theirs."""
    counted = dict(contributions.census(session, step))
    articles = select(func.count()).select_from(Article).where(Article.step_id == step.id)
    official = session.scalar(articles.where(Article.level == Level.ARTICLE)) or 0
    return counted | {"contributions": counted["contributions"] - official}
