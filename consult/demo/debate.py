"""The fictional debate of the demonstration: its question, and what invented people argued and found useful."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from consult.demo.ballots import position
from consult.demo.people import DAYS, MINUTES_PER_DAY, some_minute
from consult.demo.records import DemoArgument, DemoDebate, DemoParticipant, DemoVote

ID = "debate"
READERS = (0.02, 0.14)  # the least and the greatest share of the debaters who read one argument
SIDES = ("for", "against")


def generate(plan: Mapping[str, Any], debaters: Sequence[DemoParticipant], rng: random.Random) -> DemoDebate:
    """The question and all the acts, in the order of minutes."""
    lean = plan["lean"]
    arguments = [
        _argument(f"{ID}.{side}.{rank}", side, draft, lean, debaters, rng)
        for side in SIDES
        for rank, draft in enumerate(plan["arguments"][side], start=1)
    ]
    votes = [vote for argument in arguments for vote in _useful(argument, lean, debaters, rng)]
    return DemoDebate(
        title=plan["question"],
        body=plan["body"].strip(),
        sources="\n".join(plan["sources"]),
        arguments=tuple(sorted(arguments, key=lambda each: (each.minute, each.id))),
        votes=tuple(sorted(votes, key=lambda each: (each.minute, each.voter, each.target))),
    )


def _argument(
    name: str,
    side: str,
    draft: Mapping[str, str],
    lean: str,
    debaters: Sequence[DemoParticipant],
    rng: random.Random,
) -> DemoArgument:
    author = rng.choice(debaters)
    while position(lean, author.group, rng) != side:
        author = rng.choice(debaters)
    minute = some_minute(rng)
    return DemoArgument(name, ID, author.id, side, draft["body"].strip(), minute, draft.get("title", ""))


def _useful(
    argument: DemoArgument, lean: str, debaters: Sequence[DemoParticipant], rng: random.Random
) -> list[DemoVote]:
    last = DAYS * MINUTES_PER_DAY - 1
    readers = rng.sample(list(debaters), int(len(debaters) * rng.uniform(*READERS)))
    return [
        DemoVote(person.id, argument.id, "for", rng.randrange(argument.minute + 1, last))
        for person in readers
        if person.id != argument.author and position(lean, person.group, rng) == argument.side
    ]
