"""The counters that are displayed: they move in the transaction that gives the votes their positions in the log."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from consult.consultations.models import Origin
from consult.contributions.models import Argument, Proposal, VoteValue
from consult.registry import conservation
from consult.registry import service as registry

Effect: TypeAlias = dict[str, Any]
_PROPOSALS: Final = cast("Table", Proposal.__table__)
_ARGUMENTS: Final = cast("Table", Argument.__table__)
_VALUES: Final = tuple(value.value for value in VoteValue)
_COUNTERS: Final = {value: _PROPOSALS.c[f"votes_{value}"] for value in _VALUES}
_COUNT_PROPOSAL: Final = (
    update(_PROPOSALS)
    .where(_PROPOSALS.c.id == bindparam("target"))
    .values(
        {counter: counter + bindparam(value) for value, counter in _COUNTERS.items()}
        | {_PROPOSALS.c.votes_total: _PROPOSALS.c.votes_total + bindparam("all")}
    )
)
_BALLOT_COUNTERS: Final = {name: _PROPOSALS.c[name] for name in ("points", "ballots", "first_choices")}
_COUNT_BALLOTS: Final = (
    update(_PROPOSALS)
    .where(_PROPOSALS.c.id == bindparam("target"))
    .values(
        {counter: counter + bindparam(f"more_{name}") for name, counter in _BALLOT_COUNTERS.items()}
        | {_PROPOSALS.c.votes_total: _PROPOSALS.c.votes_total + bindparam("more_points")}
    )
)
_COUNT_ARGUMENT: Final = (
    update(_ARGUMENTS)
    .where(_ARGUMENTS.c.id == bindparam("target"))
    .values({_ARGUMENTS.c.votes_for: _ARGUMENTS.c.votes_for + bindparam("all")})
)


def effect(name: str, target_id: uuid.UUID, changes: Mapping[VoteValue, int]) -> Effect:
    """What the entry of a vote does to the counters of a « contribution » or of an « argument », and to the census."""
    told = {name: str(target_id), **{value.value: change for value, change in changes.items()}}
    votes = sum(changes.values())  # 0: another value for the same vote
    return told | conservation.flow(conservation.VOTE, Origin.LIVE, conservation.SUBMITTED) if votes > 0 else told


def gone(name: str, target_id: uuid.UUID, value: VoteValue, act: str) -> Effect:
    """What the entry of a vote that is there no more does: `act` says whether it was withdrawn or erased."""
    return effect(name, target_id, {value: -1}) | conservation.flow(conservation.VOTE, Origin.LIVE, act)


def ballot_effect(changes: Mapping[str, Sequence[int]], act: str | None) -> Effect:
    """What the entry of a ballot does to the counters of its texts, and to the census: `act`, when it adds to a flow.

    A ballot is one vote. `changes`: points, ballots and first choices to add, by the id of a proposal.
    """
    told = {"ballot": {text: list(each) for text, each in changes.items()}}
    return told | (conservation.flow(conservation.VOTE, Origin.LIVE, act) if act else {})


def count_placed(session: Session, organisation_id: uuid.UUID, refs: Sequence[str]) -> None:
    """Count the votes that were just given a position; a content deleted meanwhile is passed over."""
    effects = registry.take_effects(session, refs)
    conservation.add_flows(session, organisation_id, effects)
    proposals: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(("all", *_VALUES), 0))
    arguments: dict[str, dict[str, int]] = defaultdict(lambda: {"all": 0})
    for taken in (effect for _, effect in effects if "argument" in effect or "contribution" in effect):
        of = arguments[taken["argument"]] if "argument" in taken else proposals[taken["contribution"]]
        for value in _VALUES:
            change = taken.get(value, 0)
            of["all"] += change
            if value in of:
                of[value] += change
    ballots = _added_by_ballots(effects)
    for statement, changes in ((_COUNT_PROPOSAL, proposals), (_COUNT_ARGUMENT, arguments), (_COUNT_BALLOTS, ballots)):
        rows = [{"target": uuid.UUID(target), **each} for target, each in sorted(changes.items()) if any(each.values())]
        if rows:
            session.connection().execute(statement, rows)


def _added_by_ballots(effects: Sequence[tuple[uuid.UUID | None, Effect]]) -> dict[str, dict[str, int]]:
    added: dict[str, dict[str, int]] = defaultdict(lambda: {f"more_{name}": 0 for name in _BALLOT_COUNTERS})
    for _, taken in effects:
        for text, changes in taken.get("ballot", {}).items():
            for name, change in zip(_BALLOT_COUNTERS, changes, strict=True):
                added[text][f"more_{name}"] += change
    return added
