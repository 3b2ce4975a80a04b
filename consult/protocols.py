"""The five protocols by which the lower features reach upwards; bound in `app.py` alone.

Another installed package may add step kinds and themes through the entry-point groups `consult.step_kinds` and
`consult.themes`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consult.actor import Actor

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """One committed chunk of a job: `done` of `total` (None: unknown) and where to resume."""

    done: int
    total: int | None = None
    message: str = ""
    cursor: Mapping[str, Any] | None = None


class JobHandler(Protocol):
    """Work of a job, in short chunks.

    `run` is a generator: the worker commits the session and the progress together at each `yield`, and resumes from
    `cursor` after a crash. Long computation happens before the session is touched, never between a write and a yield.
    """

    kind: ClassVar[str]

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]: ...


class StepKind(Protocol):
    """A way of taking part that a consultation's step may offer."""

    kind: ClassVar[str]
    label: ClassVar[str]

    def create(self, session: Session, step: Any) -> None:
        """Prepare what the step needs."""

    def duplicate(self, session: Session, source: Any, target: Any) -> None:
        """Copy settings and content, never acts."""

    def rules(self, session: Session, step: Any) -> Mapping[str, Any]:
        """What is frozen at opening: canonical, JSON-able, digested into the registry."""

    def purge_test_traces(self, session: Session, step: Any) -> int:
        """Delete every act made in test mode; returns how many rows went."""

    def render(self, session: Session, step: Any, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
        """The public page of the step, as HTML."""

    def census(self, session: Session, step: Any) -> Mapping[str, int]:
        """Public counts of the step, by name."""


@dataclass(frozen=True, slots=True)
class ModerableItem:
    """What a moderator, and the public tombstone, need to know of one content."""

    id: uuid.UUID
    type: str
    consultation_id: uuid.UUID
    author_id: uuid.UUID | None
    title: str
    body: str
    status: str
    status_reason: str | None
    created_at: dt.datetime
    address: str
    step_id: uuid.UUID
    version: int  # 1, then one more for each edit


class ContentType(Protocol):
    """A kind of content that can be reported and moderated."""

    type: ClassVar[str]
    label: ClassVar[str]

    def get(self, session: Session, item_id: uuid.UUID) -> ModerableItem | None:
        """The item, or None; a write session locks its row."""

    def items(self, session: Session, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, ModerableItem]:
        """Several items in a bounded number of queries."""

    def hide(self, session: Session, item_id: uuid.UUID, reason: str) -> Sequence[str]:
        """Withhold from the public; counts follow. Returns the refs of the registry entries that tell what it says."""

    def restore(self, session: Session, item_id: uuid.UUID) -> Sequence[str]:
        """Undo `hide`; counts follow. Returns the same refs."""


class PersonalData(Protocol):
    """The personal data that one table holds about an account, with the French words that its person reads."""

    table: ClassVar[str]
    label: ClassVar[str]
    purpose: ClassVar[str]
    kept: ClassVar[str]  # how long

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Every row about the account, as JSON-able values, without the columns that nobody may see."""

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Leave nothing that tells of the person; returns how many rows changed or went. Done twice is done once."""


@runtime_checkable
class KeepsPublished(PersonalData, Protocol):
    """Personal data of which a person who leaves may let stand what is published, under no name."""

    def erase_unpublished(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """As `erase`, but for what everybody can read."""


class PublicDataset(Protocol):
    """Rows that page, API, dump, feed and search may show: one visibility policy for all of them."""

    name: ClassVar[str]
    columns: ClassVar[Mapping[str, str]]  # column name -> French description

    def rows(
        self,
        session: Session,
        consultation_id: uuid.UUID,
        *,
        after: str | None = None,
        limit: int | None = None,
        among: Collection[uuid.UUID] | None = None,
    ) -> Iterator[Row]:
        """Public rows in a stable order, streamed; `after` is the `id` of the last row seen.

        `among`: of these ids only; for answers, of these replies.
        """


@dataclass(frozen=True, slots=True)
class Closed:
    """A consultation that takes no act any more."""

    organisation_id: uuid.UUID
    consultation_id: uuid.UUID
    closed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Sequencing:
    """What the sequencer of the registry asks of the features above it.

    `slugs`: the identifier of each organisation. `closed`: the consultations closed at an instant. `on_placed`: what
    depends on the position of entries is applied in the transaction that gives it; each is called with the session,
    the organisation and the refs of the entries in the order of their positions. Only a restore may place a ref again:
    what is told twice must be applied once (`registry.take_effects` sees to it). `count`: what is counted where
    everything has its place; called with the session, the organisation, the first position not counted yet and the
    last one given, in a transaction that sees no other act. `release`: what each log is told of the software that
    runs; nothing when empty.
    """

    slugs: Callable[[Session], Mapping[uuid.UUID, str]]
    closed: Callable[[Session, dt.datetime], Sequence[Closed]]
    on_placed: Sequence[Callable[[Session, uuid.UUID, Sequence[str]], None]] = ()
    count: Callable[[Session, uuid.UUID, int, int], None] = lambda _session, _owner, _since, _last: None
    release: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bindings:
    """What app.py binds: every implementation of the five protocols, by name."""

    step_kinds: Mapping[str, StepKind] = field(default_factory=dict)
    content_types: Mapping[str, ContentType] = field(default_factory=dict)
    job_handlers: Mapping[str, JobHandler] = field(default_factory=dict)
    personal_data: Sequence[PersonalData] = ()
    public_datasets: Mapping[str, PublicDataset] = field(default_factory=dict)
