"""Receipts: C2SP tlog-proof files that show, offline, that an act is in the log; and what one brought back proves."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import rfc8785

from consult.errors import InvalidError
from consult.registry import entries, notes, tree, verifier
from consult.registry.cosigning import Witness
from consult.registry.models import RegistryEntry, RegistryLog
from consult.registry.notes import NoteError, VerifierKey
from consult.registry.store import CHECKPOINT, Store
from consult.registry.tiles import TileReader

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_BYTES: Final = 65_536  # ours have a few thousand
_UNREADABLE: Final = (
    "Ce fichier n’est pas un récépissé entier. Choisissez le fichier « .tlog-proof » téléchargé, sans le modifier, "
    "ou collez tout son contenu."
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A file that proves an act, and what is said of it beside it."""

    file: bytes
    position: int
    leaf: bytes
    size: int
    cosigned_by: tuple[str, ...]


def issue(store: Store, log: RegistryLog, entry: RegistryEntry, witnesses: Sequence[Witness]) -> Receipt | None:
    """The receipt of an entry whose opening stands; None while no signed state holds it.

    Of the states published, the one that most witnesses cosigned is taken.
    """
    signed = _signed(store, log, witnesses)
    found = [state for state in signed if entry.position is not None and entry.position < state[0].size]
    if not found or entry.position is None or entry.salt is None:
        return None
    checkpoint, note, names = max(found, key=lambda state: (len(state[2]), state[0].size))
    data = entries.encode(entry.recorded_at, entry.commitment, entry.consultation_id, entry.kind, entry.ref)
    proof = tree.inclusion_proof(_reader(store, log, checkpoint.size), entry.position, checkpoint.size)
    leaf = tree.leaf_hash(data)
    if not tree.verify_inclusion(leaf, entry.position, checkpoint.size, proof, checkpoint.root):
        raise ValueError(f"entry {entry.position} of {log.slug} is not what was signed")
    held = {"content": entry.opening, "entry": json.loads(data), "salt": entry.salt.hex()}
    lines = [HEADER, f"extra {_base64(rfc8785.dumps(held))}", f"index {entry.position}", *map(_base64, proof), "", ""]
    return Receipt("\n".join(lines).encode() + note, entry.position, leaf, checkpoint.size, names)


def leaf_at(store: Store, log: RegistryLog, position: int) -> bytes | None:
    """The hash of the entry that the log has at a position today; None where it is not signed yet."""
    size = max((state[0].size for state in _signed(store, log, ())), default=0)
    return _reader(store, log, size)(0, position) if 0 <= position < size else None


def _signed(
    store: Store, log: RegistryLog, witnesses: Sequence[Witness]
) -> list[tuple[notes.Checkpoint, bytes, tuple[str, ...]]]:
    """The states published of a log, with their notes and the names of those who cosigned them."""
    key, found = VerifierKey.parse(log.key), []
    for path in (CHECKPOINT, *(witness.file for witness in witnesses)):
        note = store.read(log.slug, path)
        if note is None:
            continue
        try:
            checkpoint = notes.open_checkpoint(note, key)
            signers = notes.signers(*notes.split(note), [key, *(witness.key for witness in witnesses)])
        except NoteError:
            continue  # a damaged file proves nothing; the sequencer refuses it
        found.append((checkpoint, note, tuple(each.name for each in signers if each != key)))
    return found


def _reader(store: Store, log: RegistryLog, size: int) -> TileReader:
    return TileReader(lambda tile: store.fetch(log.slug, tile), size)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# Judging a receipt that somebody brings ------------------------------------------------------------------------------


@dataclass(slots=True)
class Verdict:
    """What a receipt proves. `frauds`: what is wrong, in French; `present`: whether the log still holds the act there.

    `cosigned_by`: the witnesses known here whose good cosignature it carries.
    """

    frauds: list[str] = field(default_factory=list)
    present: bool | None = None
    cosigned_by: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.frauds and self.present is not False


def read(raw: bytes) -> verifier.Receipt:
    """Read what somebody gives as a receipt. Raises InvalidError, told in French."""
    if len(raw) > MAX_BYTES:
        raise InvalidError(f"Ce fichier dépasse {MAX_BYTES // 1024} Ko : ce n’est pas un récépissé.")
    try:
        receipt = verifier.Receipt.read(raw.replace(b"\r\n", b"\n").strip() + b"\n")
    except (verifier.Impossible, ValueError, KeyError, TypeError, RecursionError):
        raise InvalidError(_UNREADABLE) from None
    if len(receipt.checkpoint.lines) > notes.MAX_SIGNATURES:  # each costs a verification
        raise InvalidError(_UNREADABLE)
    return receipt


def judge(receipt: verifier.Receipt, store: Store, log: RegistryLog, witnesses: Iterable[Witness]) -> Verdict:
    """Verify a receipt with the program that is given to everybody, and look for its act in the log of today."""
    verdict = Verdict()
    report = verifier.check_receipt(receipt, [verifier.Key.read(log.key)], [])
    verdict.frauds = [each["message"] for each in report.frauds]
    state = receipt.checkpoint
    for witness in witnesses:
        if verifier.Key.read(str(witness.key)).signed(state.text, state.lines):
            verdict.cosigned_by.append(witness.key.name)
    if not verdict.frauds:
        try:
            found = leaf_at(store, log, receipt.index)
        except (NoteError, ValueError):
            found = None
        verdict.present = found == receipt.leaf
    return verdict
