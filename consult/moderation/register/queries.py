"""Reading the moderators' register: roles, decisions, appeals, in three queries."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from consult.accounts.labels import ROLES
from consult.accounts.models import Account, Membership
from consult.actor import Role
from consult.labels import moment
from consult.moderation.models import Act, Contest, Decision
from consult.moderation.policy import MODERATORS


@dataclass(frozen=True, slots=True)
class Line:
    """One person who moderates or moderated; `until` is None while they still hold a role that lets them."""

    pseudonym: str
    email: str
    roles: tuple[Role, ...]
    since: dt.datetime
    until: dt.datetime | None
    decisions: int
    contested: int
    overturned: int

    @property
    def cells(self) -> tuple[str, ...]:
        """The line in the order of COLUMNS."""
        roles = ", ".join(ROLES[role] for role in self.roles)
        when = (moment(self.since), moment(self.until) if self.until else "")
        return (self.pseudonym, self.email, roles, *when, *map(str, (self.decisions, self.contested, self.overturned)))


def register(session: Session) -> list[Line]:
    """Who holds or held the role of moderator, and who decided as an administrator; those who still may first."""
    decided = _decisions(session)
    appeals = _appeals(session)
    held: dict[Account, list[Membership]] = {}
    query = select(Account, Membership).join(Membership, Membership.account_id == Account.id)
    for account, role in session.execute(query.where(Membership.role.in_(MODERATORS)).order_by(Membership.granted_at)):
        held.setdefault(account, []).append(role)
    lines = [
        _line(account, roles, decided.get(account.id, 0), appeals.get(account.id, (0, 0)))
        for account, roles in held.items()
        if account.id in decided or any(each.role is Role.MODERATOR for each in roles)
    ]
    return sorted(lines, key=lambda line: (line.until is not None, line.pseudonym.casefold(), line.since))


def _line(account: Account, roles: list[Membership], decisions: int, appeals: tuple[int, int]) -> Line:
    ends = [each.revoked_at for each in roles if each.revoked_at is not None]
    contested, overturned = appeals
    return Line(
        pseudonym=account.pseudonym,
        email=account.email or "",
        roles=tuple(dict.fromkeys(each.role for each in roles)),
        since=roles[0].granted_at,
        until=max(ends) if len(ends) == len(roles) else None,
        decisions=decisions,
        contested=contested,
        overturned=overturned,
    )


def _decisions(session: Session) -> dict[uuid.UUID, int]:
    """How many decisions each person took."""
    query = select(Decision.moderator_id, func.count()).where(Decision.moderator_id.is_not(None))
    return {who: count for who, count in session.execute(query.group_by(Decision.moderator_id)) if who is not None}


def _appeals(session: Session) -> dict[uuid.UUID, tuple[int, int]]:
    """Of each person's decisions, how many their authors contested, and how many another person then reversed."""
    answer = aliased(Decision)
    reversed_ = func.count(answer.id).filter(answer.act == Act.RESTORE)
    query = (
        select(Decision.moderator_id, func.count(Contest.id), reversed_)
        .join(Contest, Contest.decision_id == Decision.id)
        .outerjoin(answer, answer.id == Contest.answer_id)
        .where(Decision.moderator_id.is_not(None))
        .group_by(Decision.moderator_id)
    )
    return {who: (contested, overturned) for who, contested, overturned in session.execute(query) if who is not None}
