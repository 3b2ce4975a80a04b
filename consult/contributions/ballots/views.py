"""A person's ballot in a step: its page, and each change, which answers with a redirection."""

from __future__ import annotations

from typing import Final, TypeAlias

from flask import Blueprint, current_app, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from consult.consultations import queries as consultation_queries
from consult.consultations.models import Step
from consult.contributions.acts.views import ballots as votes_limit
from consult.contributions.ballots import forms, pages, service
from consult.contributions.ballots.policy import Move
from consult.contributions.voting import rule_of
from consult.db import Database
from consult.errors import BadRequestError, ClosedError, ConsultError, InvalidError, NotFoundError
from consult.security import page_before, signed_in

bp = Blueprint("ballots", __name__)
View: TypeAlias = str | Response | tuple[str, int]
ROOT: Final = "/consultations/<slug>/<step_slug>/bulletin"
NOT_THERE: Final = "Cette étape ne se vote pas par bulletin."
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
    try:
        change = service.giving(forms.read(request.form))
    except InvalidError as error:
        return _refused(slug, step_slug, error)
    return _act(slug, step_slug, change)


@bp.post(f"{ROOT}/classement")
@signed_in
@votes_limit
def move(slug: str, step_slug: str) -> View:
    """Add a text to one's ranking, move it by one place, or remove it: « up <id> »."""
    act, _, text = request.form.get("move", "").partition(" ")
    if act not in set(Move) or not forms.is_id(text):
        raise BadRequestError("Ce classement nomme une proposition qui n’existe pas\u00a0: rien n’a été enregistré.")
    return _act(slug, step_slug, service.moving(Move(act), text))


@bp.post(f"{ROOT}/retirer")
@signed_in
@votes_limit
def withdraw(slug: str, step_slug: str) -> View:
    """Take one's ballot back."""
    return _act(slug, step_slug, service.withdrawing, done="Votre bulletin est retiré.")


def _act(slug: str, step_slug: str, change: service.Change, *, done: str = "") -> View:
    """Change the ballot, and go back to where the person was: the page of a proposal, or the ballot with its search."""
    database: Database = current_app.extensions["database"]
    where = {"organisation_id": g.organisation.id, "slug": slug, "step_slug": step_slug}
    try:
        with database.before_writing(g.session) as connection:
            seen = service.look(connection, g.account_id, **where)
            if seen is None:
                raise NotFoundError(NOT_THERE)
            decision = service.decide(connection, seen, change, g.now)
        if not service.record(g.session, decision):  # another act came first
            decision = service.act(g.session, seen.step_id, account_id=g.account_id, change=change, now=g.now)
    except (InvalidError, ClosedError) as error:
        return _refused(slug, step_slug, error)
    if decision.waits:
        flash(UNCOUNTED, "warning")
    if done:
        flash(done, "success")
        return redirect(url_for(".show", slug=slug, step_slug=step_slug), 303)
    before = page_before(request, current_app.extensions["settings"].public_url)
    return redirect(f"{before or url_for('.show', slug=slug, step_slug=step_slug)}#vote", 303)


def _refused(slug: str, step_slug: str, error: ConsultError) -> View:
    return pages.ballot_page(_step(slug, step_slug), request.form, error), error.status


def _step(slug: str, step_slug: str) -> Step:
    step = consultation_queries.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind != "proposals" or not rule_of(step.settings).by_ballot:
        raise NotFoundError(NOT_THERE)
    return step
