"""One argument, its former texts, and the form that writes one; `acts` changes and withdraws it."""

from __future__ import annotations

import secrets
import uuid
from typing import Any, TypeAlias

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.consultations import policy as consultations
from consult.consultations.forms import put_errors
from consult.consultations.models import ContentStatus
from consult.contributions import drafts, forms, pages, policy, queries
from consult.contributions.arguments import pages as arguments
from consult.contributions.arguments import service as writing
from consult.contributions.queries import ProposalSheet
from consult.errors import ClosedError, ForbiddenError, GoneError, InvalidError, NotFoundError, TooManyError
from consult.pagecache import cached_for_visitors
from consult.security import account_or_address, address_key, anyone, limiter, new_token

bp = Blueprint("arguments", __name__)
View: TypeAlias = str | Response | tuple[str, int]
ROOT = "/contributions/<uuid:proposal_id>/argumenter"


@bp.get("/arguments/<uuid:argument_id>")
@anyone
@cached_for_visitors
def show(argument_id: uuid.UUID) -> View:
    """One argument, at an address that the order of lists does not change."""
    return arguments.page(arguments.sheet_or_404(argument_id))


@bp.get(ROOT)
@anyone
def write(proposal_id: uuid.UUID) -> View:
    """The empty form of an argument, or the one that was filled before signing in."""
    sheet = _subject(proposal_id)
    kept = queries.draft(g.session, sheet.step.id, request.args.get("brouillon", ""), g.now)
    values = {"submission_key": secrets.token_urlsafe(16), "side": request.args.get("camp", ""), **kept}
    form = forms.argument_form(policy.limits(sheet.step.settings), values=values)
    return _page(sheet, form, kept=bool(kept))


@bp.post(ROOT)
@anyone
@limiter.limit("10/minute;60/hour", key_func=account_or_address)
def submit(proposal_id: uuid.UUID) -> View:
    """Publish the argument; a visitor's is kept while they sign in, and a refused one stays as it was typed."""
    sheet = _subject(proposal_id)
    form = forms.argument_form(policy.limits(sheet.step.settings), request.form)
    try:
        forms.check_traces(form)
        if g.account_id is None:
            return _keep_and_sign_in(sheet, form)
        with g.session.begin_nested():
            made = writing.submit_argument(
                g.session,
                step=sheet.step,
                proposal=sheet.proposal,
                account_id=g.account_id,
                side=forms.chosen_side(form),
                title=form.title.data or "",
                body=form.body.data or "",
                submission_key=form.submission_key.data or "",
                now=g.now,
            )
    except InvalidError as error:
        put_errors(form, error)
        return _page(sheet, form), 422
    except (ClosedError, GoneError, ForbiddenError, TooManyError) as error:
        form.form_errors = [error.message]
        return _page(sheet, form), error.status
    if made.status is ContentStatus.PENDING:
        flash("Votre argument est enregistré. Il sera publié dès que vous aurez confirmé votre adresse.", "warning")
    elif made.status is ContentStatus.HIDDEN:
        flash("Votre argument est enregistré. Une personne le lira avant qu’il soit publié.", "info")
    else:
        flash("Votre argument est publié. Merci !", "success")
    return redirect(url_for(".show", argument_id=made.id), 303)


def _keep_and_sign_in(sheet: ProposalSheet, form: Any) -> Response:
    side, title, body = forms.chosen_side(form), policy.one_line(form.title.data or ""), form.body.data or ""
    policy.check_argument(title, policy.many_lines(body), policy.limits(sheet.step.settings))
    writing.check_argues(g.session, sheet.step, sheet.proposal, g.now)
    token = new_token()
    content = {"side": side.value, "title": title, "body": policy.many_lines(body)}
    here = address_key(current_app.extensions["settings"].secret_key)
    drafts.keep(g.session, sheet.step, content, token=token, address_key=here, now=g.now)
    back = url_for(".write", proposal_id=sheet.proposal.id, brouillon=token)
    flash("Votre argument est gardé. Connectez-vous ou créez un compte pour le publier.", "info")
    return redirect(url_for("accounts.sign_in", suite=back), 303)


def _subject(proposal_id: uuid.UUID) -> ProposalSheet:
    """What may be argued on: a published text. Raises NotFoundError."""
    sheet = pages.sheet_or_404(proposal_id)
    if sheet.proposal.status is not ContentStatus.PUBLISHED:
        raise NotFoundError(pages.NOT_FOUND)
    return sheet


def _page(sheet: ProposalSheet, form: Any, *, kept: bool = False) -> str:
    step = sheet.step
    return render_template(
        "contributions/arguments/write.html",
        step=step,
        subject=sheet.proposal,
        back=arguments.address_of(sheet.proposal, step)(),
        form=form,
        argues=arguments.takes_arguments(sheet.proposal, step),
        state=consultations.step_state(step, sheet.consultation, g.now).value,
        kept=kept,
    )
