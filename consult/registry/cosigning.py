"""Asking witnesses to cosign what the sequencer published (C2SP tlog-witness): beside it, never in its way.

Each witness has a thread of its own: one that is away, slow or lying holds up neither the log nor the others. What it
answers is kept only once verified: in `cosigned/<id of its key>`, the last state it cosigned, and in `checkpoint` while
that is the state served. Under load one state a second is proposed, the same to all, so that it gets all cosignatures.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import http.client
import logging
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from consult import clock
from consult.db import Database
from consult.registry import notes, tree
from consult.registry.models import RegistryLog
from consult.registry.notes import WITNESS_KEY, Checkpoint, NoteError, VerifierKey
from consult.registry.publishing import OpenLog, Stores
from consult.registry.store import CHECKPOINT, Store
from consult.registry.tiles import TileReader
from consult.settings import Settings, UnsafeSettingsError

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS: Final = 10.0
ROUND_SECONDS: Final = 1.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0  # seconds before a witness that failed is asked again; doubled each time
EARLY: Final = dt.timedelta(minutes=5)  # how far ahead of ours the clock of a witness may be
_MAX_REPLY: Final = 16_384
_TRIES: Final = 3  # a witness says where it stands; another sequencer may ask it at the same time


@dataclass(frozen=True, slots=True)
class Witness:
    """One whom the log asks, and the key by which its answers are believed."""

    address: str
    key: VerifierKey

    @property
    def file(self) -> str:
        """Where the last state it cosigned is published."""
        return cosigned_path(self.key.id)


class _FailedError(Exception):
    """A witness gave no cosignature; the message says why, in French."""


def cosigned_path(identifier: bytes) -> str:
    """The file, under the address of a log, of the last state that the witness of that key cosigned."""
    return f"cosigned/{identifier.hex()}"


def configured(settings: Settings) -> tuple[Witness, ...]:
    """The witnesses of CONSULT_REGISTRY_WITNESSES. Raises UnsafeSettingsError, told in French."""
    found: list[Witness] = []
    for item in filter(None, map(str.strip, settings.registry_witnesses.split(","))):
        address, _, line = item.partition(" ")
        try:
            key = VerifierKey.parse(line)
        except NoteError:
            key = None
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname or key is None or key.type != WITNESS_KEY:
            raise UnsafeSettingsError(
                "CONSULT_REGISTRY_WITNESSES attend « adresse clé » pour chaque témoin, séparés par des virgules, "
                f"la clé telle que l’affiche « witness.py key » ; ceci n’en est pas un : « {item[:80]} »"
            )
        found.append(Witness(address.rstrip("/"), key))
    if len({witness.key.id for witness in found}) < len(found):
        raise UnsafeSettingsError("CONSULT_REGISTRY_WITNESSES nomme deux fois le même témoin")
    return tuple(found)


# What is published of the witnesses ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The last state that a witness cosigned, verified, and its note with the cosignatures that came with it."""

    checkpoint: Checkpoint
    at: dt.datetime
    note: bytes


def cosigned(store: Store, slug: str, log: VerifierKey, witness: VerifierKey) -> Cosigned | None:
    """What the store holds of a witness; None when it holds nothing that both keys signed."""
    note = store.read(slug, cosigned_path(witness.id))
    try:
        return None if note is None else _cosigned(note, log, witness)
    except NoteError:
        return None


def _cosigned(note: bytes, log: VerifierKey, witness: VerifierKey) -> Cosigned | None:
    checkpoint = notes.open_checkpoint(note, log)
    line = notes.signers(*notes.split(note), [witness]).get(witness)
    return None if line is None else Cosigned(checkpoint, notes.cosigned_at(line), note)


# Asking -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Proposed:
    """A state of a log, the same for all witnesses, and the cosignatures that came."""

    log: OpenLog
    checkpoint: Checkpoint
    note: bytes
    since: float
    lines: dict[VerifierKey, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class _Standing:
    """Where a witness stands on a log."""

    size: int = 0
    done: Checkpoint | None = None
    failures: int = 0
    again_at: float = 0.0


class Cosigning:
    """Proposes what the sequencer publishes to each witness, again and later where one failed."""

    def __init__(
        self, database: Database, stores: Stores, witnesses: Sequence[Witness], *, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._database = database
        self._stores = stores
        self._witnesses = witnesses
        self._timeout = timeout
        self._changed = threading.Condition()
        self._proposed: dict[uuid.UUID, _Proposed] = {}
        self._next: dict[uuid.UUID, _Proposed] = {}
        self._standing: dict[tuple[VerifierKey, uuid.UUID], _Standing] = {}

    def offer(self, log: OpenLog) -> None:
        """Have what was just signed of a log proposed; returns at once."""
        if not self._witnesses or log.signed is None:
            return
        known = self._next.get(log.organisation_id) or self._proposed.get(log.organisation_id)
        if known is not None and known.checkpoint == log.signed:
            return
        note = self._stores.second.read(log.slug, CHECKPOINT)
        if note is None or notes.split(note)[0] != log.signed.text:
            return  # another sequencer went on: its own will be proposed
        with self._changed:
            self._next[log.organisation_id] = _Proposed(log, log.signed, note, time.monotonic())
            self._changed.notify_all()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Ask, each witness in a thread of its own, as long as the block lasts."""
        stop = threading.Event()
        for witness in self._witnesses:
            threading.Thread(
                target=self._serve, args=(witness, stop), name=f"witness {witness.key.name}", daemon=True
            ).start()
        try:
            yield
        finally:
            stop.set()
            with self._changed:
                self._proposed.clear()
                self._next.clear()
                self._changed.notify_all()

    def ask_once(self) -> None:
        """Ask every witness once, here and now, for commands."""
        with self._changed:
            self._proposed.update(self._next)
            self._next.clear()
        for witness in self._witnesses:
            for proposed in self._due(witness):
                self._ask(witness, proposed)

    def _serve(self, witness: Witness, stop: threading.Event) -> None:
        while not stop.is_set():
            due = self._due(witness)
            for proposed in due:
                if not stop.is_set():
                    self._ask(witness, proposed)
            if not due:
                with self._changed:
                    self._changed.wait(ROUND_SECONDS / 2)

    def _due(self, witness: Witness) -> list[_Proposed]:
        """What this witness is to be asked for now."""
        now = time.monotonic()
        with self._changed:
            for key, following in list(self._next.items()):
                current = self._proposed.get(key)
                if current is None or now - current.since >= ROUND_SECONDS:
                    following.since = now
                    self._proposed[key] = self._next.pop(key)
            return [
                each
                for key, each in self._proposed.items()
                if (standing := self._standing_of(witness, each.log)).again_at <= now
                and standing.done != each.checkpoint
            ]

    def _standing_of(self, witness: Witness, log: OpenLog) -> _Standing:
        known = self._standing.get((witness.key, log.organisation_id))
        if known is None:
            last = cosigned(self._stores.first, log.slug, log.key, witness.key)
            known = _Standing() if last is None else _Standing(last.checkpoint.size, last.checkpoint)
            self._standing[witness.key, log.organisation_id] = known
        return known

    def _ask(self, witness: Witness, proposed: _Proposed) -> None:
        """One cosignature, published; or a failure, told once and tried again later."""
        standing = self._standing_of(witness, proposed.log)
        try:
            line = self._cosignature(witness, proposed, standing)
            self._keep(witness, proposed, line)
        except Exception as error:  # whatever a witness does, or the stores: the next try may do better
            standing.failures += 1
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(standing.failures - 1, 16))
            standing.again_at = time.monotonic() + wait
            told = standing.failures == 1 or wait == LONGEST_WAIT
            facts = {"witness": witness.key.name, "log": proposed.log.slug, "why": str(error) or repr(error)}
            known = isinstance(error, _FailedError)
            logger.log(logging.WARNING if told else logging.DEBUG, "no cosignature", extra=facts, exc_info=not known)
        else:
            standing.size, standing.done = proposed.checkpoint.size, proposed.checkpoint
            standing.failures, standing.again_at = 0, 0.0

    def _cosignature(self, witness: Witness, proposed: _Proposed, standing: _Standing) -> bytes:
        """The verified line of a witness. Raises _FailedError."""
        target, asked = proposed.checkpoint, set[int]()
        for _ in range(_TRIES):
            asked.add(standing.size)
            status, body = self._post(witness, self._request(proposed, standing.size))
            if status == http.HTTPStatus.OK:
                return _verified(body, target, witness.key)
            if status != http.HTTPStatus.CONFLICT:
                raise _FailedError(f"répond {status} : {body[:200].decode('utf-8', 'replace').strip()}")
            standing.size = _size(body)
            if standing.size > target.size:
                raise _FailedError(f"a cosigné {standing.size} entrées, plus que les {target.size} de cet état")
            if standing.size in asked:
                break
        raise _FailedError(f"dit avoir cosigné un autre état de {standing.size} entrées")

    def _request(self, proposed: _Proposed, old: int) -> bytes:
        slug, size = proposed.log.slug, proposed.checkpoint.size
        proof: list[bytes] = []
        if 0 < old < size:
            read = TileReader(lambda tile: self._stores.first.fetch(slug, tile), size)
            proof = tree.consistency_proof(read, old, size)
        lines = [f"old {old}\n", *(f"{base64.b64encode(each).decode()}\n" for each in proof), "\n"]
        return "".join(lines).encode() + proposed.note

    def _post(self, witness: Witness, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "consult-sequencer/1"}
        request = urllib.request.Request(f"{witness.address}/add-checkpoint", body, headers)  # noqa: S310  # checked when read: http or https
        try:
            with _OPENER.open(request, timeout=self._timeout) as reply:
                return reply.status, reply.read(_MAX_REPLY)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read(_MAX_REPLY)
        except (OSError, http.client.HTTPException) as error:
            raise _FailedError(f"ne répond pas ({error})") from None

    def _keep(self, witness: Witness, proposed: _Proposed, line: bytes) -> None:
        """Publish a cosignature."""
        log, text = proposed.log, proposed.checkpoint.text
        with self._changed:
            proposed.lines[witness.key] = line
            lines = dict(proposed.lines)
        self._stores.first.write(log.slug, {witness.file: _with(proposed.note, lines)})
        # The lock that signing takes: a state is never served again once another followed it.
        with self._database.transaction(tenant=log.organisation_id) as session:
            session.get_one(RegistryLog, log.organisation_id, with_for_update=True)
            served = self._stores.second.read(log.slug, CHECKPOINT)
            if served is None or notes.split(served)[0] != text or line in notes.split(served)[1]:
                return
            for store in (self._stores.second, self._stores.first):
                store.write(log.slug, {CHECKPOINT: _with(served, lines)})


def _with(note: bytes, lines: Mapping[VerifierKey, bytes]) -> bytes:
    """A note with the lines of these keys, in place of those that they had given."""
    text, kept = notes.split(note)
    former = notes.signers(text, kept, list(lines)).values()
    return text + b"\n" + b"".join([*(line for line in kept if line not in former), *lines.values()])


def _verified(body: bytes, target: Checkpoint, key: VerifierKey) -> bytes:
    """The line by which this witness cosigned that very state. Raises _FailedError."""
    lines = [line + b"\n" for line in body.split(b"\n") if line]
    try:
        line = notes.signers(target.text, lines[: notes.MAX_SIGNATURES], [key]).get(key)
    except (NoteError, UnicodeDecodeError) as error:
        raise _FailedError(f"donne une signature qui n’est pas bonne ({error})") from None
    if line is None:
        raise _FailedError("ne signe pas de sa clé")
    if notes.cosigned_at(line) > clock.now() + EARLY:
        raise _FailedError("date sa signature d’un instant à venir")
    return line


def _size(body: bytes) -> int:
    text = body.strip()
    if not text.isdigit() or len(text) > 18:  # noqa: PLR2004  # as checkpoints write it
        raise _FailedError("refuse sans dire où il en est")
    return int(text)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A witness has one address."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_NoRedirect)
