"""Votes with a planted structure: two opinion groups, a set on which they agree, and people in between."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from consult.demo.people import DAYS, MINUTES_PER_DAY, chance, hour_of_day, some_minute
from consult.demo.records import DemoArgument, DemoParticipant, DemoProposal, DemoVote

Target = TypeVar("Target", DemoProposal, DemoArgument)

VOTES_ON_PROPOSALS = 4_400
VOTES_ON_ARGUMENTS = 600
_VALUES = ("for", "mixed", "against")

# For, mixed and against, in percent, by what the proposal leans to and by the group of the voter.
_OPINIONS: dict[str, dict[str, tuple[int, int, int]]] = {
    "consensus": {"active": (88, 8, 4), "motorist": (84, 11, 5), "floating": (80, 15, 5)},
    "active": {"active": (87, 9, 4), "motorist": (13, 20, 67), "floating": (45, 35, 20)},
    "motorist": {"active": (11, 19, 70), "motorist": (86, 9, 5), "floating": (42, 35, 23)},
    "divided": {"active": (48, 22, 30), "motorist": (42, 20, 38), "floating": (35, 42, 23)},
    "rejected": {"active": (15, 21, 64), "motorist": (4, 7, 89), "floating": (10, 25, 65)},
}


def cast(
    participants: Sequence[DemoParticipant],
    proposals: Sequence[DemoProposal],
    arguments: Sequence[DemoArgument],
    *,
    appeal: Mapping[str, float],
    withdrawn_at: Mapping[str, int],
    rng: random.Random,
) -> tuple[DemoVote, ...]:
    """5,000 votes; nobody votes twice on a target, on what they wrote, before it stands or after it was hidden."""
    by_id = {proposal.id: proposal for proposal in proposals}

    def useful(person: DemoParticipant, argument: DemoArgument, rng: random.Random) -> str | None:
        view = _OPINIONS[by_id[argument.proposal].lean][person.group]
        agrees = view[0] if argument.side == "for" else view[2]
        return "for" if rng.randrange(100) < agrees else None

    voters = {person: rng.paretovariate(1.6) for person in participants}
    read = {proposal: appeal[proposal.id] for proposal in proposals}
    noticed = {argument: appeal[argument.proposal] * rng.paretovariate(2) for argument in arguments}
    votes = [
        *_draw(voters, read, VOTES_ON_PROPOSALS, opinion=_opinion, withdrawn_at=withdrawn_at, rng=rng),
        *_draw(voters, noticed, VOTES_ON_ARGUMENTS, opinion=useful, withdrawn_at=withdrawn_at, rng=rng),
    ]
    return tuple(sorted(votes, key=lambda vote: (vote.minute, vote.voter, vote.target)))


def position(lean: str, group: str, rng: random.Random) -> str:
    """What somebody of that group votes on what leans so."""
    return rng.choices(_VALUES, _OPINIONS[lean][group])[0]


def _opinion(person: DemoParticipant, proposal: DemoProposal, rng: random.Random) -> str:
    return position(proposal.lean, person.group, rng)


def _draw(
    voters: Mapping[DemoParticipant, float],
    targets: Mapping[Target, float],
    count: int,
    *,
    opinion: Callable[[DemoParticipant, Target, random.Random], str | None],
    withdrawn_at: Mapping[str, int],
    rng: random.Random,
) -> list[DemoVote]:
    who, who_weights = list(voters), list(voters.values())
    what, what_weights = list(targets), list(targets.values())
    votes: dict[tuple[str, str], DemoVote] = {}
    while len(votes) < count:
        voter, target = rng.choices(who, who_weights)[0], rng.choices(what, what_weights)[0]
        minute = _minute_after(target.minute, rng)
        value = opinion(voter, target, rng)
        late = minute >= withdrawn_at.get(target.id, minute + 1)
        if value is None or late or target.author == voter.id:
            continue
        votes.setdefault((voter.id, target.id), DemoVote(voter.id, target.id, value, minute))
    return list(votes.values())


def _minute_after(earliest: int, rng: random.Random) -> int:
    """A minute after the target was published, usually soon."""
    first = earliest // MINUTES_PER_DAY
    soon = min(first + int(rng.expovariate(0.25)), DAYS - 1)
    minute = hour_of_day(rng, soon) if chance(rng, 0.6) else some_minute(rng, first)
    return minute if minute > earliest else min(earliest + 1 + rng.randrange(600), DAYS * MINUTES_PER_DAY - 1)
