"""Pages of moderation: reporting, the queue, decisions, contesting, tombstones and public figures."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask import session as browser_session
from werkzeug.wrappers import Response
from wtforms import Form

from consult import pagecache
from consult.actor import Role
from consult.consultations import policy as consultation_policy
from consult.consultations import queries as consultations
from consult.consultations.labels import GROUNDS, HELD, STATUSES, report_label
from consult.consultations.models import Consultation, ContentStatus
from consult.errors import ConflictError, ConsultError, ForbiddenError, GoneError, InvalidError, NotFoundError
from consult.labels import moment
from consult.moderation import labels, letters, policy, queries, service
from consult.moderation.figures import statistics
from consult.moderation.forms import (
    ContestForm,
    EntrustForm,
    EscalateForm,
    ExplainForm,
    HideForm,
    NoteForm,
    ReportForm,
    WordForm,
)
from consult.moderation.holding import queries as holds
from consult.moderation.holding import service as holding
from consult.moderation.letters import Links
from consult.moderation.models import Act
from consult.moderation.reading.views import bp as reading
from consult.moderation.register.views import bp as register
from consult.moderation.service import Wanted
from consult.organisations.policy import site_url
from consult.pagecache import cached_for_visitors
from consult.paging import page_number
from consult.protocols import ContentType, ModerableItem
from consult.security import account_or_address, anyone, digest, limited, limiter, staff

bp = Blueprint("moderation", __name__)
bp.register_blueprint(reading)
bp.register_blueprint(register)
View: TypeAlias = str | Response | tuple[str, int]
FORMS: Final[Mapping[Act, type[Form]]] = {
    Act.HIDE: HideForm,
    Act.RESTORE: ExplainForm,
    Act.UPHOLD: ExplainForm,
    Act.DISMISS: NoteForm,
    Act.PUBLISH: WordForm,
    Act.READ: NoteForm,
    Act.REWORD: HideForm,
    Act.ESCALATE: EscalateForm,
}
moderators = staff(*policy.MODERATORS, anywhere=True)


def _types() -> Mapping[str, ContentType]:
    types: Mapping[str, ContentType] = current_app.extensions["bindings"].content_types
    return types


def _type(item_type: str) -> ContentType:
    content = _types().get(item_type)
    if content is None:
        raise NotFoundError("Ce type de contenu n’existe pas.")
    return content


@bp.app_template_global("author_was_told")
def author_was_told(item_type: str, item_id: uuid.UUID) -> bool:
    """For the pages of hidden contents, which are drawn by features below this one."""
    return queries.author_was_told(g.session, item_type, item_id)


# Reporting ----------------------------------------------------------------------------------------------------------


@bp.get("/signaler/<item_type>/<uuid:item_id>")
@anyone
def report(item_type: str, item_id: uuid.UUID) -> View:
    """The form by which anybody reports a published content."""
    return _report_page(_reportable(item_type, item_id), ReportForm())


@bp.post("/signaler/<item_type>/<uuid:item_id>")
@anyone
@limiter.limit("20/hour", key_func=account_or_address)
def report_now(item_type: str, item_id: uuid.UUID) -> View:
    """Take one person's report."""
    item = _reportable(item_type, item_id)
    form = ReportForm(request.form)
    try:
        recorded = service.report(
            g.session,
            _type(item_type),
            item_id,
            organisation_id=g.organisation.id,
            reason=form.reason.data or "",
            comment=form.comment.data or "",
            reporter=policy.reporter(g.account_id, browser_session.get("csrf", "")),
            now=g.now,
        )
    except InvalidError as error:
        return _with_errors(form, error, lambda: _report_page(item, form))
    flash(
        "Merci. Votre signalement est enregistré\u00a0: une personne va examiner ce contenu."
        if recorded
        else "Vous aviez déjà signalé ce contenu. Votre premier signalement est bien enregistré.",
        "success" if recorded else "info",
    )
    return redirect(request.script_root + item.address, 303)


def _reportable(item_type: str, item_id: uuid.UUID) -> ModerableItem:
    item = _type(item_type).items(g.session, [item_id]).get(item_id)
    consultation = g.session.get(Consultation, item.consultation_id) if item else None
    if item is None or consultation is None or not consultation_policy.may_read(consultation, g.actor):
        raise NotFoundError("Ce contenu n’existe pas.")
    if item.status == ContentStatus.HIDDEN:
        raise GoneError("Ce contenu a déjà été masqué par la modération.")
    if item.status != ContentStatus.PUBLISHED:
        raise NotFoundError("Ce contenu n’existe pas.")
    return item


def _report_page(item: ModerableItem, form: ReportForm) -> str:
    return render_template("moderation/report.html", item=item, label=_type(item.type).label, form=form)


def _with_errors(form: Form, error: InvalidError, page: Any) -> View:
    for name, reason in error.fields.items():
        form[name].errors = [reason]
    return page(), error.status


# The moderators' side -----------------------------------------------------------------------------------------------


@bp.get("/gestion/moderation")
@moderators
def queue() -> View:
    """What waits for a decision, the longest waiting first."""
    scope = policy.scope(g.actor)
    moderated = consultations.names(g.session, scope)
    wanted = {str(each.id): each for each in moderated}.get(request.args.get("consultation", ""))
    item_type = request.args.get("type", "")
    item_type = item_type if item_type in _types() else ""
    total, waiting = queries.queue(
        g.session,
        _types(),
        scope=scope,
        consultation_id=wanted.id if wanted else None,
        item_type=item_type,
        page=page_number(request.args),
    )
    return render_template(
        "moderation/queue.html",
        total=total,
        waiting=waiting,
        held=holds.held(g.session, [each.item_id for each in waiting], g.now),
        contests=queries.open_contests(g.session, scope),
        latest=queries.latest_decisions(g.session, scope),
        consultations=moderated,
        wanted=wanted,
        item_type=item_type,
        types=_labels(),
        acts=labels.ACTS,
        reason_label=report_label,
        grounds=GROUNDS,
        page=page_number(request.args),
        pages=-(-total // queries.PAGE_SIZE),
        address=lambda n: url_for(".queue", consultation=wanted.id if wanted else None, type=item_type or None, page=n),
    )


@bp.get("/gestion/moderation/<item_type>/<uuid:item_id>")
@moderators
def examine(item_type: str, item_id: uuid.UUID) -> View:
    """One content with its reports and its history, and what may be decided."""
    return _examine(_moderated(item_type, item_id), {})


@bp.post("/gestion/moderation/<item_type>/<uuid:item_id>")
@moderators
@limiter.limit("120/minute", key_func=account_or_address)
def decide(item_type: str, item_id: uuid.UUID) -> View:
    """Preview the mail of a decision, or take the decision."""
    item = _moderated(item_type, item_id)
    act = next((each for each in Act if each.value == request.form.get("act")), None)
    if act is None:
        raise InvalidError("Choisissez une décision.")
    form = FORMS[act](request.form, prefix=act.value)
    wanted = Wanted(
        act=act,
        seen=_number("seen"),
        version=_number("version") or None,
        ground=form.ground.data or "" if "ground" in form else "",
        message=form.message.data or "",
        machine=form.machine.data,
    )
    try:
        if request.form.get("action") == "preview" and act in letters.TEMPLATES:
            said = wanted.act, wanted.ground, wanted.message
            answered = [each.reporter_key for each in queries.open_reports(g.session, item.type, item.id)]
            by_machine = policy.automated(item, answered, served=wanted.machine)
            text = letters.preview(item, said, g.organisation, _links(), g.now, automated=by_machine)
            return _examine(item, {act: form}, preview=text)
        service.decide(
            g.session, _type(item_type), item_id, wanted,
            actor=g.actor, organisation=g.organisation, links=_links(), now=g.now,
        )  # fmt: skip
    except InvalidError as error:
        return _with_errors(form, error, lambda: _examine(item, {act: form}))
    except (ConflictError, ForbiddenError) as error:
        return _examine(item, {act: form}, refusal=error), error.status
    pagecache.purge()
    flash(f"{labels.ACTS[act]}\u00a0: « {item.title} ».", "success")
    return redirect(url_for(".queue"), 303)


@bp.post("/gestion/moderation/<item_type>/<uuid:item_id>/prise")
@moderators
@limited
def hold(item_type: str, item_id: uuid.UUID) -> View:
    """Take a content to examine it, give it back, or entrust it to another moderator."""
    item, content, asked = _moderated(item_type, item_id), _type(item_type), request.form.get("action")
    if asked not in {"take", "release", "entrust"}:
        raise InvalidError("Choisissez de prendre, de rendre ou de confier ce contenu.")
    by = {"actor": g.actor, "organisation_id": g.organisation.id, "now": g.now}
    try:
        if asked == "take":
            until = holding.take(g.session, content, item_id, **by)
            done = f"Ce contenu est à vous jusqu’au {moment(until)}."
        elif asked == "entrust":
            until = holding.entrust(g.session, content, item_id, request.form.get("holder", ""), **by)
            done = f"Ce contenu est confié jusqu’au {moment(until)}."
        else:
            holding.release(g.session, item, actor=g.actor)
            done = "Ce contenu n’est plus à vous\u00a0: une autre personne peut l’examiner."
    except (ConflictError, ForbiddenError, InvalidError) as error:
        return _examine(item, {}, refusal=error), error.status
    flash(done, "success")
    return redirect(url_for(".examine", item_type=item_type, item_id=item_id), 303)


def _number(name: str) -> int:
    """A number that the page held, 0 when it is none."""
    sent = request.form.get(name, "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 7 else 0  # noqa: PLR2004  # digits


def _moderated(item_type: str, item_id: uuid.UUID) -> ModerableItem:
    item = _type(item_type).items(g.session, [item_id]).get(item_id)
    if item is None or not g.actor.holds(*policy.MODERATORS, consultation_id=item.consultation_id):
        raise NotFoundError("Ce contenu n’existe pas, ou vous ne modérez pas sa consultation.")
    return item


def _examine(
    item: ModerableItem, forms: Mapping[Act, Form], *, preview: str = "", refusal: ConsultError | None = None
) -> str:
    case = queries.case(g.session, item)
    possible = policy.transitions(policy.state_of(item.status, item.status_reason), case.facts)
    own = item.author_id is not None and item.author_id == g.account_id
    return render_template(
        "moderation/examine.html",
        item=item,
        label=_type(item.type).label,
        status=HELD.get(item.status_reason or "") or STATUSES[ContentStatus(item.status)],
        consultation=g.session.get(Consultation, item.consultation_id),
        history=case.history,
        reports=case.reports,
        contest=case.contest,
        own=own,
        held=holds.held(g.session, [item.id], g.now).get((item.type, item.id)),
        minutes=holding.TAKEN.seconds // 60,
        entrust=_entrust_form(item),
        set_aside=policy.Fact.SET_ASIDE in case.facts,
        escalated=policy.Fact.ESCALATED in case.facts,
        forms={act.value: forms.get(act) or FORMS[act](prefix=act.value) for act in possible if not own},
        seen=case.number,
        preview=preview,
        refusal=refusal.message if refusal else "",
        acts=labels.ACTS,
        grounds=GROUNDS,
        reason_label=report_label,
    )


def _entrust_form(item: ModerableItem) -> EntrustForm | None:
    """For administrators: whom a content may be entrusted to."""
    if not g.actor.holds(Role.ADMINISTRATOR, consultation_id=item.consultation_id):
        return None
    form = EntrustForm()
    form.holder.choices = [(str(each.id), each.pseudonym) for each in holding.able(g.session, g.organisation.id, item)]
    return form


def _labels() -> dict[str, str]:
    return {name: content.label for name, content in _types().items()}


def _links() -> Links:
    settings = current_app.extensions["settings"]
    site = site_url(settings, g.organisation.slug, at_root=not request.script_root)

    def contest(token: str) -> str:
        return site + url_for("moderation.contest", token=token).removeprefix(request.script_root)

    return Links(site=site, charter=f"{site}/charte", contest=contest)


# Contesting ---------------------------------------------------------------------------------------------------------


@bp.get("/moderation/contester/<token>")
@anyone
def contest(token: str) -> View:
    """The page of the mailed link: what was decided, and a button; opening it changes nothing."""
    return _contest_page(token, ContestForm())


@bp.post("/moderation/contester/<token>")
@anyone
@limiter.limit("20/hour", key_func=account_or_address)
def contest_now(token: str) -> View:
    """Record the author's contestation."""
    form = ContestForm(request.form)
    try:
        service.contest(g.session, token, form.statement.data or "", now=g.now)
    except InvalidError as error:
        return _with_errors(form, error, lambda: _contest_page(token, form))
    flash("Votre contestation est enregistrée. Une autre personne examinera la décision et vous répondra.", "success")
    return redirect(url_for(".contest", token=token), 303)


def _contest_page(token: str, form: ContestForm) -> str:
    found = queries.contested(g.session, digest(token))
    if found is None:
        raise NotFoundError("Ce lien n’est pas valable. Vérifiez qu’il est complet, ou écrivez-nous.")
    decision, earlier = found
    return render_template(
        "moderation/contest.html",
        decision=decision,
        ground=GROUNDS[decision.ground or ""],
        label=_type(decision.item_type).label,
        contest=earlier,
        form=form,
        token=token,
        late=g.now - decision.decided_at > consultation_policy.APPEALS,
    )


# What anybody may read ----------------------------------------------------------------------------------------------


@bp.get("/corbeille")
@anyone
@cached_for_visitors
def tombstones() -> View:
    """Every hidden content, as its tombstone: type, date, ground, article; never the text."""
    slug = request.args.get("consultation", "")
    total, found = queries.tombstones(g.session, consultation_slug=slug, page=page_number(request.args))
    return render_template(
        "moderation/bin.html",
        total=total,
        tombstones=found,
        types=_labels(),
        grounds=GROUNDS,
        page=page_number(request.args),
        pages=-(-total // queries.PAGE_SIZE),
        address=lambda n: url_for(".tombstones", consultation=slug or None, page=n),
    )


@bp.get("/moderation")
@anyone
@cached_for_visitors
def figures() -> View:
    """The public figures of moderation."""
    return render_template(
        "moderation/figures.html",
        figures=statistics(g.session),
        changes=queries.reading_changes(g.session),
        read_first=queries.read_first(g.session),
        types=_labels(),
        grounds=GROUNDS,
        acts=labels.ACTS,
    )
