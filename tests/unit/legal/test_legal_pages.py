"""The legal pages, drawn alone: every field shown, every ground of moderation in the charter, nothing to fill in."""

import datetime as dt
import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest

import consult
from consult import labels
from consult.consultations.labels import GROUNDS
from consult.demo.content import generate
from consult.paging import Paged

TEMPLATES = Path(consult.__file__).parent / "templates"
PAGES = sorted(path.stem for path in (TEMPLATES / "site" / "legal").glob("*.html") if path.stem != "given")
FIELDS = [
    "legal_name",
    "legal_address",
    "phone",
    "publication_director",
    "host_name",
    "host_address",
    "host_phone",
    "contact_email",
]


@pytest.fixture(scope="module")
def organisation():
    return asdict(generate(1).organisation)


def draw(page, organisation, **context):
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    environment.filters.update(labels.FILTERS)
    environment.globals |= {"asset": lambda name, **_: f"/static/{name}", "csrf_token": lambda: ""}
    environment.globals["get_flashed_messages"] = lambda **_: []
    environment.globals["url_for"] = lambda endpoint, **_: f"/o/x/{endpoint}"  # as the application does
    context = {
        "organisation": SimpleNamespace(**organisation),
        "request": SimpleNamespace(script_root="/o/x", path="/"),
        "current_user": SimpleNamespace(is_authenticated=False, is_staff=False, pseudonym=""),
        "listed": Paged([], 1, 1, 0),
        **context,
    }
    return environment.get_template(f"site/legal/{page}.html").render(context)


@pytest.mark.parametrize("page", PAGES)
def test_each_page_has_one_heading_a_title_and_typographic_french(page, organisation):
    shown = draw(page, organisation)
    assert shown.count("<h1>") == 1
    assert "<title>" in shown
    assert "COMPLETER" not in shown.upper().replace("É", "E")
    main = re.search(r"<main.*</main>", shown, re.DOTALL)[0]
    text = re.sub(r"<[^>]+>", " ", main)
    assert not re.search(r"(?<=\w)'(?=\w)", text), "straight apostrophe"
    assert not re.search(r"[^\u202f\s][;!?](?=\s|$)| [;!?](?=\s|$)", text)
    assert not re.search(r"« |[^\u202f]»", text)
    hrefs = re.findall(r'href="(/[^"#]*)', main)
    assert all(href.startswith("/o/x/") for href in hrefs), "addresses keep the organisation"


def test_AT_17_1_the_notice_shows_every_field_and_the_accessibility_state(organisation):
    shown = draw("mentions_legales", organisation, accessibility_state="partiellement conforme")
    for field in FIELDS:
        assert str(jinja2.filters.escape(organisation[field])) in shown, field
    assert "Accessibilité\u00a0: <strong>partiellement conforme</strong>" in shown


def test_a_missing_field_is_said_to_be_missing_and_hostile_ones_are_escaped(organisation):
    hostile = organisation | {"legal_name": "<script>x</script>", "phone": "", "contact_email": ""}
    shown = draw("mentions_legales", hostile)
    assert "<script>x" not in shown
    assert shown.count("non communiqué à ce jour") == 1
    assert "adresse non communiquée à ce jour" in shown


def test_AT_17_2_the_terms_hold_version_licence_charter_and_appeal(organisation):
    shown = draw("conditions", organisation, terms_version="2.3")
    assert "Version 2.3" in shown
    assert "etalab-2.0" in shown
    assert 'href="/o/x/charte"' in shown
    assert 'id="recours"' in shown


def test_each_ground_of_moderation_is_an_article_of_the_charter(organisation):
    shown = draw("charte", organisation)
    articles = {int(number) for number in re.findall(r'<h2 id="article-(\d+)">', shown)}
    assert articles == set(range(1, len(articles) + 1))
    assert {ground.article for ground in GROUNDS.values()} <= articles


def test_the_statement_says_non_conforme_until_an_audit_exists_then_what_it_found(organisation):
    without = draw("accessibilite", organisation, accessibility_state="non conforme", audit=None)
    assert "<strong>non conforme</strong>" in without
    assert "aucun audit de conformité valable" in without
    audit = SimpleNamespace(
        auditor="Cabinet X", on=dt.date(2027, 3, 1), rate=0.72, failures=["Vidéos sans sous-titres"]
    )
    audited = draw("accessibilite", organisation, accessibility_state="partiellement conforme", audit=audit)
    assert "1er mars 2027" in audited
    assert "72\u202f%" in audited
    assert "Vidéos sans sous-titres" in audited
    for shown in (without, audited):
        assert "Libre réponse 71120" in shown


def test_an_invented_administration_says_so(organisation):
    assert "Cette administration est fictive" in draw("mentions_legales", organisation | {"fictional": True})
    assert "Cette administration est fictive" not in draw("mentions_legales", organisation | {"fictional": False})


def test_the_site_map_lists_consultations_their_steps_and_the_guides(organisation):
    step = SimpleNamespace(slug="vos-propositions", title="Vos propositions")
    shown = draw(
        "plan_du_site",
        organisation,
        listed=Paged([SimpleNamespace(slug="trajets", title="Trajets", steps=[step])], 1, 1, 1),
        guides=[SimpleNamespace(slug="participant", title="Participer")],
    )
    assert '"/o/x/consultations/trajets/vos-propositions"' in shown
    assert '"/o/x/aide/participant"' in shown
