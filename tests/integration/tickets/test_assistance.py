"""Help asked by the public: the form, the ticket, the answers by mail, the page of the secret link (UO 2.2.1)."""

import dataclasses
import datetime as dt
import re

import pytest
from sqlalchemy import select

from consult.accounts.policy import Mailbox
from consult.actor import Role
from consult.app import create_app
from consult.db import ALL_TENANTS
from consult.errors import ConflictError, GoneError
from consult.mail.models import OutgoingMail
from consult.seam import service_levels as levels
from consult.tickets import service as tickets
from consult.tickets.assistance import links, policy, queries, service
from consult.tickets.assistance.bindings import HelpRequestData
from consult.tickets.assistance.models import HelpRequest, Topic
from consult.tickets.models import Kind, Side, Ticket, TicketEvent, TicketMessage
from tests import factories as f
from tests.integration.tickets.world import REASON, SECRET, SITE

ROOT, STAFF = "/assistance", "/gestion/tickets"
ASKED = "Je ne retrouve pas ma proposition sur les vélos."
ANSWER = "Ouvrez « Mon compte » : elle y attend sa publication."
VISITOR = "visiteuse@exemple.fr"
HOSTILE = "<script>alert(1)</script>\0 {{ 7 * 7 }} <img src=x onerror=alert(1)> et ' OR 1=1 --"


# What is done ------------------------------------------------------------------------------------------------------


@pytest.fixture
def person(world):
    return f.make_account(world.session, world.organisation)


def ask(world, account, topic=Topic.ACCOUNT, body=ASKED):
    return service.ask(world.session, account.id, topic, body, sender=world.sender, now=world.now)


def ask_as_visitor(world, email=VISITOR, topic=Topic.OTHER):
    service.ask_without_account(
        world.session, email, topic, ASKED, mailbox=Mailbox(email, per_hour=3, per_day=5), sender=world.sender,
        now=world.now,
    )  # fmt: skip
    mine = select(HelpRequest).where(HelpRequest.email == email).order_by(HelpRequest.asked_at.desc())
    return world.session.scalars(mine).first()


def ticket_of(world, request):
    return world.session.get_one(Ticket, request.ticket_id)


def mailed(world, to):
    return [mail for mail in world.mails() if mail.recipient == to]


def test_an_account_opens_a_ticket_that_names_nobody(world, person):
    request = ask(world, person)
    ticket = ticket_of(world, request)
    assert (ticket.kind, ticket.body, ticket.reported_by_id) == (Kind.ASSISTANCE, ASKED, None)
    assert [(each.side, each.account_id) for each in ticket.events] == [(Side.REQUESTER, None)]
    assert ticket.clocks == []
    assert ASKED not in ticket.title
    assert request.body == "", "said once"
    assert world.told("tickets_opened") == ["administrator", "ditp", "operator"]
    (received,) = mailed(world, person.email)
    assert f"{SITE}/assistance/" in received.text


def test_a_difficulty_of_access_is_owed_an_answer_in_seven_days(world, person):
    ticket = ticket_of(world, ask(world, person, Topic.ACCESSIBILITY))
    assert ticket.kind is Kind.ACCESSIBILITY
    (clock,) = ticket.clocks
    assert (clock.milestone, clock.deadline - ticket.t0) == (levels.Milestone.ANSWERED, dt.timedelta(days=7))
    (received,) = mailed(world, person.email)
    assert "sept jours" in received.text


def test_an_account_whose_address_is_not_confirmed_is_refused(world):
    unproven = f.make_account(world.session, world.organisation, confirmed_at=None)
    with pytest.raises(ConflictError, match="Confirmez"):
        ask(world, unproven)


def test_a_visitor_has_no_ticket_before_the_link_is_followed(world):
    request = ask_as_visitor(world)
    assert request.ticket_id is None
    assert world.session.scalars(select(Ticket)).all() == []
    assert [mail.template for mail in world.mails()] == ["assistance_confirm"]
    world.after(hours=1)
    service.confirm(world.session, request, sender=world.sender, now=world.now)
    service.confirm(world.session, request, sender=world.sender, now=world.now)
    (ticket,) = world.session.scalars(select(Ticket)).all()
    assert ticket.t0 == world.now, "the clock runs from the confirmation"
    assert [mail.template for mail in mailed(world, VISITOR)] == ["assistance_confirm", "assistance_received"]


def test_a_link_that_expired_opens_no_ticket(world):
    request = ask_as_visitor(world)
    world.after(days=2, seconds=1)
    with pytest.raises(GoneError):
        service.confirm(world.session, request, sender=world.sender, now=world.now)


def test_a_mailbox_is_not_flooded(world):
    for _ in range(6):
        ask_as_visitor(world)
    assert len(mailed(world, VISITOR)) == 3
    assert len(world.session.scalars(select(HelpRequest)).all()) == 3


def test_an_answer_is_mailed_to_who_asked_and_theirs_to_both_sides(world, person):
    request = ask(world, person)
    ticket = ticket_of(world, request)
    world.after(minutes=1)
    tickets.say(world.session, ticket, ANSWER, **world.acting(world.admin))
    answered = mailed(world, person.email)[-1]
    assert answered.template == "assistance_changed"
    assert ANSWER in answered.text
    assert links.token(SECRET, request.id)[:20] in answered.text
    before = len(world.mails("tickets_changed"))
    world.after(minutes=1)
    service.say(world.session, ticket, "Merci, je l’ai trouvée.", sender=world.sender, now=world.now)
    assert [(each.side, each.author_id) for each in ticket.messages][-1] == (Side.REQUESTER, None)
    assert len(world.mails("tickets_changed")) == before + 3, "the administrator, the DITP, the operator"
    assert mailed(world, person.email)[-1] is answered, "nobody is mailed their own words"


def test_closing_and_opening_again_are_told_without_the_reason(world, person):
    ticket = ticket_of(world, ask(world, person))
    world.after(minutes=1)
    tickets.close(world.session, ticket, REASON, **world.acting(world.admin))
    closed = mailed(world, person.email)[-1]
    assert "a été traitée" in closed.subject
    assert REASON not in closed.text
    with pytest.raises(ConflictError, match="close"):
        service.say(world.session, ticket, "Encore un mot.", sender=world.sender, now=world.now)
    world.after(minutes=1)
    tickets.reopen(world.session, ticket, REASON, **world.acting(world.admin))
    assert "est rouverte" in mailed(world, person.email)[-1].subject


def test_a_thread_has_an_end(world, person, monkeypatch):
    monkeypatch.setattr(policy, "MESSAGES_MAX", 2)
    ticket = ticket_of(world, ask(world, person))
    for _ in range(2):
        service.say(world.session, ticket, "Encore un mot.", sender=world.sender, now=world.now)
    with pytest.raises(ConflictError, match="2 messages"):
        service.say(world.session, ticket, "Et un autre.", sender=world.sender, now=world.now)


def test_a_ticket_of_staff_writes_to_nobody_outside(world):
    ticket = world.report(kind=Kind.ACCESSIBILITY, severity=None)
    tickets.say(world.session, ticket, ANSWER, **world.acting(world.operator))
    assert {mail.template for mail in world.mails()} == {"tickets_opened", "tickets_changed"}


# What is forgotten --------------------------------------------------------------------------------------------------


def left_of(session, *words):
    """The words that some column of the feature still holds."""
    said = [*session.scalars(select(Ticket.body)), *session.scalars(select(Ticket.title))]
    said += [*session.scalars(select(TicketMessage.body)), *session.scalars(select(HelpRequest.body))]
    said += [str(detail) for detail in session.scalars(select(TicketEvent.detail))]
    said += [email for email in session.scalars(select(HelpRequest.email)) if email]
    return {word for word in words if any(word in each for each in said)}


def test_an_erased_account_takes_its_requests_and_those_of_its_address_away(world, person):
    """AT-6.2: signed in or not; the delays and the history of the ticket stay."""
    asked = ask(world, person)
    visiting = ask_as_visitor(world, person.email)
    service.confirm(world.session, visiting, sender=world.sender, now=world.now)
    stranger = ask_as_visitor(world)
    ticket = ticket_of(world, asked)
    tickets.say(world.session, ticket, f"{ANSWER} {person.pseudonym}", **world.acting(world.admin))
    (first, second) = HelpRequestData().export(world.session, person.id)
    assert {first["body"], second["body"]} == {ASKED}
    assert sum(len(each["thread"]) for each in (first, second)) == 1
    assert HelpRequestData().erase(world.session, person.id, world.now) == 2
    world.session.expire_all()
    assert left_of(world.session, ANSWER, person.pseudonym, person.email) == set()
    assert left_of(world.session, ASKED) == {ASKED}, "of the stranger"
    assert world.session.scalars(select(HelpRequest.id)).all() == [stranger.id]
    assert [each.kind.value for each in ticket.events] == ["opened", "message"]
    assert HelpRequestData().erase(world.session, person.id, world.now) == 0


def test_an_address_that_is_not_proved_brings_nobody_elses_request(world):
    asked = ask_as_visitor(world)
    service.confirm(world.session, asked, sender=world.sender, now=world.now)
    claimant = f.make_account(world.session, world.organisation, email=VISITOR, confirmed_at=None)
    assert list(HelpRequestData().export(world.session, claimant.id)) == []
    assert HelpRequestData().erase(world.session, claimant.id, world.now) == 0


def test_what_was_asked_goes_a_year_after_it_is_closed(world, person):
    ticket = ticket_of(world, ask(world, person))
    ask_as_visitor(world)
    world.after(days=3)
    assert service.forget_old(world.session, world.now, 200) == 1, "the one never confirmed"
    assert left_of(world.session, VISITOR) == set()
    tickets.close(world.session, ticket, REASON, **world.acting(world.admin))
    assert service.forget_old(world.session, world.now + dt.timedelta(days=364), 200) == 0
    assert left_of(world.session, ASKED) == {ASKED}
    assert service.forget_old(world.session, world.now + dt.timedelta(days=366), 200) == 1
    assert left_of(world.session, ASKED) == set()


# The pages ----------------------------------------------------------------------------------------------------------


class Site:
    """A visitor, somebody with an account, an administrator, each in their browser."""

    def __init__(self, app):
        self.app, self.database = app, app.extensions["database"]
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            self.organisation = f.make_organisation(session)
            self.elsewhere = f.make_organisation(session, slug="ailleurs")
            self.account = f.make_account(session, self.organisation)
            agent = f.make_account(session, self.organisation, Role.ADMINISTRATOR)
        self.visitor, self.person, self.admin = (app.test_client() for _ in range(3))
        f.sign_in(self.person, self.account)
        f.sign_in(self.admin, agent)

    def rows(self, model):
        with self.database.transaction(tenant=ALL_TENANTS, write=False) as session:
            session.expire_on_commit = False
            return session.scalars(select(model)).all()

    def post(self, client, path, *, seen="", **values):
        return client.post(path, data={"csrf_token": f.csrf_token(client, seen or path), **values})

    def write_in(self, **values):
        stamp = re.search(r'name="stamp"[^>]*value="([^"]+)"', self.visitor.get(ROOT).text)[1]
        typed = {"topic": "vote", "body": ASKED, "email": VISITOR, "stamp": stamp} | values
        return self.post(self.visitor, ROOT, **typed)

    def ask(self, **values):
        return self.post(self.person, ROOT, **({"topic": "account", "body": ASKED} | values))


@pytest.fixture
def site(app) -> Site:
    return Site(app)


@pytest.fixture
def patient(monkeypatch):
    """Forms are shown long ago enough for a person without JavaScript."""
    monkeypatch.setattr("consult.accounts.sign_up.policy.QUICKEST_READER", dt.timedelta(seconds=-1))


def test_the_form_is_one_click_from_help_contact_and_the_statement(site):
    for page in ("/aide", "/contact"):
        assert f'href="{ROOT}"' in site.visitor.get(page).text
    assert f'href="{ROOT}?sujet=accessibility"' in site.visitor.get("/accessibilite").text
    chosen = site.visitor.get(f"{ROOT}?sujet=accessibility").text
    assert re.search(
        r'<input[^>]*value="accessibility"[^>]*checked|<input[^>]*checked[^>]*value="accessibility"', chosen
    )
    assert site.visitor.get(f"{ROOT}?sujet=<script>").status_code == 200


@pytest.mark.usefixtures("patient")
def test_a_visitor_asks_confirms_by_mail_and_reads_the_answer(site):
    sent = site.write_in()
    assert (sent.status_code, sent.location) == (303, ROOT)
    (mail,) = site.rows(OutgoingMail)
    path = re.search(r"/assistance/[\w=-]+", mail.text)[0]
    assert ASKED in site.visitor.get(path).text
    assert site.rows(Ticket) == [], "opening the link is not enough: programs that read mails open it"
    assert site.post(site.visitor, path).status_code == 303
    (ticket,) = site.rows(Ticket)
    staff = site.admin.get(f"{STAFF}/{ticket.id}").text
    assert "Demandé par le public" in staff
    assert VISITOR not in staff
    assert site.post(site.admin, f"{STAFF}/{ticket.id}/messages", body=ANSWER).status_code == 303
    followed = site.visitor.get(path)
    assert "elle y attend sa publication" in followed.text
    assert followed.headers["Cache-Control"] == "no-store"
    assert followed.headers["X-Robots-Tag"].startswith("noindex")
    assert site.post(site.visitor, f"{path}/messages", seen=path, body="Merci à vous.").status_code == 303
    assert "Merci à vous." in site.admin.get(f"{STAFF}/{ticket.id}").text


def test_an_account_is_led_to_the_page_of_its_request(site):
    sent = site.ask()
    assert sent.status_code == 303
    assert ASKED in site.person.get(sent.location).text
    assert 'name="email"' not in site.person.get(ROOT).text


@pytest.mark.usefixtures("patient")
def test_a_robot_and_bad_words_are_refused_and_nothing_is_kept(site):
    for values in ({"stamp": "faux"}, {"email": "nommee"}, {"topic": "rien"}, {"body": "court"}, {"body": "x" * 3001}):
        refused = site.write_in(**values)
        assert refused.status_code == 422, values
    assert ASKED in site.write_in(email="nommee").text, "what was typed is kept"
    assert site.rows(HelpRequest) == []
    assert site.rows(OutgoingMail) == []


def test_a_link_opens_its_own_request_alone_and_in_its_organisation(site):
    path = site.ask().location
    token = path.rpartition("/")[2]
    for wrong in ("rien", token[:-8] + "AAAAAAA=", "é", "c2VhbGVkOg==", site.rows(HelpRequest)[0].id):
        assert site.visitor.get(f"{ROOT}/{wrong}").status_code == 404
    assert site.visitor.get(f"/o/ailleurs{ROOT}/{token}").status_code == 404
    assert site.post(site.visitor, f"/o/ailleurs{ROOT}/{token}", seen=ROOT).status_code == 404
    with site.database.session(write=False, tenant=site.elsewhere.id) as session:
        secret = site.app.extensions["settings"].secret_key
        assert queries.by_token(session, secret, token) is None


def test_hostile_words_are_shown_as_words(site):
    """AT-19.3."""
    path = site.ask(body=HOSTILE).location
    site.post(site.visitor, f"{path}/messages", seen=ROOT, body=HOSTILE)
    (ticket,) = site.rows(Ticket)
    for page in (site.visitor.get(path), site.admin.get(f"{STAFF}/{ticket.id}")):
        assert page.status_code == 200
        assert page.text.count("&lt;script&gt;alert(1)") == 2
        assert "<script>alert(1)" not in page.text
        assert "<img src=x" not in page.text
    assert site.admin.get(f"{STAFF}?nature=assistance").status_code == 200


def test_a_message_needs_the_token_of_its_form(site):
    path = site.ask().location
    assert site.visitor.post(f"{path}/messages", data={"body": ANSWER}).status_code in {400, 403}
    assert site.rows(TicketMessage) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_form_is_limited(settings, database):
    """AT-19.6."""
    app = create_app(dataclasses.replace(settings, rate_limits=True))
    with database.transaction(tenant=ALL_TENANTS) as session:
        f.make_organisation(session)
    client = app.test_client()
    token = f.csrf_token(client, ROOT)
    codes = [client.post(ROOT, data={"csrf_token": token}).status_code for _ in range(12)]
    assert set(codes[:10]) == {422}
    assert codes[-1] == 429
