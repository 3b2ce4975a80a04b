"""/gestion/acces: the access register, and the changes to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from consult.accounts import policy
from consult.accounts.access import queries, service
from consult.accounts.access.forms import GrantForm, ResetFactorForm, RevokeForm
from consult.accounts.labels import REGISTER_COLUMNS
from consult.accounts.models import Account
from consult.accounts.queries import confirmed_account
from consult.accounts.second_factor.service import reset
from consult.accounts.sign_up.views import addresses
from consult.actor import Role
from consult.errors import ConsultError, ForbiddenError, InvalidError, NotFoundError
from consult.security import limited, staff
from consult.settings import Settings

bp = Blueprint("access", __name__, url_prefix="/gestion/acces")
administrator = staff(Role.ADMINISTRATOR, fresh=True)


def _titles() -> Mapping[uuid.UUID, str]:
    """The organisation's consultations, told by the layer above."""
    titles: Callable[[Session], Mapping[uuid.UUID, str]] = current_app.extensions["consultation_titles"]
    return titles(g.session)


def _page(form: GrantForm, titles: Mapping[uuid.UUID, str], status: HTTPStatus = HTTPStatus.OK) -> ResponseReturnValue:
    lines = queries.register(g.session, g.organisation.id, titles)
    return render_template("accounts/access.html", form=form, lines=lines), status


@bp.get("")
@administrator
def show() -> ResponseReturnValue:
    titles = _titles()
    return _page(GrantForm(titles=titles), titles)


@bp.get("/registre.csv")
@administrator
def export() -> ResponseReturnValue:
    lines = queries.register(g.session, g.organisation.id, _titles())
    text = queries.as_csv(REGISTER_COLUMNS, (line.cells for line in lines))
    name = f"registre-des-acces-{g.organisation.slug}-{g.now:%Y-%m-%d}.csv"
    # The mark of order makes spreadsheets read UTF-8.
    response = Response("\ufeff" + text, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@bp.post("")
@administrator
@limited
def grant() -> ResponseReturnValue:
    titles = _titles()
    form = GrantForm(request.form, titles=titles)
    if not form.validate():
        return _page(form, titles, HTTPStatus.UNPROCESSABLE_ENTITY)
    settings: Settings = current_app.extensions["settings"]
    try:
        key = policy.email_key(form.email.data.strip(), tags_differ=settings.email_tags)
        account = confirmed_account(g.session, key)
        if account is None:
            reason = "Aucun compte confirmé n’a cette adresse : la personne doit d’abord créer le sien."
            raise InvalidError(reason, fields={"email": reason})
        service.grant(
            g.session,
            g.organisation,
            account,
            Role(form.role.data),
            consultation_id=uuid.UUID(form.scope.data) if form.scope.data else None,
            actor=g.actor,
            titles=titles,
            site=addresses().site,
            now=g.now,
        )
    except ConsultError as error:
        g.session.rollback()
        field = next((form[name] for name in error.fields if name in form), form.email)
        field.errors = [error.message]
        return _page(form, titles, HTTPStatus(error.status))
    flash("Le rôle est donné. La personne devra enregistrer un second facteur à sa prochaine connexion.", "success")
    return redirect(url_for(".show"), 303)


@bp.get("/<uuid:membership_id>/retirer")
@administrator
def revoke_form(membership_id: uuid.UUID) -> ResponseReturnValue:
    return _revoke_page(RevokeForm(), membership_id)


def _revoke_page(form: RevokeForm, membership_id: uuid.UUID, status: HTTPStatus = HTTPStatus.OK) -> ResponseReturnValue:
    lines = queries.register(g.session, g.organisation.id, _titles())
    line = next((line for line in lines if line.membership_id == membership_id), None)
    if line is None:
        raise NotFoundError
    return render_template("accounts/access_revoke.html", form=form, line=line), status


@bp.post("/<uuid:membership_id>/retirer")
@administrator
@limited
def revoke(membership_id: uuid.UUID) -> ResponseReturnValue:
    form = RevokeForm(request.form)
    if not form.validate():
        return _revoke_page(form, membership_id, HTTPStatus.UNPROCESSABLE_ENTITY)
    service.revoke(
        g.session,
        g.organisation,
        membership_id,
        reason=form.reason.data,
        actor=g.actor,
        titles=_titles(),
        site=addresses().site,
        now=g.now,
    )
    flash("Le rôle est retiré.", "success")
    return redirect(url_for(".show"), 303)


@bp.get("/comptes/<uuid:account_id>/second-facteur")
@administrator
def reset_form(account_id: uuid.UUID) -> ResponseReturnValue:
    return render_template("accounts/access_reset_factor.html", form=ResetFactorForm(), account=_colleague(account_id))


@bp.post("/comptes/<uuid:account_id>/second-facteur")
@administrator
@limited
def reset_factor(account_id: uuid.UUID) -> ResponseReturnValue:
    account, form = _colleague(account_id), ResetFactorForm(request.form)
    if not form.validate():
        page = render_template("accounts/access_reset_factor.html", form=form, account=account)
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    reset(g.session, account, actor=g.actor, reason=form.reason.data, now=g.now)
    flash("Le second facteur est effacé ; la personne en enregistrera un autre à sa prochaine connexion.", "success")
    return redirect(url_for(".show"), 303)


def _colleague(account_id: uuid.UUID) -> Account:
    """Another member of this organisation's staff, platform staff excepted."""
    account: Account | None = g.session.get(Account, account_id)
    if account is None or not queries.only_of_organisation(g.session, account_id):
        raise NotFoundError
    if account.id == g.account_id:
        raise ForbiddenError("Vous ne pouvez pas effacer votre propre second facteur.")
    return account
