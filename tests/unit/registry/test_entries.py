"""The bytes of an entry are RFC 8785, and nothing else is read as an entry."""

import datetime as dt
import uuid

import pytest
import rfc8785

from consult.registry import entries
from consult.registry.models import EntryKind

AT = dt.datetime(2026, 11, 27, 9, 41, 27, 5, tzinfo=dt.UTC)
CONSULTATION = uuid.UUID("0a6f3d0e-6a37-4d0b-9b4e-5f4f8f4e9d11")
ENCODED = (
    b'{"at":"2026-11-27T09:00:00Z","commitment":"' + b"ab" * 32 + b'",'
    b'"consultation":"0a6f3d0e-6a37-4d0b-9b4e-5f4f8f4e9d11","kind":"vote.cast","ref":"' + b"07" * 16 + b'","v":1}'
)


def encoded(**changes):
    given = {
        "recorded_at": AT,
        "commitment": b"\xab" * 32,
        "consultation_id": CONSULTATION,
        "kind": EntryKind.VOTE_CAST,
        "ref": "07" * 16,
    }
    return entries.encode(**(given | changes))


def test_an_entry_is_written_as_the_record_says():
    assert encoded() == ENCODED
    assert encoded(recorded_at=AT.astimezone(dt.timezone(dt.timedelta(hours=2)))) == ENCODED


@pytest.mark.parametrize("kind", EntryKind)
@pytest.mark.parametrize("consultation", [CONSULTATION, None])
def test_what_is_written_by_hand_is_canonical_and_reads_back(kind, consultation):
    data = encoded(kind=kind, consultation_id=consultation)
    fields = {
        "v": 1,
        "ref": "07" * 16,
        "kind": kind.value,
        "consultation": str(consultation) if consultation else None,
        "commitment": "ab" * 32,
        "at": "2026-11-27T09:00:00Z",
    }
    assert data == rfc8785.dumps(fields)
    hour = AT.replace(minute=0, second=0, microsecond=0)
    assert entries.decode(data) == entries.Entry(hour, b"\xab" * 32, consultation, kind, "07" * 16)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"nul",
        ENCODED + b" ",
        ENCODED.replace(b'"v":1', b'"v":2'),
        ENCODED.replace(b"ab", b"AB"),
        ENCODED.replace(b"vote.cast", b"vote.lost"),
        ENCODED.replace(b"T09:00", b"T09:01"),
        ENCODED[:-1],
        ENCODED.replace(b'"v":1', b'"v":1,"w":1'),
        ENCODED.replace(b"0a6f", b"0A6F"),
        ENCODED.replace(b"07", b"7", 1),
        ENCODED.replace(b'"' + b"07" * 16 + b'"', b"null"),
        ENCODED.replace(b"ab", b"", 1),
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError):
        entries.decode(data)
