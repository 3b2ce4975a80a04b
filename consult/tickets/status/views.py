"""/statut: whether the platform answers, what is wrong now, and what was."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, jsonify, render_template
from werkzeug.wrappers import Response

from consult.clock import written
from consult.pagecache import cached_for_visitors
from consult.seam import service_levels as levels
from consult.security import anyone, anyone_indexable
from consult.tickets import labels
from consult.tickets.status import queries

bp = Blueprint("status", __name__)


@bp.get("/statut")
@anyone_indexable
@cached_for_visitors
def show() -> str:
    """Availability month by month, open incidents, past ones."""
    return render_template(
        "tickets/status.html",
        months=queries.months(g.session),
        incidents=queries.incidents(g.session),
        severities=labels.SEVERITIES,
        length=labels.length,
        promised=levels.PROMISED,
        outage_words=labels.outage,
        percentage=labels.percentage,
    )


@bp.get("/statut.json")
@anyone
def as_json() -> Response:
    """The same, for programs."""
    incidents = [
        {
            "number": each.number,
            "text": each.words,
            "severity": each.severity,
            "started_at": written(each.started_at),
            "ended_at": written(each.ended_at) if each.ended_at else None,
        }
        for each in queries.incidents(g.session)
    ]
    return jsonify(
        {"promised": levels.PROMISED, "months": [_month(each) for each in queries.months(g.session)],
         "incidents": incidents}
    )  # fmt: skip


def _month(month: queries.Month) -> dict[str, Any]:
    found = month.availability
    return {
        "month": f"{month.row.first_day:%Y-%m}",
        "measured_from": written(found.start),
        "measured_to": written(found.end),
        "up": month.row.up,
        "percentage": found.percentage,
        "down_seconds": found.down.total_seconds(),
        "allowed_seconds": month.allowed.total_seconds(),
        "left_seconds": month.left.total_seconds(),
        "breached": month.breached,
        "outages": month.row.outages,
    }
