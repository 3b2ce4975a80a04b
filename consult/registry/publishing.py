"""Steps 2 and 3 of the sequencer: from the rows of a log to its files, durable on two stores, then signed.

The files are a function of the rows, so a crash anywhere is mended by writing them again. Nothing is signed that the
stores do not hold, nor that contradicts what was signed before.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.db import ALL_TENANTS, Database
from consult.errors import ConflictError
from consult.registry import entries, notes, tiles, tree
from consult.registry.edge import Edge
from consult.registry.models import RegistryEntry, RegistryLog
from consult.registry.notes import Checkpoint, NoteError, SigningKey, VerifierKey
from consult.registry.store import CHECKPOINT, KEY, PROGRAMS, Store
from consult.registry.tiles import WIDTH, Tile, TileReader

logger = logging.getLogger(__name__)
SERVED: Final = ("verifier.py", "witness.py")
_PROGRAMS: Final = "consult/programs/v1"  # first line of the note: no checkpoint begins so
_HERE: Final = Path(__file__).parent
CHUNK: Final = 5_000  # entries between two checkpoints at most

_COLUMNS: Final = (
    RegistryEntry.recorded_at,
    RegistryEntry.commitment,
    RegistryEntry.consultation_id,
    RegistryEntry.kind,
    RegistryEntry.ref,
)


class RefusedError(ConflictError):
    """The log may not go on: the database and the stores do not tell the same history."""

    def __init__(self, log: str, why: str) -> None:
        super().__init__(f"Registre « {log} » : {why}")


class OvertakenError(RuntimeError):
    """Another sequencer published meanwhile: what was remembered of the log is old."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The folder that is served, and the one that outlives its machine."""

    first: Store
    second: Store

    def __iter__(self) -> Iterator[Store]:
        return iter((self.first, self.second))


@dataclass(slots=True)
class OpenLog:
    """What the sequencer remembers of a log whose stores and rows it has compared."""

    organisation_id: uuid.UUID
    slug: str
    key: VerifierKey
    signed: Checkpoint | None = None
    announced: bool = False
    edge: Edge = field(default_factory=Edge)


def open_log(database: Database, stores: Stores, log: RegistryLog, *, every_file: bool = False) -> OpenLog:
    """Compare every row of a log with what was signed, and the edge of its stores, or `every_file` of them.

    Raises RefusedError.
    """
    key = VerifierKey.parse(log.key)
    opened = OpenLog(log.organisation_id, log.slug, key, signed=last_signed(stores, log, key))
    if opened.signed is not None:
        for chunk in chunks(database, opened, opened.signed.size):
            files = opened.edge.extend(chunk)
            if every_file:
                _compare(stores, opened, opened.signed.size, files)
        if every_file:
            _check_programs(stores, opened)
        if opened.edge.root() != opened.signed.root:
            raise RefusedError(log.slug, "les entrées de la base ne donnent pas la racine signée.")
        _level(stores, opened)
    return opened


def last_signed(stores: Stores, log: RegistryLog, key: VerifierKey) -> Checkpoint | None:
    """The last checkpoint published, once both stores were found to hold its tree. Raises RefusedError."""
    first, second = (checkpoint_of(store, log.slug, key) for store in stores)
    if second is None:
        if first is not None or log.signed_size:
            raise RefusedError(log.slug, "le second dépôt ne contient pas ce qui a été signé.")
        return None
    if log.signed_size > second.size or (first is not None and first.size > second.size):
        raise RefusedError(log.slug, "le second dépôt est en retard sur ce qui a été signé.")
    if log.size < second.size:
        raise RefusedError(log.slug, f"la base s’arrête à {log.size} entrées, {second.size} ont été signées.")
    for store in stores:
        _check_store(store, log.slug, key, [each for each in (first, second) if each is not None])
    return second


def checkpoint_of(store: Store, slug: str, key: VerifierKey) -> Checkpoint | None:
    """The checkpoint that a store holds. Raises RefusedError when it is not signed by this key."""
    note = store.read(slug, CHECKPOINT)
    try:
        return None if note is None else notes.open_checkpoint(note, key)
    except NoteError as error:
        raise RefusedError(slug, f"le point de contrôle de {store.folder} n’est pas valable ({error}).") from error


def _check_store(store: Store, slug: str, key: VerifierKey, signed: list[Checkpoint]) -> None:
    if store.read(slug, KEY) != key_line(key):
        raise RefusedError(slug, f"{store.folder} ne contient pas la clé du registre.")
    size = signed[-1].size
    read = TileReader(lambda tile: store.fetch(slug, tile), size)
    try:
        good = all(tree.root(read, each.size) == each.root for each in signed)
    except ValueError as error:
        raise RefusedError(slug, f"une tuile manque ou est abîmée : {error}.") from error
    if not good:
        raise RefusedError(slug, f"les tuiles de {store.folder} ne donnent pas la racine signée.")


def _compare(stores: Stores, log: OpenLog, size: int, files: Mapping[Tile, bytes]) -> None:
    """Refuse a file of the tree of that size that is not what the rows give."""
    for tile, content in files.items():
        if tile == tiles.tile_at(tile.level, tile.index, size):
            for store in stores:
                if store.read(log.slug, tile.path) != content:
                    raise RefusedError(log.slug, f"{store.folder / log.slug / tile.path} manque ou a changé.")


def _level(stores: Stores, log: OpenLog) -> None:
    """Serve the last checkpoint where a crash came between the two stores."""
    note = stores.second.read(log.slug, CHECKPOINT)
    if note is not None and stores.first.read(log.slug, CHECKPOINT) != note:
        stores.first.write(log.slug, {CHECKPOINT: note})


def publish(database: Database, stores: Stores, log: OpenLog, key: SigningKey, size: int) -> None:
    """Write and sign what was placed up to `size`. Raises RefusedError, OvertakenError: then open the log again."""
    if log.edge.size == size:
        _settle(database, log)
    for chunk in chunks(database, log, size):
        files = log.edge.extend(chunk)
        written = {tile.path: content for tile, content in files.items()}
        if log.signed is None:
            written[KEY] = key_line(log.key)
        for store in stores:
            store.write(log.slug, written)
        target = Checkpoint(log.key.name, log.edge.size, log.edge.root())
        _read_back(stores.second, log, target)
        _sign(database, stores, log, key, target)
        full = [Tile(tile.level, tile.index - 1) for tile in files if tile.width == WIDTH and tile.index]
        for store in stores:
            store.drop_partials(log.slug, full)


def announce(stores: Stores, log: OpenLog, key: SigningKey) -> None:
    """Have the key of a log vouch for the programs that the platform serves, so that a stranger can check a copy."""
    if log.announced or log.signed is None:
        return
    digests = [f"{name} {hashlib.sha256((_HERE / name).read_bytes()).hexdigest()}\n" for name in SERVED]
    note = key.sign("".join([f"{_PROGRAMS}\n", *digests]).encode())
    for store in stores:
        if store.read(log.slug, PROGRAMS) != note:
            store.write(log.slug, {PROGRAMS: note})
    log.announced = True


def _check_programs(stores: Stores, log: OpenLog) -> None:
    for store in stores:
        note = store.read(log.slug, PROGRAMS)
        try:
            good = note is None or bool(notes.signers(*notes.split(note), [log.key]))
        except (NoteError, UnicodeDecodeError):
            good = False
        if not good:
            raise RefusedError(log.slug, f"{store.folder / log.slug / PROGRAMS} a changé.")


def key_line(key: VerifierKey) -> bytes:
    """What `key` gives."""
    return f"{key}\n".encode()


def _read_back(store: Store, log: OpenLog, target: Checkpoint) -> None:
    """Refuse to sign a tree that the files do not give, or of which what was signed is no prefix."""
    read = TileReader(lambda tile: store.fetch(log.slug, tile), target.size)
    signed = [] if log.signed is None else [log.signed]
    try:
        good = all(tree.root(read, each.size) == each.root for each in (*signed, target))
    except ValueError as error:
        raise RefusedError(log.slug, f"ce qui vient d’être écrit ne se relit pas : {error}.") from error
    if not good:
        raise RefusedError(log.slug, "ce qui serait signé contredit les tuiles, ou ce qui a été signé.")


def _sign(database: Database, stores: Stores, log: OpenLog, key: SigningKey, target: Checkpoint) -> None:
    """Sign, second store first. The lock on the row keeps two sequencers from publishing backwards."""
    with database.transaction(tenant=log.organisation_id) as session:
        row = session.get_one(RegistryLog, log.organisation_id, with_for_update=True)
        if checkpoint_of(stores.second, log.slug, log.key) != log.signed:
            raise OvertakenError(log.slug)
        note = key.sign(target.text)
        for store in (stores.second, stores.first):
            store.write(log.slug, {CHECKPOINT: note})
        row.signed_size, row.signed_root = target.size, target.root
    log.signed = target


def _settle(database: Database, log: OpenLog) -> None:
    """Note in the database what the stores say was signed, where a crash came between them."""
    with database.transaction(tenant=log.organisation_id) as session:
        row = session.get_one(RegistryLog, log.organisation_id, with_for_update=True)
        if log.signed is not None and row.signed_size < log.signed.size:
            row.signed_size, row.signed_root = log.signed.size, log.signed.root


def chunks(database: Database, log: OpenLog, size: int) -> Iterator[list[bytes]]:
    """The entries from the edge of the log to `size`, by chunks, each read in a transaction of its own.

    Raises RefusedError when one is missing.
    """
    while (start := log.edge.size) < size:
        with database.session(write=False, tenant=log.organisation_id) as session:
            chunk = entries_between(session, log.organisation_id, start, min(start + CHUNK, size))
        if len(chunk) != min(CHUNK, size - start):
            raise RefusedError(log.slug, f"des entrées manquent dans la base après le n° {start}.")
        yield chunk


def entries_between(session: Session, organisation_id: uuid.UUID, start: int, end: int) -> list[bytes]:
    """The bytes of the entries of those positions, in their order."""
    query = select(*_COLUMNS).where(
        RegistryEntry.organisation_id == organisation_id, RegistryEntry.position >= start, RegistryEntry.position < end
    )
    return [entries.encode(*row) for row in session.execute(query.order_by(RegistryEntry.position))]


def check(database: Database, stores: Stores) -> list[OpenLog]:
    """Compare every log with every file of its stores; gives them as they are signed, by name. Raises RefusedError."""
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        logs = session.scalars(select(RegistryLog).order_by(RegistryLog.slug)).all()
    return [open_log(database, stores, log, every_file=True) for log in logs]
