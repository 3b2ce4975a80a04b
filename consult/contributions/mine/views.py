"""/mon-compte/contributions, and the lists of arguments and of votes beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, g, render_template, request, url_for

from consult.consultations.labels import STATUSES, ground_label
from consult.contributions.ballots import queries as ballots
from consult.contributions.labels import position
from consult.contributions.mine import queries
from consult.contributions.voting import rule_of
from consult.paging import Paged, page_number
from consult.security import signed_in

bp = Blueprint("mine", __name__, url_prefix="/mon-compte/contributions")


@bp.get("")
@signed_in
def proposals() -> str:
    return _page("contributions/mine/proposals.html", queries.proposals)


@bp.get("/arguments")
@signed_in
def arguments() -> str:
    return _page("contributions/mine/arguments.html", queries.arguments)


@bp.get("/votes")
@signed_in
def votes() -> str:
    return _page("contributions/mine/votes.html", queries.votes, ballots=ballots.all_of(g.session, g.account_id))


def _page(template: str, read: Callable[..., Paged[Any]], **more: Any) -> str:
    return render_template(
        template,
        listed=read(g.session, g.account_id, number=page_number(request.args)),
        page_url=lambda n: url_for(str(request.endpoint), page=n),
        statuses=STATUSES,
        ground_label=ground_label,
        position=position,
        rule_of=rule_of,
        **more,
    )
