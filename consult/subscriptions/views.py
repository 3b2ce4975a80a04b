"""« Mes suivis », and the buttons that other pages show: follow, follow no more, share."""

from __future__ import annotations

import uuid
from typing import Final

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts.sign_up.views import addresses
from consult.errors import NotFoundError
from consult.paging import page_number
from consult.security import account_or_address, limiter, page_before, signed_in
from consult.subscriptions import queries, service
from consult.subscriptions.service import Kind

bp = Blueprint("subscriptions", __name__)
ROOT: Final = "/mon-compte/suivis"
writes = limiter.shared_limit("60/minute;1000/day", scope="subscriptions", key_func=account_or_address)


@bp.get(ROOT)
@signed_in
def mine() -> str:
    """What this person follows."""
    return render_template(
        "subscriptions/mine.html",
        listed=queries.mine(g.session, g.account_id, number=page_number(request.args)),
        page_url=lambda n: url_for(".mine", page=n),
    )


@bp.post(f"{ROOT}/<kind>/<uuid:target_id>")
@signed_in
@writes
def follow(kind: str, target_id: uuid.UUID) -> Response:
    """Follow a consultation or a contribution."""
    service.follow(g.session, _kind(kind), target_id, actor=g.actor, now=g.now)
    flash("Vous suivez cette page\u00a0: un courriel par jour au plus, quand il s’y passe quelque chose.", "success")
    return _back()


@bp.post(f"{ROOT}/<kind>/<uuid:target_id>/retirer")
@signed_in
@writes
def unfollow(kind: str, target_id: uuid.UUID) -> Response:
    """Follow it no more."""
    service.unfollow(g.session, _kind(kind), target_id, account_id=g.account_id)
    flash("Vous ne suivez plus cette page.", "success")
    return _back()


def _kind(name: str) -> Kind:
    if name not in set(Kind):
        raise NotFoundError(service.NOT_FOUND)
    return Kind(name)


def _back() -> Response:
    """To the page of the button, else to the list."""
    before = page_before(request, current_app.extensions["settings"].public_url)
    return redirect(before or url_for(".mine"), 303)


@bp.app_template_global("is_followed")
def is_followed(kind: str, target_id: uuid.UUID) -> bool:
    """Whether this person follows it; a visitor follows nothing."""
    return g.account_id is not None and queries.follows(g.session, g.account_id, Kind(kind).column, target_id)


@bp.app_template_global("full_address")
def full_address(path: str) -> str:
    """The absolute address of a page of this site, as it is given to others."""
    return addresses().site + path.removeprefix(request.script_root)
