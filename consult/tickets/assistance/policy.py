"""What may be asked, and for how long what was asked is kept; pure."""

from __future__ import annotations

import datetime as dt
from typing import Final

from consult.contributions.policy import length_fault, many_lines, refuse
from consult.tickets.assistance.models import Topic
from consult.tickets.models import Kind

LINK_LIFE: Final = dt.timedelta(days=2)  # to confirm the address of a visitor
KEPT: Final = dt.timedelta(days=365)  # after the ticket is closed
BODY_MIN: Final = 20
BODY_MAX: Final = 3_000
MESSAGE_MIN: Final = 2
MESSAGES_MAX: Final = 50  # of one person in one thread


def kind_of(topic: Topic) -> Kind:
    """The ticket that a topic makes: a difficulty of access is owed an answer within seven days."""
    return Kind.ACCESSIBILITY if topic is Topic.ACCESSIBILITY else Kind.ASSISTANCE


def checked(body: str, least: int) -> str:
    """A text as it is kept. Raises InvalidError on `body`."""
    body = many_lines(body)
    refuse({"body": length_fault("Le texte", body, least, BODY_MAX)})
    return body
