"""What each request passes before its view: which organisation, who asks, may they, does the form come from here."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import TYPE_CHECKING, Final

from flask import Response, current_app, flash, g, redirect, request, url_for

from consult import clock, errors, logs, security
from consult.accounts import policy as accounts_policy
from consult.accounts import queries as accounts_queries
from consult.accounts import service as accounts_service
from consult.accounts.unsent.views import keep_sent
from consult.actor import ANONYMOUS, Actor, Role
from consult.audience import policy as audience
from consult.consultations import queries as consultations
from consult.db import Database, session_on, survives
from consult.opendata.keys import service as keys
from consult.organisations import queries as organisations
from consult.organisations.models import Organisation
from consult.settings import Settings
from consult.tally import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from sqlalchemy import Connection
    from werkzeug.wrappers import Response as AnyResponse

READING: Final = frozenset({"GET", "HEAD"})
REMEMBERED: Final = 100  # addresses of organisations that a process remembers
TOO_HEAVY: Final = (
    "Votre session était terminée, et ce que vous envoyez est trop volumineux pour être gardé\u00a0: rien n’est "
    "enregistré. Reconnectez-vous, puis recommencez avec moins de texte ou un fichier plus léger. Le bouton "
    "«\u00a0Précédent\u00a0» du navigateur rend souvent ce qui était saisi\u00a0: copiez-le d’abord."
)
WITHOUT_ORGANISATION: Final = frozenset({"static", "site.healthz", "site.readyz"})  # files, and probes of one node


def begin() -> AnyResponse | None:
    """Open the request: `g.now`, `g.organisation`, `g.actor`; refuse or redirect whoever may not call the view."""
    g.now = clock.now()
    g.actor, g.account_id, g.session_token, g.organisation, g.identity = ANONYMOUS, None, None, None, None
    g.api_key = None
    if request.endpoint in WITHOUT_ORGANISATION:
        return None
    if "\0" in request.path:
        raise errors.NotFoundError  # no address of ours holds a null character, and PostgreSQL takes none
    settings: Settings = current_app.extensions["settings"]
    database: Database = current_app.extensions["database"]
    with database.before_writing(g.session) as connection:
        g.organisation = _organisation(connection, settings)
        if g.organisation is None:
            raise errors.NotFoundError("Aucune organisation n’est servie à cette adresse.")
        g.session.info["tenant"] = g.organisation.id
        _identify(settings, connection)
        consultation_id = _consultation_named(connection)
    if request.url_rule is None:
        return None  # Flask says 404 or 405 next
    refused = _check_access(g.actor, consultation_id)
    if refused is None:
        _allow_files()
        if g.api_key is None:  # no other site can have a browser send a key
            security.check_csrf(request, settings.public_url)
    return refused


def _organisation(connection: Connection, settings: Settings) -> Organisation | None:
    """The organisation that the address serves, remembered by the process for as long as anonymous pages are."""
    slug, host = request.environ.get("consult.organisation"), request.host
    kept: dict[tuple[str | None, str], tuple[float, Organisation]] = current_app.extensions["organisations"]
    until, organisation = kept.get((slug, host), (0.0, None))
    if organisation is not None and time.monotonic() < until:
        return organisation
    with session_on(connection, tenant=None) as reading:
        organisation = organisations.of_request(reading, slug=slug, host=host, settings=settings)
        reading.expunge_all()  # shared by several requests from now on: read, never written
    if organisation is not None:
        if len(kept) >= REMEMBERED:
            kept.clear()
        kept[slug, host] = (time.monotonic() + settings.page_cache_seconds, organisation)
    return organisation


def _identify(settings: Settings, connection: Connection) -> None:
    """Find who signed in on this browser."""
    token = request.cookies.get(accounts_policy.session_cookie(settings).name)
    if not token:
        return
    identity = accounts_queries.identify(connection, token=token, organisation_id=g.organisation.id, now=g.now)
    if identity is None or not _holds(identity):
        return
    g.identity, g.actor, g.account_id, g.session_token = identity, identity.actor, identity.account_id, token
    if identity.touch_due:
        now: dt.datetime = g.now
        survives(g.session, lambda session: accounts_service.touch(session, identity.login_session_id, now))


def _holds(identity: accounts_queries.Identity) -> bool:
    """False when the address is being confirmed from another browser: what this one sends is not its holder's."""
    if identity.actor.confirmed or request.method not in security.UNSAFE_METHODS:
        return True
    return accounts_service.still_signed_in(g.session, identity.account_id, identity.login_session_id)


def _consultation_named(connection: Connection) -> uuid.UUID | None:
    """The consultation that the address names, for those who hold roles on one consultation and not on all."""
    slug = (request.view_args or {}).get("slug")
    if slug is None or not g.actor.by_consultation:
        return None
    with session_on(connection, tenant=g.organisation.id) as reading:
        return consultations.id_of(reading, slug)


def _check_access(actor: Actor, consultation_id: uuid.UUID | None) -> AnyResponse | None:
    access = security.access_of(current_app.view_functions[str(request.endpoint)])
    if access is None:
        raise errors.ForbiddenError
    if access.key_scope:
        header = request.headers.get("Authorization", "")
        g.api_key = keys.recognise(g.session, header, access.key_scope, now=g.now)
        return None
    if not access.roles:
        return None
    if actor.account_id is None:
        return _ask_to_sign_in()
    if actor.second_factor_due and not access.password_suffices:
        return _ask_second_factor()
    if Role.PARTICIPANT in access.roles:
        return None
    allowed = (
        actor.holds_anywhere(*access.roles)
        if access.anywhere
        else actor.holds(*access.roles, consultation_id=consultation_id)
    )
    if not allowed:
        raise errors.ForbiddenError
    return None if not access.fresh_second_factor or _second_factor_is_fresh() else _ask_second_factor()


def _ask_to_sign_in() -> AnyResponse:
    """Have the person sign in, then come back. Raises NotSignedInError where nothing would be come back to."""
    wanted = None if request.path.startswith("/api") else _wanted()
    if wanted is None:
        raise errors.NotSignedInError(TOO_HEAVY if _is_too_heavy() else "")
    if request.method not in READING:
        flash("Il faut vous connecter pour envoyer ce formulaire. Ce que vous avez saisi vous attend ensuite.", "info")
    return redirect(url_for("accounts.sign_in", suite=wanted), 303)


def _allow_files() -> None:
    """Let a request bring more than the setting where its view takes files: known before anything of it is read."""
    access = security.access_of(current_app.view_functions[str(request.endpoint)])
    if access is not None and access.heaviest:
        request.max_content_length = access.heaviest + current_app.config["MAX_CONTENT_LENGTH"]


def _is_too_heavy() -> bool:
    return (request.content_length or 0) > (request.max_content_length or 0)


def _ask_second_factor() -> AnyResponse:
    wanted = _wanted()
    if wanted is None and _is_too_heavy():
        flash(TOO_HEAVY, "danger")
    return redirect(url_for("accounts.second_factor.show", suite=wanted), 303)


def _wanted() -> str | None:
    """Where to come back: the page that was asked for; for a form, the page that gives it back, if it is kept."""
    if request.method in READING:
        return request.full_path.rstrip("?")
    _allow_files()  # what is typed beside a file is kept, the file is not
    return keep_sent()


def _second_factor_is_fresh() -> bool:
    return accounts_policy.is_fresh(g.identity.second_factor_at, g.now, form=request.method not in READING)


SERVED: Final = 200
JOURNALLED = frozenset({401, 403, 429})  # refusals that tell of an attempt, whatever the method


def finish(response: Response) -> Response:
    """Put the headers that every reply owes; journal each act and each refused access."""
    settings: Settings = current_app.extensions["settings"]
    view = current_app.view_functions.get(str(request.endpoint))
    access = security.Access(indexable=True) if request.endpoint == "static" else security.access_of(view)
    if request.method in security.UNSAFE_METHODS or response.status_code in JOURNALLED:
        _journal(response, unnamed=access is not None and access.unnamed)
    if response.status_code == SERVED and response.mimetype == "text/html" and (page := public_page()):
        request.environ.get(PAGE, []).append(page)
    signed_in = g.get("account_id") is not None
    return security.apply_headers(response, access, https=settings.https, signed_in=signed_in, told=settings.tracker)


def public_page() -> tuple[uuid.UUID, str] | None:
    """The organisation and the page asked for, as traffic is told of it: no page of staff, nor asked by them."""
    organisation, rule = g.get("organisation"), request.url_rule
    access = security.access_of(current_app.view_functions.get(str(request.endpoint)))
    if organisation is None or rule is None or access is None or g.actor.is_staff or access.roles - {Role.PARTICIPANT}:
        return None
    return organisation.id, audience.page_of(rule.rule, request.view_args or {})


def _journal(response: Response, *, unnamed: bool) -> None:
    """One line of the security journal: who did what, from where (what the law makes a host keep of its contributors).

    The endpoint stands for the address, which may hold a token. `unnamed`: neither who nor from where.
    """
    account = None if unnamed else g.get("account_id") or g.get("signed_in_as")
    organisation = g.get("organisation")
    logs.security_event(
        str(request.endpoint),
        method=request.method,
        status=response.status_code,
        account=str(account) if account else None,
        address=None if unnamed else security.client_address(),
        organisation=organisation.slug if organisation else None,
        object=_object_named(),
    )


def _object_named() -> str | None:
    named = (request.view_args or {}).values()
    return next((str(value) for value in named if isinstance(value, uuid.UUID)), None)


class OrganisationInAddress:
    """Strip `/o/<organisation>` into SCRIPT_NAME, so that every address built inside keeps it."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith("/o/"):
            slug, _, rest = path[3:].partition("/")
            environ["consult.organisation"] = slug
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/o/{slug}"
            environ["PATH_INFO"] = f"/{rest}"
        return self._application(environ, start_response)
