"""What the history of a ticket comes to, what its clocks say, and who may do what; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from consult.actor import Actor, Role
from consult.contributions.policy import length_fault, many_lines, one_line, refuse
from consult.seam import service_levels as levels
from consult.tickets.models import EventKind, Kind, Side, TicketEvent

ADMINISTRATION: Final = (Role.ADMINISTRATOR, Role.DITP)
CONTRACTOR: Final = (Role.OPERATOR,)
TEAM: Final = (*CONTRACTOR, *ADMINISTRATION)
REPORTED: Final = (Kind.ANOMALY, Kind.ACCESSIBILITY)  # what staff report
BODY_MIN: Final = 10
BODY_MAX: Final = 20_000
TITLE_MAX: Final = 200
REASON_MIN: Final = 10
REASON_MAX: Final = 1_000
FILES_MAX: Final = 20
PUBLIC_MAX: Final = 500


@dataclass(slots=True)
class State:
    """What a ticket has come to."""

    severity: levels.Severity | None = None
    reached: dict[levels.Milestone, dt.datetime] = field(default_factory=dict)
    closed_at: dt.datetime | None = None
    cause: str = ""
    release: str = ""
    public_words: str = ""


def state(events: Iterable[TicketEvent]) -> State:
    """What these events, in their order, come to: the first ones alone tell what it was then."""
    found = State()
    for event in events:
        detail = event.detail
        match event.kind:
            case EventKind.OPENED | EventKind.SEVERITY:
                found.severity = levels.Severity(detail["severity"]) if detail.get("severity") else None
            case EventKind.REACHED:
                for each in _up_to(levels.Milestone(detail["milestone"])):
                    found.reached.setdefault(each, event.at)
            case EventKind.TAKEN_BACK:
                refused = levels.Milestone(detail["milestone"])
                left = _up_to(refused)[:-1]
                found.reached = {each: at for each, at in found.reached.items() if each in left}
            case EventKind.EXPLAINED:
                found.cause, found.release = detail["cause"], detail["release"]
            case EventKind.PUBLISHED:
                found.public_words = detail.get("words", "")
            case EventKind.CLOSED:
                found.closed_at = event.at
            case EventKind.REOPENED:
                found.closed_at = None
    return found


def _up_to(milestone: levels.Milestone) -> Sequence[levels.Milestone]:
    """A milestone stands for those before it: what is resolved was acknowledged."""
    if milestone not in levels.CONTRACT:
        return (milestone,)
    return levels.CONTRACT[: levels.CONTRACT.index(milestone) + 1]


def delays(kind: Kind, severity: levels.Severity | None) -> levels.Delays:
    """What is owed: nothing of an anomaly whose severity the administration has not said, nor of other requests."""
    if kind is Kind.ACCESSIBILITY:
        return levels.ACCESSIBILITY
    return levels.DELAYS[severity] if severity is not None else {}


def clocks(kind: Kind, t0: dt.datetime, known: State, now: dt.datetime) -> Sequence[levels.Clock]:
    """Its delays as they stand `now`; those of a closed ticket stand as they did when it was closed."""
    here = min(now, known.closed_at) if known.closed_at else now
    owed = delays(kind, known.severity)
    return levels.clocks(t0, owed, {each: at for each, at in known.reached.items() if each in owed}, now=here)


def next_alert(t0: dt.datetime, deadline: dt.datetime, told: int) -> dt.datetime | None:
    """When the next share of a delay is to be told, after the last one that was; None after 100 %."""
    times = levels.alert_times(t0, deadline)
    return min((at for share, at in times.items() if share > told), default=None)


def to_second(now: dt.datetime) -> dt.datetime:
    """The instant of an act: clocks of the contract are judged to the second."""
    return now.astimezone(dt.UTC).replace(microsecond=0)


def side_of(actor: Actor) -> Side:
    """On whose behalf somebody acts; who holds roles of both sides acts for the administration, who holds none asks."""
    if actor.holds(*ADMINISTRATION):
        return Side.ADMINISTRATION
    return Side.CONTRACTOR if actor.holds(*CONTRACTOR) else Side.REQUESTER


def may_judge(actor: Actor) -> bool:
    """Whether somebody sets and changes the severity, takes a milestone back, closes: the administration alone."""
    return actor.holds(*ADMINISTRATION)


def may_work(actor: Actor) -> bool:
    """Whether somebody reaches milestones and says causes: who runs the platform."""
    return actor.holds(*CONTRACTOR)


def next_milestones(kind: Kind, known: State) -> list[levels.Milestone]:
    """Those that may be reached now: any of those not reached, since each stands for those before it."""
    owed = list(delays(kind, known.severity))
    last = max((owed.index(each) for each in known.reached if each in owed), default=-1)
    return owed[last + 1 :]


def checked(title: str, body: str) -> tuple[str, str]:
    """A title and a text as they are kept. Raises InvalidError naming the fields."""
    title, body = one_line(title), many_lines(body)
    refuse(
        {
            "title": length_fault("Le titre", title, 5, TITLE_MAX),
            "body": length_fault("Le texte", body, BODY_MIN, BODY_MAX),
        }
    )
    return title, body


def checked_reason(reason: str) -> str:
    """A reason as it is kept. Raises InvalidError."""
    reason = many_lines(reason)
    refuse({"reason": length_fault("Le motif", reason, REASON_MIN, REASON_MAX)})
    return reason
