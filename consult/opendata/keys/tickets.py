"""/api/private/tickets: an administration's own tool reports, follows, writes to who runs the platform."""

from __future__ import annotations

import uuid
from typing import Any, Final, Literal

from flask import Blueprint, Response, g, jsonify, request, url_for
from pydantic import BaseModel, ConfigDict, ValidationError

from consult.accounts.notices.views import sender
from consult.actor import Actor, Role
from consult.audit import service as audit
from consult.clock import written
from consult.errors import BadRequestError, InvalidError
from consult.opendata.keys.models import ApiKey, Scope
from consult.seam import service_levels as levels
from consult.security import by_key, limiter
from consult.tickets import policy, queries, service
from consult.tickets.models import Kind, Ticket

bp = Blueprint("private_tickets", __name__, url_prefix="/api/private/tickets")
writing = limiter.limit("60/minute")
limiter.limit("120/minute")(bp)
ITEM: Final = "/<uuid:ticket_id>"
LIMIT: Final = 100


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewTicket(_Body):
    """What is reported; T0 is the instant at which it arrives, so that no time can be given."""

    kind: Literal["anomaly", "accessibility"]
    title: str
    body: str
    severity: Literal["blocking", "major", "minor"] | None = None


class NewSeverity(_Body):
    """Another severity, and why."""

    severity: Literal["blocking", "major", "minor"]
    reason: str


class NewMessage(_Body):
    """A message of the thread."""

    body: str


@bp.get("")
@by_key(Scope.TICKETS)
def listing() -> dict[str, Any]:
    """The tickets above the number `after`, in the order of numbers; `next` is what to give for those that follow."""
    after = request.args.get("after", "0")
    if not after.isascii() or not after.isdigit() or len(after) > 9:  # noqa: PLR2004  # a number of tickets
        raise InvalidError("Paramètre refusé.", fields={"after": "Donnez la valeur « next » de la réponse précédente."})
    found = queries.above(g.session, int(after), LIMIT + 1)
    shown = [_ticket(each) for each in found[:LIMIT]]
    return {"data": shown, "next": found[LIMIT - 1].number if len(found) > LIMIT else None}


@bp.get(ITEM)
@by_key(Scope.TICKETS)
def one(ticket_id: uuid.UUID) -> dict[str, Any]:
    """A ticket with its delays, its history and its thread."""
    return _whole(queries.one(g.session, ticket_id))


@bp.post("")
@by_key(Scope.TICKETS)
@writing
def create() -> tuple[Response, int, dict[str, str]]:
    """Report something."""
    asked = _read(NewTicket)
    ticket = service.report(
        g.session, kind=Kind(asked.kind), title=asked.title, body=asked.body,
        severity=levels.Severity(asked.severity) if asked.severity else None, **_acting(),
    )  # fmt: skip
    _journal("key.ticket", ticket)
    return jsonify(_whole(ticket)), 201, {"Location": url_for(".one", ticket_id=ticket.id)}


@bp.post(f"{ITEM}/messages")
@by_key(Scope.TICKETS)
@writing
def say(ticket_id: uuid.UUID) -> tuple[Response, int]:
    """Add a message to the thread."""
    asked, ticket = _read(NewMessage), queries.one(g.session, ticket_id)
    service.say(g.session, ticket, asked.body, **_acting())
    _journal("key.ticket_message", ticket)
    return jsonify(_whole(ticket)), 201


@bp.post(f"{ITEM}/severity")
@by_key(Scope.TICKETS)
@writing
def set_severity(ticket_id: uuid.UUID) -> Response:
    """Say, or change, how severe an anomaly is: its deadlines are reckoned again from the same T0."""
    asked, ticket = _read(NewSeverity), queries.one(g.session, ticket_id)
    service.set_severity(g.session, ticket, levels.Severity(asked.severity), asked.reason, **_acting())
    _journal("key.ticket_severity", ticket)
    return jsonify(_whole(ticket))


@bp.after_request
def _kept_by_nobody(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    if response.status_code == 401:  # noqa: PLR2004  # HTTP: no good key
        response.headers["WWW-Authenticate"] = 'Bearer realm="api/private"'
    return response


def _read(shape: type[Any]) -> Any:
    """The body as that shape. Raises BadRequestError for what is no JSON object, InvalidError naming the fields."""
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise BadRequestError("Envoyez un objet JSON, avec l’en-tête Content-Type: application/json.")
    try:
        return shape.model_validate(sent)
    except ValidationError as error:
        names = {".".join(str(part) for part in each["loc"]): each["type"] for each in error.errors()}
        missing = "Ce champ manque."
        told = {name: missing if kind == "missing" else "Valeur refusée." for name, kind in names.items()}
        raise InvalidError("La demande est refusée.", fields=told) from None


def _acting() -> dict[str, Any]:
    """A program acts for the administration, in the name of no person: who made its key is in the register of keys."""
    key: ApiKey = g.api_key
    actor = Actor(pseudonym=f"clé « {key.name} »"[:40], roles=frozenset({Role.ADMINISTRATOR}))
    return {"actor": actor, "sender": sender(), "now": g.now}


def _journal(action: str, ticket: Ticket) -> None:
    audit.record(
        g.session, actor=_acting()["actor"], organisation_id=ticket.organisation_id, action=action,
        target_type="ticket", target_id=ticket.id, now=g.now, detail={"key": str(g.api_key.id)},
    )  # fmt: skip


def _ticket(ticket: Ticket) -> dict[str, Any]:
    known = policy.state(ticket.events)
    return {
        "id": str(ticket.id),
        "number": ticket.number,
        "kind": ticket.kind,
        "title": ticket.title,
        "severity": ticket.severity,
        "t0": written(ticket.t0),
        "closed_at": written(ticket.closed_at) if ticket.closed_at else None,
        "cause": ticket.cause,
        "release": ticket.release,
        "clocks": [
            {
                "milestone": each.milestone,
                "deadline": written(each.deadline),
                "reached_at": written(each.reached) if each.reached else None,
                "breached": each.breached,
                "late_seconds": int(each.late.total_seconds()),
            }
            for each in policy.clocks(ticket.kind, ticket.t0, known, g.now)
        ],
    }


def _whole(ticket: Ticket) -> dict[str, Any]:
    history = [
        {"number": each.number, "at": written(each.at), "kind": each.kind, "side": each.side, "detail": each.detail}
        for each in ticket.events
    ]
    thread = [{"at": written(each.said_at), "side": each.side, "body": each.body} for each in ticket.messages]
    return {**_ticket(ticket), "body": ticket.body, "history": history, "messages": thread}
