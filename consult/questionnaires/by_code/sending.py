"""Taking from a browser a reply that is tied to no account: its code, and the invitation or the robot check."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from flask import current_app, g, request
from flask import session as browser_session

from consult.accounts.sign_up import policy as robots
from consult.accounts.sign_up import service as proofs
from consult.db import survives
from consult.questionnaires import policy
from consult.questionnaires.anonymous import urns
from consult.questionnaires.by_code import codes, service
from consult.questionnaires.filling import Filling
from consult.questionnaires.invitations import queries as invitations
from consult.questionnaires.invitations.queries import Opened
from consult.questionnaires.invitations.views import held_here
from consult.questionnaires.kinds.base import Given
from consult.questionnaires.policy import Access
from consult.sealing import Keyring

SPENT: Final = "Cette vérification anti-robot a déjà servi. Une autre est prête : renvoyez votre réponse."
REPLIED: Final = "replied"  # key of the signed form cookie: the steps that this browser sent a reply to
MOST_REMEMBERED: Final = 20


def code() -> str:
    """The code that the form carries, so that a reply sent again is the same one; else a new one."""
    return codes.clean(request.form.get("code", "")) or codes.draw()


def keys() -> Keyring:
    """Those of urns."""
    return urns.keyring(current_app.extensions["settings"].seal_keys)


def sent_already(filling: Filling) -> bool:
    """Whether this account, this invitation, or this very form, sent its reply."""
    if filling.access is Access.ACCOUNTS:
        return filling.anonymous and service.has_replied(g.session, filling.step.id, g.account_id)
    if filling.access is Access.INVITATIONS:
        held = invitation(filling)
        return held is not None and held.used
    known = codes.clean(request.form.get("code", ""))
    return known is not None and service.find(g.session, g.organisation.id, known, keys=keys()) is not None


def invitation(filling: Filling) -> Opened | None:
    """The invitation to this step that the browser came with; None without one that stands."""
    code = held_here(filling.step.id)
    opened = invitations.opened(g.session, g.organisation.id, code) if code else None
    return opened if opened is not None and opened.step.id == filling.step.id else None


def is_same(filling: Filling, said: Mapping[uuid.UUID, Given]) -> bool:
    """Whether the reply of the code that the form carries says just that."""
    return service.holds(g.session, filling.step, said, code=code(), keys=keys())


def send(filling: Filling) -> str:
    """Take the reply; gives its code. Raises as `service.submit`, and InvalidError for what seems to be a robot."""
    carried = code()
    if filling.access is Access.EVERYONE and not _is_person():
        return service.same(
            g.session, filling.step, policy.everything(filling.questions, filling.answers), carried, keys(), SPENT
        )
    here = {"actor": g.actor, "code": carried, "keys": keys(), "now": g.now, "invitation": held_here(filling.step.id)}
    given = service.submit(g.session, filling.step, filling.questions, filling.answers, **here)
    if filling.access is Access.EVERYONE:
        _remember(filling.step.id)
    return given


def proves_nothing() -> bool:
    """Whether a request holds no proof of a person, which only what is sent without an account must."""
    return not (request.form.get("proof") or request.form.get("stamp"))


def stamp() -> str:
    """What tells, without JavaScript, when the form was shown."""
    return robots.stamp(current_app.extensions["settings"].secret_key, g.now)


def replied_here(step_id: uuid.UUID) -> bool:
    """Whether this browser sent a reply to the step: no lock, since a cookie is easily forgotten."""
    return step_id.hex in browser_session.get(REPLIED, ())


def _is_person() -> bool:
    """Whether the form proves a person; False when its proof served already. Raises InvalidError."""
    secret, form = current_app.extensions["settings"].secret_key, request.form
    spent = robots.check_robot(proof=form.get("proof", ""), stamp=form.get("stamp", ""), secret=secret, now=g.now)
    survives(g.session, lambda session: proofs.remember_spent(session, spent))
    return proofs.remember_spent(g.session, spent)


def _remember(step_id: uuid.UUID) -> None:
    known = [each for each in browser_session.get(REPLIED, ()) if each != step_id.hex]
    browser_session[REPLIED] = [*known, step_id.hex][-MOST_REMEMBERED:]
