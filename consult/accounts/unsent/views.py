"""/connexion/reprise: what somebody sent before they had to sign in, ready to be sent again."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, current_app, g, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from consult.accounts.unsent import service
from consult.errors import GoneError
from consult.security import address_key, may_give_back, new_token, page_before, signed_in, typed
from consult.settings import Settings

bp = Blueprint("unsent", __name__, url_prefix="/connexion/reprise")
UNSENT_COOKIE: Final = "unsent"  # key of the signed form cookie: the token of the form that this browser sent


def keep_sent() -> str | None:
    """Keep the form of this request; the page that gives it back, or None when it cannot be kept.

    Only what the browser proves to come from a page of ours, without a password; never the files that went with it.
    """
    settings: Settings = current_app.extensions["settings"]
    if not may_give_back(request, settings.public_url):
        return None
    address = request.script_root + request.full_path.rstrip("?")
    files = [file.filename for file in request.files.values() if file.filename]
    page, fields = page_before(request, settings.public_url), typed(request, settings.public_url)
    kept = service.keep(
        g.session,
        service.SentForm(address, page, fields, files),
        organisation_id=g.organisation.id,
        token=session.setdefault(UNSENT_COOKIE, new_token()),
        address_key=address_key(settings.secret_key),
        now=g.now,
    )
    return url_for("accounts.unsent.show") if kept else None


def forget() -> None:
    """Have whoever uses this browser next find nothing: without its token, what is kept opens no more."""
    session.pop(UNSENT_COOKIE, None)


@bp.get("")
@signed_in
def show() -> ResponseReturnValue:
    token = session.get(UNSENT_COOKIE, "")
    form = service.kept(g.session, organisation_id=g.organisation.id, token=token, now=g.now)
    if form is None:
        raise GoneError("Ce navigateur n’a aucun formulaire à reprendre, ou plus d’un jour a passé.")
    return render_template("accounts/unsent.html", sent=form)
