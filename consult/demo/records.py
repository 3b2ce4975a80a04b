"""What the demonstration is made of: plain frozen data, no database, no clock.

Instants are minutes since local midnight (Europe/Paris) of the day the consultation opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoOrganisation:
    """The invented administration, with every field that the legal pages ask for."""

    slug: str
    name: str
    tagline: str
    legal_name: str
    legal_address: str
    phone: str
    publication_director: str
    host_name: str
    host_address: str
    host_phone: str
    contact_email: str
    dpo_email: str


@dataclass(frozen=True, slots=True)
class DemoStep:
    """A step; `body` is rich HTML."""

    slug: str
    kind: str
    title: str
    body: str
    opens_on_day: int
    closes_on_day: int
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DemoConsultation:
    """The consultation; `description` and `outcome` are rich HTML."""

    slug: str
    title: str
    summary: str
    description: str
    outcome: str
    opens_on_day: int
    closes_on_day: int
    steps: tuple[DemoStep, ...]


@dataclass(frozen=True, slots=True)
class DemoTheme:
    """A heading of the proposals step."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """A question; `options` are (id, label) pairs, empty for a text."""

    id: str
    kind: str
    wording: str
    help: str
    required: bool
    visibility: str
    options: tuple[tuple[str, str], ...]
    exclusive: str | None  # the option that goes with no other
    max_choices: int | None
    max_length: int | None
    rows: tuple[tuple[str, str], ...]
    settings: dict[str, Any]  # others, as a draft of question names them
    only_if: tuple[str, str, str] | None  # (question, comparison, option)
    pictures: tuple[tuple[str, str], ...]  # (option, what its picture shows); see `streets`


@dataclass(frozen=True, slots=True)
class DemoParticipant:
    """A pseudonym; `group` is the planted opinion group (active, motorist, floating)."""

    id: str
    pseudonym: str
    group: str
    joined_minute: int


@dataclass(frozen=True, slots=True)
class DemoProposal:
    """A proposal; `lean` says how the planted groups see it, `campaign` marks the copied ones."""

    id: str
    theme: str
    author: str
    title: str
    body: str
    lean: str
    campaign: str | None
    minute: int


@dataclass(frozen=True, slots=True)
class DemoArgument:
    """An argument for or against its proposal."""

    id: str
    proposal: str
    author: str
    side: str
    body: str
    minute: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class DemoVote:
    """A vote on a proposal (for, mixed, against) or on an argument (for)."""

    voter: str
    target: str
    value: str
    minute: int


@dataclass(frozen=True, slots=True)
class DemoPart:
    """A part of the bill, in reading order; `inside` is the division that holds it."""

    id: str
    inside: str | None
    level: str
    heading: str
    body: str


@dataclass(frozen=True, slots=True)
class DemoVersion:
    """A version of an article or of another version; sources as they are typed."""

    id: str
    rewrites: str
    author: str
    title: str
    body: str
    reason: str
    sources: str
    minute: int


@dataclass(frozen=True, slots=True)
class DemoBill:
    """The bill, what was written on it, and the votes on its articles and versions."""

    parts: tuple[DemoPart, ...]
    versions: tuple[DemoVersion, ...]
    arguments: tuple[DemoArgument, ...]
    votes: tuple[DemoVote, ...]


@dataclass(frozen=True, slots=True)
class DemoDebate:
    """The question of the debate as an organiser types it, the arguments given and the votes on them."""

    title: str
    body: str
    sources: str
    arguments: tuple[DemoArgument, ...]
    votes: tuple[DemoVote, ...]


@dataclass(frozen=True, slots=True)
class DemoReply:
    """A reply: chosen option ids by closed question, text by open question; nothing where nothing was said.

    `planted` names the topics that the answer to « faciliter » was composed from: ground truth for tests of the
    codebook, never loaded into the platform.
    """

    id: str
    author: str
    minute: int
    choices: dict[str, tuple[str, ...]]
    texts: dict[str, str]
    planted: tuple[str, ...]
    cells: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of tables, rankings and scales, by ids
    figures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DemoReport:
    """A report made by a participant; `reason` is a code of the charter."""

    target: str
    reporter: str
    reason: str
    comment: str
    minute: int


@dataclass(frozen=True, slots=True)
class DemoDecision:
    """What the moderator decided: `hide` or `keep`, with the explanation sent to the author."""

    target: str
    action: str
    reason: str
    explanation: str
    minute: int


@dataclass(frozen=True, slots=True)
class DemoContent:
    """The whole demonstration."""

    seed: int
    organisation: DemoOrganisation
    consultation: DemoConsultation
    themes: tuple[DemoTheme, ...]
    questions: tuple[DemoQuestion, ...]
    participants: tuple[DemoParticipant, ...]
    proposals: tuple[DemoProposal, ...]
    arguments: tuple[DemoArgument, ...]
    votes: tuple[DemoVote, ...]
    replies: tuple[DemoReply, ...]
    reports: tuple[DemoReport, ...]
    decisions: tuple[DemoDecision, ...]
    bill: DemoBill
    debate: DemoDebate
