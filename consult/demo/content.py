"""The demonstration consultation: authored, fictional, generated from a seed.

Texts are in the YAML files beside this module; here they are put together with invented people, hours, votes and
replies. Nothing is read from or written to a database: `load.py` does that.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

import yaml

from consult.demo import ballots, bill, debate, opinions, replies
from consult.demo.people import DAYS, GROUP_SHARES, MINUTES_PER_DAY, hour_of_day, pseudonyms
from consult.demo.records import (
    DemoArgument,
    DemoBill,
    DemoConsultation,
    DemoContent,
    DemoDebate,
    DemoDecision,
    DemoOrganisation,
    DemoParticipant,
    DemoProposal,
    DemoQuestion,
    DemoReply,
    DemoReport,
    DemoStep,
    DemoTheme,
)

DEBATERS = 420  # participants who write, argue or vote; the others only answer the questionnaire
SILENT_DEBATERS = 60  # of whom so many do not answer the questionnaire
_PROPOSAL_FILES = ("marche", "velo", "collectif", "voiture", "campagne", "pour_tous")


def generate(seed: int) -> DemoContent:
    """The whole demonstration; the same seed gives the same content, to the letter (see `digest`)."""
    plan = read("consultation.yaml")
    drafts = [draft for name in _PROPOSAL_FILES for draft in read(f"proposals_{name}.yaml")]
    people = _participants(source(seed, "people"))
    debaters = people[:DEBATERS]
    proposals = _proposals(drafts, debaters, source(seed, "proposals"))
    arguments = _arguments(drafts, proposals, debaters, source(seed, "arguments"))
    reports, decisions = _moderation(plan["moderation"], proposals, arguments, debaters, source(seed, "moderation"))
    hidden_at = {decision.target: decision.minute for decision in decisions if decision.action == "hide"}
    hidden_at |= {a.id: hidden_at[a.proposal] for a in arguments if a.proposal in hidden_at}
    appeal = {draft["id"]: float(draft["appeal"]) for draft in drafts}
    drawn = source(seed, "votes")
    votes = ballots.cast(debaters, proposals, arguments, appeal=appeal, withdrawn_at=hidden_at, rng=drawn)
    answered, law = _answered(people, seed), bill.generate(read("bill.yaml"), debaters, source(seed, "bill"))
    debated = debate.generate(read("debate.yaml"), debaters, source(seed, "debate"))
    first_acts = _first_acts(
        [(p.author, p.minute) for p in proposals]
        + [(a.author, a.minute) for a in arguments]
        + [(v.voter, v.minute) for v in votes]
        + [(r.author, r.minute) for r in answered]
        + [(r.reporter, r.minute) for r in reports]
        + _bill_acts(law)
        + _debate_acts(debated)
    )
    return DemoContent(
        seed=seed,
        organisation=DemoOrganisation(**plan["organisation"]),
        consultation=_consultation(plan),
        themes=tuple(DemoTheme(**theme) for theme in plan["themes"]),
        questions=tuple(_question(question) for question in plan["questions"]),
        participants=_taking_part(people, first_acts),
        proposals=proposals,
        arguments=arguments,
        votes=votes,
        replies=answered,
        reports=reports,
        decisions=decisions,
        bill=law,
        debate=debated,
    )


def _taking_part(people: Sequence[DemoParticipant], since: Mapping[str, int]) -> tuple[DemoParticipant, ...]:
    """Those who did something, there three minutes before it."""
    return tuple(DemoParticipant(p.id, p.pseudonym, p.group, since[p.id] - 3) for p in people if p.id in since)


def _debate_acts(debated: DemoDebate) -> list[tuple[str, int]]:
    return [(a.author, a.minute) for a in debated.arguments] + [(v.voter, v.minute) for v in debated.votes]


def _bill_acts(law: DemoBill) -> list[tuple[str, int]]:
    return (
        [(version.author, version.minute) for version in law.versions]
        + [(argument.author, argument.minute) for argument in law.arguments]
        + [(vote.voter, vote.minute) for vote in law.votes]
    )


def _answered(people: Sequence[DemoParticipant], seed: int) -> tuple[DemoReply, ...]:
    repliers = [person.id for person in people[SILENT_DEBATERS:]]
    drawn = replies.draw(repliers, read("answers.yaml"), source(seed, "replies"))
    return opinions.placed(opinions.added(drawn, source(seed, "opinions")), source(seed, "places"))


def digest(content: DemoContent) -> str:
    """SHA-256, in hexadecimal, of the canonical JSON of the content."""
    text = json.dumps(asdict(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def codebook() -> str:
    """The codebook (plan de codification) of the demonstration, as YAML."""
    return resources.files(__package__).joinpath("plan.yaml").read_text(encoding="utf-8")


def read(name: str) -> Any:
    """A file of the demonstration's own words."""
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe


def source(seed: int, part: str) -> random.Random:
    """One source of randomness by part: a change in one leaves the others as they were."""
    return random.Random(f"{seed}/{part}")  # noqa: S311  # invented content, not a secret


def _consultation(plan: Mapping[str, Any]) -> DemoConsultation:
    return DemoConsultation(
        **plan["consultation"],
        opens_on_day=plan["opens_on_day"],
        closes_on_day=plan["closes_on_day"],
        steps=tuple(DemoStep(**step) for step in plan["steps"]),
    )


def _question(question: Mapping[str, Any]) -> DemoQuestion:
    return DemoQuestion(
        id=question["id"],
        kind=question["kind"],
        wording=question["wording"],
        help=question.get("help", ""),
        required=question["required"],
        visibility=question["visibility"],
        options=tuple(question.get("options", {}).items()),
        exclusive=question.get("exclusive"),
        max_choices=question.get("max_choices"),
        max_length=question.get("max_length"),
        rows=tuple(question.get("rows", {}).items()),
        settings=question.get("settings", {}),
        only_if=tuple(question["only_if"]) if "only_if" in question else None,
        pictures=tuple(question.get("pictures", {}).items()),
    )


def _participants(rng: random.Random) -> list[DemoParticipant]:
    """Debaters first; their instant of arrival is known only once they have acted."""
    count = replies.REPLIES + SILENT_DEBATERS
    groups = rng.choices(list(GROUP_SHARES), list(GROUP_SHARES.values()), k=count)
    return [
        DemoParticipant(f"u{n:04d}", pseudonym, groups[n], 0)
        for n, pseudonym in enumerate(pseudonyms(count, read("people.yaml"), rng))
    ]


def _author(group: str | None, debaters: list[DemoParticipant], rng: random.Random, but: str = "") -> str:
    fitting = [p.id for p in debaters if p.id != but and (group is None or p.group == group)]
    return rng.choice(fitting)


def _proposals(
    drafts: list[dict[str, Any]], debaters: list[DemoParticipant], rng: random.Random
) -> tuple[DemoProposal, ...]:
    made = []
    for draft in drafts:
        lean = draft["lean"]
        author = _author(lean if lean in GROUP_SHARES else None, debaters, rng)
        minute = hour_of_day(rng, int(draft["day"]))
        body = draft["body"].strip()
        made.append(
            DemoProposal(draft["id"], draft["theme"], author, draft["title"], body, lean, draft.get("campaign"), minute)
        )
    return tuple(sorted(made, key=lambda proposal: (proposal.minute, proposal.id)))


def _arguments(
    drafts: list[dict[str, Any]],
    proposals: tuple[DemoProposal, ...],
    debaters: list[DemoParticipant],
    rng: random.Random,
) -> tuple[DemoArgument, ...]:
    by_id = {proposal.id: proposal for proposal in proposals}
    last = DAYS * MINUTES_PER_DAY - 1
    made = []
    for draft in drafts:
        proposal = by_id[draft["id"]]
        for side in ("for", "against"):
            group = _side_of(proposal.lean, side)
            for rank, body in enumerate(draft[side], start=1):
                day = min(proposal.minute // MINUTES_PER_DAY + int(rng.expovariate(0.3)), DAYS - 1)
                minute = min(max(hour_of_day(rng, day), proposal.minute + rng.randint(4, 300)), last)
                author = _author(group, debaters, rng, but=proposal.author)
                made.append(DemoArgument(f"{proposal.id}.{side}.{rank}", proposal.id, author, side, body, minute))
    return tuple(sorted(made, key=lambda argument: (argument.minute, argument.id)))


def _side_of(lean: str, side: str) -> str | None:
    """The group an argument comes from: supporters argue for, the other group against."""
    other = {"active": "motorist", "motorist": "active"}
    if lean not in other:
        return None
    return lean if side == "for" else other[lean]


def _moderation(
    cases: Mapping[str, Any],
    proposals: tuple[DemoProposal, ...],
    arguments: tuple[DemoArgument, ...],
    debaters: list[DemoParticipant],
    rng: random.Random,
) -> tuple[tuple[DemoReport, ...], tuple[DemoDecision, ...]]:
    published: dict[str, DemoProposal | DemoArgument] = {p.id: p for p in proposals} | {a.id: a for a in arguments}
    latest: dict[str, int] = {}
    reporters: dict[str, set[str]] = {}
    reports = []
    for case in cases["reports"]:
        target = published[case["target"]]
        minute = max(target.minute, latest.get(target.id, 0)) + rng.randint(25, 1300)
        taken = reporters.setdefault(target.id, {target.author})
        reporter = rng.choice([p.id for p in debaters if p.id not in taken])
        taken.add(reporter)
        latest[target.id] = minute
        reports.append(DemoReport(target.id, reporter, case["reason"], case["comment"], minute))
    for argument in arguments:  # nobody argues on a proposal already hidden
        if argument.proposal in latest:
            latest[argument.proposal] = max(latest[argument.proposal], argument.minute)
    decisions = [
        DemoDecision(**case, minute=latest[case["target"]] + rng.randint(40, 700)) for case in cases["decisions"]
    ]
    return tuple(sorted(reports, key=lambda r: r.minute)), tuple(sorted(decisions, key=lambda d: d.minute))


def _first_acts(acts: list[tuple[str, int]]) -> dict[str, int]:
    first: dict[str, int] = {}
    for person, minute in acts:
        first[person] = min(minute, first.get(person, minute))
    return first
