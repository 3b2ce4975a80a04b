"""What an address must be, how long sessions live, how failures slow the next attempt."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email

from consult.actor import STAFF_ROLES, Role
from consult.errors import InvalidError
from consult.settings import Settings

# Sessions -----------------------------------------------------------------------------------------------------------

STAFF_IDLE: Final = dt.timedelta(minutes=60)
TOUCH_EVERY: Final = dt.timedelta(minutes=5)  # so that reading pages does not write at each of them
FRESH_SECOND_FACTOR: Final = dt.timedelta(minutes=15)  # before roles are changed or raw data leave


def is_fresh(given: dt.datetime | None, now: dt.datetime, *, form: bool) -> bool:
    """Whether a second factor given at that instant still opens what asks for a recent one.

    A `form` opened in time may be sent a little later.
    """
    return given is not None and now - given < (4 if form else 1) * FRESH_SECOND_FACTOR


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The cookie of a signed-in browser."""

    name: str
    secure: bool

    def holding(self, token: str, *, days: int) -> dict[str, Any]:
        """Arguments for `Response.set_cookie`; no Domain, so that `__Host-` holds. The server ends sessions sooner."""
        return {"key": self.name, "value": token, "max_age": days * 86_400, **self._attributes()}

    def absent(self) -> dict[str, Any]:
        """Arguments for `Response.delete_cookie`."""
        return {"key": self.name, **self._attributes()}

    def _attributes(self) -> dict[str, Any]:
        return {"path": "/", "secure": self.secure, "httponly": True, "samesite": "Lax"}


def session_cookie(settings: Settings) -> SessionCookie:
    """The one place that knows the cookie's name and attributes."""
    return SessionCookie("__Host-consult" if settings.https else "consult_session", settings.https)


def session_life(roles: Collection[Role], settings: Settings) -> tuple[dt.timedelta, dt.timedelta]:
    """How long a session may stay unused, and how long it may last at all: staff get less of both."""
    idle = dt.timedelta(minutes=settings.session_idle_minutes)
    if STAFF_ROLES.isdisjoint(roles):
        return idle, dt.timedelta(days=settings.session_days)
    return min(idle, STAFF_IDLE), dt.timedelta(hours=settings.staff_session_hours)


# Signed values ------------------------------------------------------------------------------------------------------


def sign(secret: str, kind: str, value: str) -> str:
    """The value with a signature, to be carried by a form and trusted when it comes back."""
    return f"{value}.{_signature(secret, kind, value)}"


def unsign(secret: str, kind: str, signed: str) -> str | None:
    """The value, when the signature is ours and of that kind."""
    value, _, signature = signed.rpartition(".")
    return value if hmac.compare_digest(signature.encode(), _signature(secret, kind, value).encode()) else None


def _signature(secret: str, kind: str, value: str) -> str:
    return hmac.new(f"{kind}:{secret}".encode(), value.encode(), hashlib.sha256).hexdigest()


# Failures -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Throttle:
    """After `free` failures each one doubles the wait, up to `longest`: never a permanent lock."""

    free: int
    longest: dt.timedelta
    forget: dt.timedelta = dt.timedelta(hours=24)

    def wait(self, failures: int) -> dt.timedelta:
        """The delay imposed once that many failures have been counted."""
        beyond = failures - self.free
        if beyond < 0:
            return dt.timedelta(0)
        return min(dt.timedelta(seconds=2 ** min(beyond, 20)), self.longest)


MAILBOX_DAY: Final = dt.timedelta(days=1)
_DOTS_IGNORED: Final = ("gmail.com", "googlemail.com")

# The first slows whoever guesses; the second, for all browsers together, stays short so that nobody can be kept out.
LOGIN_FROM_ADDRESS: Final = Throttle(free=5, longest=dt.timedelta(minutes=15))
LOGIN_OF_ACCOUNT: Final = Throttle(free=25, longest=dt.timedelta(minutes=1))
SECOND_FACTOR: Final = Throttle(free=5, longest=dt.timedelta(minutes=15))


def attempt_key(secret: str, kind: str, *parts: str) -> str:
    """The keyed digest under which failures are counted: tells nothing of the address or the account."""
    return _signature(secret, "attempts", "\x1f".join((kind, *parts)))


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where mails that anyone may cause would go, known by a keyed digest, and how many it may get."""

    key: str
    per_hour: int
    per_day: int

    def spared(self, sent: Iterable[str], now: dt.datetime) -> tuple[list[str], bool]:
        """Those of these instants that are of the last day, and whether one more mail would be too many."""
        day = [instant for instant in sent if now - dt.datetime.fromisoformat(instant) < MAILBOX_DAY]
        hour = sum(now - dt.datetime.fromisoformat(instant) < dt.timedelta(hours=1) for instant in day)
        return day, len(day) >= self.per_day or hour >= self.per_hour


def mailbox(email: str, settings: Settings) -> Mailbox:
    """The mailbox of an address: tags lead to one, and dots too at the provider that ignores them.

    The same for every organisation: it is one person who would be flooded.
    """
    local, _, domain = email_key(email.strip(), tags_differ=False).rpartition("@")
    if domain in _DOTS_IGNORED:
        local, domain = local.replace(".", ""), _DOTS_IGNORED[0]
    key = attempt_key(settings.secret_key, "mailbox", f"{local}@{domain}")
    return Mailbox(key, settings.mailbox_per_hour, settings.mailbox_per_day)


def local_path(wanted: str | None, default: str) -> str:
    """Where to go next: a path of this site, never another site's address."""
    if (
        not wanted
        or not wanted.startswith("/")
        or wanted.startswith("//")
        or not wanted.isprintable()
        or "\\" in wanted
    ):
        return default
    return wanted


_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def browser_name(user_agent: str) -> str:
    """« Firefox sous Linux »: enough for a person to know a session of theirs, no more."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "Navigateur")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} sous {system}" if system else browser


# Addresses ----------------------------------------------------------------------------------------------------------

EMAIL_MAX_LENGTH: Final = 254


def clean_email(typed: str) -> str:
    """The address as mails will be sent to it. Raises InvalidError naming the field."""
    try:
        return validate_email(typed.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        reason = "Saisissez une adresse électronique complète, par exemple prenom.nom@exemple.fr."
        raise InvalidError(reason, fields={"email": reason}) from None


def email_key(email: str, *, tags_differ: bool) -> str:
    """The canonical form that tells people apart: case, encoding and, by default, `+tag` do not count."""
    local, _, domain = validate_email(email, check_deliverability=False).normalized.rpartition("@")
    if not tags_differ:
        local = local.partition("+")[0] or local
    host = validate_email(f"x@{domain}", check_deliverability=False).ascii_domain or domain
    return f"{unicodedata.normalize('NFKC', local).casefold()}@{host.casefold()}"


def typed_email_key(typed: str, *, tags_differ: bool) -> str:
    """The canonical form of what was typed to sign in; what cannot be an address matches none."""
    typed = typed.replace("\0", "").strip()  # PostgreSQL takes no null character
    try:
        return email_key(typed, tags_differ=tags_differ)
    except EmailNotValidError:
        return typed.casefold()[:EMAIL_MAX_LENGTH]
