"""Who took part, and asked for it, is told what the administration answers and commits to (AT-U5.3)."""

import datetime as dt

import pytest

from consult.accounts.models import Account
from consult.clock import PARIS
from consult.contributions.models import VoteValue
from consult.followup import jobs, policy, service
from consult.followup.models import TargetType
from consult.jobs.models import Job
from consult.questionnaires.models import HasReplied
from consult.settings import Settings
from tests import factories as f
from tests.integration.followup.world import SITE

SETTINGS = Settings(public_url=SITE)
DAY = dt.timedelta(days=1)


def follower(world, **values) -> Account:
    return f.make_account(world.session, world.organisation, told_of_answers=True, **values)


def tell(world, *, cursor=None, stop_after=None) -> list[str]:
    """Run what was asked for, as a worker does once it is due; gives who was written to."""
    for job in world.session.query(Job).filter(Job.kind == service.TELL_JOB):
        for turn, progress in enumerate(
            jobs.TellParticipants(SETTINGS).run(world.session, job.payload, cursor or {}), 1
        ):
            world.session.flush()
            world.cursor = progress.cursor
            if turn == stop_after:
                break
    return sorted(mail.recipient for mail in world.mails() if mail.template == "followup_news")


def test_AT_U5_3_who_took_part_and_asked_for_it_is_told_once_a_day(world):
    voter, arguer, replier, author = (follower(world) for _ in range(4))
    f.make_vote(world.session, world.proposal, voter, VoteValue.FOR)
    f.make_argument(world.session, world.proposal, arguer)
    asked = f.make_step(world.session, world.consultation, kind="questionnaire")
    f.make_reply(world.session, asked, replier, {})
    f.make_proposal(world.session, world.step, author)
    silent = f.make_account(world.session, world.organisation)  # took part, asked for nothing
    f.make_proposal(world.session, world.step, silent)
    elsewhere = follower(world)
    f.make_proposal(
        world.session, f.make_step(world.session, f.make_consultation(world.session, world.organisation)), elsewhere
    )
    limited = follower(world, set_aside_at=f.NOW)
    f.make_proposal(world.session, world.step, limited)
    unproven = follower(world, confirmed_at=None)
    f.make_proposal(world.session, world.step, unproven, status="pending")
    anonymous = follower(world)
    mark = HasReplied(organisation_id=world.organisation.id, step_id=asked.id, account_id=anonymous.id)
    world.session.add(mark)
    world.publish(world.answer(TargetType.CONSULTATION, world.consultation.id))
    world.publish(world.commitment())
    world.publish(world.commitment(title="Un second engagement"))
    (job,) = world.session.query(Job).filter(Job.kind == service.TELL_JOB)
    assert job.run_after == dt.datetime(2026, 3, 3, 9, tzinfo=PARIS)
    assert tell(world) == sorted(each.email for each in (voter, arguer, replier, author))
    text = next(mail.text for mail in world.mails() if mail.recipient == voter.email)
    for words in (world.consultation.title, "Un train du soir", "Un second engagement", f"{SITE}/suites-donnees/"):
        assert words in text


def test_what_was_taken_back_meanwhile_is_told_to_nobody(world):
    f.make_proposal(world.session, world.step, follower(world))
    commitment = world.publish(world.commitment())
    world.withdraw(commitment)
    assert tell(world) == []


def test_a_use_case_tells_nobody(world):
    f.make_proposal(world.session, world.step, follower(world))
    world.now = world.consultation.closes_at + DAY
    world.publish(world.case())
    assert world.session.query(Job).filter(Job.kind == service.TELL_JOB).count() == 0


def test_a_crash_half_way_writes_to_nobody_twice(world, monkeypatch):
    monkeypatch.setattr(jobs, "CHUNK", 2)
    people = [follower(world) for _ in range(5)]
    for each in people:
        f.make_proposal(world.session, world.step, each)
    world.publish(world.commitment())
    assert len(tell(world, stop_after=1)) == 2
    assert tell(world, cursor=world.cursor) == sorted(each.email for each in people)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (dt.datetime(2026, 3, 2, 8, 59, tzinfo=PARIS), dt.date(2026, 3, 2)),
        (dt.datetime(2026, 3, 2, 9, 0, tzinfo=PARIS), dt.date(2026, 3, 3)),
        (dt.datetime(2026, 3, 29, 1, 0, tzinfo=PARIS), dt.date(2026, 3, 29)),  # the night that loses an hour
    ],
)
def test_a_day_goes_from_nine_to_nine_in_paris(at, until):
    since, end = policy.told_between(at)
    assert end == dt.datetime.combine(until, dt.time(9), PARIS)
    assert since == dt.datetime.combine(until - DAY, dt.time(9), PARIS)
    assert since <= at < end
