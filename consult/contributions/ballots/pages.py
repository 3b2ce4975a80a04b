"""What pages show of a ballot: its own page, and its part of the page of a proposal."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import g, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from consult.clock import hour_number
from consult.consultations import policy as consultations
from consult.consultations.forms import put_errors
from consult.consultations.models import Step
from consult.contributions import labels
from consult.contributions import queries as proposals
from consult.contributions.ballots import forms, policy, queries
from consult.contributions.exposure.pages import displayed
from consult.contributions.voting import VoteKind, VoteRule, rule_of
from consult.errors import ConsultError, InvalidError
from consult.paging import page_number

LONGEST_SEARCH: Final = 200
GONE: Final = "Une proposition qui n’est plus publiée"


@dataclass(frozen=True, slots=True)
class Own:
    """What the reader's ballot says, for the page of one proposal."""

    exists: bool
    counted: bool
    placed: bool
    given: int  # to this proposal
    left: str
    places: int  # that it takes in a ranking
    form: Any  # of its points

    @property
    def waits(self) -> bool:
        """Whether it is to enter the figures within the second."""
        return self.counted and not self.placed


def own(step: Step, rule: VoteRule, proposal_id: uuid.UUID) -> Own | None:
    """The reader's ballot; None for a reader who is not signed in."""
    if g.account_id is None:
        return None
    held = queries.own(g.session, g.account_id, step.id)
    choices: policy.Choices = held.choices if held else {}
    text = str(proposal_id)
    return Own(
        exists=held is not None,
        counted=held.counted if held else True,
        placed=held.placed if held else True,
        given=choices.get(text, 0),
        left=labels.points_left(rule, sum(choices.values())),
        places=len(choices),
        form=forms.points_form(rule, {text: "Vos points pour cette proposition"}, choices),
    )


def ballot_page(step: Step, typed: MultiDict[str, str] | None = None, fault: ConsultError | None = None) -> str:
    """The reader's ballot, to fill in or to read: what is chosen, then other texts of the step.

    `typed` is what was refused, and `fault` why: its message above the form, its fields beside theirs.
    """
    rule = rule_of(step.settings)
    held = queries.own(g.session, g.account_id, step.id)
    choices: Mapping[str, int] = held.choices if held else {}
    named = [name for name in typed or () if name.startswith(forms.PREFIX)]
    chosen = [*policy.ranking(choices), *(text for text in map(_text, named) if text and text not in choices)]
    titles = queries.titles(g.session, step.id, policy.ids(chosen))
    is_open = consultations.accepts_acts(step, step.consultation, g.now)
    others = _others(step) if is_open else None
    shown = {text: titles.get(text, GONE) for text in chosen}
    added = {str(row.id): row.title for row in others.rows if str(row.id) not in shown} if others else {}
    form = forms.points_form(rule, shown | added, choices, typed)
    if typed is not None:
        form.validate()
    if fault is not None and fault.message:
        put_errors(
            form,
            InvalidError(fault.message, fields={f"{forms.PREFIX}{text}": why for text, why in fault.fields.items()}),
        )
    given = sum(field.data or 0 for field in form if isinstance(field.data, int))
    return render_template(
        "contributions/ballots/ranking.html" if rule.kind is VoteKind.RANKING else "contributions/ballots/points.html",
        step=step,
        rule=rule,
        counting=labels.counting(rule),
        held=held,
        choices=choices,
        chosen=shown,
        published=titles,
        others=others,
        added=added,
        form=form,
        left=labels.points_left(rule, given),
        asked=_search(),
        is_open=is_open,
        state=consultations.step_state(step, step.consultation, g.now).value,
        page_url=lambda number: url_for(
            ".show", slug=step.consultation.slug, step_slug=step.slug, q=_search() or None, page=number
        ),
    )


def _text(name: str) -> str:
    """The text that the name of a field says; nothing when it says none."""
    text = name.removeprefix(forms.PREFIX)
    return text if forms.is_id(text) else ""


def _search() -> str:
    return request.args.get("q", "").strip()[:LONGEST_SEARCH]


def _others(step: Step) -> Any:
    """A page of the published texts of the step, found by words or in the order of the hour."""
    found = proposals.proposals(
        g.session, step, hour=hour_number(g.now), text=_search(), number=page_number(request.args)
    )
    displayed(step, found.rows, drawn=not _search())
    return found
