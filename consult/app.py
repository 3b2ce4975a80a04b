"""Assembly: one application from the features, and the one place where the web commits.

A request below 400 commits, everything else rolls back, a failing commit becomes 503. What must outlive a refusal goes
through `db.survives`, run once the request's transaction is over.
"""

# Over 400 lines: the one place that names every feature, so that none has to name another.

from __future__ import annotations

import datetime as dt
import logging
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIFlask
from flask import Blueprint, Flask, Response, current_app, g, request
from flask_login import LoginManager, UserMixin
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.middleware.proxy_fix import ProxyFix

from consult import __version__, gate, labels, refusals, security, theming
from consult import html as rich_text
from consult.accounts import bindings as accounts_bindings
from consult.accounts import jobs as accounts_jobs
from consult.accounts import views as accounts_views
from consult.accounts.identities import keys as identity_keys
from consult.actor import ANONYMOUS, Actor
from consult.audience import counters as audience
from consult.audience import jobs as audience_jobs
from consult.audience import opposition
from consult.audience import views as audience_views
from consult.audience.visits import Visits
from consult.audit import bindings as audit_bindings
from consult.coding import bindings as coding_bindings
from consult.coding import jobs as coding_jobs
from consult.coding import views as coding_views
from consult.coding.quality import views as coding_quality_views
from consult.consultations import bindings as consultations_bindings
from consult.consultations import datasets as consultations_datasets
from consult.consultations import figures
from consult.consultations import queries as consultations
from consult.consultations import views as consultations_views
from consult.contributions import bindings as contributions_bindings
from consult.contributions import counters, pending
from consult.contributions import datasets as contributions_datasets
from consult.contributions import jobs as contributions_jobs
from consult.contributions import queries as contributions_queries
from consult.contributions import views as contributions_views
from consult.contributions.acts import queries as contribution_acts
from consult.contributions.bill import bindings as bill_bindings
from consult.contributions.exposure import service as exposure
from consult.db import Database
from consult.displays import Displays
from consult.followup import bindings as followup_bindings
from consult.followup import jobs as followup_jobs
from consult.followup import views as followup_views
from consult.imports import bindings as imports_bindings
from consult.imports import jobs as imports_jobs
from consult.jobs import schedule as jobs_schedule
from consult.jobs.schedule import Task
from consult.mail import jobs as mail_jobs
from consult.moderation import bindings as moderation_bindings
from consult.moderation import jobs as moderation_jobs
from consult.moderation import views as moderation_views
from consult.moderation.aids import bindings as aids_bindings
from consult.moderation.aids import jobs as aids_jobs
from consult.moderation.aids import views as aids_views
from consult.opendata import api as opendata_api
from consult.opendata import jobs as opendata_jobs
from consult.opendata import specification as opendata_specification
from consult.opendata import views as opendata_views
from consult.opendata.formats import Format
from consult.opendata.keys import api as keys_api
from consult.opendata.keys import bindings as keys_bindings
from consult.opendata.keys import tickets as keys_tickets
from consult.opendata.keys import views as keys_views
from consult.opendata.mission import bindings as mission_bindings
from consult.opendata.mission import jobs as mission_jobs
from consult.opendata.mission import views as mission_views
from consult.opendata.raw import bindings as raw_bindings
from consult.opendata.raw import jobs as raw_jobs
from consult.opendata.raw import views as raw_views
from consult.organisations import queries as organisations
from consult.organisations import views as organisations_views
from consult.pagecache import PageCache
from consult.privacy import jobs as privacy_jobs
from consult.privacy import retention
from consult.privacy import views as privacy_views
from consult.privacy.rights import bindings as rights_bindings
from consult.privacy.rights import views as rights_views
from consult.protocols import (
    Bindings,
    Closed,
    ContentType,
    JobHandler,
    PersonalData,
    PublicDataset,
    Sequencing,
    StepKind,
)
from consult.questionnaires import bindings as questionnaires_bindings
from consult.questionnaires import jobs as questionnaires_jobs
from consult.questionnaires import queries as questionnaires_queries
from consult.questionnaires import service as questionnaires_service
from consult.questionnaires import totals as questionnaires_totals
from consult.questionnaires import views as questionnaires_views
from consult.registry import release
from consult.registry import views as registry_views
from consult.reporting import bindings as reporting_bindings
from consult.reporting import views as reporting_views
from consult.settings import Settings, by_organisation
from consult.site import receipts as site_receipts
from consult.site import views as site_views
from consult.subscriptions import bindings as subscriptions_bindings
from consult.subscriptions import jobs as subscriptions_jobs
from consult.subscriptions import views as subscriptions_views
from consult.tickets import bindings as tickets_bindings
from consult.tickets import jobs as tickets_jobs
from consult.tickets import views as tickets_views
from consult.tickets.assistance import bindings as assistance_bindings
from consult.tickets.assistance import views as assistance_views
from consult.tickets.status import jobs as status_jobs
from consult.tickets.status import views as status_views

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

logger = logging.getLogger(__name__)
BLUEPRINTS: Final[tuple[Blueprint, ...]] = (
    accounts_views.bp,
    organisations_views.bp,
    consultations_views.bp,
    contributions_views.bp,
    questionnaires_views.bp,
    moderation_views.bp,
    aids_views.bp,
    coding_views.bp,
    coding_quality_views.bp,
    followup_views.bp,
    tickets_views.bp,
    status_views.bp,
    assistance_views.bp,
    reporting_views.bp,
    audience_views.bp,
    opposition.bp,
    subscriptions_views.bp,
    opendata_views.bp,
    mission_views.bp,
    raw_views.bp,
    keys_views.bp,
    keys_api.bp,
    keys_tickets.bp,
    opendata_api.bp,
    registry_views.bp,
    privacy_views.bp,
    rights_views.bp,
    site_receipts.bp,
    site_views.bp,
)
TASKS: Final[tuple[Task, ...]] = (  # what workers do periodically
    *jobs_schedule.TASKS,
    *mail_jobs.TASKS,
    *accounts_jobs.TASKS,
    *contributions_jobs.TASKS,
    *questionnaires_jobs.TASKS,
    *questionnaires_totals.TASKS,
    *opendata_jobs.TASKS,
    *moderation_jobs.TASKS,
    *aids_jobs.TASKS,
    *followup_jobs.TASKS,
    *tickets_jobs.TASKS,
    *status_jobs.TASKS,
    *subscriptions_jobs.TASKS,
    *mission_jobs.TASKS,
    *audience_jobs.TASKS,
    *raw_jobs.TASKS,
    *privacy_jobs.TASKS,
)
ON_ACCOUNT_CONFIRMED: Final = (  # what was kept until the address was confirmed, contents before the votes on them
    pending.publish_pending,
    pending.count_pending,
    questionnaires_service.publish_pending_replies,
)
PREPARED_BEFORE_CONFIRMATION: Final = (contribution_acts.prepared, questionnaires_queries.prepared)  # how many
# What goes when the holder of the address disowns what was done before: all that an account does, drafts included.
ERASED_BEFORE_CONFIRMATION: Final = tuple(
    data.erase
    for data in (
        *aids_bindings.PERSONAL_DATA,
        *moderation_bindings.PERSONAL_DATA,
        *contributions_bindings.PERSONAL_DATA,
        *questionnaires_bindings.PERSONAL_DATA,
        *subscriptions_bindings.PERSONAL_DATA,
    )
)
# What lower features ask of those above: accounts, what follows a confirmed address and names for the register;
# contributions, what a list is filtered by.
ASKED_FROM_BELOW: Final[dict[str, Any]] = {
    "on_account_confirmed": ON_ACCOUNT_CONFIRMED,
    "prepared_before_confirmation": PREPARED_BEFORE_CONFIRMATION,
    "erased_before_confirmation": ERASED_BEFORE_CONFIRMATION,
    "consultation_titles": consultations.titles,
    "answered": followup_views.Answered(),
}
CONSERVED: Final = (contributions_queries.states, questionnaires_queries.states)  # what the census counts
# In the order of erasure: each may ask those after it whose a row is.
PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (
    *subscriptions_bindings.PERSONAL_DATA,
    *aids_bindings.PERSONAL_DATA,
    *moderation_bindings.PERSONAL_DATA,
    *coding_bindings.PERSONAL_DATA,
    *followup_bindings.PERSONAL_DATA,
    assistance_bindings.HelpRequestData(),
    *tickets_bindings.PERSONAL_DATA,
    *imports_bindings.PERSONAL_DATA,
    *mission_bindings.PERSONAL_DATA,
    *raw_bindings.PERSONAL_DATA,
    *keys_bindings.PERSONAL_DATA,
    *rights_bindings.PERSONAL_DATA,
    *contributions_bindings.PERSONAL_DATA,
    *questionnaires_bindings.PERSONAL_DATA,
    *audit_bindings.PERSONAL_DATA,
    *accounts_bindings.PERSONAL_DATA,
)


class CurrentUser(UserMixin):  # type: ignore[misc]  # flask-login has no types
    """What templates know of the signed-in person."""

    def __init__(self, actor: Actor) -> None:
        self.id = str(actor.account_id)
        self.pseudonym = actor.pseudonym
        self.is_staff = actor.is_staff
        self.confirmed = actor.confirmed


class ConsultApp(APIFlask):
    """The application, with the one commit point of the web."""

    jinja_environment = theming.Templates

    def full_dispatch_request(self) -> Response:
        """Run the request in one transaction; see the module's docstring."""
        database: Database = self.extensions["database"]
        g.session = database.session(write=request.method in security.UNSAFE_METHODS, tenant=None)
        g.undecided = True
        try:
            return super().full_dispatch_request()
        finally:
            g.session.close()
            self._run_survivors(database)

    def process_response(self, response: Response) -> Response:
        """Commit or roll back once the reply is known, before what follows it: SQLite's next writer is waiting."""
        if g.pop("undecided", False):
            response = self._decide(response)
        return super().process_response(response)

    def _decide(self, response: Response) -> Response:
        if response.status_code >= 400:  # noqa: PLR2004  # HTTP: below 400 the act stands
            g.session.rollback()
            return response
        try:
            g.session.commit()
        except SQLAlchemyError:
            logger.exception("commit failed")
            g.session.rollback()
            return self.make_response(refusals.refuse(503))
        return response

    def _run_survivors(self, database: Database) -> None:
        try:
            database.run_survivors(g.session)
        except SQLAlchemyError:
            logger.exception("what was to survive the request is lost")


def create_app(settings: Settings) -> ConsultApp:
    """The application for these settings. Reads no environment, opens no connection."""
    app = ConsultApp(
        "consult",
        title="API publique de Consult",
        version="1",
        json_errors=False,
        docs_path=None,
        spec_path=None,
        static_folder="static",
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.max_request_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_request_bytes,
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,  # addresses of assets carry their digest
        SESSION_COOKIE_NAME="__Host-form" if settings.https else "form",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.session_interface = security.FormCookie()
    app.extensions["settings"] = settings
    app.extensions["database"] = Database(settings.database_url, pool_size=settings.pool_size)
    app.extensions["bindings"] = bindings(settings)
    app.extensions["identity_keys"] = identity_keys.load(settings.identity_key_files)
    app.extensions["organisations"] = {}  # what gate.py remembers of them
    app.extensions |= ASKED_FROM_BELOW
    _start_login(app)
    security.start_limiter(app, redis_url=settings.redis_url, enabled=settings.rate_limits)
    _start_templates(app, settings)
    refusals.register(app)
    app.before_request(gate.begin)
    app.after_request(gate.finish)
    opendata_specification.describe(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    _wrap(app, settings)
    return app


def bindings(settings: Settings) -> Bindings:
    """Every implementation of the five protocols; installed packages may add step kinds."""
    step_kinds: list[StepKind] = [
        consultations_bindings.PresentationStep(consultations_views.presentation_page),
        *contributions_views.step_kinds(),
        questionnaires_bindings.QuestionnaireStep(questionnaires_views.step_page),
        reporting_bindings.ResultsStep(reporting_views.step_page),
        *(point.load()() for point in entry_points(group="consult.step_kinds")),
    ]
    content_types: tuple[ContentType, ...] = (
        contributions_bindings.ProposalContent(),
        contributions_bindings.ArgumentContent(),
        questionnaires_bindings.ReplyContent(),
    )
    contents = {each.type: each for each in content_types}
    by_name = {dataset.name: dataset for dataset in _public_datasets()}
    make_dump = opendata_jobs.DumpMaker(settings, by_name)
    read_rows = opendata_jobs.DumpMaker(settings, by_name, formats={Format.NDJSON})
    job_handlers: tuple[JobHandler, ...] = (
        jobs_schedule.PruneJobs(TASKS),
        mail_jobs.DeliverMail(settings),
        mail_jobs.PruneMails(),
        accounts_jobs.PurgeExpired(),
        *contributions_jobs.handlers(),
        *(each for made in (questionnaires_jobs, audience_jobs) for each in made.handlers(settings)),
        questionnaires_totals.PublishTotals(),
        *(each for made in (imports_jobs, aids_jobs) for each in made.handlers(contents)),
        *moderation_jobs.handlers(settings, contents),
        *(opendata_jobs.MakeDump(settings, make_dump), opendata_jobs.RefreshDumps()),
        *mission_jobs.handlers(settings, by_name),
        *privacy_jobs.handlers(settings, PERSONAL_DATA),
        *(handler(settings) for handler in (raw_jobs.MakeRaw, raw_jobs.ExpireRaw, subscriptions_jobs.TellFollowers)),
        *(handler(settings) for handler in (*followup_jobs.HANDLERS, *tickets_jobs.HANDLERS, *status_jobs.HANDLERS)),
        *(coding_jobs.RunHandler(settings.data_path, read_rows), coding_jobs.MeasureHandler()),
    )
    return Bindings(
        step_kinds={kind.kind: kind for kind in step_kinds},
        content_types=contents,
        job_handlers={handler.kind: handler for handler in job_handlers},
        personal_data=PERSONAL_DATA,
        public_datasets=by_name,
    )


def sequencing(bound: Bindings, settings: Settings) -> Sequencing:
    """What the sequencer of the public registry asks of the features."""
    return Sequencing(
        slugs=organisations.slugs,
        closed=_sealable,
        on_placed=(counters.count_placed,),
        count=figures.Counting(bound.step_kinds, CONSERVED),
        release=release.running(settings.commit),
    )


def _sealable(session: Session, now: dt.datetime) -> list[Closed]:
    """The consultations closed at that instant from which no reply is still to come out of an urn."""
    waiting = questionnaires_queries.awaiting_batches(session)
    return [each for each in consultations.closed(session, now) if each.consultation_id not in waiting]


def _public_datasets() -> tuple[PublicDataset, ...]:
    return (
        consultations_datasets.ConsultationDataset(),
        consultations_datasets.StepsDataset(),
        contributions_datasets.ThemesDataset(),
        bill_bindings.ArticlesDataset(),
        contributions_datasets.ContributionsDataset(),
        contributions_datasets.ArgumentsDataset(),
        contributions_datasets.VotesDataset(),
        contributions_datasets.BallotsDataset(),
        questionnaires_bindings.QuestionsDataset(),
        questionnaires_bindings.RepliesDataset(),
        questionnaires_bindings.AnswersDataset(),
        moderation_bindings.ModerationDataset(),
        followup_bindings.OfficialAnswersDataset(),
        followup_bindings.CommitmentsDataset(),
        questionnaires_totals.TotalsDataset(),
    )


def _wrap(app: ConsultApp, settings: Settings) -> None:
    """Middleware, outermost last: proxies, the organisation in the address, visits, displays, the page memory."""
    inner: WSGIApplication = app.wsgi_app
    if settings.page_cache_seconds:
        inner = app.extensions["page_cache"] = PageCache(inner, settings.page_cache_seconds)
    inner = app.extensions["displays"] = Displays(inner, exposure.keeper(app.extensions["database"]))
    if settings.audience == "counters":
        inner = app.extensions["visits"] = Visits(inner, audience.keeper(app.extensions["database"]))
    inner = gate.OrganisationInAddress(inner)
    if settings.proxies:
        count = settings.proxies
        inner = ProxyFix(inner, x_for=count, x_proto=count, x_host=count)
    app.wsgi_app = inner  # type: ignore[method-assign]  # the documented way to add middleware


# Assembly parts -----------------------------------------------------------------------------------------------------


def _start_login(app: Flask) -> None:
    manager = LoginManager(app)
    manager.session_protection = None  # sessions live on the server: accounts/
    manager.request_loader(lambda _request: CurrentUser(g.actor) if g.actor.account_id else None)


def _tracker(settings: Settings) -> dict[str, str] | None:
    """What the page being drawn tells of itself, and to whom; None where nothing is told."""
    page, organisation = gate.public_page() if settings.tracker else None, g.get("organisation")
    site = by_organisation(settings.matomo_sites).get(organisation.slug) if organisation is not None else None
    return {"address": settings.tracker, "site": site, "page": page[1]} if page and site else None


def _start_templates(app: Flask, settings: Settings) -> None:
    theming.install(app, settings.theme or None)
    app.jinja_env.globals.update(
        asset=theming.asset,
        csrf_token=security.csrf_token,
        retention=(*retention.RULES, *retention.OTHERS),  # for the legal page
        accessibility_state="non conforme",  # the state in law until an audit is valid: criteria C2
        version=__version__,
    )
    app.jinja_env.filters.update(labels.FILTERS, rich=rich_text.render_rich, plain=rich_text.render_plain)

    @app.context_processor
    def _request_globals() -> dict[str, Any]:
        access = security.access_of(current_app.view_functions.get(str(request.endpoint)))
        return {
            "tracker": _tracker(settings),
            "indexable": access is not None and access.indexable,
            "organisation": g.get("organisation"),
            "actor": g.get("actor", ANONYMOUS),
            "now": g.get("now"),
            "site_root": request.script_root,
        }
