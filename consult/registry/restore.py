"""After a database or a store came back older than what was signed: the log of the second store is the truth.

Nothing that was signed is ever taken back: the database takes the entries from the bundles, keeps the openings that it
still has, marks the others lost, and says so in the log itself.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from sqlalchemy import Row, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from consult.db import ALL_TENANTS, Database
from consult.protocols import Sequencing
from consult.registry import entries, publishing, service, tiles, tree
from consult.registry.edge import Edge
from consult.registry.entries import Entry
from consult.registry.models import EntryKind, LostOpening, RegistryEntry, RegistryLog
from consult.registry.notes import Checkpoint, NoteError, VerifierKey
from consult.registry.publishing import RefusedError, Stores
from consult.registry.store import CHECKPOINT, KEY, Store

CHUNK: Final = 500
_Held: TypeAlias = Row[int, int | None, bytes, str]
_UNTRACKED: Final = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did to one log."""

    log: str
    size: int
    lost: int  # entries whose opening the database did not have
    moved: int  # entries that took another position
    pending: int  # entries that the log does not know: they will follow

    @property
    def changed(self) -> bool:
        """Whether the database told another history than the log."""
        return bool(self.lost or self.moved or self.pending)


def restore(database: Database, stores: Stores, features: Sequencing, *, now: dt.datetime) -> list[Restored]:
    """Bring each log of the second store back into the database and the first store, by one transaction each.

    Raises RefusedError when the second store itself is not whole, or knows an entry otherwise than the database.
    """
    done = []
    for slug in _logs(stores.second):
        checkpoint, bundles = _read(stores.second, slug)
        with database.transaction(tenant=ALL_TENANTS) as session:
            done.append(_restore(session, stores, features, slug, checkpoint, bundles, now))
        _copy(stores, slug, bundles)
    return done


def _logs(store: Store) -> list[str]:
    return sorted(path.parent.name for path in store.folder.glob(f"*/{CHECKPOINT}"))


def _read(store: Store, slug: str) -> tuple[Checkpoint, list[list[bytes]]]:
    """The checkpoint and the bundles of a log, once the entries were found to give the signed root."""
    try:
        key = VerifierKey.parse((store.read(slug, KEY) or b"").decode())
        checkpoint = publishing.checkpoint_of(store, slug, key)
        assert checkpoint is not None  # listed by its file
        bundles = list(_bundles(store, slug, checkpoint.size))
    except (NoteError, ValueError) as error:
        raise RefusedError(slug, f"le second dépôt n’est pas entier ({error}).") from error
    if tree.Frontier(map(tree.leaf_hash, _flat(bundles))).root() != checkpoint.root:
        raise RefusedError(slug, "les entrées du second dépôt ne donnent pas la racine signée.")
    return checkpoint, bundles


def _bundles(store: Store, slug: str, size: int) -> Iterator[list[bytes]]:
    for index in range(-(-size // tiles.WIDTH)):
        yield tiles.entries_of(store.fetch(slug, tiles.tile_at(None, index, size)))


def _flat(bundles: Sequence[Sequence[bytes]]) -> Iterator[bytes]:
    return (entry for bundle in bundles for entry in bundle)


def _restore(
    session: Session,
    stores: Stores,
    features: Sequencing,
    slug: str,
    checkpoint: Checkpoint,
    bundles: Sequence[Sequence[bytes]],
    now: dt.datetime,
) -> Restored:
    log = _log(session, stores.second, features, slug, checkpoint)
    logged = {entry.ref: (position, entry) for position, entry in enumerate(map(entries.decode, _flat(bundles)))}
    held = _held(session, log.organisation_id)
    _same(slug, logged, held)
    missing = [(position, entry) for ref, (position, entry) in logged.items() if ref not in held]
    moved = [ref for ref, row in held.items() if ref in logged and row.position != logged[ref][0]]
    # What was placed beyond the log keeps its place as long as all that comes before has its own.
    again = missing or moved
    pending = [ref for ref, row in held.items() if again and row.position is not None and ref not in logged]
    placed = [ref for ref in moved if held[ref].position is None]
    _unplace(session, [held[ref].id for ref in (*pending, *moved) if held[ref].position is not None])
    _place(session, [{"key": held[ref].id, "place": logged[ref][0]} for ref in moved])
    _insert(session, log.organisation_id, missing, now)
    log.size = len(logged) if again else max(log.size, len(logged))
    log.counted_size = min(
        [log.counted_size, *(position for position, _ in missing), *(logged[ref][0] for ref in moved)]
    )
    log.signed_size, log.signed_root = checkpoint.size, checkpoint.root
    session.flush()
    for apply in features.on_placed if placed else ():
        apply(session, log.organisation_id, sorted(placed, key=lambda ref: logged[ref][0]))
    restored = Restored(slug, checkpoint.size, len(missing), len(moved), len(pending))
    if restored.changed:
        _tell(session, log.organisation_id, restored, now)
    return restored


def _log(session: Session, store: Store, features: Sequencing, slug: str, checkpoint: Checkpoint) -> RegistryLog:
    """The row of the log, made again where the database is older than it."""
    log = session.scalar(select(RegistryLog).where(RegistryLog.slug == slug).with_for_update())
    line = (store.read(slug, KEY) or b"").decode().strip()
    if log is None:
        owner = next((owner for owner, name in features.slugs(session).items() if name == slug), None)
        if owner is None:
            raise RefusedError(slug, "aucune organisation de la base n’a cet identifiant.")
        log = RegistryLog(organisation_id=owner, slug=slug, origin=checkpoint.origin, key=line, size=0, signed_size=0)
        session.add(log)
        session.flush()
    if (log.key, log.origin) != (line, checkpoint.origin):
        raise RefusedError(slug, "la clé du second dépôt n’est pas celle de la base.")
    return log


def _held(session: Session, organisation_id: uuid.UUID) -> dict[str, _Held]:
    query = select(RegistryEntry.id, RegistryEntry.position, RegistryEntry.commitment, RegistryEntry.ref)
    return {row.ref: row for row in session.execute(query.where(RegistryEntry.organisation_id == organisation_id))}


def _same(slug: str, logged: Mapping[str, tuple[int, Entry]], held: Mapping[str, _Held]) -> None:
    for ref, (position, entry) in logged.items():
        if ref in held and held[ref].commitment != entry.commitment:
            raise RefusedError(slug, f"l’entrée n° {position} n’est pas la même dans la base et dans le registre.")


def _unplace(session: Session, ids: Sequence[int]) -> None:
    for at in range(0, len(ids), CHUNK):
        some = RegistryEntry.id.in_(ids[at : at + CHUNK])
        session.execute(update(RegistryEntry).where(some).values(position=None), execution_options=_UNTRACKED)


def _place(session: Session, places: Sequence[Mapping[str, int]]) -> None:
    """Positions are unique: all were taken back before any is given."""
    table = cast("Table", RegistryEntry.__table__)
    statement = update(table).where(table.c.id == bindparam("key")).values(position=bindparam("place"))
    if places:
        session.connection().execute(statement, [dict(each) for each in places])


def _insert(
    session: Session, organisation_id: uuid.UUID, missing: Sequence[tuple[int, Entry]], now: dt.datetime
) -> None:
    rows = [
        {
            "organisation_id": organisation_id,
            "consultation_id": entry.consultation_id,
            "kind": entry.kind,
            "ref": entry.ref,
            "commitment": entry.commitment,
            "recorded_at": entry.recorded_at,
            "withheld": False,
            "position": position,
        }
        for position, entry in missing
    ]
    if rows:
        session.execute(insert(RegistryEntry), rows)
        lost = [{"organisation_id": organisation_id, "ref": row["ref"], "found_at": now} for row in rows]
        session.execute(insert(LostOpening), lost)


def _tell(session: Session, organisation_id: uuid.UUID, restored: Restored, now: dt.datetime) -> None:
    service.append(
        session,
        organisation_id=organisation_id,
        consultation_id=None,
        kind=EntryKind.INCIDENT,
        content={
            "what": "restore",
            "size": restored.size,
            "lost": restored.lost,
            "moved": restored.moved,
            "pending": restored.pending,
        },
        now=now,
    )


def _copy(stores: Stores, slug: str, bundles: Sequence[Sequence[bytes]]) -> None:
    """Write the first store again where it does not hold what the second does; its checkpoint comes last."""
    note, key = stores.second.read(slug, CHECKPOINT), stores.second.read(slug, KEY)
    assert note is not None  # both were read above
    assert key is not None
    edge = Edge()
    for at in range(0, len(bundles), 16):
        files = edge.extend(list(_flat(bundles[at : at + 16])))
        last = at + 16 >= len(bundles)
        stores.first.write(slug, {tile.path: data for tile, data in files.items() if last or tile.width == tiles.WIDTH})
    stores.first.write(slug, {KEY: key})
    stores.first.write(slug, {CHECKPOINT: note})
