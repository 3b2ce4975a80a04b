"""What several pages draw of arguments: the list under what they are about, and the page of one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.consultations import policy as consultations
from consult.consultations.labels import AWAITING, HELD, SET_ASIDE, ground_label
from consult.consultations.models import ContentStatus, Step
from consult.contributions import order, policy
from consult.contributions.acts import queries as acts
from consult.contributions.arguments import queries
from consult.contributions.arguments.queries import Arguments, ArgumentSheet, Asked
from consult.contributions.exposure.pages import displayed
from consult.contributions.models import Proposal, ProposalKind, Side
from consult.contributions.queries import Sort, read_sort
from consult.errors import NotFoundError
from consult.paging import page_number

NOT_FOUND: Final = "Aucun argument n’est publié à cette adresse."
LONGEST_SEARCH: Final = 200
SORTS: Final = ((Sort.RANDOM, "Pour et contre, au sort"), (Sort.VOTED, "Plus utiles"), (Sort.RECENT, "Plus récents"))
SIDES: Final = {"pour": Side.FOR, "contre": Side.AGAINST}
SIDE_CHOICES: Final = (("", "Tous"), ("pour", "Pour"), ("contre", "Contre"))


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of arguments as a page draws it; `url` gives the address of a page of it, `typed` what was asked."""

    found: Arguments
    asked: Asked
    typed: Mapping[str, str]
    action: str
    url: Callable[[int], str]
    own_useful: Mapping[uuid.UUID, bool]
    argues: bool  # whether this step takes arguments now

    sorts = tuple((each.value, label) for each, label in SORTS)
    side_choices = SIDE_CHOICES


def listing(subject: Proposal, step: Step, *, searched: bool = False) -> Listing:
    """The list under a text, as the address asks for it; `searched`: its words may be searched."""
    arguments = request.args
    side = arguments.get("camp", "")
    asked = Asked(
        hour=order.hour_asked(arguments.get("heure"), g.now),
        sort=read_sort({"sort": arguments.get("ordre", "")}),
        side=SIDES.get(side),
        text=arguments.get("q", "").strip()[:LONGEST_SEARCH] if searched else "",
        number=page_number(arguments, "arguments"),
    )
    found = queries.listed(g.session, subject, step, asked)
    displayed(step, found.page.rows, drawn=asked.sort is Sort.RANDOM and asked.side is None and not asked.text)
    typed = {"camp": side if asked.side else "", "ordre": "" if asked.sort is Sort.RANDOM else asked.sort.value}
    typed |= {"q": asked.text} if searched else {}
    kept = {name: value for name, value in typed.items() if value}
    if asked.sort is Sort.RANDOM:
        kept["heure"] = str(asked.hour)
    where = address_of(subject, step)
    return Listing(
        found=found,
        asked=asked,
        typed=typed,
        action=where(),
        url=lambda number: where(**kept, arguments=number, _anchor="arguments"),
        own_useful=acts.own_useful(g.session, g.account_id, [row.id for row in found.page.rows]),
        argues=takes_arguments(subject, step),
    )


def takes_arguments(subject: Proposal, step: Step) -> bool:
    """Whether anybody may argue on it now."""
    is_open = consultations.accepts_acts(step, step.consultation, g.now)
    return is_open and policy.takes_arguments(step.settings) and subject.status is ContentStatus.PUBLISHED


def address_of(subject: Proposal, step: Step) -> Callable[..., str]:
    """A function that gives the address of the page that lists the arguments on a text."""

    def address(**values: Any) -> str:
        if subject.kind is ProposalKind.QUESTION:
            return url_for("consultations.step", slug=step.consultation.slug, step_slug=step.slug, **values)
        return url_for("contributions.proposal", proposal_id=subject.id, **values)

    return address


def sheet_or_404(argument_id: uuid.UUID) -> ArgumentSheet:
    """An argument that this person may know of, published or gone. Raises NotFoundError."""
    sheet = queries.sheet(g.session, argument_id)
    if sheet is None or not consultations.may_read(sheet.consultation, g.actor):
        raise NotFoundError(NOT_FOUND)
    mine = g.account_id is not None and sheet.argument.author_id == g.account_id
    if sheet.argument.status is ContentStatus.PENDING and not mine:
        raise NotFoundError(NOT_FOUND)
    return sheet


def page(sheet: ArgumentSheet) -> str | tuple[str, int] | Response:
    """The page of an argument; what is left of one that is no longer published: why and since when, never its text.

    Under a text that is no longer published, what is left of that text.
    """
    found, step, subject = sheet.argument, sheet.step, sheet.subject
    shared = {"step": step, "subject": subject, "all_of_them": address_of(subject, step)(_anchor="arguments")}
    if subject.status is not ContentStatus.PUBLISHED:
        return redirect(address_of(subject, step)())
    held = found.status_reason in HELD
    own_held = held and g.account_id is not None and found.author_id == g.account_id
    if not sheet.is_published and found.status is not ContentStatus.PENDING and not own_held:
        aside, reason = found.status_reason in SET_ASIDE, ground_label(found.status_reason)
        gone = render_template(
            "contributions/arguments/tombstone.html", argument=found, aside=aside, held=held, reason=reason, **shared
        )
        return gone, 404 if found.status_reason == AWAITING else 410
    return render_template(
        "contributions/arguments/show.html",
        row=found,
        author=sheet.author,
        is_open=consultations.accepts_acts(step, step.consultation, g.now),
        own_useful=acts.own_useful(g.session, g.account_id, [found.id]),
        **shared,
    )
