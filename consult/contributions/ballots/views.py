"""A person's ballot in a step: its page, and each change, which answers with a redirection."""

from __future__ import annotations

import uuid
from typing import Final, TypeAlias

from flask import Blueprint, current_app, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from consult.consultations import queries as consultation_queries
from consult.consultations.models import Step
from consult.contributions.acts.views import ballots as votes_limit
from consult.contributions.ballots import forms, pages, service
from consult.contributions.ballots.models import Ballot
from consult.contributions.ballots.policy import Move
from consult.contributions.voting import VoteKind, rule_of
from consult.errors import BadRequestError, ClosedError, ConsultError, InvalidError, NotFoundError
from consult.security import page_before, signed_in

bp = Blueprint("ballots", __name__)
View: TypeAlias = str | Response | tuple[str, int]
ROOT: Final = "/consultations/<slug>/<step_slug>/bulletin"
UNCOUNTED: Final = "Votre bulletin est enregistré. Il comptera dès que vous aurez confirmé votre adresse électronique."


@bp.get(ROOT)
@signed_in
def show(slug: str, step_slug: str) -> View:
    """One's ballot."""
    return pages.ballot_page(_step(slug, step_slug))


@bp.post(ROOT)
@signed_in
@votes_limit
def give(slug: str, step_slug: str) -> View:
    """Give points to the texts that the form names; the others keep theirs."""
    step = _step(slug, step_slug)
    rule = rule_of(step.settings)
    try:
        if rule.kind is not VoteKind.POINTS:
            raise BadRequestError("Cette étape ne se vote pas par points.")
        form = forms.points_form(rule, dict.fromkeys(forms.named(request.form), ""), {}, request.form)
        ballot = service.give(g.session, step, account_id=g.account_id, points=forms.chosen(form), now=g.now)
    except (InvalidError, ClosedError) as error:
        return _refused(step, error)
    return _done(step, ballot)


@bp.post(f"{ROOT}/classement")
@signed_in
@votes_limit
def move(slug: str, step_slug: str) -> View:
    """Add a text to one's ranking, move it by one place, or remove it: « up <id> »."""
    step = _step(slug, step_slug)
    act, _, text = request.form.get("move", "").partition(" ")
    try:
        if rule_of(step.settings).kind is not VoteKind.RANKING:
            raise BadRequestError("Cette étape ne se vote pas par classement.")
        if act not in set(Move) or not forms.is_id(text):
            raise BadRequestError(
                "Ce classement nomme une proposition qui n’existe pas\u00a0: rien n’a été enregistré."
            )
        ballot = service.move(g.session, step, account_id=g.account_id, text=uuid.UUID(text), move=Move(act), now=g.now)
    except (InvalidError, ClosedError) as error:
        return _refused(step, error)
    return _done(step, ballot)


@bp.post(f"{ROOT}/retirer")
@signed_in
@votes_limit
def withdraw(slug: str, step_slug: str) -> View:
    """Take one's ballot back."""
    step = _step(slug, step_slug)
    service.withdraw(g.session, step, account_id=g.account_id, now=g.now)
    flash("Votre bulletin est retiré.", "success")
    return redirect(url_for(".show", slug=slug, step_slug=step_slug), 303)


def _refused(step: Step, error: ConsultError) -> View:
    return pages.ballot_page(step, request.form, error), error.status


def _done(step: Step, ballot: Ballot | None) -> Response:
    """Where the person was, if the browser says so: the page of a proposal, or the ballot with its search."""
    if ballot is not None and not ballot.counted:
        flash(UNCOUNTED, "warning")
    before = page_before(request, current_app.extensions["settings"].public_url)
    return redirect(f"{before or url_for('.show', slug=step.consultation.slug, step_slug=step.slug)}#vote", 303)


def _step(slug: str, step_slug: str) -> Step:
    step = consultation_queries.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind != "proposals" or not rule_of(step.settings).by_ballot:
        raise NotFoundError("Cette étape ne se vote pas par bulletin.")
    return step
