"""/gestion/organisation: identity and legal notice."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult.actor import Role
from consult.organisations import service
from consult.organisations.forms import IdentityForm
from consult.organisations.models import Organisation
from consult.organisations.policy import legal_notice_gaps
from consult.security import limited, staff

bp = Blueprint("organisations", __name__, url_prefix="/gestion/organisation")
administrator = staff(Role.ADMINISTRATOR)


def _organisation() -> Organisation:
    organisation: Organisation = g.session.get_one(Organisation, g.organisation.id)
    return organisation


def _page(form: IdentityForm, organisation: Organisation, status: HTTPStatus = HTTPStatus.OK) -> ResponseReturnValue:
    return render_template("organisations/identity.html", form=form, gaps=legal_notice_gaps(organisation)), status


@bp.get("")
@administrator
def show() -> ResponseReturnValue:
    organisation = _organisation()
    return _page(IdentityForm(obj=organisation), organisation)


@bp.post("")
@administrator
@limited
def update() -> ResponseReturnValue:
    organisation, form = _organisation(), IdentityForm(request.form)
    if not form.validate():
        return _page(form, organisation, HTTPStatus.UNPROCESSABLE_ENTITY)
    service.update_identity(g.session, organisation, form.data, actor=g.actor, now=g.now)
    flash("Les informations de l’organisation sont enregistrées.", "success")
    return redirect(url_for(".show"), 303)
