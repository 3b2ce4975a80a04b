"""/mon-compte/pseudonymes: under which name a person is shown, in all consultations and in each."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import pagecache
from consult.accounts.pseudonyms import queries as names
from consult.accounts.pseudonyms import service
from consult.accounts.pseudonyms.forms import ApartForm
from consult.consultations import queries
from consult.consultations.models import Consultation
from consult.consultations.pseudonym.queries import apart
from consult.errors import InvalidError
from consult.organisations.policy import protected_names
from consult.paging import page_number
from consult.security import account_or_address, limiter, signed_in

bp = Blueprint("pseudonym", __name__, url_prefix="/mon-compte/pseudonymes")
PAGE_SIZE: Final = 50


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    listed, chosen = apart(g.session, g.account_id, page=page_number(request.args), size=PAGE_SIZE)
    return render_template(
        "consultations/pseudonym/index.html",
        listed=listed,
        chosen=chosen,
        page_url=lambda n: url_for(".index", page=n),
    )


@bp.get("/<slug>")
@signed_in
def show(slug: str) -> ResponseReturnValue:
    consultation = queries.consultation_or_404(g.session, slug, g.actor)
    return _page(ApartForm(), consultation)


def _page(form: ApartForm, consultation: Consultation, status: HTTPStatus = HTTPStatus.OK) -> ResponseReturnValue:
    chosen = names.chosen(g.session, g.account_id, consultation.id)
    page = render_template("consultations/pseudonym/show.html", form=form, consultation=consultation, chosen=chosen)
    return page, status


@bp.post("/<slug>")
@signed_in
@limiter.limit("20/hour", key_func=account_or_address)
def choose(slug: str) -> ResponseReturnValue:
    consultation, reserved = queries.consultation_or_404(g.session, slug, g.actor), protected_names(g.organisation)
    form = ApartForm(request.form, reserved=reserved)
    try:
        if form.validate():
            service.choose(g.session, g.account_id, consultation.id, form.pseudonym.data, reserved=reserved, now=g.now)
    except InvalidError as refusal:
        form.pseudonym.errors = [refusal.message]
    if form.errors:
        return _page(form, consultation, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _changed(f"Vous êtes «\u00a0{names.chosen(g.session, g.account_id, consultation.id)}\u00a0» ici.", slug)


@bp.post("/<slug>/renoncer")
@signed_in
@limiter.limit("20/hour", key_func=account_or_address)
def give_up(slug: str) -> ResponseReturnValue:
    consultation = queries.consultation_or_404(g.session, slug, g.actor)
    service.give_up(g.session, g.account_id, consultation.id)
    return _changed("Vous y êtes de nouveau montré sous votre pseudonyme habituel.", slug)


def _changed(said: str, slug: str) -> ResponseReturnValue:
    pagecache.purge()
    flash(said, "success")
    return redirect(url_for(".show", slug=slug), 303)
