"""Who acts: the one list of roles, and what the person of this request holds."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field


class Role(enum.StrEnum):
    """Every role of the platform; the access register and each endpoint name them by these values."""

    OPERATOR = "operator"
    DITP = "ditp"
    ADMINISTRATOR = "administrator"
    ORGANISER = "organiser"
    MODERATOR = "moderator"
    ANALYST = "analyst"
    DECISION_MAKER = "decision_maker"
    READER = "reader"
    FACILITATOR = "facilitator"
    MEMBER = "member"
    PARTICIPANT = "participant"
    ANONYMOUS = "anonymous"


PLATFORM_ROLES = frozenset({Role.OPERATOR, Role.DITP})
ORGANISATION_ROLES = frozenset(
    {Role.ADMINISTRATOR, Role.ORGANISER, Role.MODERATOR, Role.ANALYST, Role.DECISION_MAKER, Role.READER}
)
STAFF_ROLES = PLATFORM_ROLES | ORGANISATION_ROLES


@dataclass(frozen=True, slots=True)
class Actor:
    """The person of one request or command, with the roles that count now.

    Staff roles are listed only once the second factor of this session has been given.
    """

    account_id: uuid.UUID | None = None
    pseudonym: str = ""
    confirmed: bool = False
    roles: frozenset[Role] = frozenset({Role.ANONYMOUS})
    by_consultation: Mapping[uuid.UUID, frozenset[Role]] = field(default_factory=dict)
    second_factor_due: bool = False

    def holds(self, *wanted: Role, consultation_id: uuid.UUID | None = None) -> bool:
        """Whether one of the wanted roles is held, organisation-wide or on that consultation."""
        held = self.roles
        if consultation_id is not None:
            held = held | self.by_consultation.get(consultation_id, frozenset())
        return not held.isdisjoint(wanted)

    def holds_anywhere(self, *wanted: Role) -> bool:
        """Whether one of the wanted roles is held on the organisation or on any consultation of it."""
        return self.holds(*wanted) or any(not held.isdisjoint(wanted) for held in self.by_consultation.values())

    @property
    def is_staff(self) -> bool:
        return self.holds_anywhere(*STAFF_ROLES)


ANONYMOUS = Actor()
SYSTEM = Actor(pseudonym="système", roles=frozenset({Role.OPERATOR}))
