"""Moderators are told that reports wait, in one grouped mail, through a real SMTP server."""

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select

from consult.accounts.models import AccountStatus, Membership
from consult.actor import Actor, Role
from consult.contributions.bindings import ProposalContent
from consult.jobs.models import Job
from consult.mail.jobs import DeliverMail
from consult.mail.models import OutgoingMail
from consult.moderation import service
from consult.moderation.jobs import NotifyModerators, moderators_of
from consult.moderation.letters import Links
from consult.moderation.models import Act, Decision
from consult.moderation.service import Wanted
from consult.organisations.models import Organisation
from tests.factories import make_account, make_consultation, make_organisation, make_proposal, make_step


@pytest.fixture
def consultation(session):
    organisation = make_organisation(session)
    session.info["tenant"] = organisation.id
    return make_consultation(session, organisation, title="Nos trajets")


def _report(session, consultation, now, reporter="a"):
    item = make_proposal(session, make_step(session, consultation))
    service.report(
        session, ProposalContent(), item.id,
        organisation_id=consultation.organisation_id, reason="insult", comment="", reporter=reporter, now=now,
    )  # fmt: skip
    return item


def _run(handler, session, consultation):
    return list(handler.run(session, {"consultation": str(consultation.id)}, {}))


def _organisation(session, consultation):
    return session.get_one(Organisation, consultation.organisation_id)


def test_a_real_server_receives_one_mail_for_all_that_waits(session, consultation, settings, smtp_server, now):
    organisation = _organisation(session, consultation)
    moderator = make_account(session, organisation, Role.MODERATOR)
    for _ in range(3):
        _report(session, consultation, now)
    settings = dataclasses.replace(settings, smtp_host=smtp_server.host, smtp_port=smtp_server.port)
    _run(NotifyModerators(settings, lambda: now), session, consultation)
    for mail in session.scalars(select(OutgoingMail)).all():
        list(DeliverMail(settings).run(session, {"mail": str(mail.id)}, {}))
    (message,) = smtp_server.to(moderator.email)
    assert message["Subject"] == "3 contenus attendent une décision"
    assert "Nos trajets" in message.get_body().get_content()
    assert f"/gestion/moderation?consultation={consultation.id}" in message.get_body().get_content()


def test_nothing_is_sent_once_everything_is_decided(session, consultation, settings, now):
    organisation = _organisation(session, consultation)
    moderator = make_account(session, organisation, Role.MODERATOR)
    item = _report(session, consultation, now)
    actor = Actor(moderator.id, roles=frozenset({Role.MODERATOR}))
    service.decide(
        session, ProposalContent(), item.id, Wanted(Act.DISMISS, 0),
        actor=actor, organisation=organisation, links=Links("", "", str), now=now + dt.timedelta(hours=1),
    )  # fmt: skip
    assert session.scalars(select(Decision)).one().reports == 1
    assert _run(NotifyModerators(settings), session, consultation) == []
    assert session.scalars(select(OutgoingMail)).all() == []


def test_every_report_is_followed_by_a_mail_even_after_one_left(session, consultation, now):
    instants = [now + dt.timedelta(minutes=minutes) for minutes in (0, 1, 7, 15, 40, 59)]
    for instant in instants:
        _report(session, consultation, instant)
    due = session.scalars(select(Job.run_after).where(Job.kind == service.NOTIFY_JOB)).all()
    for instant in instants:
        assert any(instant < after <= instant + service.NOTIFY_DELAY for after in due), instant
    assert len(due) < len(instants), "a wave makes one mail"


def test_who_is_told(session, consultation, now):
    organisation = _organisation(session, consultation)
    administrator = make_account(session, organisation, Role.ADMINISTRATOR)
    assert moderators_of(session, consultation) == [administrator]
    here = make_account(session, organisation, Role.MODERATOR, consultation=consultation)
    everywhere = make_account(session, organisation, Role.MODERATOR)
    make_account(session, organisation, Role.MODERATOR, consultation=make_consultation(session, organisation))
    blocked = make_account(session, organisation, Role.MODERATOR, status=AccountStatus.BLOCKED)
    revoked = make_account(session, organisation, Role.MODERATOR)
    membership = session.scalars(select(Membership).where(Membership.account_id == revoked.id)).one()
    membership.revoked_at, membership.revoked_by_id, membership.revocation_reason = now, administrator.id, "Départ"
    session.flush()
    found = moderators_of(session, consultation)
    assert {each.id for each in found} == {here.id, everywhere.id}
    assert blocked not in found
