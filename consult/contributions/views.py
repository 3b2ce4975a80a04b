"""Reading and writing proposals: the list of a step, the page of one, its form."""

from __future__ import annotations

import secrets
import uuid
from itertools import pairwise
from typing import Any, Final, TypeAlias

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.consultations import policy as consultations
from consult.consultations import queries as consultation_queries
from consult.consultations.forms import put_errors
from consult.consultations.models import ContentStatus, Step
from consult.contributions import drafts, forms, pages, policy, queries, service
from consult.contributions.acts.views import bp as acts
from consult.contributions.arguments import pages as argument_pages
from consult.contributions.arguments.views import bp as arguments
from consult.contributions.ballots.views import bp as ballots
from consult.contributions.bill import pages as bill_pages
from consult.contributions.bill.bindings import BillStep
from consult.contributions.bill.views import bp as bill
from consult.contributions.bindings import ProposalsStep
from consult.contributions.debate import pages as debate_pages
from consult.contributions.debate.bindings import DebateStep
from consult.contributions.debate.views import bp as debate
from consult.contributions.differences import differences
from consult.contributions.exposure.views import bp as exposure
from consult.contributions.manage.views import bp as manage
from consult.contributions.mine.views import bp as mine
from consult.contributions.models import Argument, Proposal, ProposalKind
from consult.contributions.voting import rule_of
from consult.errors import ClosedError, InvalidError, NotFoundError, TooManyError
from consult.pagecache import cached_for_visitors
from consult.paging import page_number
from consult.protocols import StepKind
from consult.security import account_or_address, address_key, anyone, limiter, new_token

bp = Blueprint("contributions", __name__)
bp.register_blueprint(acts)
bp.register_blueprint(arguments)
bp.register_blueprint(ballots)
bp.register_blueprint(bill)
bp.register_blueprint(debate)
bp.register_blueprint(exposure)
bp.register_blueprint(manage)
bp.register_blueprint(mine)
LONGEST_COMPARED: Final = 1_000
VERSIONS: Final = 10  # of a page: comparing two long texts takes up to a tenth of a second
View: TypeAlias = str | Response | tuple[str, int]


def step_kinds() -> tuple[StepKind, ...]:
    """The kinds of steps where people write, argue and vote, with their pages: what `app.py` binds."""
    return ProposalsStep(pages.step_page), BillStep(bill_pages.step_page), DebateStep(debate_pages.step_page)


@bp.get("/contributions/<uuid:proposal_id>")
@anyone
@cached_for_visitors
def proposal(proposal_id: uuid.UUID) -> View:
    """One proposal: text, votes, arguments; the question of a debate is read with its step."""
    sheet = pages.sheet_or_404(proposal_id)
    if sheet.proposal.kind is ProposalKind.QUESTION:
        return redirect(argument_pages.address_of(sheet.proposal, sheet.step)())
    if sheet.proposal.status is not ContentStatus.PUBLISHED and not pages.own_pending(sheet.proposal):
        return pages.tombstone(sheet)
    return pages.proposal_page(sheet)


@bp.get("/contributions/<uuid:proposal_id>/versions")
@anyone
@cached_for_visitors
def proposal_versions(proposal_id: uuid.UUID) -> View:
    """The former texts of a proposal."""
    sheet = pages.sheet_or_404(proposal_id)
    if sheet.proposal.status is not ContentStatus.PUBLISHED:
        return pages.tombstone(sheet)
    return _versions_page(sheet.step, sheet.proposal, sheet.proposal)


@bp.get("/arguments/<uuid:argument_id>/versions")
@anyone
@cached_for_visitors
def argument_versions(argument_id: uuid.UUID) -> View:
    """The former texts of an argument."""
    sheet = argument_pages.sheet_or_404(argument_id)
    if not sheet.is_published:
        raise NotFoundError(argument_pages.NOT_FOUND)
    return _versions_page(sheet.step, sheet.argument, sheet.subject)


def _versions_page(step: Step, item: Proposal | Argument, proposal: Proposal) -> str:
    former = queries.count_versions(g.session, item)
    pages_of_them = max(1, -(-(former + 1) // VERSIONS))
    number = min(page_number(request.args), pages_of_them)
    # And the one before the last, to compare with. The text in force comes before the former ones.
    start = (number - 1) * VERSIONS
    shown: list[Any] = [item] if start == 0 else []
    shown += queries.versions(g.session, item, start=max(0, start - 1), count=VERSIONS + 1 - len(shown))
    return render_template(
        "contributions/versions.html",
        step=step,
        item=item,
        proposal=proposal,
        versions=shown[:VERSIONS],
        passages={new.version: differences(old.body, new.body) for new, old in pairwise(shown)},
        number=number,
        pages=pages_of_them,
        page_url=lambda n: url_for(str(request.endpoint), **request.view_args or {}, page=n),
    )


@bp.get("/consultations/<slug>/<step_slug>/proposer")
@anyone
def write(slug: str, step_slug: str) -> View:
    """The empty form of a proposal, or the one that was filled before signing in."""
    step = _step(slug, step_slug)
    draft = queries.draft(g.session, step.id, request.args.get("brouillon", ""), g.now)
    values = {"submission_key": secrets.token_urlsafe(16), **draft}
    return _form_page(step, _proposal_form(step, values=values), kept=bool(draft))


@bp.post("/consultations/<slug>/<step_slug>/proposer")
@anyone
@limiter.limit("10/minute;60/hour", key_func=account_or_address)
def submit(slug: str, step_slug: str) -> View:
    """Publish the proposal; a visitor's is kept while they sign in."""
    step = _step(slug, step_slug)
    form = _proposal_form(step, typed=request.form)
    try:
        forms.check_traces(form)
        if g.account_id is None:
            return _keep_and_sign_in(step, form)
        with g.session.begin_nested():
            made = service.submit_proposal(
                g.session,
                step=step,
                account_id=g.account_id,
                title=form.title.data or "",
                body=form.body.data or "",
                theme_id=forms.chosen_theme(form),
                departement=forms.chosen_departement(form),
                submission_key=form.submission_key.data or "",
                now=g.now,
            )
    except InvalidError as error:
        put_errors(form, error)
        return _form_page(step, form), 422
    except (ClosedError, TooManyError) as error:
        form.form_errors = [error.message]
        return _form_page(step, form), error.status
    if made.status is ContentStatus.PENDING:
        flash(
            "Votre proposition est enregistrée. Elle sera publiée dès que vous aurez confirmé votre adresse.", "warning"
        )
    elif made.status is ContentStatus.HIDDEN:
        flash("Votre proposition est enregistrée. Une personne la lira avant qu’elle soit publiée.", "info")
    else:
        flash("Votre proposition est publiée. Merci !", "success")
    return redirect(url_for(".proposal", proposal_id=made.id), 303)


@bp.post("/consultations/<slug>/<step_slug>/proposer/semblables")
@anyone
@limiter.limit("60/minute", key_func=account_or_address)
def similar(slug: str, step_slug: str) -> View:
    """The form as it is being written, with the proposals that say much the same; nothing is kept."""
    step = _step(slug, step_slug)
    form = _proposal_form(step, typed=request.form)
    return _form_page(step, form, compared=True)


def _keep_and_sign_in(step: Step, form: Any) -> Response:
    title, body = policy.one_line(form.title.data or ""), policy.many_lines(form.body.data or "")
    policy.check_proposal(title, body, policy.limits(step.settings))
    if not consultations.accepts_acts(step, step.consultation, g.now):
        raise ClosedError(service.CLOSED)
    token = new_token()
    content = {"title": title, "body": body, "theme": str(forms.chosen_theme(form) or "")}
    content["departement"] = forms.chosen_departement(form) or ""
    here = address_key(current_app.extensions["settings"].secret_key)
    drafts.keep(g.session, step, content, token=token, address_key=here, now=g.now)
    back = url_for(".write", slug=step.consultation.slug, step_slug=step.slug, brouillon=token)
    flash("Votre texte est gardé. Connectez-vous ou créez un compte pour le publier.", "info")
    return redirect(url_for("accounts.sign_in", suite=back), 303)


def _step(slug: str, step_slug: str) -> Step:
    step = consultation_queries.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind != "proposals":
        raise NotFoundError("Cette étape ne recueille pas de propositions.")
    return step


def _proposal_form(step: Step, **filled: Any) -> Any:
    return forms.proposal_form(step.settings, queries.themes(g.session, step.id), **filled)


def _form_page(step: Step, form: Any, *, kept: bool = False, compared: bool = False) -> str:
    typed = (form.title.data or form.body.data or "")[:LONGEST_COMPARED]  # the idea is in the title
    return render_template(
        "contributions/write.html",
        step=step,
        form=form,
        state=consultations.step_state(step, step.consultation, g.now).value,
        is_open=consultations.accepts_acts(step, step.consultation, g.now),
        kept=kept,
        compared=compared,
        rule=rule_of(step.settings),
        similar=queries.similar(g.session, step, typed) if compared else [],
    )
