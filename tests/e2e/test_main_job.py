"""The whole main job in a real browser, on a served platform: every user of a consultation plays their part."""

import datetime as dt
import hashlib
import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from consult.accounts.models import Account, LoginSession
from consult.actor import Role
from consult.clock import PARIS
from consult.consultations.models import Consultation, ConsultationStatus, ContentStatus
from consult.contributions.models import Argument, Proposal, Vote
from consult.db import ALL_TENANTS
from consult.moderation.models import Report
from consult.questionnaires.models import Reply
from tests.e2e.live import CONSULTATION, PASSWORD, PROPOSALS, QUESTIONNAIRE, STAFF, address_in, sign_in
from tests.servers import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("demonstration")]

TITLE = "Un abri et un banc à chaque arrêt"
BODY = "On attend debout sous la pluie. Un toit, un banc et un plan lisible coûtent peu et servent à toutes et à tous."


def flash(page: Page, words: str) -> None:
    """The message that follows an act."""
    expect(page.locator("[data-flashes]")).to_contain_text(words)


def fill_sign_up(page: Page, name: str) -> None:
    page.get_by_label("Pseudonyme").fill(name)
    page.get_by_label("Adresse électronique").fill(f"{name}@exemple.fr")
    page.locator("#password").fill(PASSWORD)
    page.get_by_label("J’accepte les conditions").check()


def newcomer(page: Page, platform, name: str) -> None:
    """Sign up by the form, follow the link of the mail, sign in if need be."""
    page.goto("/inscription")
    fill_sign_up(page, name)
    page.get_by_role("button", name="Créer mon compte").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez votre adresse")
    page.goto(address_in(platform.mail(f"{name}@exemple.fr", "Confirmez votre adresse"), "/inscription/confirmer/"))
    page.get_by_role("button", name="Confirmer mon adresse").click()
    flash(page, "Votre adresse est confirmée")


def open_proposal(page: Page, title: str = "Rouvrir la ligne") -> str:
    """Find a proposal by the search and open it; gives its identifier."""
    page.goto(PROPOSALS)
    page.get_by_label("Rechercher").fill(title)
    page.get_by_role("button", name="Appliquer").click()
    page.get_by_role("main").get_by_role("article").get_by_role("link").first.click()
    page.wait_for_url("**/contributions/*")
    return page.url.rsplit("/", 1)[1].split("#")[0].split("?")[0]


def vote_button(page: Page, name: str):
    return page.locator("#vote").get_by_role("button", name=name, exact=True)


def account_of(platform, name: str) -> Account:
    return platform.rows(Account, pseudonym=name)[0]


def votes_of(platform, name: str) -> list[tuple[str, bool]]:
    return [(vote.value.value, vote.counted) for vote in platform.rows(Vote, account_id=account_of(platform, name).id)]


def write_proposal(page: Page, *, title: str = TITLE, body: str = BODY) -> None:
    page.goto(f"{PROPOSALS}/proposer")
    page.get_by_label("Titre").fill(title)
    page.get_by_label("Thème").select_option(label="Bus, cars et trains")
    page.get_by_label("Votre proposition").fill(body)


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

    page.goto("/mon-compte/contributions")
    expect(page.get_by_role("main")).to_contain_text(TITLE)
    expect(page.get_by_role("main")).to_contain_text("Vous n’avez pas encore voté.")

    page.goto(f"/contributions/{proposal_id}")
    page.get_by_role("article").get_by_role("link", name="Signaler").click()
    page.get_by_label("Autre raison, à préciser").check()
    words = "La même proposition a été déposée deux fois."
    page.get_by_label("Commentaire").fill(words)
    page.get_by_role("button", name="Envoyer le signalement").click()
    flash(page, "Votre signalement est enregistré")
    assert len(platform.rows(Report, item_id=uuid.UUID(proposal_id), comment=words)) == 1


def answer_questionnaire(page: Page, words: str) -> None:
    """Answer what is mandatory, and one open question."""
    page.goto(QUESTIONNAIRE)
    page.get_by_role("link", name="Répondre au questionnaire").click()
    page.get_by_label("Le vélo (électrique ou non)").check()
    page.get_by_label("Plutôt satisfait").check()
    page.get_by_label(re.compile("faciliterait")).fill(words)
    page.get_by_role("button", name="Envoyer ma réponse").click()
    flash(page, "Votre réponse est enregistrée")


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
    page.get_by_label("Question", exact=False).first.fill("Venez-vous au marché ?")
    page.get_by_label("Type de question").select_option(label="Choix unique")
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
    wait_until(lambda: page.reload() and table.is_visible(), seconds=60, what="the export that a worker makes")
    page.get_by_role("link", name="Données ouvertes", exact=True).first.click()
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


def test_the_citizens_path_needs_no_javascript(tab, platform):
    """AT-10.2."""
    page = tab(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.goto("/inscription")
    fill_sign_up(page, "lea")
    page.wait_for_timeout(5_500)  # what tells a person from a robot on this path
    page.get_by_role("button", name="Créer mon compte").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez votre adresse")
    page.goto(address_in(platform.mail("lea@exemple.fr", "Confirmez votre adresse"), "/inscription/confirmer/"))
    page.get_by_role("button", name="Confirmer mon adresse").click()
    flash(page, "Votre adresse est confirmée")

    open_proposal(page)
    vote_button(page, "Mitigé").click()
    expect(vote_button(page, "Mitigé")).to_have_attribute("aria-pressed", "true")
    vote_button(page, "D’accord").click()
    expect(vote_button(page, "D’accord")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Retirer mon vote").click()
    expect(vote_button(page, "D’accord")).to_have_attribute("aria-pressed", "false")
    assert votes_of(platform, "lea") == []

    page.get_by_label("Pour", exact=True).check()
    page.get_by_label(re.compile("^Votre argument \\(")).fill("Les élèves du bourg la prendraient chaque matin.")
    page.get_by_role("button", name="Publier mon argument").click()
    flash(page, "Votre argument est publié")
    write_proposal(page, title="Des horaires affichés en grand")
    page.get_by_role("button", name="Publier").click()
    flash(page, "Votre proposition est publiée")
    answer_questionnaire(page, "Des horaires lisibles")
    assert len(platform.rows(Reply, account_id=account_of(platform, "lea").id)) == 1
    page.goto("/mon-compte")
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("link", name="Se connecter")).to_be_visible()


def press_until(page: Page, key: str, target) -> None:
    """Press a key until the focus is there: fails when it never comes."""
    for _ in range(120):
        if target.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press(key)
    pytest.fail(f"{key} never reaches {target}")


def test_signing_in_voting_and_withdrawing_need_no_mouse(tab, platform):
    """AT-2.2: Tab, Space and Enter alone, with a focus that is seen."""
    newcomer(tab(), platform, "ines")
    page = tab()
    page.goto(PROPOSALS)
    press_until(page, "Tab", page.get_by_role("link", name="Se connecter"))
    assert page.locator(":focus").evaluate("node => getComputedStyle(node).outlineStyle") != "none"
    page.keyboard.press("Enter")
    page.wait_for_url("**/connexion*")
    press_until(page, "Tab", page.get_by_label("Adresse électronique"))
    page.keyboard.type("ines@exemple.fr")
    press_until(page, "Tab", page.locator("#password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/connexion" not in url)
    page.goto(PROPOSALS)
    press_until(page, "Tab", page.get_by_role("article").get_by_role("link").first)
    page.keyboard.press("Enter")
    page.wait_for_url("**/contributions/*")
    press_until(page, "Tab", vote_button(page, "Mitigé"))
    page.keyboard.press("Space")
    expect(vote_button(page, "Mitigé")).to_have_attribute("aria-pressed", "true")
    expect(vote_button(page, "Mitigé")).to_be_focused()
    press_until(page, "Tab", page.get_by_role("button", name="Retirer mon vote"))
    page.keyboard.press("Enter")
    expect(vote_button(page, "Mitigé")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#vote :focus")).to_have_count(1)  # not thrown back to the top of the page
    assert votes_of(platform, "ines") == []


def test_a_double_click_two_tabs_and_the_back_button_make_one_row(tab, platform):
    page = tab()
    newcomer(page, platform, "omar")
    omar = account_of(platform, "omar").id
    write_proposal(page)
    page.get_by_role("button", name="Publier").dblclick()
    flash(page, "Votre proposition est publiée")
    page.go_back()
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    assert len(platform.rows(Proposal, author_id=omar)) == 1

    open_proposal(page)
    other = page.context.new_page()
    other.goto(page.url)
    vote_button(page, "D’accord").dblclick()
    vote_button(other, "Pas d’accord").click()
    expect(vote_button(other, "Pas d’accord")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(vote_button(page, "Pas d’accord")).to_have_attribute("aria-pressed", "true")
    assert votes_of(platform, "omar") == [("against", True)]

    for window in (page, other):
        window.goto(QUESTIONNAIRE + "/repondre")
        window.get_by_label("La marche", exact=True).check()
        window.get_by_label("Très satisfait").check()
    page.get_by_role("button", name="Envoyer ma réponse").click()
    flash(page, "Votre réponse est enregistrée")
    other.get_by_role("button", name="Envoyer ma réponse").click()
    expect(other.get_by_role("main")).to_be_visible()
    assert len(platform.rows(Reply, account_id=omar)) == 1
    page.faults.clear()


def test_what_was_typed_survives_a_refusal(tab, platform):
    page = tab()
    newcomer(page, platform, "zoe")
    write_proposal(page, title="Bus", body=BODY)
    page.get_by_role("button", name="Publier").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(page.get_by_label("Titre")).to_have_value("Bus")
    expect(page.get_by_label("Votre proposition")).to_have_value(BODY)
    expect(page.get_by_label("Thème")).to_have_value(re.compile("."))
    page.faults.clear()  # the browser notes the 422
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("Titre")).to_be_focused()
    assert platform.rows(Proposal, author_id=account_of(platform, "zoe").id) == []


def expire_sessions(platform, name: str) -> None:
    with platform.database.transaction(tenant=ALL_TENANTS) as session:
        for each in session.query(LoginSession).filter_by(account_id=account_of(platform, name).id):
            each.last_seen_at -= dt.timedelta(days=2)


def test_what_was_typed_survives_an_expired_session(tab, platform):
    page = tab()
    newcomer(page, platform, "hugo")
    write_proposal(page)
    expire_sessions(platform, "hugo")
    page.get_by_role("button", name="Publier").click()
    page.get_by_role("button", name="Renvoyer le formulaire").click()
    page.faults.clear()  # the browser notes the 403
    flash(page, "Votre texte est gardé")
    page.get_by_label("Adresse électronique").fill("hugo@exemple.fr")
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_label("Votre proposition")).to_have_value(BODY)
    page.get_by_role("button", name="Publier").click()
    flash(page, "Votre proposition est publiée")

    words = "Un banc, c’est peu ; cela change tout pour qui attend."
    page.get_by_label("Pour", exact=True).check()
    page.get_by_label(re.compile("^Votre argument \\(")).fill(words)
    expire_sessions(platform, "hugo")
    page.get_by_role("button", name="Publier mon argument").click()
    expect(page.get_by_label("Ce que vous aviez écrit")).to_have_value(words)
    expect(page.get_by_role("main").get_by_role("link", name="Se connecter")).to_be_visible()
    page.faults.clear()  # the browser notes the 401
    sign_in(page, "hugo@exemple.fr", PASSWORD)
