"""/gestion/consultations/<slug>/dossier: the end-of-mission package of a closed consultation."""

from __future__ import annotations

import uuid
from typing import Final

from flask import Blueprint, current_app, flash, g, redirect, render_template, send_file, url_for
from werkzeug.wrappers import Response

from consult.actor import Role
from consult.consultations import policy
from consult.consultations import queries as consultations
from consult.consultations.models import Consultation
from consult.errors import GoneError, NotFoundError
from consult.opendata.mission import queries, service
from consult.security import limiter, staff
from consult.settings import Settings

bp = Blueprint("mission", __name__, url_prefix="/gestion/consultations/<slug>/dossier")
administrator: Final = staff(Role.ADMINISTRATOR)


@bp.get("")
@administrator
def show(slug: str) -> str:
    """What the package holds, the button that asks for it, and what became of the requests."""
    consultation = _consultation(slug)
    return render_template(
        "opendata/mission.html",
        consultation=consultation,
        over=policy.phase(consultation, g.now) is policy.Phase.CLOSED,
        packages=[(each, queries.state(g.session, each)) for each in queries.all_of(g.session, consultation.id)],
    )


@bp.post("")
@administrator
@limiter.limit("10/hour")
def make(slug: str) -> Response:
    """Ask for it."""
    service.request(g.session, _consultation(slug), actor=g.actor, now=g.now)
    flash("Le dossier est en préparation\u00a0: cette page dira quand il sera prêt.", "success")
    return redirect(url_for(".show", slug=slug), 303)


@bp.post("/<uuid:package_id>/archive")
@administrator
@limiter.limit("30/hour")
def download(slug: str, package_id: uuid.UUID) -> Response:
    """The archive; each download is journalled, which a GET could not do."""
    consultation = _consultation(slug)
    settings: Settings = current_app.extensions["settings"]
    path = service.file_of(settings.data_path, package_id)
    try:
        service.hand_over(g.session, consultation.id, package_id, actor=g.actor, now=g.now)
    except GoneError:
        path.unlink(missing_ok=True)
        raise
    if not path.is_file():
        raise NotFoundError("Ce dossier n’est plus sur le serveur. Demandez-en un autre.")
    return send_file(path.resolve(), as_attachment=True, download_name=f"{slug}-dossier.zip", conditional=False)


@bp.post("/<uuid:package_id>/supprimer")
@administrator
@limiter.limit("30/hour")
def remove(slug: str, package_id: uuid.UUID) -> Response:
    """Delete an archive that nobody needs any more."""
    consultation = _consultation(slug)
    settings: Settings = current_app.extensions["settings"]
    service.remove(g.session, consultation.id, package_id, actor=g.actor, now=g.now)
    service.file_of(settings.data_path, package_id).unlink(missing_ok=True)
    flash("Dossier supprimé.", "success")
    return redirect(url_for(".show", slug=slug), 303)


def _consultation(slug: str) -> Consultation:
    return consultations.consultation_or_404(g.session, slug, g.actor)
