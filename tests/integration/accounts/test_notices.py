"""« Mes courriels »: what is declined is not sent, whoever sends it; links of mails change nothing until confirmed."""

import re

import pytest
from jinja2 import UndefinedError
from sqlalchemy import select

from consult.accounts import service as accounts
from consult.accounts.models import Account, TokenPurpose
from consult.accounts.notices import policy, service
from consult.accounts.sign_up import service as sign_up
from consult.actor import Role
from consult.audience import service as audience
from consult.audience.figures import Span
from consult.audience.jobs import MakeReport
from consult.audience.models import Period
from consult.contributions.bindings import ProposalContent
from consult.errors import GoneError
from consult.followup.jobs import RemindOverdue, TellParticipants
from consult.followup.service import TELL_JOB
from consult.jobs.models import Job
from consult.mail import service as mail_service
from consult.moderation.jobs import NotifyModerators
from consult.moderation.service import report
from consult.settings import Settings
from consult.subscriptions.jobs import TellFollowers
from tests import factories as f
from tests.integration.followup.world import SECRET, SITE, World

PAGE = "/mon-compte/courriels"
SETTINGS = Settings(public_url=SITE, secret_key=SECRET)
LINK = re.compile(rf"Ne plus recevoir ces courriels : {SITE}({PAGE}/\S+)")


@pytest.fixture
def person(make, organisation):
    return make(f.make_account, organisation)


@pytest.fixture
def signed_in(client, person):
    f.sign_in(client, person)
    return client


@pytest.fixture
def told(rows):
    """What an account says it wants: the columns of its choices that are true."""
    return lambda account: {
        notice.column
        for row in rows(Account, Account.id == account.id)
        for notice in policy.CHOSEN
        if policy.wants(row, notice)
    }


def send(client, path=PAGE, **values):
    return client.post(path, data={"csrf_token": f.csrf_token(client, path), **values})


def test_the_page_lists_every_mail_and_why_some_cannot_be_declined(signed_in):
    page = signed_in.get(PAGE).text
    for notice in policy.NOTICES:
        shown = notice.name in page
        assert shown is notice.concerns(()), notice.name
        assert not shown or not notice.why or notice.why in page
    assert "RGPD, article 12" in page
    assert f'href="{PAGE}"' in signed_in.get("/mon-compte").text


def test_the_boxes_that_are_ticked_are_kept_and_the_others_are_not(signed_in, person, told):
    assert told(person) == {
        "told_when_answered",
        "told_of_followed",
        "told_of_reports",
        "told_of_delays",
        "told_of_traffic",
    }
    assert send(signed_in, told_of_answers="y").status_code == 303
    assert told(person) == {"told_of_answers", "told_of_reports", "told_of_delays", "told_of_traffic"}, (
        "those of staff were not asked"
    )
    page = signed_in.get(PAGE).text
    assert re.search(r'<input[^>]*checked[^>]*name="told_of_answers"', page)
    assert not re.search(r'<input[^>]*checked[^>]*name="told_when_answered"', page)
    assert send(signed_in).status_code == 303
    assert told(person) == {"told_of_reports", "told_of_delays", "told_of_traffic"}


def test_a_choice_that_is_not_offered_is_not_kept(signed_in, person, told, rows):
    """AT-19.4: neither the mails of staff, nor any other column of the account."""
    send(signed_in, told_of_reports="y", status="blocked", pseudonym="Autre", told_of_delays="")
    (account,) = rows(Account, Account.id == person.id)
    assert (account.status, account.pseudonym) == (person.status, person.pseudonym)
    assert {"told_of_reports", "told_of_delays"} <= told(person)


def test_staff_choose_among_the_mails_of_their_roles(app, make, organisation, told):
    client, moderator = app.test_client(), make(f.make_account, organisation, Role.MODERATOR)
    f.sign_in(client, moderator)
    page = client.get(PAGE).text
    assert 'name="told_of_reports"' in page
    assert 'name="told_of_delays"' not in page
    send(client, told_when_answered="y")
    assert told(moderator) == {"told_when_answered", "told_of_delays", "told_of_traffic"}


def test_without_its_token_the_form_changes_nothing(signed_in, person, told):
    before = told(person)
    assert signed_in.post(PAGE, data={"told_of_answers": "y"}).status_code == 403
    assert told(person) == before


def test_the_link_of_a_mail_declines_after_a_confirmation_whoever_is_signed_in(app, person, told, signed_in):
    visitor, secret = app.test_client(), app.extensions["settings"].secret_key
    link = f"{PAGE}/{service.declining_token(secret, person.id, policy.ANSWER)}"
    shown = visitor.get(link)
    assert (shown.status_code, "told_when_answered" in told(person)) == (200, True), (
        "a page that is read writes nothing"
    )
    assert policy.ANSWER.name in shown.text
    assert person.pseudonym not in shown.text
    assert visitor.post(link, data={}).status_code == 403
    before = told(person)
    assert visitor.post(link, data={"csrf_token": f.csrf_token(visitor, link)}).status_code == 303
    assert told(person) == before - {"told_when_answered"}, "these and no other"
    assert "ne vous sont plus envoyés" in visitor.get(link).text


@pytest.mark.parametrize("forged", ["", "x", "c2VhbGVkOg==", "clear", "column", "other_secret"])
def test_a_link_that_nobody_sealed_is_gone(database, make, organisation, forged):
    """AT-19.3: neither an id in clear, nor another column, nor the seal of another site."""
    person = make(f.make_account, organisation)
    token = {
        "clear": service.base64.urlsafe_b64encode(f"told_of_answers {person.id}".encode()).decode(),
        "column": service.declining_token(SECRET, person.id, policy.Notice("", "", (), column="status")),
        "other_secret": service.declining_token("autre", person.id, policy.NEWS),
    }.get(forged, forged)
    with database.transaction(tenant=organisation.id, write=False) as session, pytest.raises(GoneError):
        service.declined_by(session, SECRET, token)


def test_the_link_of_an_erased_account_or_of_another_organisation_is_gone(database, make, organisation):
    gone, elsewhere = make(f.make_account, organisation, status="erased"), make(f.make_organisation)
    stranger = make(f.make_account, elsewhere)
    for account in (gone, stranger):
        token = service.declining_token(SECRET, account.id, policy.NEWS)
        with database.transaction(tenant=organisation.id, write=False) as session, pytest.raises(GoneError):
            service.declined_by(session, SECRET, token)


def _answer(world, *, wanted):
    world.author.told_when_answered = wanted
    world.publish(world.answer())
    return world.author


def _news(world, *, wanted):
    world.author.told_of_answers = wanted
    world.publish(world.commitment())
    (job,) = world.session.scalars(select(Job).where(Job.kind == TELL_JOB))
    list(TellParticipants(SETTINGS).run(world.session, job.payload, {}))
    return world.author


def _followed(world, *, wanted):
    follower = f.make_account(world.session, world.organisation, told_of_followed=wanted)
    f.make_subscription(world.session, follower, world.consultation, now=f.NOW - f.DAY)
    world.publish(world.commitment())
    later = f.NOW + f.DAY
    list(TellFollowers(SETTINGS, now=lambda: later).run(world.session, {}, {}))
    return follower


def _delay(world, *, wanted):
    staff = world.session.get_one(Account, world.actor.account_id)
    staff.told_of_delays = wanted
    commitment = world.publish(world.commitment())
    late = f.NOW.replace(year=commitment.due_on.year + 1)
    list(RemindOverdue(SETTINGS, now=lambda: late).run(world.session, {}, {}))
    return staff


def _report(world, *, wanted):
    staff = f.make_account(world.session, world.organisation, Role.MODERATOR, told_of_reports=wanted)
    report(
        world.session, ProposalContent(), world.proposal.id, organisation_id=world.organisation.id, reason="insult",
        comment="", reporter="quelqu’un", now=f.NOW,
    )  # fmt: skip
    list(NotifyModerators(SETTINGS).run(world.session, {"consultation": str(world.consultation.id)}, {}))
    return staff


def _traffic(world, *, wanted):
    staff = world.session.get_one(Account, world.actor.account_id)
    staff.told_of_traffic = wanted
    span = Span(Period.DAY, f.NOW.date())
    asked = audience.plan(world.session, world.organisation.id, span, now=f.NOW + 2 * f.DAY, tell=True)
    list(MakeReport(SETTINGS).run(world.session, {"report": str(asked.id), "tell": True}, {}))
    return staff


SENDERS = {
    "audience_report": _traffic,
    "followup_answer": _answer,
    "followup_news": _news,
    "followup_overdue": _delay,
    "moderation_waiting": _report,
    "subscriptions_news": _followed,
}


def test_every_mail_that_may_be_declined_has_its_sender_below():
    assert set(SENDERS) == {template for notice in policy.CHOSEN for template in notice.templates}


@pytest.mark.parametrize("template", SENDERS)
def test_what_is_wanted_is_sent_with_the_link_that_declines_it(session, template):
    world = World(session)
    account = SENDERS[template](world, wanted=True)
    (mail,) = [mail for mail in world.mails() if mail.template == template]
    assert mail.recipient == account.email
    token = LINK.search(mail.text)[1].rpartition("/")[2]
    assert service.declined_by(session, SECRET, token) == (account, policy.chosen(template))


@pytest.mark.parametrize("template", SENDERS)
def test_what_was_declined_is_sent_to_nobody(session, template):
    world = World(session)
    SENDERS[template](world, wanted=False)
    assert [mail.template for mail in world.mails() if mail.template == template] == []


@pytest.mark.parametrize("end", ["blocked", "erased", "gone"])
def test_an_account_that_is_gone_is_written_to_no_more(session, end):
    world = World(session)
    account = None if end == "gone" else f.make_account(session, world.organisation, status=end)
    said = {"act": "withdrawn", "title": "T", "authority": "", "outcome": "", "body": "", "reason": "", "address": ""}
    assert world.sender.send(session, account, "followup_answer", said, f.NOW) is False
    assert world.mails() == []


def test_a_mail_that_may_not_be_declined_is_not_sent_as_one_that_may(session):
    world = World(session)
    with pytest.raises(KeyError):
        world.sender.send(session, world.author, "moderation_hidden", {}, f.NOW)
    with pytest.raises(UndefinedError):
        mail_service.send(
            session, organisation_id=world.organisation.id, to="a@exemple.fr", template="followup_news", now=f.NOW,
            context={"organisation_name": "", "site_url": "", "consultation": "", "answers": [], "commitments": [],
                     "more": 0, "address": ""},
        )  # fmt: skip


def test_who_takes_an_account_over_chooses_anew(database, make, organisation, rows):
    """What somebody chose before the address was proved is not its holder's choice."""
    account = make(f.make_account, organisation, confirmed_at=None, told_of_answers=True, told_when_answered=False)
    with database.transaction(tenant=organisation.id) as session:
        held = session.get_one(Account, account.id)
        token = accounts.issue_link(session, held, TokenPurpose.CONFIRM_EMAIL, f.NOW)
        sign_up.take_over(session, token, password=f.kept_password(), erasures=(), now=f.NOW)
    (row,) = rows(Account, Account.id == account.id)
    assert (row.told_of_answers, row.told_when_answered) == (False, True)
