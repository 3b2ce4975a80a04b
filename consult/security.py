"""Headers, CSRF, access declarations, rate limits, tokens: what every reply and every endpoint owes.

Every view declares who may call it with one of the decorators below; a view without declaration is refused, and a
test enumerates them all.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_limiter import Limiter
from werkzeug.exceptions import RequestEntityTooLarge

from consult.actor import Role
from consult.errors import ExpiredFormError, ForbiddenError

View = TypeVar("View", bound=Callable[..., Any])
IPV6: Final = 6
UNSAFE_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}
STRICT_TRANSPORT: Final = "max-age=63072000; includeSubDomains"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a view. `roles` empty: anyone; `indexable`: search engines may list the page."""

    roles: frozenset[Role] = frozenset()
    indexable: bool = False
    anywhere: bool = False  # a role held on any consultation opens the view, which then narrows what it shows
    password_suffices: bool = False  # for staff too, before their second factor
    fresh_second_factor: bool = False  # given again a short while ago
    key_scope: str = ""  # a program of the administration, by a key that opens this
    unnamed: bool = False  # the security journal names neither the account nor the connection
    lasting: bool = False  # what is at the address never changes: the view says how long it is kept, whoever asks
    heaviest: int = 0  # bytes of a file sent in a request; 0: the setting bounds the whole request


def _declare(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]  # a function's own attribute, read back by `access_of`
    return view


def anyone(view: View) -> View:
    """Open to all; not listed by search engines."""
    return _declare(view, Access())


def anyone_unnamed(view: View) -> View:
    """Open to all; that nobody may tell who came: a journal of who and when would undo what the view promises."""
    return _declare(view, Access(unnamed=True))


def anyone_lasting(view: View) -> View:
    """Open to all, signed in or not, with the same bytes for ever at the same address."""
    return _declare(view, Access(lasting=True))


def anyone_indexable(view: View) -> View:
    """Open to all and to search engines: home, help, legal pages, catalogue."""
    return _declare(view, Access(indexable=True))


def signed_in(view: View) -> View:
    """Any account."""
    return _declare(view, Access(frozenset({Role.PARTICIPANT})))


def password_suffices(view: View) -> View:
    """Any account, staff included before their second factor: to give it, to mend a password, to leave."""
    return _declare(view, Access(frozenset({Role.PARTICIPANT}), password_suffices=True))


def staff(*roles: Role, anywhere: bool = False, fresh: bool = False) -> Callable[[View], View]:
    """Holders of one of these roles on the organisation, or on the consultation that the address names (`slug`).

    `fresh`: the second factor is asked again when it was given a while ago (roles, raw data).
    """
    access = Access(frozenset(roles), anywhere=anywhere, fresh_second_factor=fresh)
    return lambda view: _declare(view, access)


def takes_files(most_bytes: int) -> Callable[[View], View]:
    """Over the declaration of who may call the view: a request may bring a file of that size."""

    def declare(view: View) -> View:
        access = access_of(view)
        assert access is not None
        return _declare(view, replace(access, heaviest=most_bytes))

    return declare


def by_key(scope: str) -> Callable[[View], View]:
    """Programs that bear an API key of the organisation for that scope; no session opens it."""
    return lambda view: _declare(view, Access(key_scope=scope))


def access_of(view: Callable[..., Any] | None) -> Access | None:
    """The declaration of a view; None where there is none."""
    return getattr(view, "access", None)


def apply_headers(
    response: Response, access: Access | None, *, https: bool, signed_in: bool, told: str = ""
) -> Response:
    """The headers of AT-19.2 and AT-8.1, on every reply, errors included.

    `told`: the address that pages tell of visits, the only one elsewhere that they may write to.
    """
    refused = response.status_code >= 400  # noqa: PLR2004  # HTTP: an error page
    owed = dict(HEADERS)
    if told:
        place = urlsplit(told)
        opened = f"connect-src 'self' {place.scheme}://{place.netloc};"
        owed["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace("connect-src 'self';", opened)
    if https:
        owed["Strict-Transport-Security"] = STRICT_TRANSPORT
    if access is None or not access.indexable or refused:
        owed["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    if refused or (signed_in and not (access and access.lasting)):
        response.headers.remove("Cache-Control")
    owed["Cache-Control"] = "no-store" if signed_in or refused else "no-cache"
    given = {name.lower() for name, _ in response.headers}
    response.headers.extend([pair for pair in owed.items() if pair[0].lower() not in given])
    return response


class FormCookie(SecureCookieSessionInterface):
    """Flask's signed cookie, which few requests carry: the others are not made to prepare for reading one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """An empty session for a browser without the cookie."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


# CSRF ---------------------------------------------------------------------------------------------------------------


def csrf_token() -> str:
    """The token that forms of this browser carry: bound to its signed-in session, else to a form cookie."""
    secret = getattr(g, "session_token", None)
    if secret is None:
        if "csrf" not in session:
            session["csrf"] = secrets.token_urlsafe(16)
        secret = session["csrf"]
    return _csrf_digest(secret)


def _csrf_digest(secret: str) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(key, f"csrf:{secret}".encode(), "sha256").hex()


def check_csrf(request: Request, public_url: str) -> None:
    """Refuse an unsafe request that another site could have made. Raises ForbiddenError."""
    if request.method not in UNSAFE_METHODS:
        return
    message = "Ce formulaire a expiré ou ne vient pas de ce site. Rechargez la page, puis recommencez."
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise ForbiddenError(message)
    origin = request.headers.get("Origin")
    if origin is not None and not _is_ours(origin, request, public_url):
        raise ForbiddenError(message)
    secret = getattr(g, "session_token", None) or session.get("csrf")
    sent = request.form.get("csrf_token") or request.headers.get("X-CSRF-Token", "")
    if not secret or not hmac.compare_digest(sent.encode(), _csrf_digest(secret).encode()):
        raise ExpiredFormError("Votre session s’est terminée pendant que vous écriviez, ou ce formulaire a expiré.")


def _is_ours(origin: str, request: Request, public_url: str) -> bool:
    return urlsplit(origin).netloc in {request.host, urlsplit(public_url).netloc}


def page_before(request: Request, public_url: str) -> str:
    """The page of this site that a form was sent from, for a way back; empty when the browser does not say."""
    if request.method not in UNSAFE_METHODS or not _is_ours(request.referrer or "", request, public_url):
        return ""
    page = urlsplit(request.referrer or "")
    path = "/" + page.path.lstrip("/\\")  # with two slashes it would name another site
    return f"{path}?{page.query}" if page.query else path


def may_give_back(request: Request, public_url: str) -> bool:
    """Whether what a refused form held may be given back to its browser.

    Not with a password, nor when the browser does not prove that the form was on a page of this site: another one could
    otherwise have its own words shown here. Nor what is too heavy to be read.
    """
    origin = request.headers.get("Origin")
    ours = request.headers.get("Sec-Fetch-Site") == "same-origin" or (origin and _is_ours(origin, request, public_url))
    try:
        return request.method in UNSAFE_METHODS and bool(ours) and "password" not in request.form
    except RequestEntityTooLarge:
        return False


def typed(request: Request, public_url: str) -> list[tuple[str, str]]:
    """What a form held that may be given back: its names and values, without its token."""
    if not may_give_back(request, public_url):
        return []
    return [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]


# Tokens -------------------------------------------------------------------------------------------------------------


def new_token() -> str:
    """256 random bits for a cookie or a mailed link."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What the database keeps of a token: useless to whoever steals the database."""
    return hashlib.sha256(token.encode()).hexdigest()


# Rate limits --------------------------------------------------------------------------------------------------------


def client_address() -> str:
    """The address that limits count, behind as many trusted proxies as the settings say."""
    return request.remote_addr or "unknown"


def address_key(secret: str) -> str:
    """What stands for the client's connection where drafts are counted: a keyed digest, which tells nothing of it.

    Whoever holds one IPv6 address holds the 2⁶⁴ of its network.
    """
    address = client_address()
    with contextlib.suppress(ValueError):
        parsed = ipaddress.ip_address(address)
        if parsed.version == IPV6:
            address = str(ipaddress.ip_network((parsed, 64), strict=False))
    return hmac.new(f"address:{secret}".encode(), address.encode(), hashlib.sha256).hexdigest()


def account_or_address() -> str:
    """Signed-in people are counted by account, so that a shared connection is not punished."""
    account = getattr(g, "account_id", None)
    return f"account:{account}" if account else client_address()


limiter = Limiter(key_func=client_address, headers_enabled=False)
# For forms that nobody sends often, and that have no reason to be counted apart.
limited = limiter.limit("120/minute", key_func=account_or_address, methods=["POST"])


def start_limiter(app: Flask, *, redis_url: str, enabled: bool) -> None:
    """Count in Redis when there is one; a dead Redis still limits, in the memory of each process."""
    app.config.update(
        RATELIMIT_ENABLED=enabled,
        RATELIMIT_STORAGE_URI=redis_url or "memory://",
        RATELIMIT_STRATEGY="moving-window",
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=bool(redis_url),
        RATELIMIT_IN_MEMORY_FALLBACK=["600/minute"],
        RATELIMIT_KEY_PREFIX="consult",
    )
    limiter.init_app(app)
