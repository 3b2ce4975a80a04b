"""Official answers: drafted, published, corrected in the open, taken back with a reason."""

import datetime as dt
import threading
import time

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from consult.audit.models import AuditEntry
from consult.consultations.models import Consultation, ContentStatus
from consult.db import ALL_TENANTS
from consult.errors import ConflictError, GoneError, InvalidError
from consult.followup import policy, queries, service
from consult.followup.bindings import OfficialAnswersDataset
from consult.followup.models import OfficialAnswer, Outcome, Status, TargetType
from consult.registry import queries as registry
from tests import factories as f
from tests.integration.followup.world import REASON, SITE, World
from tests.registers import check_removals

HOUR = dt.timedelta(hours=1)


def rows(world):
    return list(OfficialAnswersDataset().rows(world.session, world.consultation.id))


def test_a_draft_is_public_nowhere(world):
    world.answer()
    assert (world.entries(), world.mails(), rows(world)) == ([], [], [])
    assert queries.answers_to(world.session, [world.proposal.id]) == {}


def test_each_public_act_is_one_entry_and_one_mail_and_each_act_is_journalled(world):
    """AT-20.1: publication, correction, withdrawal."""
    answer = world.publish(world.answer())
    published = answer.facts()
    world.change(answer, outcome=Outcome.ACCEPTED, body="Ce train circulera dès septembre, du lundi au samedi.")
    corrected = answer.facts()
    world.withdraw(answer)
    told = {"answer": str(answer.id)}
    hour = "2026-03-02T09:00:00Z"
    assert world.entries() == [
        ("answer", told | {"version": 1, "text_sha256": policy.digest(published), "published_at": hour}),
        ("edit", told | {"version": 2, "text_sha256": policy.digest(corrected)}),
        ("tombstone", told | {"version": 2, "ground": "withdrawn", "reason": REASON, "entries": []}),
    ]
    check_removals(world.session)
    journal = world.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert journal == ["answer.publish", "answer.correct", "answer.withdraw"]
    assert {mail.recipient for mail in world.mails()} == {world.author.email}
    subjects = [mail.subject for mail in world.mails()]
    assert sorted(subjects) == sorted(
        [
            "Une réponse officielle à votre contribution",
            "La réponse officielle à votre contribution a été corrigée",
            "La réponse officielle à votre contribution a été retirée",
        ]
    )
    text = next(mail.text for mail in world.mails() if mail.subject == subjects[0])
    assert f"{SITE}/reponses-officielles/{answer.id}" in text


def test_a_correction_leaves_the_former_version_readable(world):
    answer = world.publish(world.answer())
    before = answer.facts()
    world.now += HOUR
    world.change(answer, outcome=Outcome.DECLINED)
    (former,) = queries.versions(world.session, answer.id)
    assert (former.version, former.facts, former.replaced_at) == (1, before, world.now)
    (row,) = rows(world)
    assert (row["version"], row["outcome"], row["edited_at"]) == (2, "declined", "2026-03-02T10:00:00Z")


def test_what_changes_nothing_is_no_version(world):
    answer = world.publish(world.answer())
    world.change(answer, outcome=answer.outcome, body=answer.body)
    assert (answer.version, len(world.entries()), len(world.mails())) == (1, 1, 1)


def test_what_was_taken_back_leaves_lists_and_exports_and_says_why(world):
    answer = world.publish(world.answer())
    before = registry.removal_count(world.session, world.consultation.id)
    world.withdraw(answer)
    (row,) = rows(world)
    assert (row["status"], row["outcome"], row["body"], row["withdrawal_reason"]) == ("withdrawn", None, "", REASON)
    assert queries.answers_to(world.session, [world.proposal.id]) == {}
    assert registry.removal_count(world.session, world.consultation.id) == before + 1
    with pytest.raises(GoneError):
        world.change(answer, body="Nous y revenons, tout compte fait.")
    world.publish(world.answer(outcome=Outcome.ACCEPTED))  # its place is free again


def test_the_second_of_two_corrections_is_refused(world):
    answer = world.publish(world.answer())
    world.change(answer, outcome=Outcome.ACCEPTED)
    with pytest.raises(ConflictError, match="a changé depuis"):
        world.change(answer, seen=1, outcome=Outcome.DECLINED)
    assert answer.version == 2


@pytest.mark.parametrize("make", ["answer", "commitment", "case"])
def test_a_stale_form_of_a_draft_writes_over_nothing(world, make):
    """Two agents open the same draft: the second to save, and whoever publishes what was not read, are refused."""
    draft = getattr(world, make)()
    read = draft.edits
    field = "summary" if make == "case" else "body"
    world.change(draft, seen=read, **{field: "Ce que le premier agent en a fait."})
    with pytest.raises(ConflictError, match="a changé depuis"):
        world.change(draft, seen=read, **{field: "Ce que le second agent croyait écrire."})
    with pytest.raises(ConflictError, match="a changé depuis"):
        world.publish(draft, seen=read)
    assert (getattr(draft, field), draft.status) == ("Ce que le premier agent en a fait.", Status.DRAFT)


def test_a_form_opened_on_a_draft_corrects_nothing_once_it_is_published(world):
    draft = world.answer()
    read = draft.edits
    world.publish(draft)
    with pytest.raises(ConflictError, match="a changé depuis"):
        world.change(draft, seen=read, outcome=Outcome.DECLINED)
    assert (draft.version, draft.outcome) == (1, Outcome.UNDER_STUDY)


@pytest.mark.parametrize("moved", [False, True])
def test_two_answers_to_the_same_at_the_same_instant_leave_one_and_a_clear_refusal(database, moved):
    """The second is a new one, or a draft that answered something else."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        world = World(session)
        draft = world.answer(TargetType.THEME, world.theme.id) if moved else None
    written, outcomes = threading.Event(), []
    values = {
        "target_type": TargetType.CONTRIBUTION, "target_id": world.proposal.id, "outcome": Outcome.ACCEPTED,
        "authority": "Direction des mobilités", "body": "Une réponse motivée, parmi deux.",
    }  # fmt: skip

    def first():
        with database.transaction(tenant=world.organisation.id) as session:
            consultation = session.get_one(Consultation, world.consultation.id)
            service.create(session, OfficialAnswer, consultation, values, actor=world.actor, now=world.now)
            written.set()
            time.sleep(0.3)  # long enough for the other to look before this is committed
            outcomes.append("done")

    def second():
        written.wait()
        with database.transaction(tenant=world.organisation.id) as session:
            acting = world.acting() | {"consultation": session.get_one(Consultation, world.consultation.id)}
            try:
                if draft:
                    item = session.get_one(OfficialAnswer, draft.id)
                    service.change(session, item, values, seen=item.edits, **acting)
                else:
                    del acting["sender"]
                    service.create(session, OfficialAnswer, acting.pop("consultation"), values, **acting)
            except InvalidError as error:
                outcomes.append(error.fields)
            assert session.scalar(select(1)), "the page that tells of the refusal can still read"

    threads = [threading.Thread(target=each) for each in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["done", {"contribution": service.STANDING}]
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        found = {each.target_id: each.edits for each in session.scalars(select(OfficialAnswer))}
    assert found == {world.proposal.id: 0} | ({world.theme.id: 0} if moved else {})


def test_an_answer_is_published_once_and_no_public_one_is_thrown_away(world):
    answer = world.publish(world.answer())
    with pytest.raises(ConflictError):
        world.publish(answer)
    with pytest.raises(ConflictError):
        service.remove(world.session, answer, actor=world.actor, now=world.now)
    assert len(world.entries()) == 1


def test_each_thing_has_one_answer_and_the_database_holds_to_it(world):
    world.answer()
    with pytest.raises(InvalidError) as refusal:
        world.answer()
    assert "existe déjà" in refusal.value.fields["contribution"]
    with pytest.raises(IntegrityError), world.session.begin_nested():
        f.make_answer(world.session, world.proposal)


def test_a_theme_a_step_and_a_whole_consultation_are_answered_without_mail(world):
    targets = {
        TargetType.THEME: world.theme.id,
        TargetType.STEP: world.step.id,
        TargetType.CONSULTATION: world.consultation.id,
    }
    for kind, target in targets.items():
        world.publish(world.answer(kind, target))
    assert set(queries.answers_to(world.session, [*targets.values(), world.proposal.id])) == {*targets.values()}
    assert world.mails() == []


@pytest.mark.parametrize("elsewhere", ["hidden", "other", "unknown"])
def test_what_is_not_public_here_cannot_be_answered(world, elsewhere):
    if elsewhere == "hidden":
        world.proposal.status, world.proposal.status_reason = ContentStatus.HIDDEN, "insult"
    target = {
        "hidden": world.proposal.id,
        "other": f.make_proposal(world.session, f.make_step(world.session, _other(world))).id,
        "unknown": world.author.id,
    }[elsewhere]
    with pytest.raises(InvalidError) as refusal:
        world.answer(target_id=target)
    assert list(refusal.value.fields) == ["contribution"]


def _other(world):
    return f.make_consultation(world.session, world.organisation)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"body": "  court  "}, "body"),
        ({"body": "é" * (policy.BODY_MAX + 1)}, "body"),
        ({"authority": ""}, "authority"),
        ({"authority": "a" * 201}, "authority"),
    ],
)
def test_each_field_that_cannot_be_accepted_is_named(world, values, field):
    with pytest.raises(InvalidError) as refusal:
        world.answer(**values)
    assert list(refusal.value.fields) == [field]


def test_a_withdrawal_without_a_reason_is_refused(world):
    answer = world.publish(world.answer())
    with pytest.raises(InvalidError):
        world.withdraw(answer, "non")
    assert answer.status is Status.PUBLISHED


def test_a_draft_consultation_publishes_no_answer(world):
    world.consultation = f.make_consultation(world.session, world.organisation, opened=False)
    answer = world.answer(TargetType.CONSULTATION, world.consultation.id)
    with pytest.raises(InvalidError, match="brouillon"):
        world.publish(answer)


def test_the_outcome_of_an_answer_that_was_taken_back_is_found_by_no_filter(world):
    """What it decided is public no more: the whole list alone tells that it was there."""
    answer = world.publish(world.answer(outcome=Outcome.DECLINED))
    world.withdraw(answer)
    for only, shown in (({}, [answer]), ({"outcome": Outcome.DECLINED}, [])):
        listed = queries.published(world.session, OfficialAnswer, world.consultation.id, page=1, only=only)
        assert list(listed.rows) == shown


def test_an_author_who_left_is_written_to_no_more(world):
    world.proposal.author_id = None
    world.publish(world.answer())
    assert world.mails() == []


def test_the_list_of_a_step_is_filtered_by_what_was_answered(world):
    """Any answer, or one outcome; another step's are not counted."""
    other = f.make_proposal(world.session, world.step)
    f.make_proposal(world.session, world.step)
    world.publish(world.answer())
    world.publish(world.answer(target_id=other.id, outcome=Outcome.DECLINED))
    found = {
        outcome: set(world.session.scalars(queries.answered(world.step.id, outcome)))
        for outcome in (None, Outcome.DECLINED, Outcome.ACCEPTED)
    }
    assert found == {None: {world.proposal.id, other.id}, Outcome.DECLINED: {other.id}, Outcome.ACCEPTED: set()}
