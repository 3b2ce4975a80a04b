"""The bytes of an entry: what is hashed into the log, and read back from it. For ever: see decision 0006."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass

import rfc8785

from consult import clock
from consult.registry.models import EntryKind
from consult.registry.tree import HASH_BYTES

VERSION = 1
_REF_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """What the log says of an act."""

    recorded_at: dt.datetime
    commitment: bytes
    consultation_id: uuid.UUID | None
    kind: EntryKind
    ref: str


def encode(
    recorded_at: dt.datetime, commitment: bytes, consultation_id: uuid.UUID | None, kind: EntryKind, ref: str
) -> bytes:
    """The RFC 8785 form of an entry, its instant rounded down to the hour.

    Written by hand, six times as fast as by the general encoder, which the tests compare it with.
    """
    at = clock.hour(recorded_at).strftime("%Y-%m-%dT%H:%M:%SZ")
    consultation = "null" if consultation_id is None else f'"{consultation_id}"'
    return (
        f'{{"at":"{at}","commitment":"{commitment.hex()}","consultation":{consultation},'
        f'"kind":"{kind.value}","ref":"{ref}","v":{VERSION}}}'
    ).encode()


def decode(data: bytes) -> Entry:
    """Read an entry. Raises ValueError for bytes that `encode` does not give."""
    fields = json.loads(data)
    if not isinstance(fields, dict) or rfc8785.dumps(fields) != data:
        raise ValueError("an entry that is not canonical JSON")
    try:
        entry = Entry(
            recorded_at=dt.datetime.strptime(fields["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC),
            commitment=bytes.fromhex(fields["commitment"]),
            consultation_id=None if fields["consultation"] is None else uuid.UUID(fields["consultation"]),
            kind=EntryKind(fields["kind"]),
            ref=bytes.fromhex(fields["ref"]).hex(),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"an entry without its fields: {error}") from None
    if len(entry.commitment) != HASH_BYTES or len(entry.ref) != _REF_DIGITS or _encoded(entry) != data:
        raise ValueError("an entry that the platform does not write")
    return entry


def _encoded(entry: Entry) -> bytes:
    return encode(entry.recorded_at, entry.commitment, entry.consultation_id, entry.kind, entry.ref)
