"""/gestion/donnees-brutes: the administration's raw data, behind a second factor given a short while ago."""

from __future__ import annotations

import uuid
from typing import Final

from flask import Blueprint, current_app, flash, g, redirect, render_template, send_file, url_for
from werkzeug.wrappers import Response

from consult.actor import Role
from consult.errors import GoneError, NotFoundError
from consult.opendata.raw import queries, service
from consult.security import limiter, staff
from consult.settings import Settings

bp = Blueprint("raw", __name__, url_prefix="/gestion/donnees-brutes")
READERS: Final = (Role.ADMINISTRATOR, Role.DITP)
administration = staff(*READERS, fresh=True)


@bp.get("")
@administration
def show() -> str:
    """What was asked for, and what may be downloaded."""
    return render_template("opendata/raw.html", exports=queries.exports(g.session), tables=list(queries.tables()))


@bp.post("")
@administration
@limiter.limit("10/hour")
def make() -> str:
    """Ask for an archive; the page that answers is the only one that ever shows its passphrase."""
    keys = service.keyring(_settings().seal_keys)
    export, passphrase = service.request(g.session, g.organisation.id, actor=g.actor, keys=keys, now=g.now)
    return render_template("opendata/raw_asked.html", export=export, passphrase=passphrase)


@bp.post("/<uuid:export_id>/archive")
@administration
@limiter.limit("30/hour")
def download(export_id: uuid.UUID) -> Response:
    """The encrypted archive; each download is journalled, which a GET could not do."""
    path = service.file_of(_settings().data_path, export_id)
    try:
        export = service.hand_over(g.session, export_id, actor=g.actor, now=g.now)
    except GoneError:
        path.unlink(missing_ok=True)  # now: the periodic task only marks it
        raise
    if not path.is_file():
        raise NotFoundError("Cette archive n’est plus sur le serveur. Demandez-en une autre.")
    name = f"donnees-brutes-{g.organisation.slug}-{export.requested_at:%Y-%m-%d}.zip"
    return send_file(path.resolve(), as_attachment=True, download_name=name, conditional=False, max_age=0)


@bp.post("/<uuid:export_id>/supprimer")
@administration
@limiter.limit("30/hour")
def remove(export_id: uuid.UUID) -> Response:
    """Delete an archive before its time."""
    export = service.remove(g.session, export_id, actor=g.actor, now=g.now)
    service.file_of(_settings().data_path, export.id).unlink(missing_ok=True)
    flash("Archive supprimée.", "success")
    return redirect(url_for(".show"), 303)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
