"""Writing a version of an article; the texts of a bill are read where proposals are."""

from __future__ import annotations

import secrets
import uuid
from typing import Any, TypeAlias

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.consultations import policy as consultations
from consult.consultations import queries as steps
from consult.consultations.forms import put_errors
from consult.consultations.models import ContentStatus
from consult.contributions import drafts, forms, pages, queries
from consult.contributions import policy as contributions
from consult.contributions.bill import document, policy, service
from consult.contributions.bill.builder.views import bp as builder
from consult.contributions.bill.forms import VersionForm
from consult.contributions.models import ProposalKind
from consult.contributions.queries import ProposalSheet
from consult.contributions.service import CLOSED
from consult.errors import ClosedError, GoneError, InvalidError, NotFoundError, TooManyError
from consult.office import MEDIA_TYPE
from consult.organisations import queries as organisations
from consult.security import account_or_address, address_key, anyone, limiter, new_token

bp = Blueprint("bill", __name__)
bp.register_blueprint(builder)
View: TypeAlias = str | Response | tuple[str, int]
ROOT = "/contributions/<uuid:proposal_id>/recrire"


@bp.get(ROOT)
@anyone
def write(proposal_id: uuid.UUID) -> View:
    """The form of a version, filled with the text that it rewrites, or with what was written before signing in."""
    sheet = _sheet(proposal_id)
    kept = queries.draft(g.session, sheet.step.id, request.args.get("brouillon", ""), g.now)
    values = {"body": sheet.proposal.body, "submission_key": secrets.token_urlsafe(16), **kept}
    return _page(sheet, VersionForm(data=values), kept=bool(kept))


@bp.post(ROOT)
@anyone
@limiter.limit("10/minute;60/hour", key_func=account_or_address)
def submit(proposal_id: uuid.UUID) -> View:
    """Publish the version; a visitor’s is kept while they sign in."""
    sheet = _sheet(proposal_id)
    form = VersionForm(request.form)
    try:
        forms.check_traces(form)
        sources = policy.read_sources(form.sources.data or "")
        if g.account_id is None:
            return _keep_and_sign_in(sheet, form)
        with g.session.begin_nested():
            made = service.submit_version(
                g.session,
                step=sheet.step,
                rewritten=sheet.proposal,
                account_id=g.account_id,
                title=form.title.data or "",
                body=form.body.data or "",
                reason=form.reason.data or "",
                sources=sources,
                submission_key=form.submission_key.data or "",
                now=g.now,
            )
    except InvalidError as error:
        put_errors(form, error)
        return _page(sheet, form), 422
    except (ClosedError, GoneError, TooManyError) as error:
        form.form_errors = [error.message]
        return _page(sheet, form), error.status
    if made.status is ContentStatus.PENDING:
        flash("Votre version est enregistrée. Elle sera publiée dès que vous aurez confirmé votre adresse.", "warning")
    elif made.status is ContentStatus.HIDDEN:
        flash("Votre version est enregistrée. Une personne la lira avant qu’elle soit publiée.", "info")
    else:
        flash("Votre version est publiée. Merci !", "success")
    return redirect(url_for("contributions.proposal", proposal_id=made.id), 303)


@bp.get("/consultations/<slug>/<step_slug>/texte.docx", defaults={"consolidated": False}, endpoint="submitted_text")
@bp.get("/consultations/<slug>/<step_slug>/texte-consolide.docx", defaults={"consolidated": True})
@anyone
@limiter.limit("20/minute", key_func=account_or_address)
def text(slug: str, step_slug: str, *, consolidated: bool) -> Response:
    """The whole bill for a word processor, as it was submitted or as the votes would have it."""
    step = steps.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind != "bill":
        raise NotFoundError("Cette étape n’est pas un texte de loi.")
    site = organisations.address_of(g.session, g.organisation, current_app.extensions["settings"])
    source = document.Source(g.organisation.name, f"{site}/consultations/{slug}/{step_slug}")
    content = document.written(g.session, step, source, consolidated=consolidated)
    name = f"{slug}-{step_slug}{'-consolide' if consolidated else ''}.docx"
    return Response(content, mimetype=MEDIA_TYPE, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _keep_and_sign_in(sheet: ProposalSheet, form: Any) -> Response:
    said = {name: contributions.many_lines(form[name].data or "") for name in ("body", "reason", "sources")}
    said["title"] = contributions.one_line(form.title.data or "")
    policy.check_version(said["title"], said["body"], said["reason"], sheet.proposal.body)
    if not consultations.accepts_acts(sheet.step, sheet.consultation, g.now):
        raise ClosedError(CLOSED)
    token = new_token()
    here = address_key(current_app.extensions["settings"].secret_key)
    drafts.keep(g.session, sheet.step, said, token=token, address_key=here, now=g.now)
    back = url_for(".write", proposal_id=sheet.proposal.id, brouillon=token)
    flash("Votre version est gardée. Connectez-vous ou créez un compte pour la publier.", "info")
    return redirect(url_for("accounts.sign_in", suite=back), 303)


def _sheet(proposal_id: uuid.UUID) -> ProposalSheet:
    """What may be rewritten: a published text of an article, or a version of it. Raises NotFoundError."""
    sheet = pages.sheet_or_404(proposal_id)
    kinds = (ProposalKind.ARTICLE, ProposalKind.VERSION)
    if sheet.proposal.kind not in kinds or sheet.proposal.status is not ContentStatus.PUBLISHED:
        raise NotFoundError("Aucun texte à récrire n’est publié à cette adresse.")
    return sheet


def _page(sheet: ProposalSheet, form: Any, *, kept: bool = False) -> str:
    return render_template(
        "contributions/bill/write.html",
        step=sheet.step,
        rewritten=sheet.proposal,
        form=form,
        is_open=consultations.accepts_acts(sheet.step, sheet.consultation, g.now),
        kept=kept,
    )
