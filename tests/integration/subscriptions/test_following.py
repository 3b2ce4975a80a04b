"""Following a consultation or a contribution: who may, where it is told, and that nobody else ever reads it."""

import re
import threading
import uuid
from urllib.parse import quote

import pytest

from consult.actor import Actor, Role
from consult.errors import ConflictError
from consult.opendata.raw import queries as raw
from consult.subscriptions import service
from consult.subscriptions.models import Subscription
from consult.subscriptions.service import Kind
from tests import factories as f

MINE = "/mon-compte/suivis"


@pytest.fixture
def consultation(make, organisation):
    return make(f.make_consultation, organisation)


@pytest.fixture
def step(make, consultation):
    return make(f.make_step, consultation)


@pytest.fixture
def proposal(make, step):
    return make(f.make_proposal, step, title="Un train du soir")


@pytest.fixture
def person(make, organisation):
    return make(f.make_account, organisation)


@pytest.fixture
def signed_in(client, person):
    f.sign_in(client, person)
    return client


def press(client, path, *, page="", **data):
    """Send a one-button form, as a browser without scripts does from that page."""
    token = {"csrf_token": f.csrf_token(client, MINE)} | data
    return client.post(path, data=token, headers={"Referer": f"http://localhost{page}"} if page else {})


def test_a_proposal_is_followed_and_no_more_from_its_page(signed_in, proposal, person, rows):
    page = f"/contributions/{proposal.id}"
    path = f"{MINE}/contribution/{proposal.id}"
    assert f'action="{path}"' in signed_in.get(page).text
    reply = press(signed_in, path, page=page)
    assert (reply.status_code, reply.location) == (303, page), "back to the page of the button"
    assert "Vous suivez cette proposition" in signed_in.get(page).text
    assert press(signed_in, path, page=page).status_code == 303, "twice is once"
    (row,) = rows(Subscription)
    assert (row.account_id, row.proposal_id, row.consultation_id) == (person.id, proposal.id, None)
    assert "Un train du soir" in signed_in.get(MINE).text
    reply = press(signed_in, f"{path}/retirer")
    assert (reply.status_code, reply.location) == (303, MINE)
    assert rows(Subscription) == []
    assert "Aucun suivi" in signed_in.get(MINE).text
    assert "Suivre cette proposition" in signed_in.get(page).text


def test_a_consultation_and_an_article_are_followed(signed_in, make, consultation, rows):
    article = make(f.make_part, make(f.make_step, consultation, kind="bill"), body="Les trajets sont gratuits.")
    with_text = make(f.text_of_article, article)
    home, page = f"/consultations/{consultation.slug}", f"/contributions/{with_text.id}"
    assert "Suivre cette consultation" in signed_in.get(home).text
    assert "Suivre cet article" in signed_in.get(page).text
    for path in (f"{MINE}/consultation/{consultation.id}", f"{MINE}/contribution/{with_text.id}"):
        assert press(signed_in, path).status_code == 303
    assert len(rows(Subscription)) == 2
    assert "Vous suivez cette consultation" in signed_in.get(home).text
    assert "Vous suivez cet article" in signed_in.get(page).text


def test_a_visitor_signs_in_first_and_comes_back(client, proposal, rows):
    page = client.get(f"/contributions/{proposal.id}").text
    assert f"/connexion?suite=/contributions/{proposal.id}" in page
    assert "Se connecter pour suivre cette proposition" in page
    reply = client.post(f"{MINE}/contribution/{proposal.id}", data={"csrf_token": f.csrf_token(client)})
    assert reply.status_code in {302, 303, 401}
    assert client.get(MINE).status_code in {302, 303, 401}
    assert rows(Subscription) == []


def test_without_its_token_the_button_changes_nothing(signed_in, proposal, rows):
    for path in (f"{MINE}/contribution/{proposal.id}", f"{MINE}/contribution/{proposal.id}/retirer"):
        assert signed_in.post(path, data={}).status_code == 403
    assert rows(Subscription) == []


@pytest.mark.parametrize("status", ["pending", "hidden", "withdrawn", "erased"])
def test_what_is_not_published_is_not_followed(signed_in, make, step, rows, status):
    reason = {"status_reason": "insult"} if status == "hidden" else {}
    gone = make(f.make_proposal, step, status=status, **reason)
    assert press(signed_in, f"{MINE}/contribution/{gone.id}").status_code == 404
    assert rows(Subscription) == []


def test_a_draft_and_another_organisation_are_not_followed(signed_in, make, organisation, rows):
    """AT-4.3: what this person cannot read, they cannot follow either."""
    draft = make(f.make_consultation, organisation, opened=False)
    elsewhere = make(f.make_consultation, make(f.make_organisation))
    theirs = make(f.make_proposal, make(f.make_step, elsewhere))
    for target in (
        f"consultation/{draft.id}", f"consultation/{elsewhere.id}", f"contribution/{theirs.id}",
        f"contribution/{uuid.uuid4()}", f"votes/{draft.id}",
    ):  # fmt: skip
        assert press(signed_in, f"{MINE}/{target}").status_code == 404, target
    assert rows(Subscription) == []


def test_nobody_else_unfollows(app, signed_in, make, organisation, proposal, rows):
    press(signed_in, f"{MINE}/contribution/{proposal.id}")
    other = app.test_client()
    f.sign_in(other, make(f.make_account, organisation))
    assert press(other, f"{MINE}/contribution/{proposal.id}/retirer").status_code == 303
    assert len(rows(Subscription)) == 1


def test_the_way_back_never_leaves_the_site(signed_in, proposal):
    """AT-19.3: the page that the browser says it comes from is not trusted."""
    token = {"csrf_token": f.csrf_token(signed_in, MINE)}
    reply = signed_in.post(
        f"{MINE}/contribution/{proposal.id}/retirer", data=token, headers={"Referer": "https://ailleurs.exemple/a"}
    )
    assert (reply.status_code, reply.location) == (303, MINE)


def test_nobody_else_reads_who_follows(client, app, signed_in, person, consultation, proposal, make, organisation):
    """AT-6.1: not even as a number; neither page, nor API, nor the raw tables of the administration."""
    before = client.get(f"/api/v1/consultations/{consultation.slug}/contributions").json["data"]
    press(signed_in, f"{MINE}/contribution/{proposal.id}")
    press(signed_in, f"{MINE}/consultation/{consultation.id}")
    assert client.get(f"/api/v1/consultations/{consultation.slug}/contributions").json["data"] == before
    assert "subscription" not in raw.tables()
    staff = app.test_client()
    f.sign_in(staff, make(f.make_account, organisation, Role.ADMINISTRATOR))
    for page in (f"/consultations/{consultation.slug}", f"/contributions/{proposal.id}"):
        assert person.pseudonym not in staff.get(page).text
        assert "Vous suivez" not in staff.get(page).text


def test_what_is_published_no_more_is_listed_without_its_title(signed_in, make, step, person):
    hidden = make(f.make_proposal, step, title="Un titre masqué", status="hidden", status_reason="insult")
    make(f.make_subscription, person, hidden)
    page = signed_in.get(MINE).text
    assert "Un titre masqué" not in page
    assert "une contribution qui n’est plus publiée" in page
    assert press(signed_in, f"{MINE}/contribution/{hidden.id}/retirer").status_code == 303


def test_an_account_follows_so_many_things_and_no_more(session, monkeypatch):
    monkeypatch.setattr(service, "MOST", 2)
    organisation = f.make_organisation(session)
    session.info["tenant"] = organisation.id
    actor = Actor(f.make_account(session, organisation).id)
    for _ in range(2):
        service.follow(
            session, Kind.CONSULTATION, f.make_consultation(session, organisation).id, actor=actor, now=f.NOW
        )
    with pytest.raises(ConflictError, match="Mes suivis"):
        service.follow(
            session, Kind.CONSULTATION, f.make_consultation(session, organisation).id, actor=actor, now=f.NOW
        )


def test_two_clicks_at_once_make_one_row(database, organisation, person, consultation, rows):
    barrier = threading.Barrier(4)

    def click():
        barrier.wait()
        with database.transaction(tenant=organisation.id) as session:
            service.follow(session, Kind.CONSULTATION, consultation.id, actor=Actor(person.id), now=f.NOW)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(rows(Subscription)) == 1


def test_sharing_is_plain_links_to_the_absolute_address(client, consultation, proposal, app):
    """AT-19.2: no script, no picture, no request to another site: links that say where they lead, and the address."""
    for path in (f"/consultations/{consultation.slug}", f"/contributions/{proposal.id}"):
        page = client.get(path).text
        address = app.extensions["settings"].public_url.rstrip("/") + path
        assert f'value="{address}" readonly' in page
        links = re.findall(r'<a href="(https://[^"]+)"([^>]*)>([^<]+ouvre un autre site[^<]*)</a>', page)
        assert len(links) == 4
        for link, attributes, words in links:
            assert attributes.strip() == 'rel="noopener external"'
            assert words.startswith("Sur ")
            assert link.endswith(quote(address, safe="/"))
        assert f"body={quote(address, safe='/')}" in page
