"""Commitments: what they follow, how far they have come, and who is told when they are late (AT-U5.3)."""

import datetime as dt

import pytest

from consult.actor import Role
from consult.consultations.models import ContentStatus
from consult.errors import ConflictError, InvalidError
from consult.followup import policy, queries, service
from consult.followup.bindings import CommitmentsDataset
from consult.followup.jobs import RemindOverdue
from consult.followup.models import Commitment, Stage
from consult.settings import Settings
from tests import factories as f

DAY = dt.timedelta(days=1)


def follow_up(world, commitment, stage=Stage.IN_PROGRESS, body="Les essais ont commencé.", seen=None):
    seen = commitment.edits if seen is None else seen
    service.follow_up(world.session, commitment, stage=stage, body=body, seen=seen, actor=world.actor, now=world.now)


def remind(world, now):
    for _ in RemindOverdue(Settings(public_url="https://exemple.fr"), now=lambda: now).run(world.session, {}, {}):
        world.session.flush()
    return [mail for mail in world.mails() if mail.template == "followup_overdue"]


def test_AT_U5_3_a_commitment_says_what_it_follows_its_owner_its_stage_and_its_date(world):
    answer = world.publish(world.answer())
    commitment = world.publish(world.commitment(links=[world.proposal.id, answer.id], link="https://exemple.gouv.fr/"))
    follow_up(world, commitment)
    (row,) = CommitmentsDataset().rows(world.session, world.consultation.id)
    assert list(row) == list(CommitmentsDataset.columns)
    shown = ("owner", "stage", "due_on", "answers", "contributions", "version")
    assert {name: row[name] for name in shown} == {
        "owner": "Direction des mobilités", "stage": "in_progress", "due_on": "2026-06-01",
        "answers": [str(answer.id)], "contributions": [str(world.proposal.id)], "version": 2,
    }  # fmt: skip
    assert [each["body"] for each in row["updates"]] == ["Les essais ont commencé."]
    assert [each.id for each in queries.commitments_about(world.session, [world.proposal.id, answer.id])] == [
        commitment.id
    ]
    assert {title for _, _, title in queries.linked(world.session, commitment)} == {world.proposal.title}


def test_each_act_on_a_commitment_is_one_entry(world):
    """AT-20.1."""
    commitment = world.publish(world.commitment())
    follow_up(world, commitment)
    world.change(commitment, due_on=dt.date(2026, 9, 1))
    world.withdraw(commitment)
    kinds = [(kind, told["version"]) for kind, told in world.entries()]
    assert kinds == [("commitment", 1), ("edit", 2), ("edit", 3), ("tombstone", 3)]
    last_said = [told for kind, told in world.entries() if kind == "edit"][-1]
    assert last_said["text_sha256"] == policy.digest(commitment.facts())
    assert [each.version for each in queries.versions(world.session, commitment.id)] == [2, 1]
    (row,) = CommitmentsDataset().rows(world.session, world.consultation.id)
    assert (row["title"], row["body"], row["updates"], row["status"]) == ("", "", [], "withdrawn")


def test_what_a_commitment_follows_may_change(world):
    other = f.make_proposal(world.session, world.step)
    commitment = world.publish(world.commitment(links=[world.proposal.id]))
    world.change(commitment, links=[world.proposal.id, other.id])
    assert set(commitment.linked("contribution")) == {str(world.proposal.id), str(other.id)}
    world.change(commitment, links=[other.id])
    assert commitment.linked("contribution") == [str(other.id)]
    assert commitment.version == 3


@pytest.mark.parametrize("which", ["other", "draft_answer", "unknown"])
def test_a_commitment_follows_only_what_is_published_here(world, which):
    other = f.make_consultation(world.session, world.organisation)
    key = {
        "other": f.make_proposal(world.session, f.make_step(world.session, other)).id,
        "draft_answer": world.answer().id,
        "unknown": world.author.id,
    }[which]
    with pytest.raises(InvalidError) as refusal:
        world.commitment(links=[world.proposal.id, key])
    assert str(key) in refusal.value.fields["links"]
    assert str(world.proposal.id) not in refusal.value.fields["links"]


@pytest.mark.parametrize("gone", ["contribution", "answer"])
def test_a_commitment_of_which_a_link_left_the_public_can_still_be_corrected(world, gone):
    """What it follows already may stay; what is gone cannot be added to another."""
    answer = world.publish(world.answer())
    links = [world.proposal.id, answer.id]
    commitment = world.publish(world.commitment(links=links))
    if gone == "answer":
        world.withdraw(answer)
    else:
        world.proposal.status, world.proposal.status_reason = ContentStatus.HIDDEN, "insult"
        world.session.flush()
    world.change(commitment, body="Un train de plus, tous les jours.", links=links)
    assert (commitment.version, {each.target_id for each in commitment.links}) == (2, set(links))
    with pytest.raises(InvalidError):
        world.commitment(links=links)


def test_a_line_that_is_no_address_is_named():
    with pytest.raises(InvalidError) as refusal:
        policy.ids_of_lines("/contributions/0b0d5a52-5a5c-4c3f-9a61-3f2b6f0a7c11\nmon idée de mars\n")
    assert "mon idée de mars" in refusal.value.fields["links"]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "exemple.fr", "https://", "http://[::1", "ftp://a.fr/b"])
def test_a_link_that_is_no_address_is_refused(world, link):
    with pytest.raises(InvalidError) as refusal:
        world.commitment(link=link)
    assert list(refusal.value.fields) == ["link"]


def test_an_update_waits_for_the_publication_and_for_the_version_that_was_read(world):
    commitment = world.commitment()
    with pytest.raises(ConflictError):
        follow_up(world, commitment)
    world.publish(commitment)
    follow_up(world, commitment)
    with pytest.raises(ConflictError):
        follow_up(world, commitment, seen=1)
    assert len(commitment.updates) == 1


def test_late_is_a_day_past_in_paris_and_neither_done_nor_given_up(world):
    commitment = world.publish(world.commitment(due_on=dt.date(2026, 6, 1)))
    last_minute = dt.datetime(2026, 6, 1, 21, 59, tzinfo=dt.UTC)  # 23 h 59 in Paris
    minute = dt.timedelta(minutes=1)
    assert [policy.is_overdue(commitment, at) for at in (last_minute, last_minute + minute)] == [False, True]
    for stage in Stage:
        commitment.stage = stage
        world.session.flush()
        late = stage in {Stage.PLANNED, Stage.IN_PROGRESS}
        assert policy.is_overdue(commitment, last_minute + minute) is late
        assert queries.tally(world.session, world.consultation.id, last_minute + minute)["overdue"] == late


def test_AT_U5_3_staff_is_reminded_once_for_each_due_date(world):
    f.make_account(world.session, world.organisation, Role.ORGANISER, email="organisatrice@exemple.fr")
    f.make_account(world.session, world.organisation, Role.MODERATOR, email="moderatrice@exemple.fr")
    commitment = world.publish(world.commitment(due_on=dt.date(2026, 6, 1)))
    world.publish(world.commitment(title="Sans échéance", due_on=None))
    world.commitment(title="Resté brouillon")
    day = dt.datetime(2026, 6, 2, 9, tzinfo=dt.UTC)
    assert remind(world, day - DAY) == []
    first = remind(world, day)
    assert len(first) == 2  # the organiser and the decision maker; no moderator
    assert all("1er juin 2026" in mail.text and str(commitment.id) in mail.text for mail in first)
    assert remind(world, day + DAY) == first
    world.now = day + DAY
    world.change(commitment, due_on=dt.date(2026, 6, 20))
    assert remind(world, day + 10 * DAY) == first
    assert len(remind(world, day + 30 * DAY)) == 4


def test_a_reminder_cut_half_way_is_sent_once(world):
    """The mails and the due date that they tell of are kept together."""
    for number in range(25):
        world.publish(world.commitment(title=f"Engagement {number}"))
    day = dt.datetime(2026, 6, 2, 9, tzinfo=dt.UTC)
    work = RemindOverdue(Settings(), now=lambda: day).run(world.session, {}, {})
    next(work)
    work.close()
    assert len(remind(world, day)) == 25
    assert world.session.get(Commitment, queries.listed(
        world.session, Commitment, world.consultation.id, page=1
    ).rows[0].id).reminded_for == dt.date(2026, 6, 1)  # fmt: skip
