"""The public log in tests: people who act, sequencers, and a reading of the files by the published rules alone."""

import functools
import hashlib
import json
import uuid
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import func, select, text

from consult import app
from consult.db import ALL_TENANTS, as_tenant
from consult.organisations.models import Organisation
from consult.protocols import Sequencing
from consult.registry import notes, service, tiles, tree
from consult.registry import sequencer as sequencing
from consult.registry.models import EntryKind, RegistryEntry, RegistryLog
from consult.registry.publishing import Stores
from consult.registry.sequencer import Sequencer
from consult.registry.store import Store
from consult.settings import Settings

HOST = "consultations.example"
SEED = b"\x07" * 32


def nothing(session, organisation_id, since, last) -> None:
    """Where no figure is counted."""


def slugs(session):
    """The identifier of each organisation."""
    return dict(session.execute(select(Organisation.id, Organisation.slug)).all())


def sequencer(
    database,
    folder: Path,
    *,
    seed=SEED,
    on_placed=(),
    closed=lambda session, now: [],
    count=nothing,
    release=MappingProxyType({}),
    **options,
):
    """A sequencer whose two stores are in that folder."""
    stores = Stores(Store(folder / "first"), Store(folder / "second"))
    asked = Sequencing(slugs=slugs, closed=closed, on_placed=on_placed, count=count, release=release)
    return Sequencer(database, stores, seed, host=HOST, features=asked, **options)


@functools.cache
def features():
    """What the platform has its sequencer do."""
    settings = Settings()
    return app.sequencing(app.bindings(settings), settings)


def settle(session, *, limit=1_000_000) -> None:
    """Give the first pending entries of every log their place, in this transaction, as the sequencer would."""
    session.flush()
    with as_tenant(session, ALL_TENANTS):
        for organisation_id, slug in slugs(session).items():
            placed = sequencing.place(session, organisation_id, _placed(session, organisation_id), limit)
            if not placed:
                continue
            log = session.get(RegistryLog, organisation_id)
            if log is None:
                origin = f"{HOST}/registry/{slug}"
                key = str(notes.SigningKey(SEED, origin).verifier)
                log = RegistryLog(organisation_id=organisation_id, slug=slug, origin=origin, key=key)
                session.add(log)
            log.size = _placed(session, organisation_id)
            session.flush()
            for apply in features().on_placed:
                apply(session, organisation_id, placed)
            features().count(session, organisation_id, log.counted_size or 0, log.size - 1)
            log.counted_size = log.size
            session.flush()
    session.expire_all()


def _placed(session, organisation_id) -> int:
    last = select(func.max(RegistryEntry.position)).where(RegistryEntry.organisation_id == organisation_id)
    position = session.scalar(last)
    return 0 if position is None else position + 1


def tamper(database, *statements, **values):
    """Run statements that the database itself refuses, as its owner could."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        for table in ("registry_entry", "registry_log"):
            if database.is_sqlite:
                for act in ("update", "delete"):
                    session.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{act}"))
            else:
                session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            session.execute(text(statement), values)
        if not database.is_sqlite:
            for table in ("registry_entry", "registry_log"):
                session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def act(database, organisation_id, now, *, count=1, consultation_id=None, kind=EntryKind.VOTE_CAST):
    """Append entries in one transaction; returns their refs."""
    with database.transaction(tenant=organisation_id) as session:
        return service.append_all(
            session,
            organisation_id=organisation_id,
            consultation_id=consultation_id or uuid.UUID(int=1),
            kind=kind,
            contents=[{"number": number} for number in range(count)],
            now=now,
        )


class Published:
    """What a store says of a log, checked by the published rules: signature, bundles, tiles, canonical entries."""

    def __init__(self, folder: Path, slug="agence", seed=SEED) -> None:
        root = folder / slug
        key = notes.VerifierKey.parse((root / "key").read_text())
        assert key == notes.SigningKey(seed, key.name).verifier
        self.note = (root / "checkpoint").read_bytes()
        self.checkpoint = notes.open_checkpoint(self.note, key)
        size = self.checkpoint.size
        read = tiles.TileReader(lambda tile: (root / tile.path).read_bytes(), size)
        assert tree.root(read, size) == self.checkpoint.root
        self.entries = []
        for index in range(-(-size // 256)):
            self.entries += tiles.entries_of((root / tiles.tile_at(None, index, size).path).read_bytes())
        self.refs = [json.loads(entry)["ref"] for entry in self.entries]
        self.leaves = [hashlib.sha256(b"\x00" + entry).digest() for entry in self.entries]
        assert tree.Frontier(self.leaves).root() == self.checkpoint.root

    def holds(self, checkpoint) -> bool:
        """Whether that checkpoint, published before, is a prefix of this one."""
        size = checkpoint.size
        return size <= len(self.leaves) and tree.Frontier(self.leaves[:size]).root() == checkpoint.root


def positions(database, organisation_id=None) -> dict[str, int | None]:
    """The position of each entry (of one organisation), by ref, in the order of writing."""
    tenant = organisation_id or ALL_TENANTS
    with database.session(write=False, tenant=tenant) as session:
        rows = session.execute(select(RegistryEntry.ref, RegistryEntry.position).order_by(RegistryEntry.id))
        return dict(rows.all())


def standing_votes(session, *, placed=False) -> dict[tuple[str, str], str]:
    """The vote of each voter on each content, by the openings alone; each entry must follow from those before."""
    votes: dict[tuple[str, str], str] = {}
    rows = select(RegistryEntry.kind, RegistryEntry.opening).where(RegistryEntry.salt.is_not(None))
    if placed:
        rows = rows.where(RegistryEntry.position.is_not(None))
    for kind, opening in session.execute(rows.order_by(RegistryEntry.id)):
        if not kind.startswith("vote.") or "choices" in opening:
            continue
        key = opening["voter"], opening.get("contribution") or opening["argument"]
        assert (kind is EntryKind.VOTE_CAST) == (key not in votes)
        votes[key] = opening["value"] if kind is not EntryKind.VOTE_WITHDRAWN else votes[key]
        if kind is EntryKind.VOTE_WITHDRAWN:
            assert votes.pop(key) == opening["value"]
    return votes


def standing_ballots(session, *, placed=False) -> dict[tuple[str, str], dict[str, int]]:
    """The ballot of each voter in each step, by the openings alone; each entry must follow from those before."""
    ballots: dict[tuple[str, str], dict[str, int]] = {}
    rows = select(RegistryEntry.kind, RegistryEntry.opening).where(RegistryEntry.salt.is_not(None))
    if placed:
        rows = rows.where(RegistryEntry.position.is_not(None))
    for kind, opening in session.execute(rows.order_by(RegistryEntry.id)):
        if not kind.startswith("vote.") or "choices" not in opening:
            continue
        key = opening["voter"], opening["step"]
        before = ballots.pop(key, {})
        gone = kind is EntryKind.VOTE_WITHDRAWN
        assert (opening["choices"] if gone else opening.get("former", {})) == before
        assert (kind is EntryKind.VOTE_CAST) == (before == {})
        if not gone:
            ballots[key] = opening["choices"]
    return ballots


def check_removals(session) -> None:
    """What cannot be read is told: one tombstone names each opening destroyed, a standing decision each withheld."""
    entries = session.scalars(select(RegistryEntry).order_by(RegistryEntry.id)).all()
    for entry in entries:
        session.refresh(entry)
    destroyed = [entry.ref for entry in entries if entry.salt is None]
    buried = [ref for entry in entries if entry.kind is EntryKind.TOMBSTONE for ref in entry.opening["entries"]]
    assert sorted(buried) == sorted(destroyed)
    assert not [entry for entry in entries if entry.salt is None and (entry.opening or entry.holder)]
    covered: set[str] = set()
    for entry in entries:
        if entry.kind in {EntryKind.MODERATION, EntryKind.MODERATION_WITHHELD}:
            covered.update(entry.opening["entries"])
        elif entry.kind is EntryKind.MODERATION_REVERSED:
            covered.difference_update(entry.opening["entries"])
    assert {entry.ref for entry in entries if entry.withheld} == covered
