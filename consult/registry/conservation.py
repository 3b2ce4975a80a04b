"""Conservation: everything submitted to a consultation is published, awaiting, hidden, withdrawn, erased or undone.

One side is added up from the log as its entries are placed (`registry_flow`); the other is counted from the rows, in a
snapshot where everything has its place. Nothing can leave one without the other telling.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consult.registry.models import RegistryCensus, RegistryEntry, RegistryFlow

# Acts of the log that the equation adds up. A content says itself whether it is withdrawn or erased; a vote that is,
# and a row whose import was undone, are there no more: the log alone remembers them.
SUBMITTED: Final = "submitted"
WITHDRAWN: Final = "withdrawn"
ERASED: Final = "erased"
UNDONE: Final = "undone"
VOTE: Final = "vote"


@dataclass(frozen=True, slots=True)
class Line:
    """What became of the acts of one type and origin.

    `logged`: submissions that the log holds, which those that await a confirmed address are not yet. `submitted` =
    `logged` + `awaiting`; it equals the sum of the others when `balanced`.
    """

    type: str
    origin: str
    logged: int
    published: int = 0
    awaiting: int = 0
    hidden: int = 0
    withdrawn: int = 0
    erased: int = 0
    undone: int = 0

    @property
    def submitted(self) -> int:
        """All that was sent, logged or awaiting a confirmed address."""
        return self.logged + self.awaiting

    @property
    def balanced(self) -> bool:
        """Whether nothing is missing and nothing was added."""
        ends = self.published + self.hidden + self.withdrawn + self.erased + self.undone
        return self.logged == ends


def flow(kind: str, origin: str, act: str, count: int = 1) -> dict[str, Any]:
    """The part of an entry's effect that adds to a flow."""
    return {"flow": [kind, origin, act, count]}


def add_flows(
    session: Session, organisation_id: uuid.UUID, taken: Collection[tuple[uuid.UUID | None, Mapping[str, Any]]]
) -> None:
    """Add up the flows among the effects taken."""
    told: Counter[tuple[Any, ...]] = Counter()
    for whole, effect in taken:
        if whole is not None and "flow" in effect:
            kind, origin, act, count = [*effect["flow"], 1][:4]  # entries of before batches count for one
            told[whole, kind, origin, act] += count
    if not told:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(RegistryFlow)
    names = ("consultation_id", "type", "origin", "act")
    more = statement.on_conflict_do_update(
        index_elements=names, set_={"count": RegistryFlow.count + statement.excluded.count}
    )
    rows = [
        {"organisation_id": organisation_id, **dict(zip(names, key, strict=True)), "count": count}
        for key, count in sorted(told.items(), key=str)
    ]
    session.connection().execute(more, rows)


def touched(session: Session, organisation_id: uuid.UUID, since: int) -> list[uuid.UUID]:
    """The consultations of which entries were placed from that position on."""
    query = select(RegistryEntry.consultation_id).where(
        RegistryEntry.organisation_id == organisation_id,
        RegistryEntry.position >= since,
        RegistryEntry.consultation_id.is_not(None),
    )
    return [whole for whole in session.scalars(query.distinct()) if whole is not None]


def take(
    session: Session,
    organisation_id: uuid.UUID,
    consultation_id: uuid.UUID,
    rows: Mapping[tuple[str, str], Mapping[str, int]],
) -> list[Line]:
    """Keep the census of a consultation, and return it. `rows`: by type and origin, how many by state."""
    flows: dict[tuple[str, str], Counter[str]] = {}
    query = select(RegistryFlow.type, RegistryFlow.origin, RegistryFlow.act, RegistryFlow.count)
    for kind, origin, act, count in session.execute(query.where(RegistryFlow.consultation_id == consultation_id)):
        flows.setdefault((kind, origin), Counter())[act] = count
    lines = [
        _line(kind, origin, flows.get((kind, origin), Counter()), rows.get((kind, origin), {}))
        for kind, origin in sorted({*flows, *rows})
    ]
    kept = session.get(RegistryCensus, consultation_id) or RegistryCensus(consultation_id=consultation_id)
    kept.organisation_id, kept.lines = organisation_id, [asdict(line) for line in lines]
    session.add(kept)
    session.flush()
    return lines


def _line(kind: str, origin: str, flows: Mapping[str, int], states: Mapping[str, int]) -> Line:
    return Line(
        kind,
        origin,
        logged=flows.get(SUBMITTED, 0),
        published=states.get("published", 0),
        awaiting=states.get("pending", 0),
        hidden=states.get("hidden", 0),
        withdrawn=states.get("withdrawn", flows.get(WITHDRAWN, 0)),
        erased=states.get("erased", flows.get(ERASED, 0)),
        undone=flows.get(UNDONE, 0),
    )


def all_of(session: Session) -> dict[uuid.UUID, list[Line]]:
    """The census of every consultation of the organisation, as it stands at `queries.counted`."""
    found = session.scalars(select(RegistryCensus).order_by(RegistryCensus.consultation_id))
    return {each.consultation_id: [Line(**line) for line in each.lines] for each in found}
