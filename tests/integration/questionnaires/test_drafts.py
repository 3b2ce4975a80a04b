"""What visitors begin and never send is bounded: per draft, per browser, per connection, and in time."""

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import func, select

from consult.app import create_app
from consult.consultations.models import Step
from consult.errors import InvalidError, TooManyError
from consult.organisations.models import Organisation
from consult.questionnaires import drafts
from consult.questionnaires.jobs import PruneReplyDrafts
from consult.questionnaires.models import ReplyDraft
from tests import factories as f
from tests.integration.questionnaires.test_pages import Site, _text

HERE = drafts.Holder(browser="b" * 64, address_key="here")


@pytest.fixture
def step(session):
    consultation = f.make_consultation(session, f.make_organisation(session))
    step = f.make_step(session, consultation, kind="questionnaire")
    step.question = f.make_question(session, step, "long_text")
    return step


def given(step: Step, length: int):
    return {step.question.id: {"text": "é" * length, "options": [], "other": None}}


def count(session) -> int:
    return session.scalar(select(func.count()).select_from(ReplyDraft))


def person_of(session, step):
    return f.make_account(session, session.get_one(Organisation, step.organisation_id))


def another(session, step, **values):
    """A draft of another questionnaire or browser, as `drafts.save` leaves them."""
    own = {"step_id": step.id, "organisation_id": step.organisation_id, "size": 10, "updated_at": f.NOW} | values
    session.add(ReplyDraft(answers={}, **own))


def test_a_draft_of_a_visitor_has_a_size_that_an_account_may_pass(session, step):
    drafts.save(session, step, given(step, 100_000), HERE, now=f.NOW)
    assert session.scalars(select(ReplyDraft.size)).one() > 200_000, "in bytes"
    with pytest.raises(InvalidError, match="257 ko, un brouillon 256 ko au plus"):
        drafts.save(session, step, given(step, 128_000), HERE, now=f.NOW)
    person = person_of(session, step)
    drafts.save(session, step, given(step, 128_000), drafts.Holder(person.id), now=f.NOW)
    with pytest.raises(InvalidError):
        drafts.save(session, step, given(step, 2_000_000), drafts.Holder(person.id), now=f.NOW)


def test_a_browser_begins_few_questionnaires_at_once(session, step):
    for _ in range(drafts.BROWSER_DRAFTS):
        another(session, f.make_step(session, step.consultation, kind="questionnaire"), holder_digest="b" * 64)
    session.flush()
    with pytest.raises(TooManyError, match="sur ce navigateur"):
        drafts.save(session, step, given(step, 1), HERE, now=f.NOW)
    drafts.save(session, step, given(step, 1), drafts.Holder(browser="c" * 64, address_key="here"), now=f.NOW)


def test_those_who_share_a_connection_share_a_number_of_drafts(session, step):
    for number in range(drafts.ADDRESS_DRAFTS):
        another(session, step, holder_digest=f"{number:064}", address_key="here")
    session.flush()
    with pytest.raises(TooManyError, match="connexion à internet"):
        drafts.save(session, step, given(step, 1), HERE, now=f.NOW)
    assert count(session) == drafts.ADDRESS_DRAFTS
    again = drafts.Holder(browser=f"{0:064}", address_key="here")
    drafts.save(session, step, given(step, 1), again, now=f.NOW)  # what was begun goes on
    drafts.save(session, step, given(step, 1), dataclasses.replace(HERE, address_key="elsewhere"), now=f.NOW)
    person = person_of(session, step)
    drafts.save(session, step, given(step, 1), drafts.Holder(person.id, None, "here"), now=f.NOW)


def test_those_who_share_a_connection_share_a_weight(session, step):
    another(session, step, holder_digest="a" * 64, address_key="here", size=drafts.ADDRESS_BYTES - 150)
    session.flush()
    drafts.save(session, step, given(step, 1), HERE, now=f.NOW)
    with pytest.raises(TooManyError):
        drafts.save(session, step, given(step, 100), HERE, now=f.NOW)


def test_expired_drafts_of_browsers_are_pruned_and_those_of_accounts_stay(session, step):
    person = person_of(session, step)
    old = f.NOW - dt.timedelta(days=8)
    another(session, step, holder_digest="a" * 64, updated_at=old)
    another(session, step, holder_digest="b" * 64, updated_at=f.NOW - dt.timedelta(days=6))
    another(session, step, account_id=person.id, updated_at=old)
    session.flush()
    assert [progress.done for progress in PruneReplyDrafts(lambda: f.NOW).run(session, {}, {})] == [1]
    assert set(session.scalars(select(ReplyDraft.holder_digest))) == {"b" * 64, None}


@pytest.mark.parametrize("action", ["next", "save", "previous", "send"])
def test_a_refused_draft_gives_back_what_was_typed(app, monkeypatch, action):
    monkeypatch.setattr(drafts, "BROWSER_BYTES", 2000)
    site = Site(app, app.test_client())
    typed = {f"q-{site.choice.id}": [site.train, site.other], f"q-{site.choice.id}-other": "À pied", "junk": "x" * 5000}
    if action == "next":
        assert site.send(1, action, typed).status_code == 303, "what no question asks is never kept"
        return
    long = "Un train par heure. " * 110
    refused = site.send(2, action, site.second(long))
    page = _text(refused)
    assert refused.status_code == 422
    assert "3 ko, un brouillon 2 ko au plus" in page
    assert long.strip() in page
    assert site.rows(ReplyDraft) == []
    assert "Vos réponses sont gardées" not in _text(site.client.get("/connexion")), "nothing was promised"


def test_a_dropped_cookie_does_not_make_a_new_visitor_of_a_connection(app, monkeypatch):
    monkeypatch.setattr(drafts, "ADDRESS_DRAFTS", 2)
    site = Site(app, app.test_client())
    replies = []
    for _ in range(3):
        site.client = app.test_client()
        replies.append(site.send(1, "next", site.first()))
    assert [reply.status_code for reply in replies] == [303, 303, 429]
    assert 'value="À pied"' in _text(replies[-1])
    kept = site.rows(ReplyDraft)
    assert len(kept) == 2
    assert not any("127.0.0.1" in str(vars(draft)) for draft in kept), "no address is kept"


def test_the_addresses_of_one_network_are_one_connection(app, settings, monkeypatch):
    monkeypatch.setattr(drafts, "ADDRESS_DRAFTS", 1)
    behind = create_app(dataclasses.replace(settings, proxies=1))
    site = Site(behind, behind.test_client())
    seen = []
    for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"):
        client = site.client = behind.test_client()
        client.environ_base["HTTP_X_FORWARDED_FOR"] = address
        seen.append(site.send(1, "next", site.first()).status_code)
    assert seen == [303, 429, 303]
    behind.extensions["database"].dispose()
