"""The pages that several views draw: the list of a step, a proposal, what is left of one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import current_app, g, render_template, url_for
from sqlalchemy.orm import Session

from consult import departements
from consult.actor import Actor
from consult.consultations import figures
from consult.consultations import policy as consultations
from consult.consultations.labels import AWAITING, HELD, ORIGINS, SET_ASIDE, ground_label
from consult.consultations.models import ContentStatus, Step
from consult.contributions import labels, order, policy, queries
from consult.contributions.acts import queries as acts
from consult.contributions.arguments import pages as argument_pages
from consult.contributions.ballots import pages as ballots
from consult.contributions.bill import pages as bill
from consult.contributions.exposure.pages import displayed
from consult.contributions.models import Proposal
from consult.contributions.queries import ProposalSheet, Sort, read_sort
from consult.contributions.voting import rule_of
from consult.errors import NotFoundError
from consult.paging import page_number
from consult.registry import queries as registry

LONGEST_SEARCH: Final = 200
NOT_FOUND: Final = "Aucune contribution n’est publiée à cette adresse."


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a list is searched, sorted and filtered; what the address says that cannot be is passed over."""

    text: str
    sort: Sort
    theme: Any  # the row, or None
    departement: str  # its code, or nothing
    answer: str

    @classmethod
    def read(
        cls, arguments: Mapping[str, str], step: Step, themes: Sequence[Any], answers: Sequence[tuple[str, str]]
    ) -> _Asked:
        place = arguments.get("departement", "")
        return cls(
            departement=place if place in dict(_departements(step)) else "",
            text=arguments.get("q", "").strip()[:LONGEST_SEARCH],
            sort=read_sort(arguments),
            theme=next((each for each in themes if each.slug == arguments.get("theme")), None),
            answer=next((value for value, _ in answers if value and value == arguments.get("reponse")), ""),
        )

    def written(self) -> dict[str, str]:
        """As the address says it."""
        return {
            "q": self.text,
            "theme": self.theme.slug if self.theme else "",
            "sort": "" if self.sort is Sort.RANDOM else self.sort.value,
            "departement": self.departement,
            "reponse": self.answer,
        }


def step_page(session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
    """The list of proposals of a step: searched, sorted, filtered, twenty at a time."""
    del actor
    themes, answered = queries.themes(session, step.id), current_app.extensions["answered"]
    answers = answered.choices(session, step)
    asked = _Asked.read(arguments, step, themes, answers)
    census, rule = figures.of_step(session, step, queries.census), rule_of(step.settings)
    hour = order.hour_asked(arguments.get("heure"), now)
    page = queries.proposals(
        session,
        step,
        hour=hour,
        sort=asked.sort,
        theme_id=asked.theme.id if asked.theme else None,
        departement=asked.departement,
        text=asked.text,
        among=answered.ids(step, asked.answer) if asked.answer else None,
        number=page_number(arguments),
        published=census["contributions"],
    )
    displayed(step, page.rows, drawn=not any(asked.written().values()))
    return render_template(
        "contributions/list.html",
        step=step,
        state=consultations.step_state(step, step.consultation, now).value,
        page=page,
        page_url=_address(step, asked, hour),
        census=census,
        position=registry.counted(session),
        themes={each.id: each.title for each in themes},
        answer_choices=answers,
        departements=_departements(step),
        theme_id=asked.theme.id if asked.theme else None,
        theme_choices=[("", "Tous les thèmes"), *((each.slug, each.title) for each in themes)],
        asked=asked.written(),
        takes_arguments=policy.takes_arguments(step.settings),
        sorts=labels.sorts(rule),
        sort=asked.sort.value,
        hour=hour,
        rule=rule,
        counting=labels.counting(rule),
    )


def _address(step: Step, asked: _Asked, hour: int) -> Callable[[int], str]:
    """A function that gives the address of a page of the list, in the order of that hour."""
    here: dict[str, Any] = {"slug": step.consultation.slug, "step_slug": step.slug}
    here |= {name: value for name, value in asked.written().items() if value}
    here |= {"heure": hour} if asked.sort is Sort.RANDOM else {}
    return lambda number: url_for("consultations.step", **here, page=number)


def _departements(step: Step) -> list[tuple[str, str]]:
    """What a list may be filtered by; nothing where none is asked for."""
    if policy.asks_departement(step.settings) is policy.Asked.NO:
        return []
    return [("", "Tous les départements"), *departements.choices()]


def sheet_or_404(proposal_id: uuid.UUID) -> ProposalSheet:
    """A proposal that this person may know of, published or gone. Raises NotFoundError."""
    sheet = queries.sheet(g.session, proposal_id)
    if sheet is None or not consultations.may_read(sheet.consultation, g.actor):
        raise NotFoundError(NOT_FOUND)
    if sheet.proposal.status is ContentStatus.PENDING and not own_pending(sheet.proposal):
        raise NotFoundError(NOT_FOUND)
    return sheet


def tombstone(sheet: ProposalSheet) -> tuple[str, int]:
    """What is left of a proposal that is no longer published: why and since when, never its text."""
    found = sheet.proposal
    page = render_template(
        "contributions/tombstone.html",
        step=sheet.step,
        proposal=found,
        reason=ground_label(found.status_reason),
        aside=found.status_reason in SET_ASIDE,
        held=found.status_reason in HELD,
    )
    return page, 404 if found.status_reason == AWAITING else 410


def proposal_page(sheet: ProposalSheet) -> str:
    """The page of a proposal."""
    found, step = sheet.proposal, sheet.step
    rule = rule_of(step.settings)
    template, more = bill.more_of(found, step) or ("contributions/proposal.html", {})
    return render_template(
        template,
        **more,
        sheet=sheet,
        proposal=found,
        step=step,
        state=consultations.step_state(step, sheet.consultation, g.now).value,
        is_open=consultations.accepts_acts(step, sheet.consultation, g.now),
        rule=rule,
        sorts=labels.sorts(rule),
        counting=labels.counting(rule),
        takes_arguments=policy.takes_arguments(step.settings),
        arguments=argument_pages.listing(found, step),
        own_vote=acts.own_vote(g.session, g.account_id, found.id),
        own_ballot=ballots.own(step, rule, found.id) if rule.by_ballot else None,
        is_author=g.account_id is not None and g.account_id == found.author_id,
        origins=ORIGINS,
    )


def own_pending(found: Proposal) -> bool:
    """Whether this person wrote it and it is not public yet: it waits for their address, a moderator, or themselves."""
    mine = g.account_id is not None and found.author_id == g.account_id
    return mine and (found.status is ContentStatus.PENDING or found.status_reason in HELD)
