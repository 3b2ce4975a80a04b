"""The whole main job in a real browser, on a served platform: every user of a consultation plays their part."""

import datetime as dt
import hashlib
import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from consult.actor import Role
from consult.clock import PARIS
from consult.consultations.models import Consultation, ConsultationStatus, ContentStatus
from consult.contributions.models import Argument
from consult.moderation.models import Report
from consult.questionnaires.models import Reply
from tests.e2e.gestures import (
    TITLE,
    account_of,
    answer_questionnaire,
    fill_sign_up,
    flash,
    newcomer,
    open_proposal,
    vote_button,
    votes_of,
    write_proposal,
)
from tests.e2e.live import CONSULTATION, STAFF, address_in
from tests.servers import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_newcomer_signs_up_votes_proposes_argues_answers_and_reports(tab, platform):
    """AT-18.1, AT-2.2: the citizen's whole path, with the proof of work solved in the page."""
    page = tab(viewport={"width": 360, "height": 800})
    page.goto("/inscription")
    fill_sign_up(page, "nora")
    page.get_by_role("button", name="Créer mon compte").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez votre adresse")

    proposal_id = open_proposal(page)
    vote_button(page, "D’accord").click()
    expect(page.locator("#vote")).to_contain_text("n’est pas encore compté")
    assert votes_of(platform, "nora") == [("for", False)]

    page.goto(address_in(platform.mail("nora@exemple.fr", "Confirmez votre adresse"), "/inscription/confirmer/"))
    page.get_by_role("button", name="Confirmer mon adresse").click()
    flash(page, "Les votes déjà donnés viennent d’être comptés")
    assert votes_of(platform, "nora") == [("for", True)]

    page.goto(f"/contributions/{proposal_id}")
    expect(vote_button(page, "D’accord")).to_have_attribute("aria-pressed", "true")
    vote_button(page, "Pas d’accord").click()
    expect(vote_button(page, "Pas d’accord")).to_have_attribute("aria-pressed", "true")
    assert votes_of(platform, "nora") == [("against", True)]
    page.get_by_role("button", name="Retirer mon vote").click()
    expect(vote_button(page, "Pas d’accord")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("body > [role=status]")).to_contain_text("Votre vote est retiré.")
    assert votes_of(platform, "nora") == []

    page.get_by_role("link", name="Ajouter un argument").click()
    page.get_by_label("Contre", exact=True).check()
    page.get_by_label(re.compile("^Votre argument \\(")).fill(
        "La ligne ne passe pas près des villages qui en ont besoin."
    )
    page.get_by_role("button", name="Publier mon argument").click()
    flash(page, "Votre argument est publié")
    [argument] = platform.rows(Argument, author_id=account_of(platform, "nora").id)
    expect(page.locator(f"#argument-{argument.id}")).to_contain_text("qui en ont besoin")

    write_proposal(page)
    page.get_by_role("button", name="Publier").click()
    flash(page, "Votre proposition est publiée")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.locator(".proposal")).to_contain_text("Par nora")

    answer_questionnaire(page, "Un abri à l’arrêt du collège")
    [reply] = platform.rows(Reply, account_id=account_of(platform, "nora").id)
    assert reply.status is ContentStatus.PUBLISHED

    page.goto("/mon-compte/contributions/votes")
    expect(page.get_by_role("main")).to_contain_text("Vous n’avez pas encore voté.")
    page.get_by_role("link", name="Textes").click()
    expect(page.get_by_role("main")).to_contain_text(TITLE)

    page.goto(f"/contributions/{proposal_id}")
    page.get_by_role("article").get_by_role("link", name="Signaler").click()
    page.get_by_label("Autre raison, à préciser").check()
    words = "La même proposition a été déposée deux fois."
    page.get_by_label("Commentaire").fill(words)
    page.get_by_role("button", name="Envoyer le signalement").click()
    flash(page, "Votre signalement est enregistré")
    assert len(platform.rows(Report, item_id=uuid.UUID(proposal_id), comment=words)) == 1


def test_a_moderator_hides_with_a_reason_and_the_author_is_told(tab, tab_of, platform):
    """AT-2.2.7, C9: the report, the decision, the mail, the tombstone; nobody reads the text any more."""
    author = tab()
    newcomer(author, platform, "paul")
    write_proposal(
        author, title="Achetez mes vélos à prix cassé", body="Vélos neufs, livraison offerte, appelez vite !"
    )
    author.get_by_role("button", name="Publier").click()
    flash(author, "Votre proposition est publiée")
    address = author.url

    witness = tab()
    witness.goto(address)
    witness.get_by_role("article").get_by_role("link", name="Signaler").click()
    witness.get_by_label(re.compile("ublicité")).check()
    witness.get_by_role("button", name="Envoyer le signalement").click()
    flash(witness, "Votre signalement est enregistré")

    moderator = tab_of(Role.MODERATOR)
    moderator.goto("/gestion/moderation")
    moderator.get_by_role("link", name="Achetez mes vélos à prix cassé").click()
    decision = moderator.get_by_role("region", name="Masquer")
    decision.get_by_label(re.compile("ublicité")).check()
    decision.get_by_label("Message à l’auteur").fill("Ce texte vend un produit. Vous pouvez proposer une idée.")
    decision.get_by_role("button", name="Aperçu du courriel").click()
    expect(moderator.get_by_role("region", name="Aperçu du courriel")).to_contain_text("Ce texte vend un produit.")
    moderator.get_by_role("button", name="Masquer ce contenu").click()
    flash(moderator, "Masqué")

    mail = platform.mail("paul@exemple.fr", "a été masquée")
    assert "Ce texte vend un produit." in mail.get_body(("plain",)).get_content()
    response = witness.goto(address)
    assert response.status == 410
    expect(witness.get_by_role("heading", level=1)).to_have_text("Contribution masquée")
    assert "livraison offerte" not in witness.content()
    witness.faults.clear()  # the browser notes the 410
    witness.goto("/corbeille")
    expect(witness.get_by_role("main")).to_contain_text("ublicité")
    assert "livraison offerte" not in witness.content()

    author.goto(address_in(mail, "/moderation/contester/"))
    author.get_by_label(re.compile("Pourquoi contestez-vous")).fill("C’était une plaisanterie.")
    author.get_by_role("button", name=re.compile("ontest")).click()
    flash(author, "contest")


def type_dates(page: Page, opens: dt.datetime, closes: dt.datetime) -> None:
    for label, moment in (("Début", opens), ("Fin", closes)):
        page.get_by_label(re.compile(f"^{label}")).fill(f"{moment.astimezone(PARIS):%Y-%m-%dT%H:%M}")


def test_an_organiser_prepares_opens_and_closes_a_consultation_by_forms(tab, tab_of, platform):
    """AT-4.1: both step kinds, a theme, a question, no shell command."""
    page, now = tab_of(Role.ORGANISER), dt.datetime.now(dt.UTC)
    opens, closes = now - dt.timedelta(hours=1), now + dt.timedelta(days=20)
    page.goto("/gestion")
    page.get_by_role("link", name="Nouvelle consultation").click()
    page.get_by_label("Titre").fill("La place du marché")
    page.get_by_label("Résumé").fill("Que faire de la place, une fois les halles rénovées ?")
    type_dates(page, opens, closes)
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("La place du marché")
    manage = page.url

    for kind, title in (("Propositions et votes", "Vos idées"), ("Questionnaire", "Vos habitudes")):
        page.goto(manage)
        page.get_by_role("link", name="Ajouter une étape").click()
        page.get_by_label("Type d’étape").select_option(label=kind)
        page.get_by_label("Titre").fill(title)
        type_dates(page, opens, closes)
        page.get_by_role("button", name="Enregistrer").click()
        expect(page.get_by_role("heading", name=re.compile(title))).to_be_visible()

    page.get_by_role("link", name=re.compile("Thèmes de l’étape Vos idées")).click()
    page.get_by_label("Nouveau thème").fill("Les terrasses")
    page.get_by_role("button", name="Ajouter").click()
    expect(page.get_by_role("main")).to_contain_text("Les terrasses")

    page.goto(manage)
    page.get_by_role("link", name=re.compile("Questions de l’étape Vos habitudes")).click()
    page.get_by_role("link", name="Ajouter une question").click()
    page.get_by_role("link", name="Choix unique", exact=True).click()
    page.get_by_label("Question", exact=False).first.fill("Venez-vous au marché ?")
    page.get_by_label("Réponses proposées").fill("Toutes les semaines\nParfois\nJamais")
    page.get_by_role("button", name="Enregistrer la question").click()
    expect(page.get_by_role("main")).to_contain_text("Venez-vous au marché ?")

    visitor = tab()
    address = manage.replace("/gestion", "", 1)
    assert visitor.goto(address).status == 404  # a draft is nobody else's business
    visitor.faults.clear()
    page.goto(manage)
    page.get_by_role("link", name="Vérifier et ouvrir").click()
    page.get_by_role("button", name="Ouvrir la consultation").click()
    expect(page.get_by_role("main")).to_contain_text("Règles figées")
    assert visitor.goto(address).status == 200
    visitor.get_by_role("main").get_by_role("link", name="Vos habitudes").click()
    expect(visitor.get_by_role("main")).to_contain_text("Venez-vous au marché ?")

    page.goto(manage)
    page.get_by_role("link", name="Fermer").click()
    page.get_by_label("Motif").fill("Les travaux commencent plus tôt que prévu.")
    page.get_by_role("button", name="Fermer définitivement").click()
    expect(page.get_by_role("main")).to_contain_text("Terminée")
    [made] = platform.rows(Consultation, title="La place du marché")
    assert made.status is ConsultationStatus.CLOSED
    expect(visitor.get_by_role("main")).to_be_visible()
    visitor.wait_for_timeout(2_500)  # pages of visitors may be two seconds old
    visitor.goto(address)
    expect(visitor.get_by_role("main")).to_contain_text("Terminée")
    expect(visitor.get_by_role("main")).to_contain_text("Les travaux commencent plus tôt que prévu.")


def test_a_codebook_is_approved_run_published_and_leads_to_contributions(tab, tab_of, platform):
    """AT-20.4: from a figure of the public page to what it counts."""
    analyst = tab_of(Role.ANALYST)
    analyst.goto(f"{STAFF}/analyse")
    source = analyst.get_by_label("Plan de codification (YAML)")
    text = source.input_value()
    assert "codes" in text
    source.fill(text.replace('version: "1"', 'version: "2"'))
    analyst.get_by_role("button", name="Enregistrer une nouvelle version").click()
    flash(analyst, "La version 2 du plan est enregistrée")
    for role in (Role.DITP, Role.ADMINISTRATOR):
        party = tab_of(role)
        party.goto(f"{STAFF}/analyse")
        party.get_by_role("button", name="Approuver la version 2").click()
        flash(party, "Vous avez approuvé la version 2")
    analyst.reload()
    analyst.get_by_role("combobox", name="Plan de codification").select_option(value="2")
    analyst.get_by_role("button", name="Lancer l’analyse").click()
    flash(analyst, "L’analyse est demandée")
    run = analyst.url.split("/analyse/")[1]
    done = analyst.get_by_role("heading", name="Refaire cette analyse")
    for _ in range(60):
        if done.is_visible():
            break
        analyst.wait_for_timeout(2_000)
        analyst.reload()
    expect(done).to_be_visible()

    organiser = tab_of(Role.ORGANISER)
    organiser.goto(f"{STAFF}/analyse/{run}")
    organiser.get_by_role("button", name=re.compile("Publier sur l’étape")).click()
    expect(organiser.get_by_role("main")).to_contain_text("Publi")

    visitor = tab()
    visitor.goto(f"{CONSULTATION}/resultats")
    expect(visitor.get_by_role("main")).to_contain_text("Participants volontaires")
    row = visitor.get_by_role("table", name=re.compile("Contributions par code")).first.get_by_role("row")
    row = row.filter(has=visitor.get_by_role("link")).first
    counted = int(re.sub(r"\D", "", row.get_by_role("cell").first.inner_text()))
    row.get_by_role("link").click()
    expect(visitor.get_by_role("main")).to_contain_text(re.compile("contributions? au moment de l’analyse"))
    lead = visitor.locator(".lead").inner_text()
    assert int(re.sub(r"\D", "", lead.rsplit(":", 1)[1])) == counted
    assert visitor.get_by_role("article").count() > 0


def test_an_open_dump_equals_its_manifest(tab, tab_of):
    """AT-20.2: what the open data page offers is what its manifest says."""
    organiser = tab_of(Role.ORGANISER)
    organiser.goto("/gestion/donnees-ouvertes")
    asked = organiser.get_by_role("listitem").filter(has_text="Nos trajets de tous les jours")
    asked.get_by_role("button", name="Produire un export maintenant").click()
    flash(organiser, "Export demandé")
    page = tab()
    page.goto("/donnees-ouvertes")
    table = page.get_by_role("table", name="Fichiers de « Nos trajets de tous les jours »")
    section = page.locator("section").filter(has=page.get_by_role("heading", name="Nos trajets de tous les jours"))
    every = section.get_by_text("Tous les fichiers, un par un")
    wait_until(lambda: page.reload() and every.is_visible(), seconds=120, what="the export that a worker makes")
    page.get_by_role("link", name="Données ouvertes", exact=True).first.click()
    every.click()
    manifest = page.request.get(file_link(page, "manifest.json").get_attribute("href")).json()
    described = {file["name"]: file for file in manifest["files"]}
    for name in ("contributions.ndjson", "contributions.csv", "votes.ndjson"):
        content = downloaded(page, name)
        assert hashlib.sha256(content).hexdigest() == described[name]["sha256"]
    assert content.count(b"\n") == described[name]["rows"] > 4_000
    expect(table).to_contain_text(described[name]["sha256"])


def file_link(page: Page, name: str):
    files = page.get_by_role("region", name="Fichiers de « Nos trajets de tous les jours »")
    return files.get_by_role("link", name=name, exact=True)


def downloaded(page: Page, name: str) -> bytes:
    with page.expect_download() as download:
        file_link(page, name).click()
    return download.value.path().read_bytes()
