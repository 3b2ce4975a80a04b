"""The public pages of a bill: its table of contents, and what surrounds the text of an article or of a version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from flask import g, render_template, request, url_for
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations import figures
from consult.consultations import policy as consultations
from consult.consultations.models import ContentStatus, Step
from consult.contributions import labels, order, policy
from consult.contributions.bill import queries
from consult.contributions.bill.labels import RETAINED
from consult.contributions.bill.numbering import outline
from consult.contributions.differences import Op, changed_words, differences
from consult.contributions.exposure.pages import displayed
from consult.contributions.models import Proposal, ProposalKind
from consult.contributions.queries import Sort, read_sort
from consult.contributions.voting import rule_of
from consult.paging import page_number
from consult.registry import queries as registry
from consult.search import queries as search

LONGEST_SEARCH: Final = 200


def step_page(session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
    """The table of contents of a bill, or its articles that hold some words; a bounded number of queries."""
    del actor
    q = arguments.get("q", "").strip()[:LONGEST_SEARCH]
    contents = queries.contents(session, step.id)
    lines = outline(queries.parts(session, step.id))
    if q:
        found = queries.holding(session, search.find(session, step.id, q))
        lines = [line for line in lines if line.id in found]
    return render_template(
        "contributions/bill/step.html",
        step=step,
        state=consultations.step_state(step, step.consultation, now).value,
        census=figures.of_step(session, step, queries.census),
        position=registry.counted(session),
        lines=lines,
        contents=contents,
        counting=labels.counting(rule_of(step.settings)),
        takes_arguments=policy.takes_arguments(step.settings),
        q=q,
        retained=RETAINED.get(rule_of(step.settings).kind, ""),
    )


def more_of(text: Proposal, step: Step) -> tuple[str, Mapping[str, Any]] | None:
    """The template of the page of an article or of a version, and what it says besides; None for a proposal."""
    if text.kind is ProposalKind.ARTICLE:
        return "contributions/bill/article.html", _place(text) | _listed(text, step, None)
    if text.kind is ProposalKind.VERSION:
        return "contributions/bill/version.html", _compared(text) | _listed(text, step, text)
    return None


def _place(text: Proposal) -> dict[str, Any]:
    """The line of an article in the bill, and the texts before and after, with their titles."""
    contents = queries.contents(g.session, text.step_id)
    lines = [line for line in outline(queries.parts(g.session, text.step_id)) if line.id in contents]
    here = next(place for place, line in enumerate(lines) if line.id == text.article_id)

    def neighbour(place: int) -> Mapping[str, Any] | None:
        if not 0 <= place < len(lines):
            return None
        return {"id": contents[lines[place].id].id, "title": lines[place].title}

    return {"line": lines[here], "before": neighbour(here - 1), "after": neighbour(here + 1)}


def _listed(text: Proposal, step: Step, of: Proposal | None) -> dict[str, Any]:
    """A page of the versions of an article, or of those of one version."""
    assert text.article_id is not None
    sort = read_sort(request.args)
    number = page_number({"page": request.args.get("versions", "1")})
    hour = order.hour_asked(request.args.get("heure"), g.now)
    page = queries.versions(
        g.session, step, text.article_id, hour=hour, of=of.id if of else None, sort=sort, number=number
    )
    displayed(step, page.rows, drawn=sort is Sort.RANDOM)
    asked: dict[str, Any] = {"heure": hour} if sort is Sort.RANDOM else {"sort": sort.value}
    return {
        "versions": page,
        "rewritten_titles": queries.titles(g.session, {row.rewrites_id for row in page.rows}),
        "sort": sort.value,
        "hour": hour,
        "versions_url": lambda n: url_for(
            "contributions.proposal", proposal_id=text.id, versions=n, _anchor="versions", **asked
        ),
    }


def _compared(version: Proposal) -> dict[str, Any]:
    """A version beside what it rewrites; what is published no more is not told by what was taken away from it."""
    assert version.article_id is not None
    article = queries.text_of(g.session, version.article_id)
    rewritten = g.session.get_one(Proposal, version.rewrites_id)
    shown = rewritten if rewritten.status is ContentStatus.PUBLISHED else article
    base = article if request.args.get("comparer") == "article" else shown
    passages = differences(base.body, version.body)
    return {
        "article": article,
        "rewritten": shown,
        "rewritten_is_gone": shown is not rewritten,
        "base": base,
        "passages": passages,
        "added": changed_words(passages, Op.INSERTED),
        "removed": changed_words(passages, Op.DELETED),
    }
