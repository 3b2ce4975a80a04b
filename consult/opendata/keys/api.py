"""/api/private: what a key of the administration opens. Never cached, never read from another site's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import func, select

from consult.accounts.models import Account, AccountStatus
from consult.actor import Actor
from consult.audit import service as audit
from consult.clock import written
from consult.consultations.models import Consultation
from consult.db import survives
from consult.errors import InvalidError, NotFoundError
from consult.moderation import queries as moderation
from consult.opendata.keys.models import ApiKey, Scope
from consult.opendata.raw import queries as raw
from consult.protocols import Bindings
from consult.security import by_key, limiter

bp = Blueprint("private", __name__, url_prefix="/api/private")
limiter.limit("120/minute")(bp)
LIMIT: Final = 1_000


@bp.get("/figures")
@by_key(Scope.FIGURES)
def figures() -> Mapping[str, Any]:
    """Accounts, and of each consultation, drafts included, what was done and what waits for a moderator."""
    active = select(func.count(), func.count(Account.confirmed_at)).where(Account.status == AccountStatus.ACTIVE)
    accounts, confirmed = g.session.execute(active.select_from(Account)).one()
    consultations = g.session.scalars(select(Consultation).order_by(Consultation.id)).all()
    return {
        "at": written(g.now),
        "accounts": {"confirmed": confirmed, "waiting": accounts - confirmed},
        "consultations": [_figures(each) for each in consultations],
    }


def _figures(consultation: Consultation) -> Mapping[str, Any]:
    bindings: Bindings = current_app.extensions["bindings"]
    return {
        "id": str(consultation.id),
        "slug": consultation.slug,
        "title": consultation.title,
        "status": consultation.status.value,
        "reported_contents": moderation.waiting_count(g.session, consultation.id),
        "steps": [
            {
                "id": str(step.id),
                "slug": step.slug,
                "kind": step.kind,
                "counts": dict(bindings.step_kinds[step.kind].census(g.session, step)),
            }
            for step in consultation.steps
            if step.kind in bindings.step_kinds
        ],
    }


@bp.get("/tables")
@by_key(Scope.RAW)
def tables() -> Mapping[str, Any]:
    """The tables of the raw data, and their columns."""
    return {
        "data": [{"name": name, "columns": [each.name for each in raw.columns(table)]} for name, table in _tables()]
    }


@bp.get("/tables/<name>")
@by_key(Scope.RAW)
def rows(name: str) -> Mapping[str, Any]:
    """A page of the rows of a table, in the order of their ids; `after` is the `next` of the page before."""
    table = dict(_tables()).get(name)
    if table is None:
        raise NotFoundError("Aucune table de données brutes n’a ce nom. Leur liste est à /api/private/tables.")
    cursor, after = _cursor(name), None
    if request.args.get("after"):
        after = _read(cursor, request.args["after"])
    else:
        _journal(g.api_key, name)
    found = list(raw.rows(g.session, table, g.organisation.id, after=after, limit=LIMIT + 1))
    more = len(found) > LIMIT
    return {"data": [row for _, row in found[:LIMIT]], "next": cursor.dumps(found[LIMIT - 1][0]) if more else None}


@bp.after_request
def _kept_by_nobody(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    if response.status_code == 401:  # noqa: PLR2004  # HTTP: no good key
        response.headers["WWW-Authenticate"] = 'Bearer realm="api/private"'
    return response


def _tables() -> list[tuple[str, Any]]:
    return list(raw.tables().items())


def _cursor(table: str) -> URLSafeSerializer:
    """Signed: nobody goes on with a table without having begun, which the journal tells."""
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"api-private:{g.api_key.id}:{table}")


def _read(cursor: URLSafeSerializer, after: str) -> str:
    try:
        return str(cursor.loads(after))
    except BadSignature:
        message = "Donnez la valeur « next » de la page précédente, ou rien pour commencer."
        raise InvalidError("Paramètre refusé.", fields={"after": message}) from None


def _journal(key: ApiKey, table: str) -> None:
    """Journal that a program began to read a table; a GET writes nothing itself."""
    told: dict[str, Any] = {
        "actor": Actor(pseudonym=f"clé « {key.name} »"[:40]),
        "organisation_id": key.organisation_id,
        "action": "key.read",
        "target_type": "api_key",
        "target_id": key.id,
        "now": g.now,
        "detail": {"table": table},
    }

    def write(session: Any) -> None:
        audit.record(session, **told)

    survives(g.session, write)
