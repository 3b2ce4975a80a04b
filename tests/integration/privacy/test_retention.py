"""What is kept is kept as long as the public page says, and no longer: shown by travelling in time."""

import datetime as dt

import pytest
from sqlalchemy import func, select, text, update

from consult.accounts import service as accounts
from consult.accounts.models import Account, AccountStatus
from consult.actor import Actor, Role
from consult.app import PERSONAL_DATA
from consult.audit import service as audit
from consult.audit.models import AuditEntry
from consult.consultations.models import ContentStatus
from consult.imports.models import ImportBatch, RejectedRow
from consult.jobs.models import Job, JobState
from consult.mail.models import OutgoingMail
from consult.migrations import load_models
from consult.moderation.models import Act, Contest, Report
from consult.privacy import retention
from consult.privacy.jobs import Forget
from consult.questionnaires.models import ReplyDraft
from consult.settings import Settings
from tests import factories as f
from tests.integration.privacy.town import EMAIL, WRITTEN, found

DAY = dt.timedelta(days=1)
# Tables that tell of nobody: what an administration publishes, and the working of the platform.
OF_NOBODY = {
    "organisation", "consultation", "step", "theme", "question", "question_option", "question_version",
    "option_picture", "reading_change",
    "dump", "exposure", "registry_log",
    "registry_census",
    "registry_flow",
    "registry_sequencer",
    "step_figures",
    "service_month",
}  # fmt: skip
LIFE = (dt.timedelta(hours=1), dt.timedelta(hours=2))


def forget(session, now) -> None:
    with_all = Forget(Settings(), PERSONAL_DATA, now=lambda: now)
    for _ in with_all.run(session, {}, {}):
        session.flush()
    session.expire_all()


def test_every_table_has_a_rule():
    """A new table says how long it keeps what it holds, or that it tells of nobody."""
    ruled = [name for rule in retention.RULES for name in rule.tables]
    assert len(ruled) == len(set(ruled))
    assert set(ruled) | OF_NOBODY == set(load_models().tables)
    assert not set(ruled) & OF_NOBODY
    assert {data.table for data in PERSONAL_DATA} <= set(ruled)
    assert all(rule.kept.endswith(".") and rule.ground for rule in (*retention.RULES, *retention.OTHERS))


def test_the_public_page_says_every_rule(client, database):
    with database.transaction(tenant="all tenants") as session:
        f.make_organisation(session)
    page = client.get("/donnees-personnelles").text
    for rule in (*retention.RULES, *retention.OTHERS):
        assert rule.kept in page
        assert rule.what in page


@pytest.mark.slow
def test_words_of_moderation_go_a_year_after_the_decision(town):
    session = town.session
    another = f.make_account(session, town.organisation, Role.MODERATOR)
    town.decide(another, town.hidden, Act.UPHOLD, "La décision est maintenue.", seen=1)
    reported = session.scalar(select(func.max(Report.reported_at)).where(Report.decision_id.is_not(None)))
    forget(session, reported + retention.YEAR - DAY)
    assert found(session, WRITTEN["contest"]) == {"moderation_contest.statement"}
    forget(session, reported + retention.YEAR + DAY)
    assert found(session, WRITTEN["contest"], "parle de") == set()
    assert session.scalar(select(func.count()).select_from(Contest)) == 1
    waiting = session.scalars(select(Report.comment).where(Report.decision_id.is_(None))).all()
    assert any(waiting), "one that waits for its decision keeps its words"


def test_drafts_rejected_rows_failed_jobs_and_the_journal_go_in_their_time(town):
    session = town.session
    batch = session.scalars(select(ImportBatch)).one()
    session.add(RejectedRow(organisation_id=town.organisation.id, batch_id=batch.id, line=1, reason="x", raw="{}"))
    failed = Job(kind="x", state=JobState.FAILED, run_after=f.NOW, created_at=f.NOW, finished_at=f.NOW)
    session.add(failed)
    session.flush()

    def left() -> list[int]:
        failures = select(func.count()).select_from(Job).where(Job.state == JobState.FAILED)
        counts = [session.scalar(select(func.count()).select_from(each)) for each in (RejectedRow, ReplyDraft)]
        return [*counts, session.scalar(failures)]

    forget(session, f.NOW + retention.QUARTER - DAY)
    assert left() == [1, 1, 1]
    forget(session, f.NOW + retention.QUARTER + DAY)
    assert left() == [0, 1, 0]
    forget(session, f.NOW + retention.YEAR + DAY)
    assert left() == [0, 0, 0]


def test_the_journal_of_acts_is_kept_a_year(session):
    """The database itself refuses before six months, by the machine's clock: the acts are dated from it."""
    now = dt.datetime.now(dt.UTC)
    organisation = f.make_organisation(session)
    actor = Actor(pseudonym="agent", roles=frozenset({Role.ADMINISTRATOR}))
    for age in (retention.YEAR + DAY, retention.YEAR - DAY, DAY):
        audit.record(
            session, actor=actor, organisation_id=organisation.id, action="a.b", target_type="x", target_id=age.days,
            now=now - age,
        )  # fmt: skip
    forget(session, now)
    assert session.scalars(select(AuditEntry.target_id).order_by(AuditEntry.at)).all() == ["364", "1"]


def test_an_account_that_is_never_confirmed_goes_after_a_month(town):
    session = town.session
    created = town.claimant.created_at
    forget(session, created + retention.UNCONFIRMED - DAY)
    assert town.claimant.status is AccountStatus.ACTIVE
    forget(session, created + retention.UNCONFIRMED + DAY)
    assert town.claimant.status is AccountStatus.ERASED
    assert found(session, WRITTEN["pending"]) == set()
    assert town.person.status is AccountStatus.ACTIVE


@pytest.mark.slow
def test_an_account_that_sleeps_is_warned_then_let_go_without_its_texts(town):
    session, person = town.session, town.person
    session.execute(text("DELETE FROM outgoing_mail"))
    seen = dt.datetime.combine(person.seen_on, dt.time(12), dt.UTC)
    forget(session, seen + retention.INACTIVE - retention.WARNED - DAY)
    assert person.warned_on is None
    warned = seen + retention.INACTIVE - retention.WARNED + DAY
    forget(session, warned)
    mails = session.scalars(select(OutgoingMail).where(OutgoingMail.recipient == EMAIL)).all()
    assert [mail.template for mail in mails] == ["privacy_inactive"], "once"
    forget(session, seen + retention.INACTIVE)
    assert person.status is AccountStatus.ACTIVE, "a month after the warning, not before"
    forget(session, warned + retention.WARNED)
    assert person.status is AccountStatus.ERASED
    assert (town.mine.status, found(session, EMAIL) - {"outgoing_mail.recipient"}) == (ContentStatus.PUBLISHED, set())


def test_signing_in_keeps_the_account(town):
    session, person = town.session, town.person
    seen = dt.datetime.combine(person.seen_on, dt.time(12), dt.UTC)
    forget(session, seen + retention.INACTIVE)
    assert person.warned_on is not None
    accounts.open_session(session, person, now=seen + retention.INACTIVE + DAY, life=LIFE)
    assert person.warned_on is None
    forget(session, seen + retention.INACTIVE + retention.WARNED + DAY)
    assert person.status is AccountStatus.ACTIVE


def test_agents_are_not_let_go_by_a_clock(town):
    session = town.session
    session.execute(update(Account).values(seen_on=f.NOW.date() - 10 * retention.INACTIVE, warned_on=f.NOW.date()))
    forget(session, f.NOW + 2 * retention.INACTIVE)
    assert [town.admin.status, town.moderator.status] == [AccountStatus.ACTIVE] * 2
    assert town.person.status is AccountStatus.ERASED


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_crash_between_two_chunks_loses_nothing(town):
    session = town.session
    for _ in Forget(Settings(), PERSONAL_DATA, now=lambda: f.NOW + 5 * retention.YEAR).run(session, {}, {}):
        session.flush()
        break
    forget(session, f.NOW + 5 * retention.YEAR)
    assert town.claimant.status is AccountStatus.ERASED
