"""Every page that each visitor can reach: French, one heading, no fault, no other origin, 320 px; and accessible."""

import functools
import gzip
import re

import pytest

from consult.actor import Role
from consult.app import create_app
from consult.consultations.models import Step
from consult.contributions.models import Proposal
from consult.moderation.models import Report
from consult.questionnaires.models import Reply
from consult.settings import Settings
from tests.e2e.live import BILL, CONSULTATION, PROPOSALS, QUESTIONNAIRE, STAFF
from tests.e2e.site_map import Walker

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STAFF_ROLES = (
    *(Role.ORGANISER, Role.MODERATOR, Role.ANALYST, Role.DECISION_MAKER, Role.ADMINISTRATOR),
    *(Role.DITP, Role.OPERATOR),
)
# Pages that only a mail opens, or that follow an act: the main job goes through them.
AFTER_AN_ACT = {
    "accounts.sign_up.confirm", "accounts.reset", "moderation.contest",
    "accounts.sign_up.sent", "accounts.second_factor.show", "privacy.erased",
    "followup.case", "rights.follow", "assistance.follow", "accounts.profile.confirm_address",
    "accounts.notices.ask", "accounts.mailed_link.confirm", "accounts.second_factor.application",
    "accounts.unsent.show", "consultations.age.show", "accounts.identities.proven", "accounts.identities.confirm_link",
    # Only where the settings name an identity provider.
    "accounts.identities.begin", "accounts.identities.back", "accounts.identities.mine", "accounts.identities.left",
    "accounts.identities.leave", "accounts.identities.encryption_keys",
    "samples.sample", "samples.code", "samples.settle",  # a sample is drawn first
    "tickets.show",  # no ticket is open in the demonstration
    "audience.show",  # a period is over first
}  # fmt: skip
# Read by programs.
NOT_PAGES = {
    "static", "site.healthz", "site.readyz", "accounts.sign_up.ask_proof", "site.robots", "site.sitemap",
    "site.security_txt", "registry.logs", "registry.checkpoint", "registry.key", "registry.tile", "registry.openings",
    "registry.verifier", "registry.witness", "registry.cosigned", "opendata.download", "opendata.download_whole",
    "opendata.negotiated_catalogue", "private.figures", "private.rows", "private.tables", "registry.census",
    "tickets.file", "status.as_json", "private_tickets.listing", "private_tickets.one",
    "registry.programs", "opendata.cases", "questionnaires.pictures.show",
    "audience.download",
}  # fmt: skip


@functools.cache
def routes():
    """An application that serves nothing, for its routes."""
    return create_app(Settings(database_url="sqlite:///unused.db"))


REACHED: dict[str, set[str]] = {}


def walk(page, name, *paths, **limits):
    page.goto(paths[0])
    found = Walker(page, routes(), **limits).follow(*paths)
    REACHED[name] = {route.split()[0] for route in found.reached}
    assert not found.faults, "\n".join(found.faults)


def walk_unknown(tab, _tab_of):
    walk(tab(), "anonymous", "/", "/composants", times=1)


def walk_as_participant(_tab, tab_of):
    page = tab_of(Role.PARTICIPANT)
    page.goto(f"{PROPOSALS}/proposer")
    page.get_by_label("Titre").fill("Des arceaux devant la mairie")
    page.get_by_label("Thème").select_option(index=1)
    page.get_by_label("Votre proposition").fill("Six arceaux suffisent, sous l’auvent qui existe déjà.")
    page.get_by_role("button", name="Publier").click()
    page.get_by_role("link", name="Ajouter un argument").click()
    page.get_by_label("Pour", exact=True).check()
    page.get_by_label(re.compile("^Votre argument \\(")).fill("Cela ne coûte presque rien.")
    page.get_by_role("button", name="Publier mon argument").click()
    page.get_by_role("link", name="Modifier mon argument").click()
    page.get_by_label(re.compile("^Votre argument \\(")).fill("Cela ne coûte presque rien, et se voit.")
    page.get_by_role("main").get_by_role("button").first.click()
    page.get_by_role("link", name="Tous les arguments").click()
    page.get_by_role("link", name="Modifier ma proposition").click()
    page.get_by_label("Titre").fill("Six arceaux devant la mairie")
    page.get_by_role("main").get_by_role("button").first.click()
    page.get_by_role("link", name="voir les 2 versions").wait_for()
    page.goto(f"{QUESTIONNAIRE}/repondre")
    page.get_by_label("La marche", exact=True).check()
    page.get_by_label("Très satisfait").check()
    page.get_by_role("button", name="Envoyer ma réponse").click()
    page.get_by_role("link", name="Modifier ma réponse").wait_for()
    page.goto("/mon-compte/droits")
    page.get_by_label(re.compile("^Limitation")).check()
    page.get_by_label(re.compile("^Votre demande")).fill("Je conteste l’exactitude d’un texte, merci de le geler.")
    page.get_by_role("button", name="Envoyer ma demande").click()
    page.get_by_role("heading", name="Mes demandes").wait_for()
    page.goto(f"{CONSULTATION}/projet-de-loi")  # an article is read as a proposal is: one of both is walked to
    page.get_by_role("main").get_by_role("link", name=re.compile("^Article")).first.click()
    rewriting = page.get_by_role("main").locator('a[href$="/recrire"]').first.get_attribute("href")
    walk(page, "participant of a bill", rewriting, times=1, within=rewriting)
    walk(page, "participant", "/", "/mon-compte", times=1)


def walk_as_agent(role, _tab, tab_of):
    page = tab_of(role)
    if role is Role.ORGANISER:
        prepare_draft(page)
    walk(page, role.value, "/gestion", times=1, within="/gestion")


def prepare_draft(page):
    """A consultation not yet open, with a question and a bill: some pages are for drafts alone."""
    page.goto("/gestion/consultations/nouvelle")
    page.get_by_label("Titre").fill("Un brouillon")
    dates(page)
    page.get_by_role("link", name="Ajouter une étape").click()
    page.get_by_label("Type d’étape").select_option(label="Questionnaire")
    page.get_by_label("Titre").fill("Vos avis")
    dates(page)
    page.get_by_role("link", name=re.compile("Questions de l’étape")).click()
    page.get_by_role("link", name="Ajouter une question").click()
    page.get_by_role("link", name="Texte long").click()
    page.get_by_label("Question", exact=False).first.fill("Qu’en pensez-vous ?")
    page.get_by_role("button", name="Enregistrer la question").click()
    page.get_by_role("link", name="Ajouter une question").click()
    page.get_by_role("link", name="Choix unique en images").click()
    page.get_by_label("Question", exact=False).first.fill("Quelle place ?")
    page.get_by_label("Réponses proposées").fill("Des tilleuls\nUn marché")
    page.get_by_role("button", name="Enregistrer la question").click()
    page.get_by_role("link", name="Revenir aux questions").click()
    page.get_by_role("link", name="Images de la question 2").wait_for()
    page.goto("/gestion/consultations/un-brouillon")
    page.get_by_role("link", name="Ajouter une étape").click()
    page.get_by_label("Type d’étape").select_option(label="Texte de loi, article par article")
    page.get_by_label("Titre").fill("Le projet de loi")
    dates(page)
    page.get_by_role("link", name=re.compile("Texte de l’étape")).click()
    for level, heading in (("Titre", "Des trajets"), ("Article", "Gratuité")):
        page.get_by_role("link", name="Ajouter une partie").first.click()
        page.get_by_label("Nature").select_option(label=level)
        page.get_by_label("Intitulé").fill(heading)
        if level == "Article":
            page.get_by_label("Texte de l’article").fill("Les trajets sont gratuits.")
        page.get_by_role("button", name="Enregistrer").click()
    page.get_by_role("link", name="Modifier : Article 1er – Gratuité").wait_for()


def dates(page):
    page.get_by_label(re.compile("^Début")).fill("2030-01-01T08:00")
    page.get_by_label(re.compile("^Fin")).fill("2030-02-01T08:00")
    page.get_by_role("button", name="Enregistrer").click()


WALKS = {
    "anonymous": walk_unknown,
    "participant": walk_as_participant,
    **{role.value: functools.partial(walk_as_agent, role) for role in STAFF_ROLES},
}


@pytest.mark.parametrize("visitor", WALKS)
def test_a_visitor_finds_no_fault_on_any_page(tab, tab_of, visitor):
    """AT-1.1, AT-1.2, AT-9.3, AT-7.2."""
    WALKS[visitor](tab, tab_of)


@pytest.mark.timeout(900)
def test_every_page_was_reached_by_someone(tab, tab_of):
    """A page that no link leads to is lost. Whoever has not walked in this process yet does so now."""
    for visitor, walk_as in WALKS.items():
        if visitor not in REACHED:
            walk_as(tab, tab_of)
    pages = {rule.endpoint for rule in routes().url_map.iter_rules() if "GET" in rule.methods}
    lost = {page for page in pages - set().union(*REACHED.values()) if not page.startswith("api.")}
    assert sorted(lost - AFTER_AN_ACT - NOT_PAGES) == []


@pytest.fixture
def open_page(tab, tab_of):
    """Opens the page that a name stands for, as the visitor who sees it."""

    def opened(role, path, **options):
        page = tab_of(role, **options) if role else tab(**options)
        reply = page.goto(path, wait_until="networkidle")
        assert reply is None or reply.status == 200
        return page

    return opened


PAGES = [
    (None, "/"),
    (None, CONSULTATION),
    (None, PROPOSALS),
    (None, f"{CONSULTATION}/resultats"),
    (None, "/inscription"),
    (None, "/donnees-ouvertes"),
    (Role.PARTICIPANT, "{proposal}"),
    (Role.PARTICIPANT, f"{PROPOSALS}/proposer"),
    (None, BILL),
    (None, "{article}"),
    (None, "{version}"),
    (None, f"{CONSULTATION}/le-debat"),
    (Role.PARTICIPANT, f"{QUESTIONNAIRE}/repondre"),
    (Role.ORGANISER, STAFF),
    (Role.MODERATOR, "{examine}"),
    (Role.ANALYST, f"{STAFF}/analyse"),
]
MORE = [
    (None, "/connexion"), (None, "/mot-de-passe-oublie"), (None, "/aide"), (None, "/aide/participant"),
    (None, "/contact"), (None, "/accessibilite"), (None, "/plan-du-site"), (None, "/mentions-legales"),
    (None, f"{CONSULTATION}/le-debat/affichages"), (None, "/aide/ordre"),
    (None, "/corbeille"), (None, "/moderation"), (None, QUESTIONNAIRE), (None, f"{QUESTIONNAIRE}/reponses"),
    (None, "{report}"), (Role.PARTICIPANT, "/mon-compte"), (Role.PARTICIPANT, "/mon-compte/contributions"),
    (Role.PARTICIPANT, "/mon-compte/sessions"), (Role.ORGANISER, "/gestion/consultations/nouvelle"),
    (Role.ORGANISER, f"{STAFF}/etapes/votre-quotidien/questions"), (Role.MODERATOR, "/gestion/moderation"),
    (Role.ADMINISTRATOR, "/gestion/acces"), (Role.ADMINISTRATOR, "/gestion/organisation"),
]  # fmt: skip


def address(platform, path):
    """The path, with the identifiers of this demonstration."""
    report, proposal = platform.rows(Report)[0], platform.rows(Proposal)[0]

    def text(kind):
        return f"/contributions/{platform.rows(Proposal, kind=kind)[0].id}"

    item = f"{report.item_type}/{report.item_id}"
    return path.format(
        proposal=f"/contributions/{proposal.id}",
        article=text("article"),
        version=text("version"),
        examine=f"/gestion/moderation/{item}",
        report=f"/signaler/{item}",
    )


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_a_page_is_accessible_light_and_alone(open_page, platform, axe, role, path):
    """AT-2.1 on a phone and a screen, AT-10.3: 500 kB at most once nginx compressed its texts, from here alone."""
    replies = []
    page = open_page(role, "about:blank", viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    page.on("requestfinished", lambda request: replies.append(request.response()))
    page.goto(address(platform, path), wait_until="networkidle")
    sizes = {reply.url: sent_size(reply) for reply in replies}
    assert 5_000 < sum(sizes.values()) < 500_000, sizes
    assert axe(page) == {}
    page.set_viewport_size({"width": 1280, "height": 900})
    assert axe(page) == {}


def sent_size(reply) -> int:
    compressed = reply.headers["content-type"].startswith(("text/", "application/javascript", "image/svg"))
    return len(gzip.compress(reply.body()) if compressed else reply.body())


@pytest.mark.audit
@pytest.mark.parametrize(("role", "path"), PAGES + MORE)
def test_a_page_is_accessible_on_every_screen_and_in_every_colour(open_page, platform, axe, role, path):
    """AT-2.1: {320, 768, 1280 px} × {light, dark, forced colours}."""
    page, found = open_page(role, address(platform, path)), {}
    for scheme, forced in (("light", "none"), ("dark", "none"), ("light", "active")):
        page.emulate_media(color_scheme=scheme, forced_colors=forced, reduced_motion="reduce")
        for width in (320, 768, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            found |= {(width, scheme, forced, fault): nodes for fault, nodes in axe(page).items()}
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert found == {}


@pytest.fixture
def get(tab):
    """Asks for an address as a program would, without following redirections."""
    request = tab().request
    return lambda path: request.get(path, max_redirects=0)


@pytest.fixture
def contribution_paths(platform):
    proposal, reply = platform.rows(Proposal)[0], platform.rows(Reply, status="published")[0]
    return [
        f"/contributions/{proposal.id}", f"/contributions/{proposal.id}/versions", f"/reponses/{reply.id}", PROPOSALS,
        f"{QUESTIONNAIRE}/reponses", "/corbeille",
        f"/api/v1{CONSULTATION}/contributions", f"/api/v1{CONSULTATION}/votes",
    ]  # fmt: skip


def test_contributions_ask_not_to_be_indexed(get, contribution_paths):
    """AT-8.1, AT-8.2: the header and the meta, which crawlers must be allowed to fetch."""
    robots = get("/robots.txt").text()
    for path in contribution_paths:
        reply = get(path)
        assert reply.status == 200, path
        wanted = {part.strip() for part in reply.headers.get("x-robots-tag", "").split(",")}
        assert wanted >= {"noindex", "nofollow", "noarchive"}, path
        if reply.headers["content-type"].startswith("text/html"):
            assert re.search(r'<meta name="robots" content="[^"]*noindex', reply.text()), path
        closed = [line.split(":", 1)[1].strip() for line in robots.splitlines() if line.startswith("Disallow:")]
        assert not any(rule and path.startswith(rule) for rule in closed), path


@pytest.mark.parametrize(
    "path", ["/", "/aide", "/mentions-legales", "/accessibilite", CONSULTATION, "/donnees-ouvertes"]
)
def test_presentation_and_legal_pages_may_be_indexed(get, platform, path):
    """AT-8.5, AT-8.4: and they carry no contribution's text for social networks."""
    reply = get(path)
    assert "noindex" not in reply.headers.get("x-robots-tag", "")
    page = reply.text()
    assert not re.search(r'<meta name="robots"[^>]*noindex', page)
    shared = " ".join(re.findall(r'<meta [^>]*(?:og:|twitter:|name="description")[^>]*>', page))
    assert not any(proposal.title in shared for proposal in platform.rows(Proposal))


def test_the_site_map_for_robots_lists_no_contribution(get, platform):
    """AT-8.3."""
    listed = re.findall(r"<loc>(.*?)</loc>", get("/sitemap.xml").text())
    assert f"{platform.url}{CONSULTATION}" in listed
    steps = {f"/{step.slug}" for step in platform.rows(Step)}
    assert [
        each for each in listed if "/contributions" in each or "/reponses" in each or each.endswith(tuple(steps))
    ] == []


def test_reading_leaves_no_cookie(tab, platform, contribution_paths):
    """C22: nothing is kept before a form is asked for."""
    page = tab()
    for path in ["/", "/consultations", CONSULTATION, *contribution_paths[:6], "/donnees-ouvertes", "/aide"]:
        page.goto(path)
        assert page.context.cookies() == [], path
    page.goto("/inscription")
    assert [cookie["name"] for cookie in page.context.cookies()] == ["form"]
