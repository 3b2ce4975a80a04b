"""AT-U2: aids that suggest and never decide, kept with their reason, shown to moderators, destroyed with the text."""

import re

import pytest
from sqlalchemy import select

from consult import clock, seam
from consult.actor import Role
from consult.app import bindings
from consult.consultations.models import ContentStatus
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.moderation.aids.jobs import Suggest
from consult.moderation.aids.models import Kind, ReadUntil, Suggestion
from consult.moderation.aids.queries import of_contents, text_of
from consult.moderation.models import Decision, Report
from consult.privacy import service as privacy
from consult.settings import Settings
from tests import factories as f
from tests.integration.privacy.town import Town

pytestmark = pytest.mark.slow  # each starts the process that reads texts

WORDS = "Le texte insulte une personne nommée."
RUDE = "Espèce de connard, va te faire foutre, sale pute, ferme ta gueule"
TICKED = r'<input[^>]*checked[^>]*name="hide-machine"'
LETTER = "Nous demandons que la ligne du bord de mer reste ouverte toute l’année pour les habitants du canton"


def suggest(session, now=f.NOW) -> None:
    for _ in Suggest(bindings(Settings()).content_types, now=lambda: now, names=False).run(session, {}, {}):
        session.flush()


@pytest.fixture
def town(session):
    return Town(session)


def test_texts_are_suggested_once_with_their_reason_and_nothing_is_decided(session, town):
    """AT-U2.2."""
    rude = town.write(town.person, RUDE, title="Rien")
    fair = town.write(
        town.other, "Cette politique est injuste et le ministre se moque de nous, il faut changer de cap", title="Cap"
    )
    for mark in "abc":
        town.write(town.person, f"{LETTER} {mark}", title="Train")
    suggest(session)
    rows = session.scalars(select(Suggestion)).all()
    assert {(row.item_id, row.kind) for row in rows if row.kind is Kind.INSULT} == {(rude.id, Kind.INSULT)}
    assert len([row for row in rows if row.kind is Kind.REPETITION]) == 3
    assert fair.id not in {row.item_id for row in rows}
    (insult,) = [row for row in rows if row.kind is Kind.INSULT]
    assert insult.version.startswith("insults-")
    item = bindings(Settings()).content_types["proposal"].items(session, [rude.id])[rude.id]
    told = [text_of(item)[start:end] for start, end in insult.spans]
    assert told
    assert any(word in RUDE for word in told)
    assert session.scalars(select(Decision)).all() == []
    assert session.scalars(select(Report)).all() == []
    assert set(session.scalars(select(Proposal.status))) == {ContentStatus.PUBLISHED}
    suggest(session)
    assert len(session.scalars(select(Suggestion)).all()) == len(rows), "read twice, suggested once"
    assert session.scalars(select(ReadUntil)).one().read_until == f.NOW
    rude_now = session.get_one(Proposal, rude.id)
    rude_now.body = "Un texte récrit depuis, poli et assez long"
    session.flush()
    item = bindings(Settings()).content_types["proposal"].items(session, [rude.id])[rude.id]
    assert of_contents(session, [item]) == {}, "a suggestion on a former text is shown no more"


def test_an_erasure_destroys_them(session, town):
    town.write(town.person, RUDE, title="Rien")
    suggest(session)
    assert session.scalars(select(Suggestion)).all()
    privacy.erase_account(session, bindings(Settings()), town.person, now=town.later)
    assert session.scalars(select(Suggestion)).all() == []


def test_a_machine_that_fails_is_told_and_keeps_nothing(session, town, monkeypatch, tmp_path):
    town.write(town.person, RUDE, title="Rien")
    monkeypatch.setattr(seam.insults, "MODEL", tmp_path / "none.json")
    assert seam.insult_model() is None
    suggest(session)
    assert [row for row in session.scalars(select(Suggestion)) if row.kind is Kind.INSULT] == []
    (tmp_path / "none.json").write_text("{}", encoding="utf-8")
    session.delete(session.scalars(select(ReadUntil)).one())
    with pytest.raises(seam.AnalysisFailedError, match="modèle"):
        suggest(session)


def test_moderators_read_them_with_the_measured_errors(app):
    database = app.extensions["database"]
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session, slug="agence")
        consultation = f.make_consultation(session, organisation, now=clock.now())
        step = f.make_step(session, consultation)
        author = f.make_account(session, organisation)
        moderator = f.make_account(session, organisation, Role.MODERATOR)
        proposal = f.make_proposal(session, step, author=author, title="Une idée", body=RUDE, created_at=clock.now())
    client = app.test_client()
    f.sign_in(client, moderator)
    empty = client.get("/gestion/moderation/suggestions")
    assert empty.status_code == 200
    assert "Aucune suggestion" in empty.text
    with database.transaction(tenant=ALL_TENANTS) as session:
        suggest(session, clock.now())
    page = client.get("/gestion/moderation/suggestions").text
    assert "Injure ou menace possible" in page
    assert "mots qui ont pesé" in page
    assert f"modèle {seam.insult_model()['version']}" in page
    examined = client.get(f"/gestion/moderation/proposal/{proposal.id}").text
    assert "Elle ne décide de rien" in examined
    assert "Injure ou menace possible" in examined
    here, token = f"/gestion/moderation/proposal/{proposal.id}", f.csrf_token(client)
    assert 'name="hide-machine"' in examined
    assert not re.search(TICKED, examined)
    said = {"csrf_token": token, "act": "hide", "seen": 0, "hide-ground": "insult", "hide-message": WORDS}
    mute = client.post(here, data=said | {"action": "preview"}).text
    assert "Aucune machine n’a pris part" in mute
    told = client.post(here, data=said | {"action": "preview", "hide-machine": "y"}).text
    assert "ou suggéré de le lire" in told
    assert re.search(TICKED, told), "what was ticked is kept"
    for path in (f"/contributions/{proposal.id}", "/api/v1/openapi.json", "/moderation"):
        assert "Injure ou menace possible" not in app.test_client().get(path).text
    assert client.post(here, data=said | {"hide-machine": "y"}).status_code == 303
    with database.session(write=False, tenant=organisation.id) as session:
        assert session.scalars(select(Decision.automated)).all() == [True]
    shown = app.test_client().get("/moderation").text
    assert re.search(r"1\s*</[^>]+>\s*<[^>]+>décision prise avec une machine", shown)
