"""Every public act leaves a commitment in its own transaction; its opening can be withheld or destroyed, no more."""

import datetime as dt
import hashlib
import json
import uuid

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from consult.db import TenantMissingError
from consult.errors import NotFoundError
from consult.registry import service
from consult.registry.models import EntryKind, RegistryEntry

CONTENT = {"vote": "for", "contribution": "c-12", "texte": "Plus de bancs à l’ombre", "rang": 3}


def append(session, organisation_id, now, **changes):
    given = {
        "organisation_id": organisation_id,
        "consultation_id": uuid.uuid4(),
        "kind": EntryKind.VOTE_CAST,
        "content": CONTENT,
        "now": now,
    }
    ref = service.append(session, **(given | changes))
    return session.scalars(select(RegistryEntry).where(RegistryEntry.ref == ref)).one()


def test_a_third_party_recomputes_the_commitment_from_what_is_public(database, organisation_id, now):
    with database.transaction(tenant=organisation_id) as session:
        append(session, organisation_id, now)
    with database.session(write=False, tenant=organisation_id) as session:
        entry = session.scalars(select(RegistryEntry)).one()
    # RFC 8785 for such values: sorted keys, no space, UTF-8
    canonical = json.dumps(entry.opening, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert entry.commitment == hashlib.sha256(b"consult/v1\n" + entry.salt + canonical).digest()
    assert (len(entry.salt), len(entry.ref), entry.position, entry.withheld) == (32, 32, None, False)
    assert entry.recorded_at == now.replace(minute=0, second=0)


def test_two_entries_of_the_same_content_share_neither_reference_nor_commitment(session, organisation_id, now):
    first, second = (append(session, organisation_id, now) for _ in range(2))
    assert first.ref != second.ref
    assert first.salt != second.salt
    assert first.commitment != second.commitment
    assert first.id < second.id


def test_randomness_is_an_argument(session, organisation_id, now):
    entry = append(session, organisation_id, now, randbytes=lambda size: b"\x07" * size)
    assert (entry.salt, entry.ref) == (b"\x07" * 32, "07" * 16)
    assert entry.commitment == service.commitment(b"\x07" * 32, CONTENT)


def test_the_entry_lives_and_dies_with_the_act(database, organisation_id, now):
    with database.session(write=True, tenant=organisation_id) as session:
        append(session, organisation_id, now)
        session.rollback()
    with database.session(write=False, tenant=organisation_id) as session:
        assert session.scalar(select(func.count()).select_from(RegistryEntry)) == 0


@pytest.mark.parametrize("kind", EntryKind)
def test_every_kind_of_act_is_accepted_by_the_schema(session, organisation_id, now, kind):
    assert append(session, organisation_id, now, kind=kind).kind is kind


@pytest.mark.parametrize(
    "content",
    [
        {"pseudonym": "x"},
        {"author": {"E-mail": "x"}},
        {"acts": [{"account_id": "x"}]},
        {"acts": ({"IP": "x"},)},
    ],
)
def test_personal_data_is_refused_at_any_depth_and_nothing_is_written(session, organisation_id, now, content):
    with pytest.raises(ValueError, match="may not hold"):
        append(session, organisation_id, now, content=content)
    assert session.scalar(select(func.count()).select_from(RegistryEntry)) == 0


@pytest.mark.parametrize("value", [float("nan"), 2**60, dt.date(2026, 3, 2), uuid.UUID(int=1), b"x"])
def test_content_without_a_canonical_form_is_refused(session, organisation_id, now, value):
    with pytest.raises(ValueError):
        append(session, organisation_id, now, content={"value": value})


def test_withheld_then_disclosed_then_destroyed(database, organisation_id, now):
    with database.transaction(tenant=organisation_id) as session:
        ref = append(session, organisation_id, now).ref
    for act, expected in ((service.withhold, True), (service.disclose, False)):
        with database.transaction(tenant=organisation_id) as session:
            act(session, ref)
        with database.session(write=False, tenant=organisation_id) as session:
            entry = session.scalars(select(RegistryEntry)).one()
            assert (entry.withheld, entry.opening) == (expected, CONTENT)
    with database.transaction(tenant=organisation_id) as session:
        service.destroy_opening(session, ref)
    with database.session(write=False, tenant=organisation_id) as session:
        raw = session.execute(text("SELECT salt, opening, commitment FROM registry_entry")).one()
        assert (raw.salt, raw.opening) == (None, None)
        assert bytes(raw.commitment) == entry.commitment


def test_an_unknown_reference_or_that_of_another_organisation_is_not_found(database, organisation_id, now):
    with database.transaction(tenant=organisation_id) as session:
        ref = append(session, organisation_id, now).ref
    for tenant, name in ((organisation_id, "00" * 16), (uuid.uuid4(), ref)):
        with database.session(write=True, tenant=tenant) as session, pytest.raises(NotFoundError, match="registre"):
            service.withhold(session, name)


def test_an_entry_for_another_organisation_than_the_one_served_is_refused(database, organisation_id, now):
    with database.session(write=True, tenant=uuid.uuid4()) as session, pytest.raises(TenantMissingError):
        append(session, organisation_id, now)


@pytest.mark.parametrize(
    "rewrite",
    [
        delete(RegistryEntry),
        update(RegistryEntry).values(commitment=b"\x00" * 32),
        update(RegistryEntry).values(kind=EntryKind.EDIT),
        update(RegistryEntry).values(ref="0" * 32),
        text("UPDATE registry_entry SET recorded_at = '2020-01-01'"),
    ],
    ids=["delete", "commitment", "kind", "ref", "instant"],
)
def test_the_database_refuses_to_rewrite_an_entry(session, organisation_id, now, rewrite):
    append(session, organisation_id, now)
    with pytest.raises(DBAPIError, match="registry_entry is append-only"):
        session.execute(rewrite)


def test_half_an_opening_is_refused(session, organisation_id, now):
    append(session, organisation_id, now)
    with pytest.raises(DBAPIError, match="opened_or_destroyed"):
        session.execute(update(RegistryEntry).values(salt=None))


def test_a_position_can_be_given_once_and_is_unique(session, organisation_id, now):
    first, second = (append(session, organisation_id, now) for _ in range(2))
    first.position = 0
    session.flush()
    second.position = 0
    with pytest.raises(DBAPIError):
        session.flush()


def test_many_acts_are_committed_to_like_one(database, organisation_id, now):
    with database.transaction(tenant=organisation_id) as session:
        contents = [{"proposal": str(number)} for number in range(3)]
        refs = service.append_all(
            session,
            organisation_id=organisation_id,
            consultation_id=None,
            kind=EntryKind.CONTRIBUTION,
            contents=contents,
            now=now,
        )
        entries = list(session.scalars(select(RegistryEntry).order_by(RegistryEntry.id)))
        assert [entry.ref for entry in entries] == refs
        assert [entry.opening for entry in entries] == contents
        assert all(entry.commitment == service.commitment(entry.salt, entry.opening) for entry in entries)
        service.destroy_openings(session, refs[:2])
        session.expire_all()
        assert [entry.opening for entry in entries] == [None, None, {"proposal": "2"}]


def test_many_acts_are_refused_when_one_names_a_person(database, organisation_id, now):
    with database.transaction(tenant=organisation_id) as session, pytest.raises(ValueError, match="pseudonym"):
        service.append_all(
            session,
            organisation_id=organisation_id,
            consultation_id=None,
            kind=EntryKind.CONTRIBUTION,
            contents=[{"a": 1}, {"pseudonym": "x"}],
            now=now,
        )
