"""/gestion/tickets: the list with its clocks, a ticket and what may be done with it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consult import pagecache
from consult.accounts.notices.views import sender
from consult.consultations.forms import put_errors
from consult.errors import ConflictError, InvalidError
from consult.media.pictures import MEDIA_TYPE, MOST_BYTES
from consult.paging import page_number
from consult.seam import service_levels as levels
from consult.security import limited, staff, takes_files
from consult.tickets import forms, labels, policy, queries, service
from consult.tickets.assistance import queries as assistance
from consult.tickets.models import Kind, Ticket

bp = Blueprint("tickets", __name__, url_prefix="/gestion/tickets")
View: TypeAlias = str | Response | AnyResponse | tuple[str, int]
ITEM: Final = "/<uuid:ticket_id>"
team = staff(*policy.TEAM)
administration = staff(*policy.ADMINISTRATION)
contractor = staff(*policy.CONTRACTOR)


@dataclass(frozen=True, slots=True)
class Standing:
    """A ticket as a page shows it: its history as it is now, and its delays."""

    ticket: Ticket
    clocks: list[levels.Clock]

    @property
    def next(self) -> levels.Clock | None:
        """The first delay that is still to be kept."""
        return next((each for each in self.clocks if each.reached is None), None)

    @property
    def late(self) -> bool:
        """Whether a delay was not kept."""
        return any(each.breached for each in self.clocks)


@bp.get("")
@team
def listing() -> View:
    """The tickets, with the delays of each."""
    choices: dict[str, Mapping[Any, Any]] = {
        "nature": labels.KINDS,
        "etat": labels.STATES,
        "gravite": labels.SEVERITIES,
    }
    asked = {name: request.args.get(name, "open" if name == "etat" else "") for name in choices}
    asked = {name: value if value in {str(each) for each in choices[name]} else "" for name, value in asked.items()}
    listed = queries.listed(
        g.session, kind=asked["nature"], state=asked["etat"], severity=asked["gravite"], now=g.now,
        page=page_number(request.args),
    )  # fmt: skip
    kept: dict[str, Any] = dict(asked)
    return render_template(
        "tickets/list.html",
        listed=listed,
        rows=[_standing(each) for each in listed.rows],
        asked=asked,
        page_url=lambda n: url_for(".listing", **kept, page=n),
        **_words(),
    )


@bp.route("/nouveau", methods=["GET", "POST"])
@team
@limited
def create() -> View:
    """Report something: T0 is the instant at which the form arrives."""
    form = forms.ReportForm(request.form)
    judging = policy.may_judge(g.actor)
    if not judging:
        del form.severity
    opened: list[Ticket] = []

    def save() -> None:
        severity = levels.Severity(form.severity.data) if judging and form.severity.data else None
        opened.append(
            service.report(
                g.session, kind=Kind(form.kind.data), title=form.title.data, body=form.body.data, severity=severity,
                actor=g.actor, sender=sender(), now=g.now,
            )
        )  # fmt: skip

    if request.method == "POST" and form.validate() and _saved(form, save):
        flash(f"Le ticket n° {opened[0].number} est ouvert.", "success")
        return redirect(url_for(".show", ticket_id=opened[0].id), 303)
    page = render_template("tickets/new.html", form=form, judging=judging)
    return (page, 422) if form.errors else page


@bp.get(ITEM)
@team
def show(ticket_id: uuid.UUID) -> View:
    """One ticket: delays, thread, files, history."""
    return _page(queries.one(g.session, ticket_id))


@bp.get(f"{ITEM}/pieces/<uuid:file_id>")
@team
def file(ticket_id: uuid.UUID, file_id: uuid.UUID) -> Response:
    """A file that was sent: only ever saved, never opened in the page."""
    kept, content = queries.file(g.session, ticket_id, file_id)
    charset = "; charset=utf-8" if kept.media_type == service.TEXT else ""
    response = Response(content, content_type=f"{kept.media_type}{charset}")
    response.headers["Content-Disposition"] = f'attachment; filename="piece-{kept.digest[:8]}{_ENDS[kept.media_type]}"'
    return response


_ENDS: Final = {service.TEXT: ".txt", MEDIA_TYPE: ".webp"}


@bp.post(f"{ITEM}/messages")
@team
@limited
def say(ticket_id: uuid.UUID) -> View:
    """Add a message to the thread."""
    form = forms.MessageForm(request.form)
    return _act(ticket_id, form, lambda ticket: service.say(
        g.session, ticket, form.body.data, actor=g.actor, sender=sender(), now=g.now))  # fmt: skip


@bp.post(f"{ITEM}/pieces")
@takes_files(MOST_BYTES)
@team
@limited
def attach(ticket_id: uuid.UUID) -> View:
    """Send a file."""
    form = forms.FileForm(request.form)
    sent = request.files.get("file")
    raw = sent.stream.read(MOST_BYTES + 1) if sent else b""
    name = sent.filename or "" if sent else ""
    return _act(ticket_id, form, lambda ticket: service.attach(
        g.session, ticket, name, raw, actor=g.actor, now=g.now))  # fmt: skip


@bp.post(f"{ITEM}/gravite")
@administration
@limited
def set_severity(ticket_id: uuid.UUID) -> View:
    """Say, or change, how severe an anomaly is."""
    form = forms.SeverityForm(request.form, prefix="severity")
    return _act(ticket_id, form, lambda ticket: service.set_severity(
        g.session, ticket, levels.Severity(form.severity.data), form.reason.data, actor=g.actor, sender=sender(),
        now=g.now))  # fmt: skip


@bp.post(f"{ITEM}/etapes")
@contractor
@limited
def reach(ticket_id: uuid.UUID) -> View:
    """Note a milestone."""
    form = _milestones(forms.MilestoneForm(request.form))
    return _act(ticket_id, form, lambda ticket: service.reach(
        g.session, ticket, levels.Milestone(form.milestone.data), actor=g.actor, sender=sender(), now=g.now)
    )  # fmt: skip


@bp.post(f"{ITEM}/etapes/refuser")
@administration
@limited
def take_back(ticket_id: uuid.UUID) -> View:
    """Refuse a milestone."""
    form = _milestones(forms.RefusalForm(request.form, prefix="refuse"))
    return _act(ticket_id, form, lambda ticket: service.take_back(
        g.session, ticket, levels.Milestone(form.milestone.data), form.reason.data, actor=g.actor, sender=sender(),
        now=g.now))  # fmt: skip


@bp.post(f"{ITEM}/cause")
@contractor
@limited
def explain(ticket_id: uuid.UUID) -> View:
    """Say what caused it and which release mends it."""
    form = forms.ExplainForm(request.form)
    return _act(ticket_id, form, lambda ticket: service.explain(
        g.session, ticket, cause=form.cause.data or "", release=form.release.data or "", actor=g.actor, now=g.now)
    )  # fmt: skip


@bp.post(f"{ITEM}/statut")
@team
@limited
def publish(ticket_id: uuid.UUID) -> View:
    """Say of it what the status page shows."""
    form = forms.PublicForm(request.form)

    def save(ticket: Ticket) -> None:
        service.publish(g.session, ticket, form.words.data or "", actor=g.actor, now=g.now)
        pagecache.purge()

    return _act(ticket_id, form, save)


@bp.post(f"{ITEM}/clore")
@administration
@limited
def close(ticket_id: uuid.UUID) -> View:
    """End a ticket that asks for nothing more."""
    form = forms.ReasonForm(request.form, prefix="close")
    return _act(ticket_id, form, lambda ticket: service.close(
        g.session, ticket, form.reason.data, actor=g.actor, sender=sender(), now=g.now))  # fmt: skip


@bp.post(f"{ITEM}/rouvrir")
@administration
@limited
def reopen(ticket_id: uuid.UUID) -> View:
    """Take up a closed ticket again."""
    form = forms.ReasonForm(request.form, prefix="close")
    return _act(ticket_id, form, lambda ticket: service.reopen(
        g.session, ticket, form.reason.data, actor=g.actor, sender=sender(), now=g.now))  # fmt: skip


# Parts of a page ----------------------------------------------------------------------------------------------------


def _act(ticket_id: uuid.UUID, form: Any, save: Callable[[Ticket], None]) -> View:
    """Do it and come back to the ticket, or give the form back with why not."""
    ticket = queries.one(g.session, ticket_id)
    if form.validate() and _saved(form, lambda: save(ticket)):
        flash("C’est fait, et inscrit à l’historique du ticket.", "success")
        return redirect(url_for(".show", ticket_id=ticket_id), 303)
    g.session.expire_all()
    return _page(queries.one(g.session, ticket_id), refused=form), 422


def _saved(form: Any, save: Callable[[], None]) -> bool:
    """Whether it could be done; a refusal goes on the form, which keeps what was typed."""
    try:
        with g.session.begin_nested():
            save()
    except (InvalidError, ConflictError) as error:
        put_errors(form, InvalidError(error.message, fields=error.fields))
        return False
    return True


def _milestones(form: Any) -> Any:
    form.milestone.choices = list(labels.MILESTONES.items())
    return form


def _standing(ticket: Ticket) -> Standing:
    return Standing(ticket, list(policy.clocks(ticket.kind, ticket.t0, policy.state(ticket.events), g.now)))


def _page(ticket: Ticket, *, refused: Any = None) -> str:
    known = policy.state(ticket.events)
    shown = {
        "message": forms.MessageForm(),
        "file": forms.FileForm(),
        "severity": forms.SeverityForm(data={"severity": ticket.severity}, prefix="severity"),
        "reach": _choose(forms.MilestoneForm(), policy.next_milestones(ticket.kind, known)),
        "refuse": _choose(forms.RefusalForm(prefix="refuse"), list(known.reached)),
        "explain": forms.ExplainForm(data={"cause": ticket.cause, "release": ticket.release}),
        "public": forms.PublicForm(data={"words": ticket.public_words}),
        "reason": forms.ReasonForm(prefix="close"),
    }
    for name, form in shown.items():
        if refused is not None and type(form) is type(refused):
            shown[name] = refused
    accounts = {each.account_id for each in ticket.events} | {each.author_id for each in ticket.messages}
    return render_template(
        "tickets/show.html",
        ticket=ticket,
        known=known,
        standing=_standing(ticket),
        asked=assistance.of_ticket(g.session, ticket.id),
        forms=shown,
        form=refused,
        judging=policy.may_judge(g.actor),
        working=policy.may_work(g.actor),
        names=queries.names(g.session, {each for each in accounts if each is not None}),
        causes=queries.causes(g.session),
        **_words(),
    )


def _choose(form: Any, milestones: list[levels.Milestone]) -> Any:
    form.milestone.choices = [(each.value, labels.MILESTONES[each]) for each in milestones]
    return form


def _words() -> dict[str, Any]:
    return {
        "kinds": labels.KINDS,
        "severities": labels.SEVERITIES,
        "milestones": labels.MILESTONES,
        "sides": labels.SIDES,
        "states": labels.STATES,
        "told": labels.told,
        "clock_words": lambda each: labels.clock(each, g.now),
    }
