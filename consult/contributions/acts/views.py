"""Voting, arguing, changing and withdrawing. Each act answers with a redirection to the page it changed."""

from __future__ import annotations

import uuid
from typing import Any, TypeAlias

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult import pagecache
from consult.consultations import policy as consultations
from consult.consultations.forms import put_errors
from consult.consultations.models import Step
from consult.contributions import forms, pages, policy, queries, service, votes
from consult.contributions.arguments import pages as arguments
from consult.contributions.bill import policy as bill
from consult.contributions.bill.forms import VersionForm
from consult.contributions.models import Argument, Proposal, ProposalKind, VoteValue
from consult.db import Database
from consult.errors import (
    BadRequestError,
    ClosedError,
    ConflictError,
    ConsultError,
    GoneError,
    InvalidError,
    NotFoundError,
)
from consult.security import account_or_address, limiter, page_before, signed_in

bp = Blueprint("acts", __name__)
View: TypeAlias = str | Response | tuple[str, int]
writes = limiter.limit("10/minute;60/hour", key_func=account_or_address, methods=["POST"])
# One limit for all votes of an account: far above what reading people do.
ballots = limiter.shared_limit("60/minute;1500/day", scope="votes", key_func=account_or_address)
UNCOUNTED = "Votre vote est enregistré. Il comptera dès que vous aurez confirmé votre adresse électronique."


@bp.post("/contributions/<uuid:proposal_id>/vote")
@signed_in
@ballots
def vote(proposal_id: uuid.UUID) -> View:
    """Vote on a proposal, or change one's vote."""
    value = _position()
    done = redirect(url_for("contributions.proposal", proposal_id=proposal_id, _anchor="vote"), 303)
    if not _at_once(Proposal, proposal_id, value):  # last: others wait for SQLite's only writer until the commit
        sheet = pages.sheet_or_404(proposal_id)
        _cast(sheet.proposal, sheet.step, value)
    return done


@bp.post("/contributions/<uuid:proposal_id>/vote/retirer")
@signed_in
@ballots
def withdraw_vote(proposal_id: uuid.UUID) -> View:
    """Take one's vote back."""
    sheet = pages.sheet_or_404(proposal_id)
    votes.withdraw_vote(g.session, sheet.proposal, step=sheet.step, account_id=g.account_id, now=g.now)
    flash("Votre vote est retiré.", "success")
    return redirect(url_for("contributions.proposal", proposal_id=proposal_id, _anchor="vote"), 303)


@bp.post("/arguments/<uuid:argument_id>/vote")
@signed_in
@ballots
def vote_argument(argument_id: uuid.UUID) -> View:
    """Find an argument useful."""
    value = _position()
    argument, step = _argument(argument_id)
    _cast(argument, step, value)
    return _back_to_list(argument)


@bp.post("/arguments/<uuid:argument_id>/vote/retirer")
@signed_in
@ballots
def withdraw_argument_vote(argument_id: uuid.UUID) -> View:
    """Take back « utile »."""
    argument, step = _argument(argument_id)
    votes.withdraw_vote(g.session, argument, step=step, account_id=g.account_id, now=g.now)
    return _back_to_list(argument)


@bp.route("/contributions/<uuid:proposal_id>/modifier", methods=["GET", "POST"])
@signed_in
@writes
def edit(proposal_id: uuid.UUID) -> View:
    """Change one's proposal or version; the former text stays in its public history."""
    sheet = pages.sheet_or_404(proposal_id)
    found, step = sheet.proposal, sheet.step
    _own(found)
    if found.kind is ProposalKind.VERSION:
        said = {name: getattr(found, name) for name in ("title", "body", "reason", "version")}
        form = VersionForm(request.form, data=said | {"sources": bill.written_sources(found.sources)})
        return _edit(found, step, form, title=form.title.data, theme_id=None)
    values = {name: getattr(found, name) for name in ("title", "body", "departement")}
    values |= {"theme": str(found.theme_id or ""), "version": str(found.version)}
    themes = queries.themes(g.session, step.id)
    form = forms.proposal_form(step.settings, themes, request.form, values)
    return _edit(found, step, form, title=form.title.data, theme_id=forms.chosen_theme(form))


@bp.route("/arguments/<uuid:argument_id>/modifier", methods=["GET", "POST"])
@signed_in
@writes
def edit_argument(argument_id: uuid.UUID) -> View:
    """Change one's argument; its side stays."""
    argument, step = _argument(argument_id)
    _own(argument)
    values = {"title": argument.title or "", "body": argument.body, "version": str(argument.version)}
    form = forms.argument_form(policy.limits(step.settings), request.form, values)
    del form.side
    return _edit(argument, step, form, title=form.title.data, theme_id=None)


@bp.route("/contributions/<uuid:proposal_id>/retirer", methods=["GET", "POST"])
@signed_in
@writes
def withdraw(proposal_id: uuid.UUID) -> View:
    """Withdraw one's proposal, after a page that says what it does."""
    sheet = pages.sheet_or_404(proposal_id)
    return _withdraw(sheet.proposal, sheet.step)


@bp.route("/arguments/<uuid:argument_id>/retirer", methods=["GET", "POST"])
@signed_in
@writes
def withdraw_argument(argument_id: uuid.UUID) -> View:
    """Withdraw one's argument, after a page that says what it does."""
    argument, step = _argument(argument_id)
    return _withdraw(argument, step)


def _position() -> VoteValue:
    position = request.form.get("position", "")
    if position not in set(VoteValue):
        raise BadRequestError("Choisissez d’accord, mitigé ou pas d’accord.")
    return VoteValue(position)


def _at_once(model: type[Proposal], target_id: uuid.UUID, value: VoteValue) -> bool:
    ballot = votes.Ballot(model, target_id, g.organisation.id, g.account_id, value)
    database: Database = current_app.extensions["database"]
    with database.before_writing(g.session) as connection:
        seen = votes.look(connection, ballot)
    return votes.cast_at_once(g.session, ballot, seen, g.now)


def _cast(target: Proposal | Argument, step: Step, value: VoteValue) -> None:
    vote = votes.cast_vote(g.session, target, step=step, account_id=g.account_id, value=value, now=g.now)
    if not vote.counted:
        flash(UNCOUNTED, "warning")


def _edit(item: Proposal | Argument, step: Step, form: Any, *, title: str | None, theme_id: uuid.UUID | None) -> View:
    status = 200
    if request.method == "POST":
        try:
            forms.check_traces(form)
            more: dict[str, Any] = {}
            if "reason" in form:
                more = {"reason": form.reason.data, "sources": bill.read_sources(form.sources.data or "")}
            with g.session.begin_nested():
                service.edit(
                    g.session,
                    item,
                    step=step,
                    account_id=g.account_id,
                    title=title,
                    body=form.body.data or "",
                    theme_id=theme_id,
                    departement=forms.chosen_departement(form),
                    version=forms.read_version(form),
                    now=g.now,
                    **more,
                )
        except (InvalidError, ClosedError, ConflictError, GoneError) as error:
            status = _refused(form, error)
        else:
            flash("Votre texte est modifié. L’ancien reste lisible dans son historique.", "success")
            return _back_to(item)
    is_open = consultations.accepts_acts(step, step.consultation, g.now)
    page = render_template("contributions/edit.html", step=step, item=item, form=form, is_open=is_open)
    return page if status == 200 else (page, status)  # noqa: PLR2004  # HTTP


def _refused(form: Any, error: ConsultError) -> int:
    if isinstance(error, InvalidError):
        put_errors(form, error)
    else:
        form.form_errors = [error.message]
    return error.status


def _withdraw(item: Proposal | Argument, step: Step) -> View:
    _own(item)
    if request.method == "GET":
        return render_template("contributions/withdraw.html", step=step, item=item)
    service.withdraw(g.session, item, account_id=g.account_id, now=g.now)
    pagecache.purge()
    flash("Votre texte est retiré : il n’est plus publié.", "success")
    mine = "contributions.mine.proposals" if isinstance(item, Proposal) else "contributions.mine.arguments"
    return redirect(url_for(mine), 303)


def _argument(argument_id: uuid.UUID) -> tuple[Argument, Step]:
    sheet = arguments.sheet_or_404(argument_id)
    return sheet.argument, sheet.step


def _own(item: Proposal | Argument) -> None:
    if item.author_id != g.account_id:
        raise NotFoundError(pages.NOT_FOUND)
    if not policy.changeable(item.status, item.status_reason):
        raise GoneError("Ce contenu n’est plus publié : il ne peut plus être modifié ni retiré.")


def _back_to(item: Proposal | Argument) -> Response:
    if isinstance(item, Proposal):
        return redirect(url_for("contributions.proposal", proposal_id=item.id), 303)
    return redirect(url_for("contributions.arguments.show", argument_id=item.id), 303)


def _back_to_list(argument: Argument) -> Response:
    """Where the reader was, if the browser says so: the page of the list, in the order that they were reading."""
    before = page_before(request, current_app.extensions["settings"].public_url)
    return redirect(f"{before}#argument-{argument.id}", 303) if before else _back_to(argument)
