"""/gestion/cles-api: the keys of the organisation, behind a second factor given a short while ago."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from consult.actor import Role
from consult.errors import InvalidError
from consult.opendata.keys import service
from consult.opendata.keys.forms import KeyForm
from consult.opendata.keys.labels import SCOPES
from consult.opendata.keys.models import ApiKey, Scope
from consult.security import limited, staff

bp = Blueprint("keys", __name__, url_prefix="/gestion/cles-api")
administrator = staff(Role.ADMINISTRATOR, fresh=True)
NAMES: Final = {scope.value: label for scope, label in SCOPES.items()}


@bp.get("")
@administrator
def show() -> str:
    """The keys, and the form of a new one."""
    return _page(KeyForm())


@bp.post("")
@administrator
@limited
def create() -> ResponseReturnValue:
    """A new key; the page that answers is the only one that ever shows it."""
    form = KeyForm(request.form)
    if not form.validate():
        return _page(form), HTTPStatus.UNPROCESSABLE_ENTITY
    scopes = [Scope(each) for each in form.scopes.data]
    try:
        key, text = service.create(
            g.session,
            g.organisation.id,
            name=form.name.data,
            scopes=scopes,
            days=form.days.data,
            actor=g.actor,
            now=g.now,
        )
    except InvalidError as refusal:
        form.name.errors = [*form.name.errors, refusal.fields.get("name", refusal.message)]
        return _page(form), HTTPStatus.UNPROCESSABLE_ENTITY
    return _shown(key, text)


@bp.post("/<uuid:key_id>/remplacer")
@administrator
@limited
def rotate(key_id: uuid.UUID) -> str:
    """Another key in place of this one."""
    return _shown(*service.rotate(g.session, key_id, actor=g.actor, now=g.now))


@bp.post("/<uuid:key_id>/revoquer")
@administrator
@limited
def revoke(key_id: uuid.UUID) -> Response:
    """Stop a key."""
    key = service.revoke(g.session, key_id, actor=g.actor, now=g.now)
    flash(f"La clé « {key.name} » n’ouvre plus rien.", "success")
    return redirect(url_for(".show"), 303)


def _page(form: KeyForm) -> str:
    makers = service.makers(g.session, g.organisation.id)
    return render_template("opendata/keys.html", form=form, keys=service.listed(g.session), makers=makers, names=NAMES)


def _shown(key: ApiKey, text: str) -> str:
    return render_template("opendata/key_shown.html", key=key, text=text, address=url_for("private.figures"))
