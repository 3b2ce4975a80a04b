"""What is told of a refusal or of a breakdown: problem+json under /api, elsewhere a French page."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from flask import Flask, Response, current_app, g, redirect, render_template, request, url_for
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from consult import clock, errors, security
from consult.accounts.unsent.views import keep_sent

logger = logging.getLogger(__name__)
GIVES_BACK: Final = frozenset({401, 403, 409, 410, 429, 500, 503})  # refusals that are not about what was typed
FALLBACK_PAGE: Final = Path(__file__).parent / "templates" / "errors" / "fallback.html"  # when no page can be drawn


def register(app: Flask) -> None:
    """Have every error of a request told so."""

    @app.errorhandler(errors.ConsultError)
    def _refusal(error: errors.ConsultError) -> tuple[Any, ...]:
        again = isinstance(error, errors.ExpiredFormError)
        refused = refuse(error.status, error.message, error.fields, words=error.words, again=again)
        return (*refused, {"Retry-After": error.retry_after}) if isinstance(error, errors.TooManyError) else refused

    @app.errorhandler(errors.AgeUndeclaredError)
    def _age_first(error: errors.AgeUndeclaredError) -> Any:
        g.session.rollback()
        kept = keep_sent()
        if kept is None:
            return refuse(error.status, error.message)
        return redirect(url_for("consultations.age.show", slug=error.slug, suite=kept), 303)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        if error.code is None or error.code < 400:  # noqa: PLR2004  # redirections are not errors
            return error
        headers = [header for header in error.get_headers() if header[0] in {"Allow", "Retry-After"}]
        if error.code == 429 and security.limiter.current_limit is not None:  # noqa: PLR2004
            wait = security.limiter.current_limit.reset_at - clock.now().timestamp()
            headers.append(("Retry-After", str(max(1, round(wait)))))
        return *refuse(error.code), headers

    @app.errorhandler(OperationalError)
    @app.errorhandler(InterfaceError)
    @app.errorhandler(PoolTimeoutError)
    def _database_away(error: SQLAlchemyError) -> tuple[Any, int]:
        logger.error("the database is away or busy", exc_info=error)
        return refuse(503)

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> tuple[Any, int]:
        logger.error("unexpected error", exc_info=error)
        return refuse(500)


def refuse(
    status: int,
    message: str = "",
    fields: dict[str, str] | None = None,
    *,
    words: errors.ErrorText | None = None,
    again: bool = False,
) -> tuple[Any, int]:
    """The reply to a refusal: problem+json under /api, elsewhere a French page that gives back what was typed.

    `again`: the same form may be sent again from that page.
    """
    g.session.rollback()
    words = words or errors.text_for(status)
    if request.path.startswith("/api/"):
        document = errors.problem(status, message, quote(request.path), fields, words=words)
        return Response(current_app.json.dumps(document), status, mimetype="application/problem+json"), status
    try:
        page = render_template(
            "errors/error.html",
            status=status,
            title=words.title,
            message=message or words.message,
            remedy=words.remedy,
            fields=fields or {},
            typed=_typed() if status in GIVES_BACK else [],
            again=again,
            back=security.page_before(request, current_app.extensions["settings"].public_url),
        )
    except Exception:
        logger.exception("the error page failed")
        page = FALLBACK_PAGE.read_text(encoding="utf-8")
    return page, status


def _typed() -> list[tuple[str, str]]:
    return security.typed(request, current_app.extensions["settings"].public_url)
