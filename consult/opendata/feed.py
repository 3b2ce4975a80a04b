"""The feed of changes: which public rows each signed act changed, in the order of the log, as they are now.

A change carries the present row, or says that it is gone: whoever applies the changes in their order, from the start or
from where a cut left them, ends with the rows of the lists. What is hidden or erased leaves a replica that way too, for
the rows are asked of the datasets of the lists. Only signed entries are told: their positions never change again.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.orm import Session

from consult.contributions import queries as contributions
from consult.opendata import queries
from consult.protocols import PublicDataset, Row
from consult.registry import queries as registry
from consult.registry.models import EntryKind, RegistryEntry

# Positions looked at for one page: where a consultation has few entries in a long log, a page may be short or empty.
WINDOW: Final = 20_000
# What an act on the consultation itself may change: few rows, told again together.
FRAME: Final = ("consultation", "steps", "themes", "articles", "questions", "totals")
_LISTS: Final[Mapping[str, str]] = {
    "contribution": "contributions", "proposal": "contributions", "argument": "arguments", "reply": "replies",
    "answer": "official_answers", "commitment": "commitments",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """Changes told together, the position up to which the log was read, and whether more is signed beyond."""

    changes: list[Row]
    position: int
    more: bool


@dataclass(slots=True)
class _Touched:
    """The last entry of the page that changed each row, by dataset and id; the steps of replies that changed before."""

    rows: dict[str, dict[uuid.UUID, RegistryEntry]] = field(default_factory=lambda: defaultdict(dict))
    frame: RegistryEntry | None = None
    changed_replies: dict[uuid.UUID, str] = field(default_factory=dict)
    erased_votes: dict[str, RegistryEntry] = field(default_factory=dict)  # by the refs that their tombstones name


def page(
    session: Session,
    consultation_id: uuid.UUID,
    datasets: Mapping[str, PublicDataset],
    *,
    after: int,
    limit: int,
) -> Page:
    """The changes made by at most `limit` entries whose position is above `after` (-1: from the first)."""
    signed = registry.signed_size(session)
    until = min(signed, after + 1 + WINDOW)
    entries = registry.settled(session, consultation_id, after=after, until=until, limit=limit)
    touched = _Touched()
    for entry in entries:
        _touch(touched, entry)
    for ref, vote_id in registry.votes_of(session, touched.erased_votes).items():
        tombstone = touched.erased_votes[ref]
        touched.rows[_votes_list(tombstone.opening or {})][vote_id] = tombstone
    if len(entries) == limit:
        assert entries[-1].position is not None  # as the query says
        reached = entries[-1].position
    else:
        reached = max(after, until - 1)
    changes = sorted(_told(session, consultation_id, datasets, touched), key=lambda each: int(each["position"]))
    return Page(changes, reached, reached + 1 < signed)


def _touch(touched: _Touched, entry: RegistryEntry) -> None:
    """Note which rows an entry may have changed; one whose opening is destroyed is followed by its tombstone."""
    told = entry.opening
    if told is None:
        return
    if entry.kind is EntryKind.REPLIES:
        touched.rows["replies"] |= dict.fromkeys(map(uuid.UUID, told["replies"]), entry)
        return
    given = [uuid.UUID(text) for key in ("choices", "former", "contributions") for text in told.get(key, ())]
    touched.rows["contributions"] |= dict.fromkeys(given, entry)  # those whose points a ballot moved
    if entry.vote_id is not None:
        touched.rows[_votes_list(told)][entry.vote_id] = entry
    if entry.kind is EntryKind.TOMBSTONE and told.get("type") == "vote":
        touched.erased_votes |= dict.fromkeys(told["entries"], entry)
    name, item = _about(told)
    if item is None and _votes_list(told) == "ballots":
        return
    if item is None:
        touched.frame = entry
        return
    dataset = _LISTS[name]
    touched.rows[dataset][item] = entry
    if dataset == "replies" and entry.kind is not EntryKind.CONTRIBUTION:
        touched.changed_replies[item] = str(told.get("step", ""))
    if told.get("decision"):
        touched.rows["moderation"][uuid.UUID(told["decision"])] = entry


def _votes_list(told: Mapping[str, Any]) -> str:
    """The list that has the vote of an entry: a ballot's own, or the tombstone of a ballot, names several texts."""
    return "ballots" if "choices" in told or "contributions" in told else "votes"


def _about(told: Mapping[str, Any]) -> tuple[str, uuid.UUID | None]:
    """The content that an opening names, and its kind."""
    if "item" in told:
        return str(told["type"]), uuid.UUID(told["item"])
    for name in ("contribution", "argument", "reply", "answer", "commitment"):
        if name in told:
            return name, uuid.UUID(told[name])
    return "", None


def _told(
    session: Session, consultation_id: uuid.UUID, datasets: Mapping[str, PublicDataset], touched: _Touched
) -> Iterator[Row]:
    if touched.frame is not None:
        for name in FRAME:
            for row in datasets[name].rows(session, consultation_id):
                yield _change(touched.frame, name, queries.key(row), row)
        submitted = contributions.submitted(session, consultation_id)  # what the rules alone tell
        for row in datasets["contributions"].rows(session, consultation_id, among=submitted):
            yield _change(touched.frame, "contributions", queries.key(row), row)
    for name, entries in touched.rows.items():
        found = {queries.key(row): row for row in datasets[name].rows(session, consultation_id, among=entries.keys())}
        for item, entry in entries.items():
            yield _change(entry, name, str(item), found.get(str(item)))
    replies = touched.rows.get("replies")
    if replies:
        yield from _answers(session, consultation_id, datasets, replies, touched.changed_replies)


def _answers(
    session: Session,
    consultation_id: uuid.UUID,
    datasets: Mapping[str, PublicDataset],
    replies: Mapping[uuid.UUID, RegistryEntry],
    changed: Mapping[uuid.UUID, str],
) -> Iterator[Row]:
    """The answers of these replies; of those that had others before, also which are no more."""
    given = set()
    for row in datasets["answers"].rows(session, consultation_id, among=replies.keys()):
        key = queries.key(row)
        given.add(key)
        yield _change(replies[uuid.UUID(row["reply"])], "answers", key, row)
    if not changed:
        return
    asked = [row for row in datasets["questions"].rows(session, consultation_id) if row["visibility"] == "rows"]
    for reply, step in changed.items():
        for question in asked:
            key = f"{reply}:{question['id']}"
            if key not in given and step in {"", question["step"]}:  # a decision does not name the step
                yield _change(replies[reply], "answers", key, None)


def _change(entry: RegistryEntry, dataset: str, key: str, row: Row | None) -> Row:
    return {
        "position": entry.position,
        "entry": entry.ref,
        "kind": entry.kind.value,
        "dataset": dataset,
        "id": key,
        "action": "delete" if row is None else "put",
        "row": row,
    }


def cursor(session: Session, consultation_id: uuid.UUID, position: int) -> str:
    """What a reader continues from: a position, and what changed rows that no entry tells one by one."""
    return f"{position}.{_epoch(session, consultation_id)}"


def opened(session: Session, consultation_id: uuid.UUID, cursor: str, gone: Exception) -> int:
    """The position of a cursor. Raises `gone` when rows that it told may be others, or lost: the log was restored, or
    the identifiers of authors and voters destroyed.
    """
    position, _, epoch = cursor.partition(".")
    if int(epoch) != _epoch(session, consultation_id):
        raise gone
    return int(position)


def _epoch(session: Session, consultation_id: uuid.UUID) -> int:
    """Two counts that never go down, added up."""
    return registry.lost(session) + contributions.unlinked_steps(session, consultation_id)
