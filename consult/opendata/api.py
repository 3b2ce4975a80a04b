"""The public API, version 1: rows of the public datasets behind opaque cursors, and nothing else.

Every reply carries the licence, the source, the position in the registry and the date of the last change; it has an
ETag, and any site may read it when it is anonymous.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from apiflask import APIBlueprint, HTTPError
from flask import Response, current_app, g, request, url_for
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.http import http_date

from consult import clock, errors
from consult.actor import ANONYMOUS
from consult.clock import written
from consult.consultations import queries as consultations
from consult.consultations.models import Consultation
from consult.errors import GoneError, InvalidError
from consult.opendata import envelopes, feed, queries, schemas
from consult.protocols import Bindings, PublicDataset, Row
from consult.registry import queries as registry
from consult.registry import release
from consult.reporting.views import PUBLIC_FILES as RESULT_FILES
from consult.security import anyone, limiter
from consult.settings import Settings

LIMIT: Final = "300/minute"
bp = APIBlueprint("api", __name__, url_prefix="/api/v1", tag="Données ouvertes")
limiter.limit(LIMIT)(bp)
RESTORED: Final = (
    "Le registre a été restauré depuis ce curseur, ou les identifiants des auteurs et des votants détruits à la fin "
    "des recours\u00a0: videz votre copie et recommencez sans curseur."
)
EXPOSED: Final = "ETag, RateLimit, RateLimit-Policy, Deprecation, Sunset, Link"  # what a script elsewhere may read
INVALID: Final = {
    "limit": f"un nombre entier de 1 à {schemas.MAX_LIMIT} est attendu",
    "cursor": "ce curseur n’est pas de ceux que cette adresse donne : reprenez au début, sans curseur",
}
SUMMARIES: Final = {
    "steps": "Étapes d’une consultation",
    "themes": "Thèmes d’une consultation",
    "articles": "Parties des textes de loi",
    "contributions": "Contributions d’une consultation",
    "arguments": "Arguments pour et contre",
    "votes": "Votes, un par un",
    "ballots": "Bulletins, un par un : points répartis, classements",
    "questions": "Questions des questionnaires",
    "replies": "Réponses aux questionnaires : qu’elles existent, et leur jour",
    "answers": "Réponses aux questions publiées ligne à ligne",
    "moderation": "Décisions de modération",
    "official_answers": "Réponses officielles de l’administration",
    "commitments": "Engagements de l’administration et leurs points d’étape",
    "totals": "Totaux des questions publiées en totaux seulement, par groupes de dix personnes au moins",
}


@bp.get("/version")
@bp.output(envelopes.Version)
@bp.doc(summary="Version de la plateforme et de l’API", operation_id="version")
@anyone
def version() -> dict[str, Any]:
    settings: Settings = current_app.extensions["settings"]
    return {"name": "consult", "api": "v1", "licence": schemas.LICENCE, **release.running(settings.commit)}


@bp.get("/openapi.json")
@bp.doc(hide=True)
@anyone
def openapi() -> Response:
    document = {**current_app.spec, "servers": [{"url": request.script_root or "/"}]}  # type: ignore[attr-defined]  # APIFlask’s own
    return Response(current_app.json.dumps(document), mimetype="application/json")


@bp.get("/consultations")
@bp.input(envelopes.Page, location="query", arg_name="page")
@bp.output(envelopes.ConsultationList)
@bp.doc(summary="Consultations publiques", operation_id="consultations")
@anyone
def consultation_list(page: envelopes.Page) -> dict[str, Any]:
    after = _opened(page.cursor, "consultations")
    rows = queries.consultation_rows(g.session, after=after, limit=page.limit + 1)
    return _listed(list(rows), page, "consultations") | _envelope(None)


@bp.get("/consultations/<slug>")
@bp.output(envelopes.ConsultationReply)
@bp.doc(summary="Une consultation", operation_id="consultation")
@anyone
def consultation(slug: str) -> dict[str, Any]:
    found = _consultation(slug)
    (row,) = _dataset("consultation").rows(g.session, found.id)
    return {"data": row} | _envelope(found)


def _register(name: str, reply: type[envelopes.ListEnvelope]) -> None:
    """One list: `/consultations/<slug>/<name>`."""

    @bp.get(f"/consultations/<slug>/{name}", endpoint=name)
    @bp.input(envelopes.Page, location="query", arg_name="page")
    @bp.output(reply)
    @bp.doc(summary=SUMMARIES[name], operation_id=name)
    @anyone
    def rows(slug: str, page: envelopes.Page) -> dict[str, Any]:
        found = _consultation(slug)
        scope = f"{name}:{found.id}"
        after = _opened(page.cursor, scope)
        listed = list(_dataset(name).rows(g.session, found.id, after=after, limit=page.limit + 1))
        return _listed(listed, page, scope) | _envelope(found)


for _name, _reply in envelopes.ROWS.items():
    _register(_name, _reply)


@bp.get("/consultations/<slug>/questionnaires")
@bp.output(envelopes.QuestionnaireList)
@bp.doc(summary="Questionnaires et leurs questions", operation_id="questionnaires")
@anyone
def questionnaires(slug: str) -> dict[str, Any]:
    found = _consultation(slug)
    questions = sorted(_dataset("questions").rows(g.session, found.id), key=lambda row: int(row["position"]))
    listed = [
        {
            "step": step["id"],
            "slug": step["slug"],
            "title": step["title"],
            "questions": [row for row in questions if row["step"] == step["id"]],
        }
        for step in sorted(_dataset("steps").rows(g.session, found.id), key=lambda row: int(row["position"]))
        if step["kind"] == "questionnaire"
    ]
    return {"data": listed} | _envelope(found)


@bp.get("/consultations/<slug>/exports")
@bp.output(envelopes.ExportList)
@bp.doc(summary="Export complet à télécharger", operation_id="exports")
@anyone
def exports(slug: str) -> dict[str, Any]:
    found = _consultation(slug)
    dump = queries.served_dump(g.session, found.id)
    listed = [] if dump is None else [queries.export_row(dump, _file_address(slug))]
    return {"data": listed} | _envelope(found)


@bp.get("/consultations/<slug>/results")
@bp.output(envelopes.ResultList)
@bp.doc(summary="Analyse publiée et ses fichiers", operation_id="results")
@anyone
def results(slug: str) -> dict[str, Any]:
    found = _consultation(slug)
    return {"data": queries.result_rows(g.session, found, RESULT_FILES, _result_address(found))} | _envelope(found)


@bp.get("/cases")
@bp.input(envelopes.CasePage, location="query", arg_name="page")
@bp.output(envelopes.CaseList)
@bp.doc(summary="Cas d’usage publiés, avec les chiffres de leur consultation", operation_id="cases")
@anyone
def cases(page: envelopes.CasePage) -> dict[str, Any]:
    bound: Bindings = current_app.extensions["bindings"]
    after = _opened(page.cursor, "cases")
    rows = queries.case_rows(
        g.session, bound.step_kinds, theme=page.theme, partner=page.partner, after=after, limit=page.limit + 1
    )
    return _listed(rows, page, "cases") | _envelope(None) | {"source": _site_page("followup.case_list")}


@bp.get("/consultations/<slug>/changes")
@bp.input(envelopes.Page, location="query", arg_name="page")
@bp.output(envelopes.ChangeList)
@bp.doc(
    summary="Fil des changements",
    description=(
        "Ce que chaque acte signé du registre a changé aux listes, dans l’ordre du registre, avec l’état présent de "
        "chaque ligne. Appliquez chaque changement : « put » écrit la ligne « row » sous « dataset » et « id », "
        "« delete » l’enlève. Gardez « next » : il sert à reprendre après une coupure comme à demander la suite plus "
        "tard. « more » dit s’il reste déjà quelque chose à lire. Une page peut être vide alors que « more » est vrai. "
        "La réponse 410 demande de vider la copie et de recommencer sans curseur\u00a0: le registre a été restauré, "
        "ou les identifiants des auteurs et des votants détruits à la fin des recours."
    ),
    operation_id="changes",
)
@anyone
def changes(slug: str, page: envelopes.Page) -> dict[str, Any]:
    found = _consultation(slug)
    scope = f"changes:{found.id}"
    cursor = _opened(page.cursor, scope)
    after = -1 if cursor is None else feed.opened(g.session, found.id, cursor, GoneError(RESTORED))
    told = feed.page(
        g.session, found.id, current_app.extensions["bindings"].public_datasets, after=after, limit=page.limit
    )
    following = _closed(scope, feed.cursor(g.session, found.id, told.position))
    return {"data": told.changes, "next": following, "more": told.more} | _envelope(found)


# Envelope -----------------------------------------------------------------------------------------------------------


def _consultation(slug: str) -> Consultation:
    # The API shows to everybody what it shows to one: a draft is nowhere, even for its organisers.
    return consultations.consultation_or_404(g.session, slug, ANONYMOUS)


def _dataset(name: str) -> PublicDataset:
    bindings: Bindings = current_app.extensions["bindings"]
    return bindings.public_datasets[name]


def _envelope(found: Consultation | None) -> dict[str, Any]:
    address = url_for("consultations.show", slug=found.slug) if found else url_for("consultations.listing")
    updated_at = registry.last_act_at(g.session, found.id if found else None)
    return {
        "licence": schemas.LICENCE,
        "source": queries.absolute(g.session, g.organisation, current_app.extensions["settings"], address),
        "position": registry.position(g.session),
        "updated_at": written(updated_at) if updated_at else None,
    }


def _site_page(endpoint: str) -> str:
    settings = current_app.extensions["settings"]
    return queries.absolute(g.session, g.organisation, settings, url_for(endpoint))


def _listed(rows: list[Row], page: envelopes.Page, scope: str) -> dict[str, Any]:
    """The page asked for, and the cursor of the next one if a row is left."""
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    return {"data": shown, "next": _closed(scope, queries.key(shown[-1])) if more else None}


def _closed(scope: str, key: str) -> str:
    return str(_serializer(scope).dumps(key))


def _opened(cursor: str, scope: str) -> str | None:
    if not cursor:
        return None
    try:
        return str(_serializer(scope).loads(cursor))
    except BadSignature:
        raise InvalidError(fields={"cursor": INVALID["cursor"]}) from None


def _serializer(scope: str) -> URLSafeSerializer:
    # Signed, so that what comes back is a key this very list gave.
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"api-cursor:{scope}")


def _file_address(slug: str) -> Callable[[str], str]:
    settings = current_app.extensions["settings"]

    def address(name: str) -> str:
        path = url_for("opendata.download", slug=slug, name=name)
        return queries.absolute(g.session, g.organisation, settings, path)

    return address


def _result_address(found: Consultation) -> Callable[[str, str], str]:
    settings = current_app.extensions["settings"]

    def address(step_slug: str, name: str) -> str:
        if name:
            path = url_for("reporting.public_file", slug=found.slug, step_slug=step_slug, name=name)
        else:
            path = url_for("consultations.step", slug=found.slug, step_slug=step_slug)
        return queries.absolute(g.session, g.organisation, settings, path)

    return address


@dataclass(frozen=True, slots=True)
class Retirement:
    """An operation that will go: since when it is deprecated, when it stops answering, and the page that says why."""

    deprecated_at: dt.datetime
    sunset_at: dt.datetime
    told_at: str


RETIRING: Final[dict[str, Retirement]] = {}  # by endpoint; at least a year between the two, as the guide promises


@bp.after_request
def _tell_what_goes(response: Response) -> Response:
    """`Deprecation` (RFC 9745) and `Sunset` (RFC 8594) on what will go."""
    retirement = RETIRING.get(str(request.endpoint))
    if retirement is not None:
        response.headers["Deprecation"] = f"@{int(retirement.deprecated_at.timestamp())}"
        response.headers["Sunset"] = http_date(retirement.sunset_at)
        response.headers.add("Link", f'<{retirement.told_at}>; rel="deprecation"; type="text/html"')
    return response


@bp.after_request
def _count(response: Response) -> Response:
    """What the limit leaves (IETF draft « RateLimit header fields for HTTP »), on its own refusals too."""
    counted = limiter.current_limit
    if counted is not None:
        wait = max(0, math.ceil(counted.reset_at - clock.now().timestamp()))
        window = counted.limit.get_expiry()
        response.headers["RateLimit-Policy"] = f'"default";q={counted.limit.amount};w={window}'
        response.headers["RateLimit"] = f'"default";r={counted.remaining};t={min(wait, window)}'
    return response


@bp.after_request
def _shared(response: Response) -> Response:
    """An ETag for all, and any site may read what anybody may."""
    if request.method in {"GET", "HEAD"} and response.status_code == 200:  # noqa: PLR2004
        response.add_etag()
        response.make_conditional(request)
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if g.account_id is None:
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
    return response


@bp.errorhandler(HTTPError)
def _invalid(error: HTTPError) -> Response:
    """APIFlask's refusals, in French and as RFC 9457 has them."""
    faults: Mapping[str, Iterable[str]] = error.detail.get("query", {}) if isinstance(error.detail, dict) else {}
    fields = {name: INVALID.get(name, "paramètre inconnu") for name in faults}
    document = errors.problem(error.status_code, "", request.path, fields)
    return Response(current_app.json.dumps(document), error.status_code, mimetype="application/problem+json")
