"""The journal of staff acts is complete, paged without shifts, and cannot be rewritten."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from consult.actor import Actor, Role
from consult.audit import queries, service
from consult.audit.models import KEPT_DAYS, AuditEntry
from consult.clock import now as real_now
from consult.db import ALL_TENANTS

MODERATOR = Actor(
    account_id=uuid.uuid4(),
    pseudonym="Modération 2",
    roles=frozenset({Role.PARTICIPANT}),
    by_consultation={uuid.uuid4(): frozenset({Role.MODERATOR})},
)


def record(session, now, **changes):
    given = {
        "actor": MODERATOR,
        "organisation_id": None,
        "action": "moderation.hide",
        "target_type": "proposal",
        "target_id": uuid.uuid4(),
        "now": now,
    }
    return service.record(session, **(given | changes))


def test_an_act_is_recorded_with_its_author_roles_reason_and_detail(database, organisation_id, now):
    target = uuid.uuid4()
    with database.transaction(tenant=organisation_id) as session:
        record(
            session, now, organisation_id=organisation_id, target_id=target, reason="Article 3", detail={"rule": "3.1"}
        )
    with database.session(write=False, tenant=organisation_id) as session:
        (entry,) = queries.journal(session, organisation_id=organisation_id).entries
    assert (entry.account_id, entry.pseudonym, entry.roles) == (MODERATOR.account_id, "Modération 2", ["moderator"])
    assert (entry.action, entry.target_type, entry.target_id) == ("moderation.hide", "proposal", str(target))
    assert (entry.reason, entry.detail, entry.at) == ("Article 3", {"rule": "3.1"}, now)


def test_an_act_rolled_back_leaves_no_entry(database, now):
    with database.session(write=True, tenant=ALL_TENANTS) as session:
        record(session, now)
        session.rollback()
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert session.scalars(select(AuditEntry)).all() == []


def test_one_organisation_never_reads_the_journal_of_another(session, organisation_id, now):
    record(session, now, organisation_id=organisation_id)
    record(session, now, organisation_id=uuid.uuid4())
    record(session, now)
    assert len(queries.journal(session, organisation_id=organisation_id).entries) == 1
    assert len(queries.journal(session, organisation_id=None).entries) == 1


def test_pages_are_stable_while_acts_come_in(session, now):
    for number in range(7):
        record(session, now, target_id=number)
    first = queries.journal(session, organisation_id=None, limit=3)
    record(session, now, target_id="late")
    second = queries.journal(session, organisation_id=None, limit=3, before=first.before)
    third = queries.journal(session, organisation_id=None, limit=3, before=second.before)
    assert [entry.target_id for page in (first, second, third) for entry in page.entries] == list("6543210")
    assert third.before is None


def test_the_journal_is_filtered_by_act_family_person_and_target(session, now):
    other = Actor(account_id=uuid.uuid4(), pseudonym="Autre", roles=frozenset({Role.ADMINISTRATOR}))
    record(session, now, action="consultation.open", target_id="a")
    record(session, now, action="consultation_x.open", target_id="b")
    record(session, now, action="role.grant", target_id="c", actor=other)

    def found(**filters):
        return [entry.target_id for entry in queries.journal(session, organisation_id=None, **filters).entries]

    assert found(action="consultation.") == ["a"]
    assert found(action="role.grant") == ["c"]
    assert found(account_id=other.account_id) == ["c"]
    assert found(target_id="b") == ["b"]


@pytest.mark.parametrize(
    "rewrite",
    [
        update(AuditEntry).values(reason="autre"),
        delete(AuditEntry),
        text("UPDATE audit_entry SET at = at"),
        text("DELETE FROM audit_entry"),
    ],
    ids=["orm update", "orm delete", "sql update", "sql delete"],
)
def test_the_database_refuses_to_rewrite_the_journal(database, session, rewrite):
    record(session, real_now())
    session.commit()
    with pytest.raises(DBAPIError, match="audit_entry is append-only"):
        session.execute(rewrite)
    session.rollback()
    assert len(session.scalars(select(AuditEntry)).all()) == 1


def test_entries_past_their_retention_can_be_purged_and_only_those(session):
    record(session, real_now() - dt.timedelta(days=KEPT_DAYS + 1), target_id="old")
    record(session, real_now() - dt.timedelta(days=KEPT_DAYS - 1), target_id="recent")
    session.execute(delete(AuditEntry).where(AuditEntry.target_id == "old"))
    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(delete(AuditEntry).where(AuditEntry.target_id == "recent"))
