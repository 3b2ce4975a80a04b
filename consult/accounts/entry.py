"""Opening the session of a browser, whatever proved who holds it."""

from __future__ import annotations

from flask import Response, current_app, g, redirect, request

from consult.accounts import policy, queries, service
from consult.accounts.models import Account
from consult.accounts.sign_up.views import local, signed_in_response
from consult.settings import Settings


def enter(account: Account, suite: str | None, *, second_factor: bool = False) -> Response:
    """Open a session with a new token, whatever this browser held before, and go where it was going (AT-19.5).

    `second_factor`: what proved who holds it is worth one.
    """
    settings: Settings = current_app.extensions["settings"]
    g.signed_in_as = account.id  # for the security journal: this request began anonymous
    if g.identity is not None:
        service.close_session(g.session, g.identity.account_id, g.identity.login_session_id)
    token, _ = service.open_session(
        g.session,
        account,
        now=g.now,
        life=policy.session_life(queries.staff_roles(g.session, account.id), settings),
        browser=policy.browser_name(request.user_agent.string),
        second_factor_at=g.now if second_factor else None,
    )
    return signed_in_response(redirect(local(suite, "/"), 303), token)


def renew(account: Account) -> str:
    """A new session with its second factor given, and the life of staff's, in place of this browser's; its token."""
    settings: Settings = current_app.extensions["settings"]
    service.close_session(g.session, account.id, g.identity.login_session_id)
    token, _ = service.open_session(
        g.session,
        account,
        now=g.now,
        life=policy.session_life(queries.staff_roles(g.session, account.id), settings),
        browser=policy.browser_name(request.user_agent.string),
        second_factor_at=g.now,
    )
    return token
