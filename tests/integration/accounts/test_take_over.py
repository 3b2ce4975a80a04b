"""Confirming an address from a browser that did not sign up: who holds the mailbox gets the account, and it alone."""

import html
import logging
import threading
import time

import pytest

from consult.accounts.models import Account, LoginSession
from consult.accounts.passwords import service as passwords
from consult.accounts.sign_up import service
from consult.contributions.models import Argument, ContentStatus, Proposal, Vote
from consult.moderation import policy
from consult.moderation.models import Report
from consult.questionnaires.models import Reply, ReplyDraft
from consult.registry.models import RegistryEntry
from tests import factories as f
from tests.integration.accounts.visits import link, post, race, sign_up

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`

OWN = "lanterne-cumin-voile-grès"
VICTIM = "victime@exemple.fr"

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # judged before any query


@pytest.fixture
def stage(make, organisation):
    """An open step with a published proposal, and an open questionnaire."""
    now = f.dt.datetime.now(f.dt.UTC)
    consultation = make(f.make_consultation, organisation, now=now)
    step = make(f.make_step, consultation)
    questionnaire = make(f.make_step, consultation, kind="questionnaire")
    question = make(f.make_question, questionnaire, "long_text")
    return step, make(f.make_proposal, step), questionnaire, question


@pytest.fixture
def attacker(client, organisation):
    """A browser that signed up with somebody else's address."""
    assert sign_up(client, email=VICTIM).status_code == 303
    return client


@pytest.fixture
def path(attacker, mails):
    """The link that the victim receives."""
    return link(mails("accounts_confirm")[-1][1])


@pytest.fixture
def victim(app):
    return app.test_client()


@pytest.fixture
def prepared(attacker, stage, make, rows):
    """What the attacker does before: a vote by the page; a proposal, an argument, a reply, a draft, a report."""
    step, proposal, questionnaire, question = stage
    assert vote(attacker, proposal).status_code == 303
    (account,) = rows(Account)
    waiting = {"status": ContentStatus.PENDING}
    make(f.make_proposal, step, account, title="Écrit par un autre", **waiting)
    make(f.make_argument, proposal, account, **waiting)
    make(f.make_reply, questionnaire, account, {question: "Dit par un autre"}, **waiting)
    own = {"organisation_id": account.organisation_id, "account_id": account.id}
    make(_add, ReplyDraft(step_id=questionnaire.id, size=2, answers={}, updated_at=f.NOW, **own))
    return proposal


def _add(session, row):
    session.add(row)
    session.flush()
    return row


def vote(browser, proposal, value="for"):
    return post(browser, f"/contributions/{proposal.id}/vote", page=f"/contributions/{proposal.id}", position=value)


def is_out(browser):
    return browser.get("/mon-compte").status_code == 303


def written(rows):
    return [row for model in (Vote, Argument, Reply, ReplyDraft) for row in rows(model)] + [
        row for row in rows(Proposal) if row.author_id is not None
    ]


def test_who_signed_up_with_the_address_of_another_keeps_neither_password_nor_session(
    attacker, victim, path, app, rows, mails
):
    """AT-18.4, AT-19.5."""
    page = victim.get(path)
    assert 'type="password"' in page.text
    assert "votes" not in html.unescape(page.text).split("<main")[1].split("</main>")[0], "nothing prepared"
    assert rows(Account)[0].confirmed_at is None
    assert not is_out(attacker), "opening the link changes nothing"
    reply = post(victim, path, password=OWN)
    assert (reply.status_code, reply.location) == (303, "/connexion")
    assert is_out(attacker)
    assert rows(LoginSession) == []
    assert post(attacker, "/connexion", email=VICTIM, password=f.PASSWORD).status_code == 422
    assert post(app.test_client(), "/connexion", email=VICTIM, password=OWN).status_code == 303
    assert [recipient for recipient, _ in mails("accounts_guard_changed")] == [VICTIM]


def test_what_was_prepared_by_another_is_deleted_unless_asked_otherwise(victim, path, prepared, rows):
    """AT-18.4."""
    told = html.unescape(victim.get(path).text)
    assert "Ce compte a préparé 1 vote, 2 textes et 1 réponse à un questionnaire avant cette confirmation" in told
    assert 'checked id="prepared-0"' in told
    assert len(written(rows)) == 5
    assert post(victim, path, password=OWN).status_code == 303
    assert written(rows) == []
    assert rows(Account)[0].confirmed_at is not None
    assert rows(RegistryEntry) == [], "never public: the log says nothing"
    told = html.unescape(victim.get("/connexion").text)
    assert "est supprimé" in told


@pytest.mark.parametrize(("answer", "public"), [("publish", True), ("delete", False), ("autre", False)])
def test_the_holder_of_the_address_says_what_becomes_of_it(victim, path, prepared, rows, answer, public):
    assert post(victim, path, password=OWN, prepared=answer).status_code == 303
    states = {row.status for model in (Argument, Reply) for row in rows(model)}
    assert states == ({ContentStatus.PUBLISHED} if public else set())
    assert [row.counted for row in rows(Vote)] == ([True] if public else [])
    assert len(rows(RegistryEntry)) == (4 if public else 0)
    assert rows(LoginSession) == []


def test_a_report_made_before_stays_to_be_judged_but_names_the_new_holder_no_more(attacker, victim, path, stage, rows):
    _, proposal, *_ = stage
    sent = post(attacker, f"/signaler/proposal/{proposal.id}", reason="insult", comment="")
    assert sent.status_code == 303
    post(victim, path, password=OWN)
    (report,) = rows(Report)
    mine = policy.reporter_key("proposal", proposal.id, policy.reporter(rows(Account)[0].id))
    assert report.reason == "insult"
    assert report.reporter_key != mine


def test_the_browser_that_signed_up_confirms_in_one_click(attacker, path, prepared, rows):
    """AT-18.4: the ordinary citizen."""
    page = attacker.get(path)
    assert 'type="password"' not in page.text.split("<main")[1]
    assert post(attacker, path).location == "/mon-compte"
    assert [row.counted for row in rows(Vote)] == [True]
    assert len(rows(LoginSession)) == 1
    assert rows(Account)[0].password_hash is not None


def test_a_browser_signed_in_to_another_account_is_another_browser(app, path, make, organisation, rows):
    other = app.test_client()
    f.sign_in(other, make(f.make_account, organisation, email="autre@exemple.fr"))
    assert 'type="password"' in other.get(path).text
    assert post(other, path).status_code == 422
    assert post(other, path, password=OWN).status_code == 303
    assert not is_out(other), "its own session goes on"
    assert len(rows(LoginSession)) == 1


def test_a_lost_password_of_an_unconfirmed_account_follows_the_same_path(attacker, victim, path, prepared, mails, rows):
    post(victim, "/mot-de-passe-oublie", email=VICTIM)
    assert mails("accounts_reset") == []
    last = link(mails("accounts_confirm")[-1][1])
    assert victim.get(path).status_code == 410, "the first link is dead"
    assert 'type="password"' in victim.get(last).text
    assert post(victim, last, password=OWN).status_code == 303
    assert is_out(attacker)
    assert written(rows) == []


@one_database
@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "Choisissez un mot de passe."),
        ("court", "12 caractères"),
        ("motdepasse2024!", "trop facile"),
        ("x" * 129, "128"),
        ("victime-victime-zephyr", "trop facile"),
    ],
)
def test_a_refused_password_confirms_nothing_and_keeps_the_choice(
    attacker, victim, path, prepared, rows, password, words
):
    """AT-D.1."""
    reply = post(victim, path, password=password, prepared="publish")
    page = html.unescape(reply.text)
    assert reply.status_code == 422
    assert words in page
    assert 'checked id="prepared-1"' in page
    assert rows(Account)[0].confirmed_at is None
    assert not is_out(attacker)
    assert post(victim, path, password=OWN).status_code == 303, "the link still serves"


def test_a_link_serves_once_and_to_one_of_two_browsers(app, victim, path, rows):
    token = f.csrf_token(victim, path)
    assert race(app, victim, path, token, (OWN, f"{OWN}-encore")) == [303, 410]
    before = rows(Account)[0].password_hash
    assert victim.get(path).status_code == 410
    assert post(victim, path, page="/connexion", password=f"{OWN}-autre").status_code == 410
    assert rows(Account)[0].password_hash == before


def test_a_link_that_survives_the_confirmation_is_worth_nothing(attacker, victim, path, make, rows):
    """One sent again while the address was being confirmed must not hand the account over a second time."""
    post(attacker, path)
    (account,) = rows(Account)
    late = make(service.issue_link, account, service.TokenPurpose.CONFIRM_EMAIL, f.dt.datetime.now(f.dt.UTC))
    assert victim.get(f"/inscription/confirmer/{late}").status_code == 410
    assert post(victim, f"/inscription/confirmer/{late}", page="/connexion", password=OWN).status_code == 410
    assert rows(Account)[0].password_hash == account.password_hash
    assert not is_out(attacker)


def test_of_two_accounts_for_one_address_the_other_can_never_be_confirmed(app, attacker, victim, path, mails, rows):
    """AT-18.4: and no password is asked for what cannot be."""
    assert sign_up(victim, email=VICTIM, pseudonym="Sirocco").status_code == 303
    own = link(mails("accounts_confirm")[-1][1])
    assert 'type="password"' in victim.get(path).text, "signed in to an account of the same address: another one"
    assert post(victim, own).location == "/mon-compte"
    for browser in (victim, attacker, app.test_client()):
        assert browser.get(path).status_code == 409
        reply = post(browser, path, page="/conditions" if browser is victim else "/inscription", password=OWN)
        assert reply.status_code == 409
    assert {row.pseudonym for row in rows(Account, Account.confirmed_at.is_not(None))} == {"Sirocco"}
    assert not is_out(victim)


def test_a_link_of_one_organisation_takes_no_account_over_in_another(attacker, victim, path, make, rows):
    make(f.make_organisation, slug="ailleurs")
    assert victim.get(f"/o/ailleurs{path}").status_code == 410
    token = f.csrf_token(victim, "/o/ailleurs/connexion")
    reply = victim.post(f"/o/ailleurs{path}", data={"csrf_token": token, "password": OWN})
    assert reply.status_code == 410
    assert rows(Account)[0].confirmed_at is None
    assert not is_out(attacker)


def test_taking_over_is_in_the_security_journal(victim, path, prepared, rows, caplog):
    with caplog.at_level(logging.INFO, logger="consult.security_journal"):
        logging.getLogger("consult.security_journal").propagate = True
        post(victim, path, password=OWN)
    lines = {record.getMessage(): record.fields for record in caplog.records if hasattr(record, "fields")}
    account = str(rows(Account)[0].id)
    assert lines["accounts.taken_over"] | {"account": account, "prepared": "deleted"} == lines["accounts.taken_over"]
    assert lines["accounts.sign_up.confirm_now"]["account"] == account
    assert VICTIM not in str(lines)
    assert OWN not in str(lines)


def test_an_act_sent_while_the_address_is_confirmed_is_not_counted_as_its_holder_s(
    attacker, path, stage, database, organisation, rows
):
    """The attacker's vote is known to be theirs, then waits for the account: the confirmation comes first."""
    _, proposal, *_ = stage
    kept, now = passwords.keep(OWN), f.dt.datetime.now(f.dt.UTC)
    token = f.csrf_token(attacker, f"/contributions/{proposal.id}")
    replies = []

    def send():
        data = {"csrf_token": token, "position": "for"}
        replies.append(attacker.post(f"/contributions/{proposal.id}/vote", data=data).status_code)

    sending = threading.Thread(target=send)
    with database.transaction(tenant=organisation.id) as session:
        service.take_over(session, path.rsplit("/", 1)[1], password=kept, erasures=(), now=now)
        sending.start()
        time.sleep(0.5)  # the vote comes to the lock
        assert replies == []
    sending.join()
    assert replies == [401]
    assert rows(Vote) == []
