"""Pages of proposals: what people see, write, and may not do."""

import datetime as dt
import re
import uuid

import pytest
import time_machine
from sqlalchemy import func, select

from consult.clock import hour_number
from consult.consultations.models import Consultation, ContentStatus, Step
from consult.contributions import drafts, pending, policy, service
from consult.contributions.bindings import ProposalContent
from consult.contributions.models import Argument, ContentVersion, ContributionDraft, Proposal, Vote
from consult.registry.models import RegistryEntry
from tests import factories
from tests.registers import settle

TEXT = "Des trains toutes les heures jusqu’à minuit, même le dimanche."


def typed(world, **values):
    return {"title": "Des trains la nuit", "body": TEXT, "theme": world.theme, "submission_key": "k1"} | values


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)))


def test_a_proposal_is_published_and_found(person, world, client):
    response = person(world.author).send(world.write, **typed(world))
    assert response.status_code == 303
    page = client.get(response.location)
    assert TEXT in text_of(page)
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"  # AT-8.1
    assert '<meta name="robots" content="noindex' in page.get_data(as_text=True)
    for words in ("trains nuit", "DIMANCHE", "l’heure"):
        assert "Des trains la nuit" in text_of(client.get(world.list, query_string={"q": words}))
    nothing = client.get(world.list, query_string={"q": "bateau <script>alert(1)</script>"})
    assert nothing.status_code == 200
    assert "Aucune proposition ne correspond" in text_of(nothing)
    assert "<script>alert" not in nothing.get_data(as_text=True)


def test_the_same_form_sent_twice_makes_one_proposal(person, world, database_of):
    author = person(world.author)
    first, second = (author.send(world.write, **typed(world)) for _ in range(2))
    assert first.location == second.location
    with database_of() as session:
        assert session.scalar(select(func.count()).select_from(Proposal)) == 2  # with the one of the scene
        assert session.scalar(select(func.count()).select_from(RegistryEntry)) == 1
    other = person(world.other).send(world.write, **typed(world))  # somebody else's key is another submission
    assert other.location != first.location


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"title": ""}, "Le titre est vide"),
        ({"title": "x" * 151}, "Le titre compte 151 caractères"),
        ({"body": "Trop court."}, "Le texte compte 11 caractères"),
        ({"body": "x" * 10_001}, "10001 caractères"),
        ({"theme": ""}, "Choisissez un thème"),
        ({"theme": str(uuid.uuid4())}, "Choisissez un thème"),
        ({"theme": "'; DROP TABLE theme --"}, "Choisissez un thème"),
    ],
)
def test_bad_input_is_told_and_kept(person, world, database_of, values, said):
    sent = typed(world, **values)
    response = person(world.author).send(world.write, **sent)
    assert response.status_code == 422
    page = response.get_data(as_text=True)
    assert said in page.replace("\u202f", "")
    assert sent["body"][:50] in page or "’" in sent["body"]
    with database_of() as session:
        assert session.scalar(select(func.count()).select_from(Proposal)) == 1


@pytest.mark.parametrize("signed_in", [True, False])
def test_similar_proposals_are_shown_while_writing_and_nothing_is_kept(person, world, database_of, client, signed_in):
    person(world.author).send(world.write, **typed(world))
    writer = client if not signed_in else person(world.other)
    form = {"csrf_token": factories.csrf_token(writer, world.write)}
    near = typed(world, title="Un train chaque heure la nuit", body="Même le <b>dimanche</b>", submission_key="k9")
    page = writer.post(f"{world.write}/semblables", data=form | near)
    assert page.status_code == 200
    assert "Une proposition ressemble à la vôtre" in text_of(page)
    assert "Des trains la nuit" in text_of(page)
    assert 'value="Un train chaque heure la nuit"' in page.get_data(as_text=True)
    assert "Même le &lt;b&gt;dimanche&lt;/b&gt;</textarea>" in page.get_data(as_text=True)
    far = typed(world, title="Une piscine municipale", body="Ouverte l’été.", submission_key="k10")
    page = writer.post(f"{world.write}/semblables", data=form | far)
    assert "Aucune proposition publiée ne ressemble à la vôtre" in text_of(page)
    assert writer.post(f"{world.write}/semblables", data=near).status_code == 403, "without the token of the form"
    with database_of() as session:
        assert session.scalar(select(func.count()).select_from(Proposal)) == 2
        assert session.scalar(select(func.count()).select_from(ContributionDraft)) == 0


def test_what_a_visitor_writes_waits_for_them_to_sign_in(app, client, world, person, database_of):
    token = factories.csrf_token(client, world.write)
    response = client.post(world.write, data=typed(world, body=TEXT + " 🚆 <b>") | {"csrf_token": token})
    assert response.status_code == 303
    assert response.location.startswith("/connexion?suite=")
    back = re.search(r"brouillon%3D([\w-]+)", response.location)[1]
    page = person(world.author).get(world.write, query_string={"brouillon": back})
    assert "🚆 &lt;b&gt;" in page.get_data(as_text=True)
    assert 'value="Des trains la nuit"' in page.get_data(as_text=True)
    with database_of() as session:
        draft = session.scalars(select(ContributionDraft)).one()
        assert back not in draft.digest
        draft.expires_at = world.now - dt.timedelta(seconds=1)
    stale = person(world.author).get(world.write, query_string={"brouillon": back})
    assert "🚆" not in stale.get_data(as_text=True)


def test_what_visitors_of_one_connection_may_keep_is_bounded(app, client, world, database_of, monkeypatch):
    monkeypatch.setattr(drafts, "ADDRESS_DRAFTS", 2)
    seen = []
    for _ in range(3):
        visitor = app.test_client()
        token = factories.csrf_token(visitor, world.write)
        refused = visitor.post(world.write, data=typed(world) | {"csrf_token": token})
        seen.append(refused.status_code)
    assert seen == [303, 303, 429]
    assert "Rien n’est perdu" in refused.get_data(as_text=True)
    assert TEXT in refused.get_data(as_text=True)
    with database_of() as session:
        kept = list(session.scalars(select(ContributionDraft)))
        assert len(kept) == 2
        assert not any("127.0.0.1" in str(vars(draft)) for draft in kept), "no address is kept"
        for draft in kept:
            draft.expires_at = world.now - dt.timedelta(seconds=1)
    token = factories.csrf_token(client, world.write)
    assert client.post(world.write, data=typed(world) | {"csrf_token": token}).status_code == 303


def test_a_visitor_reads_without_any_cookie_and_may_not_act(client, world):
    for path in ("/", "/consultations", "/consultations/trajets", world.list, world.page):
        assert "Set-Cookie" not in client.get(path).headers
    assert "Se connecter pour voter" in text_of(client.get(world.page))
    assert "csrf_token" not in client.get(world.page).get_data(as_text=True)
    token = factories.csrf_token(client, world.write)
    for path in (f"{world.page}/vote", f"{world.page}/modifier", f"{world.page}/retirer"):
        assert client.post(path, data={"csrf_token": token}).status_code == 401


def test_a_step_that_closes_meanwhile_keeps_the_typed_text_on_the_page(person, world, database_of):
    author = person(world.author)
    with database_of() as session:
        session.get_one(Consultation, world.consultation).closes_at = world.now - dt.timedelta(minutes=1)
    response = author.send(world.write, **typed(world))
    assert response.status_code == 403
    assert "<title>Erreur – Déposer une proposition" in response.text
    assert TEXT.replace("’", "’") in text_of(response).replace("&#39;", "'")
    argument = author.send(f"{world.page}/argumenter", side="for", body="Un argument qui vient trop tard.")
    assert argument.status_code == 403
    assert "disabled>Publier mon argument</button>" in argument.text
    vote = author.send(f"{world.page}/vote", referrer=f"http://localhost{world.page}", position="for")
    assert vote.status_code == 403
    assert "<h1>Ce n’est pas ouvert</h1>" in vote.text
    assert f'href="{world.page}">Revenir à la page</a>' in vote.text
    elsewhere = author.send(f"{world.page}/vote", referrer="https://ailleurs.example/page", position="for")
    assert "Revenir à la page" not in elsewhere.text
    with database_of() as session:
        assert session.scalar(select(func.count()).select_from(Vote)) == 0


def test_voting_and_changing_shows_the_new_counts(person, world, database_of):
    voter = person(world.other)
    for position, shown in (("for", "D’accord : 1"), ("against", "Pas d’accord : 1")):
        response = voter.send(f"{world.page}/vote", position=position)
        assert response.location == f"{world.page}#vote"
        assert "il entre dans ces chiffres dans la seconde" in text_of(voter.get(world.page))
        with database_of() as session:
            settle(session)
        assert "il entre dans ces chiffres" not in text_of(voter.get(world.page))
        assert shown in text_of(voter.get(world.page)).replace("\u00a0", " ").replace("  ", " ")
    assert voter.send(f"{world.page}/vote", position="<script>").status_code == 400
    assert voter.send(f"{world.page}/vote/retirer").status_code == 303
    with database_of() as session:
        settle(session)
    assert "Aucun vote pour le moment" in text_of(voter.get(world.page))


def test_an_argument_is_found_useful_once_and_by_that_word_alone(person, world, database_of):
    author, voter = person(world.author), person(world.other)
    author.send(f"{world.page}/argumenter", side="for", body="Cela éviterait bien des voitures.", submission_key="a")
    author.send(f"{world.page}/argumenter", side="against", body="Et qui paiera les conducteurs ?", submission_key="b")
    assert (
        author.send(f"{world.page}/argumenter", side="", body="Ni pour ni contre, bien au contraire.").status_code
        == 422
    )
    with database_of() as session:
        argument = session.scalars(select(Argument.id).where(Argument.side == "for")).one()
    voter.send(f"/arguments/{argument}/vote", position="for")
    assert voter.send(f"/arguments/{argument}/vote", position="against").status_code == 400
    page = text_of(voter.get(world.page)).replace("\u00a0", " ")
    assert "Pour&nbsp;: 1 · Contre&nbsp;: 1" in page
    assert "Ne plus trouver utile" in page


def test_only_the_author_edits_and_history_is_public(person, world, client, database_of):
    stranger, author = person(world.other), person(world.author)
    edit = f"{world.page}/modifier"
    assert stranger.get(edit).status_code == 404  # AT-19.4
    assert stranger.send(edit, **typed(world, version="1")).status_code == 404
    assert stranger.send(f"{world.page}/retirer").status_code == 404
    assert author.send(edit, **typed(world, version="1", status="hidden", votes_for="999")).status_code == 303
    stale = author.send(edit, **typed(world, title="Un autre onglet", version="1"))
    assert stale.status_code == 409
    assert "Un autre onglet" in stale.get_data(as_text=True)
    history = text_of(client.get(f"{world.page}/versions"))
    assert "Plus de trains la nuit" in history
    assert TEXT in history
    with database_of() as session:
        proposal = session.get_one(Proposal, world.proposal)
        assert (proposal.version, proposal.status, proposal.votes_for) == (2, ContentStatus.PUBLISHED, 0)
        assert session.scalar(select(func.count()).select_from(ContentVersion)) == 1


def test_each_version_is_compared_with_the_one_before(person, world, client):
    author, edit = person(world.author), f"{world.page}/modifier"
    for number in range(1, 13):
        author.send(edit, **typed(world, body=f"Le dernier train part à {number} heures.", version=str(number)))
    page = client.get(f"{world.page}/versions")
    history = page.get_data(as_text=True)
    assert "part à [supprimé : 11 fin] [ajouté : 12 fin] heures." in text_of(page).replace("\u00a0", " ")
    assert 'id="v3"' not in history
    first = client.get(f"{world.page}/versions?page=2").get_data(as_text=True)
    assert 'id="v3"' in first
    assert 'id="v4"' not in first
    assert "<del>" not in first.partition('id="v1"')[2]


@pytest.mark.parametrize("end", ["hidden", "withdrawn"])
def test_a_text_that_is_gone_is_nowhere_but_its_tombstone_says_why(person, world, client, database_of, end):
    secret = "Zanzibar"
    author = person(world.author)
    author.send(f"{world.page}/modifier", **typed(world, title=f"Un train pour {secret}", version="1"))
    person(world.other).send(f"{world.page}/vote", position="for")
    with database_of() as session:
        proposal = session.get_one(Proposal, world.proposal)
        if end == "hidden":
            ProposalContent().hide(session, proposal.id, "off_topic")
        else:
            service.withdraw(session, proposal, account_id=world.author.id, now=world.now)
    gone = client.get(world.page)
    assert gone.status_code == 410
    assert ("Hors sujet" if end == "hidden" else "Son auteur a retiré") in text_of(gone)
    for path in (
        world.page,
        f"{world.page}/versions",
        world.list,
        f"{world.list}?q={secret.lower()}",
        "/",
        "/sitemap.xml",
    ):
        shown = client.get(path).get_data(as_text=True)
        assert secret not in shown.replace(f'value="{secret.lower()}"', "")
        assert TEXT not in shown
    assert secret not in text_of(person(world.other).get("/mon-compte/contributions/votes"))
    assert author.send(f"{world.page}/modifier", **typed(world, version="2")).status_code == 410
    if end == "hidden":
        with database_of() as session:
            ProposalContent().restore(session, world.proposal)
            settle(session)
        assert secret in text_of(client.get(f"{world.list}?q={secret}"))
        assert "D’accord : 1" in text_of(client.get(world.page)).replace("\u00a0", " ").replace("  ", " ")


def test_what_an_unconfirmed_account_writes_is_seen_by_itself_alone(app, world, person, client, database_of):
    with database_of() as session:
        organisation = session.get_one(factories.Organisation, world.organisation)
        newcomer = factories.make_account(session, organisation, confirmed_at=None)
        session.commit()
        session.refresh(newcomer)
        session.expunge_all()
    browser = person(newcomer)
    address = browser.send(world.write, **typed(world)).location
    assert "Vous seul voyez cette proposition" in text_of(browser.get(address))
    assert client.get(address).status_code == 404
    assert TEXT not in text_of(client.get(world.list))
    with database_of() as session:
        session.get_one(factories.Account, newcomer.id).confirmed_at = world.now
        pending.publish_pending(session, newcomer.id, world.now)
    assert TEXT in text_of(client.get(address))


def test_markup_typed_by_citizens_is_shown_as_typed(person, world, client):  # AT-19.7
    hostile = '<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) "><svg onload=alert(1)>'
    response = person(world.author).send(world.write, **typed(world, title=hostile, body=hostile + TEXT))
    for path in (response.location, world.list):
        page = client.get(path).get_data(as_text=True)
        main = page[page.index("<main") : page.index("</main>")]
        assert not re.search(r"<script|<img|<svg onload|onerror=alert\(1\)>|href=\"javascript", main)


def test_lists_page_without_end_and_refuse_nothing(client, world):
    for query in ("page=0", "page=-3", "page=99999999999", "page=x", "sort=<x>", "theme=nope", "q=" + "x" * 5000):
        assert client.get(f"{world.list}?{query}").status_code == 200


def test_a_forged_form_is_refused(person, world):  # AT-19.3
    voter = person(world.other)
    assert voter.post(f"{world.page}/vote", data={"position": "for"}).status_code == 403
    elsewhere = {"Origin": "https://pirate.example"}
    assert voter.post(f"{world.page}/vote", data={"position": "for"}, headers=elsewhere).status_code == 403


def test_another_organisation_does_not_serve_the_proposal(client, world, database_of):
    with database_of() as session:
        factories.make_organisation(session, slug="voisine", created_at=factories.NOW)
    assert client.get(f"/o/voisine{world.page}").status_code == 404
    assert client.get(f"/o/voisine{world.list}").status_code == 404


def test_a_search_finds_nothing_of_another_organisation(client, world, database_of):
    """AT-19.4: the same addresses and words on both sides, whatever the page; its statements name no organisation."""
    with database_of() as session:
        here = session.get_one(Step, world.step)
        neighbour = factories.make_organisation(session, slug="voisine", created_at=factories.NOW)
        whole = factories.make_consultation(session, neighbour, slug=here.consultation.slug, now=world.now)
        there = factories.make_step(session, whole, slug=here.slug)
        for step, title in ((here, "Un funiculaire au nord"), (there, "Un funiculaire au sud")):
            service.index(session, factories.make_proposal(session, step, title=title, created_at=world.now))
    for root, found, other in (("", "nord", "sud"), ("/o/voisine", "sud", "nord")):
        for query in ("", "&sort=recent", "&sort=voted", "&page=2"):
            page = text_of(client.get(f"{root}{world.list}?q=funiculaire{query}"))
            assert f"Un funiculaire au {found}" in page
            assert f"Un funiculaire au {other}" not in page
            assert "1 proposition contenant" in page


def test_the_list_turns_each_hour_and_its_pages_hold_everybody_once(client, world, database_of):
    """From the published ranks, seed and hour alone; whatever part of the list comes after the start."""
    with database_of() as session:
        step = session.get_one(Step, world.step)
        for n in range(44):
            made = factories.make_proposal(session, step, title=f"Une idée {n}", created_at=world.now)
            made.random_rank = policy.random_rank(step.order_seed, made.id)
        session.flush()
        ranks = {str(row.id): row.random_rank for row in session.execute(select(Proposal.id, Proposal.random_rank))}
        seed = step.order_seed
    with time_machine.travel(world.now.replace(minute=30), tick=False) as clock:
        for _ in range(4):
            hour = hour_number(dt.datetime.now(dt.UTC))
            start = policy.random_rank(f"{seed}:{hour}", world.step)
            expected = sorted(ranks, key=lambda each: (ranks[each] < start, ranks[each]))
            pages = [client.get(f"{world.list}?heure={hour}&page={n}").get_data(as_text=True) for n in (1, 2, 3)]
            read = [each for page in pages for each in re.findall(r'card-title"><a href="/contributions/([^"]+)', page)]
            assert read == expected
            assert f"heure={hour}&amp;page=2" in pages[0] or f"page=2&amp;heure={hour}" in pages[0]
            clock.shift(3_600)
