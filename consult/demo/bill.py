"""The fictional bill of the demonstration: its parts, and what invented people wrote and voted on it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from consult.demo.ballots import position
from consult.demo.people import DAYS, GROUP_SHARES, MINUTES_PER_DAY, hour_of_day
from consult.demo.records import DemoArgument, DemoBill, DemoPart, DemoParticipant, DemoVersion, DemoVote

SIDES = ("for", "against")
TURNOUT = (0.06, 0.3)  # the least and the greatest share of the debaters who vote on one text


def generate(plan: Mapping[str, Any], debaters: Sequence[DemoParticipant], rng: random.Random) -> DemoBill:
    """The bill and all its acts, in the order of minutes."""
    parts = tuple(
        DemoPart(
            part["id"], part.get("in"), part.get("level", "article"), part["heading"], part.get("body", "").strip()
        )
        for part in plan["parts"]
    )
    versions = tuple(_version(draft, debaters, rng) for draft in plan["versions"])
    written = {version.id: version.minute for version in versions}
    arguments = [
        _argument(f"{target}.{side}.{rank}", target, side, body, written.get(target, MINUTES_PER_DAY), debaters, rng)
        for target, sides in _argued(plan)
        for side in SIDES
        for rank, body in enumerate(sides[side], start=1)
    ]
    leans = {each["id"]: each["lean"] for each in (*plan["parts"], *plan["versions"]) if "lean" in each}
    votes = [vote for target, lean in leans.items() for vote in _votes(target, lean, written, debaters, rng)]
    return DemoBill(
        parts,
        tuple(sorted(versions, key=lambda each: (each.minute, each.id))),
        tuple(sorted(arguments, key=lambda each: (each.minute, each.id))),
        tuple(sorted(votes, key=lambda each: (each.minute, each.voter, each.target))),
    )


def _argued(plan: Mapping[str, Any]) -> list[tuple[str, Mapping[str, list[str]]]]:
    return [*plan["arguments"].items(), *((draft["id"], draft) for draft in plan["versions"])]


def _version(draft: Mapping[str, Any], debaters: Sequence[DemoParticipant], rng: random.Random) -> DemoVersion:
    group = draft["lean"] if draft["lean"] in GROUP_SHARES else None
    return DemoVersion(
        id=draft["id"],
        rewrites=draft["rewrites"],
        author=rng.choice([each.id for each in debaters if group in {None, each.group}]),
        title=draft["title"],
        body=draft["body"].strip(),
        reason=draft["reason"].strip(),
        sources="\n".join(draft.get("sources", ())),
        minute=hour_of_day(rng, draft["day"]),
    )


def _argument(
    name: str, target: str, side: str, body: str, after: int, debaters: Sequence[DemoParticipant], rng: random.Random
) -> DemoArgument:
    minute = after + rng.randrange(30, 4 * MINUTES_PER_DAY)
    return DemoArgument(name, target, rng.choice(debaters).id, side, body, minute)


def _votes(
    target: str, lean: str, written: Mapping[str, int], debaters: Sequence[DemoParticipant], rng: random.Random
) -> list[DemoVote]:
    first = written.get(target, MINUTES_PER_DAY // 2)
    voters = rng.sample(list(debaters), int(len(debaters) * rng.uniform(*TURNOUT)))
    last = DAYS * MINUTES_PER_DAY - 1
    return [
        DemoVote(person.id, target, position(lean, person.group, rng), rng.randrange(first + 10, last))
        for person in voters
    ]
