"""/cookies/mesure-audience: asking not to be counted, or to be counted again."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.audience.policy import OBJECTION, OBJECTION_LIFE
from consult.security import anyone_unnamed, limiter
from consult.settings import Settings

bp = Blueprint("opposition", __name__, url_prefix="/cookies/mesure-audience")


@bp.get("")
@anyone_unnamed
def show() -> str:
    """Whether this browser is counted, and the button that changes it."""
    return render_template(
        "audience/opposition.html", objects=OBJECTION in request.cookies, audience=_settings().audience
    )


@bp.post("")
@anyone_unnamed
@limiter.limit("60/minute")
def choose() -> Response:
    """Keep the choice in this browser: a script reads it, so it is open to scripts; it says nothing else."""
    response = redirect(url_for(".show"), 303)
    if request.form.get("counted") == "oui":
        response.delete_cookie(OBJECTION, path="/", secure=_settings().https, samesite="Lax")
        flash("Les pages que vous ouvrez sont de nouveau comptées.", "success")
    else:
        life = int(OBJECTION_LIFE.total_seconds())
        response.set_cookie(OBJECTION, "1", max_age=life, path="/", secure=_settings().https, samesite="Lax")
        flash("Les pages que vous ouvrez avec ce navigateur ne sont plus comptées.", "success")
    return response


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
