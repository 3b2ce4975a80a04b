"""The moderators' register, as a file for administrators."""

from __future__ import annotations

from flask import Blueprint, Response, g

from consult.accounts.access.queries import as_csv
from consult.actor import Role
from consult.moderation.register import queries
from consult.moderation.register.labels import COLUMNS
from consult.security import staff

bp = Blueprint("register", __name__)


@bp.get("/gestion/moderation/registre.csv")
@staff(Role.ADMINISTRATOR, fresh=True)
def export() -> Response:
    """Every moderator of the organisation, as CSV."""
    text = as_csv(COLUMNS, (line.cells for line in queries.register(g.session)))
    name = f"registre-des-moderateurs-{g.organisation.slug}-{g.now:%Y-%m-%d}.csv"
    # The mark of order makes spreadsheets read UTF-8.
    response = Response("\ufeff" + text, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
