"""The pages of official answers, commitments and cases: staff write, anybody reads."""

import datetime as dt
import html
import re

import pytest
from sqlalchemy import func, select

from consult.actor import Role
from consult.consultations.models import ConsultationStatus
from consult.db import ALL_TENANTS
from consult.followup.models import Commitment, OfficialAnswer, Outcome, Stage, Status, UseCase
from consult.organisations.models import Organisation
from consult.registry.models import RegistryEntry
from tests import factories as f
from tests.plans import watched

ANSWER = {"outcome": "accepted", "authority": "Direction des mobilités", "body": "Ce train circulera dès septembre."}
COMMITMENT = {
    "title": "Un train du soir", "body": "Un train de plus, du lundi au samedi.", "owner": "Direction des mobilités",
    "stage": "planned", "due_on": "2026-09-01", "link": "", "links": "",
}  # fmt: skip
HOSTILE = "<script>alert(1)</script> **gras** <img src=x onerror=alert(1)>"


class Site:
    """A consultation with a proposal, and a decision maker signed in on `client`."""

    def __init__(self, app):
        self.app, self.client = app, app.test_client()
        with self.writing() as session:
            session.expire_on_commit = False
            organisation = f.make_organisation(session)
            self.consultation = f.make_consultation(session, organisation, now=dt.datetime.now(dt.UTC))
            self.step = f.make_step(session, self.consultation)
            self.proposal = f.make_proposal(session, self.step, f.make_account(session, organisation))
            self.other = f.make_proposal(session, self.step)
            self.decider = f.make_account(session, organisation, Role.DECISION_MAKER)
            self.reader = f.make_account(session, organisation, Role.READER)
        f.sign_in(self.client, self.decider)
        self.root = f"/gestion/consultations/{self.consultation.slug}"

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    def rows(self, model):
        with self.writing() as session:
            session.expire_on_commit = False
            return list(session.scalars(select(model).order_by(model.created_at)))

    def entries(self) -> int:
        with self.writing() as session:
            return session.scalar(select(func.count()).select_from(RegistryEntry))

    def post(self, path, client=None, **fields):
        client = client or self.client
        return client.post(self.root + path, data={"csrf_token": f.csrf_token(client, self.root), **fields})

    def answer(self, **values):
        target = {"target": "contribution", "contribution": f"https://exemple.fr/contributions/{self.proposal.id}"}
        return self.post("/reponses-officielles/nouveau", **(target | ANSWER | values))

    def published(self, path, **fields):
        made = self.post(f"{path}/nouveau", **fields)
        assert made.status_code == 303, made.text
        item = made.location.removeprefix(self.root)
        assert self.post(f"{item}/publier", edits="0").status_code == 303
        return item

    def read(self, path, client=None):
        reply = (client or self.app.test_client()).get(path)
        return reply.status_code, html.unescape(reply.text).replace("\u00a0", " ").replace("\u202f", " ")


@pytest.fixture
def site(app) -> Site:
    return Site(app)


def test_an_answer_is_drafted_read_published_and_found_everywhere(site):
    public = f"/contributions/{site.proposal.id}"
    made = site.answer()
    assert made.status_code == 303
    (answer,) = site.rows(OfficialAnswer)
    assert (answer.status, answer.target_id) == (Status.DRAFT, site.proposal.id)
    for path in (public, f"/reponses-officielles/{answer.id}", f"/suites-donnees/{site.consultation.slug}/reponses"):
        assert ANSWER["body"] not in site.read(path)[1]
    assert site.read(f"/reponses-officielles/{answer.id}")[0] == 404
    assert ANSWER["body"] in site.read(made.location, site.client)[1]  # as the public will read it
    assert site.post(f"/reponses-officielles/{answer.id}/publier", edits="0").status_code == 303
    for path in (public, f"/reponses-officielles/{answer.id}", f"/suites-donnees/{site.consultation.slug}/reponses"):
        status, page = site.read(path)
        assert (status, ANSWER["body"] in page, "Retenue" in page) == (200, True, True), path
    assert "1 réponse officielle" in site.read(f"/consultations/{site.consultation.slug}")[1]
    listed = f"/consultations/{site.consultation.slug}/{site.step.slug}"
    assert "Réponse officielle : Retenue" in site.read(listed)[1]
    for choice, shown in (("accepted", True), ("any", True), ("declined", False), ("nothing", True)):
        page = site.read(f"{listed}?reponse={choice}")[1]
        assert (site.proposal.title in page) is shown, choice
        assert (site.other.title in page) is (choice == "nothing")
    assert site.entries() == 1


def test_a_preview_saves_nothing_and_keeps_what_was_typed(site):
    shown = site.answer(action="preview", body=HOSTILE)
    page = shown.text
    assert (shown.status_code, site.rows(OfficialAnswer)) == (200, [])
    assert "<strong>gras</strong>" in page
    assert "<script>alert" not in page
    assert "<img" not in page.partition("<main")[2]
    assert page.count("&lt;script&gt;alert(1)") == 2  # in the preview, and in the field that keeps it


def test_hostile_words_are_shown_as_words_everywhere(site):
    answer = site.published(
        "/reponses-officielles",
        target="contribution",
        contribution=str(site.proposal.id),
        **(ANSWER | {"body": HOSTILE}),
    )
    said = COMMITMENT | {"title": HOSTILE, "body": HOSTILE, "owner": HOSTILE}
    commitment = site.published("/engagements", **said)
    site.post(f"{commitment}/point-d-etape", stage="done", body=HOSTILE, edits="1")
    slug = site.consultation.slug
    paths = [
        answer, commitment, f"/contributions/{site.proposal.id}",
        f"/suites-donnees/{slug}", f"/suites-donnees/{slug}/reponses",
    ]  # fmt: skip
    for path in paths:
        reply = site.app.test_client().get(path)
        assert reply.status_code == 200, path
        main = reply.text.partition("<main")[2]
        assert not re.search(r"<script|<img|onerror=alert\(1\)>", main), path
        assert "alert(1)" in main, path


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"target": ""}, "Choisissez ce à quoi vous répondez."),
        ({"contribution": ""}, "Donnez l’adresse d’une contribution publiée"),
        ({"contribution": "https://exemple.fr/"}, "Donnez l’adresse d’une contribution publiée"),
        ({"outcome": ""}, "Choisissez la suite donnée."),
        ({"outcome": "peut-être"}, "Suite donnée"),
        ({"body": "Non."}, "il en faut au moins 20"),
        ({"authority": ""}, "Au nom de"),
        ({"target": "theme:pas-un-id"}, "Vous répondez à"),
    ],
)
def test_what_is_refused_names_its_field_and_stays_typed(site, changed, words):
    reply = site.answer(**changed)
    page = html.unescape(reply.text)
    assert reply.status_code == 422
    assert words in page.partition("data-error-summary")[2]
    kept = (ANSWER | changed)["body"]
    assert kept in page
    assert site.rows(OfficialAnswer) == []


def test_a_second_answer_to_the_same_contribution_is_refused_with_its_remedy(site):
    site.answer()
    again = site.answer(body="Une autre réponse, tout aussi motivée.")
    assert again.status_code == 422
    assert "existe déjà" in html.unescape(again.text)
    assert "Une autre réponse, tout aussi motivée." in again.text


def test_a_correction_keeps_the_former_version_and_a_stale_one_is_refused(site):
    path = site.published("/reponses-officielles", target="contribution", contribution=str(site.proposal.id), **ANSWER)
    form = site.client.get(f"{site.root}{path}/modifier").text
    assert 'name="target"' not in form
    corrected = ANSWER | {"outcome": "declined", "body": "Le budget de ce train a été refusé en juin."}
    assert site.post(f"{path}/modifier", edits="1", **corrected).status_code == 303
    status, page = site.read(path)
    assert status == 200
    for words in ("Le budget de ce train a été refusé", ANSWER["body"], "Version 1", "version 2", "Non retenue"):
        assert words in page
    stale = site.post(f"{path}/modifier", edits="1", **(corrected | {"body": "Un texte écrit entre-temps ailleurs."}))
    assert stale.status_code == 422
    assert "a changé depuis" in html.unescape(stale.text)
    assert "Un texte écrit entre-temps ailleurs." in stale.text


def test_a_stale_form_of_a_draft_is_refused_with_what_was_typed_and_so_is_its_publication(site):
    path = site.answer().location.removeprefix(site.root)
    target = {"target": "contribution", "contribution": str(site.proposal.id)}
    form = site.client.get(f"{site.root}{path}/modifier").text
    (read,) = re.findall(r'name="edits"[^>]*value="(\d+)"', form)
    assert site.post(f"{path}/modifier", edits=read, **target, **ANSWER).status_code == 303
    stale = site.post(
        f"{path}/modifier", edits=read, **target, **(ANSWER | {"body": "Écrit sur une page restée ouverte."})
    )
    assert stale.status_code == 422
    assert "a changé depuis" in html.unescape(stale.text)
    assert "Écrit sur une page restée ouverte." in stale.text
    refused = site.post(f"{path}/publier", edits=read)
    assert (refused.status_code, "a changé depuis" in html.unescape(refused.text)) == (409, True)
    (now,) = re.findall(r'name="edits" value="(\d+)"', refused.text)
    assert site.post(f"{path}/publier", edits=now).status_code == 303


def test_staff_pages_speak_of_each_desk_in_its_gender(site):
    answer = site.published(
        "/reponses-officielles", target="contribution", contribution=str(site.proposal.id), **ANSWER
    )
    promise = site.published("/engagements", **COMMITMENT)
    for path, said in (
        (f"{answer}/retirer", "La réponse ne sera plus publique."),
        (f"{promise}/retirer", "L’engagement Un train du soir ne sera plus public."),
        ("/reponses-officielles", "Publiée le "),
        ("/engagements", "Publié le "),
    ):
        text = re.sub(r"<[^>]+>", "", site.read(site.root + path, site.client)[1])
        assert said in text


def test_what_is_taken_back_leaves_a_dated_tombstone(site):
    path = site.published("/reponses-officielles", target="contribution", contribution=str(site.proposal.id), **ANSWER)
    refused = site.post(f"{path}/retirer", reason="")
    assert refused.status_code == 422
    assert site.post(f"{path}/retirer", reason="La décision a été annulée.").status_code == 303
    status, page = site.read(path)
    assert (status, ANSWER["body"] in page, "La décision a été annulée." in page) == (410, False, True)
    assert ANSWER["body"] not in site.read(f"/contributions/{site.proposal.id}")[1]
    assert "La décision a été annulée." in site.read(f"/suites-donnees/{site.consultation.slug}/reponses")[1]
    assert site.post(f"{path}/modifier", edits="1", **ANSWER).status_code == 422


def test_AT_U5_3_the_public_page_says_what_became_of_each_commitment(site):
    with site.writing() as session:
        answer = f.make_answer(session, session.merge(site.proposal), consultation=site.consultation)
        answer_id = answer.id
    links = f"/contributions/{site.proposal.id}\nhttps://exemple.fr/reponses-officielles/{answer_id}"
    path = site.published("/engagements", **(COMMITMENT | {"links": links, "due_on": "2026-01-31"}))
    status, page = site.read(f"/suites-donnees/{site.consultation.slug}")
    assert status == 200
    for words in ("Un train du soir", "Direction des mobilités", "Prévu", "En retard", "échéance : 31 janvier 2026"):
        assert words in page, words
    assert "Un train du soir" in site.read(f"/contributions/{site.proposal.id}")[1]
    assert "Un train du soir" in site.read(f"/reponses-officielles/{answer_id}")[1]
    status, page = site.read(f"{site.root}{path}/point-d-etape", site.client)
    assert status == 200
    (edits,) = re.findall(r'name="edits"[^>]* value="(\d+)"', page)
    done = site.post(f"{path}/point-d-etape", stage="done", body="Le train circule depuis lundi.", edits=edits)
    assert done.status_code == 303
    status, page = site.read(path)
    for words in ("Réalisé", "Le train circule depuis lundi.", site.proposal.title, "Version 1"):
        assert words in page, words
    assert "En retard" not in page
    listed = f"/suites-donnees/{site.consultation.slug}?avancement="
    shown = {stage: "Un train du soir" in site.read(listed + stage)[1] for stage in Stage}
    assert shown == {stage: stage is Stage.DONE for stage in Stage}


@pytest.mark.parametrize("day", ["31/01/2026", "demain", "2026-02-30"])
def test_a_day_typed_wrong_is_told_in_french_and_kept(site, day):
    reply = site.post("/engagements/nouveau", **(COMMITMENT | {"due_on": day}))
    assert reply.status_code == 422
    assert "Donnez une date, par exemple 2026-09-01." in html.unescape(reply.text)
    assert f'value="{day}"' in reply.text
    assert site.rows(Commitment) == []


def test_a_case_begins_with_its_consultation_and_waits_for_its_end(site):
    form = site.client.get(f"{site.root}/cas-d-usage/nouveau").text
    assert site.consultation.title in form
    said = {
        "title": "Les trajets", "partner": "Région", "theme": "Transports", "licence": "etalab-2.0",
        "summary": "Un mois de propositions.", "starts_on": "2026-03-01", "ends_on": "2026-03-31", "result_link": "",
    }  # fmt: skip
    made = site.post("/cas-d-usage/nouveau", **said)
    path = made.location.removeprefix(site.root)
    refused = site.post(f"{path}/publier", edits="0")
    assert refused.status_code == 422
    assert "n’est pas terminée" in html.unescape(refused.text)
    with site.writing() as session:
        consultation = session.merge(site.consultation)
        consultation.status, consultation.closed_at = ConsultationStatus.CLOSED, f.NOW
    assert site.post(f"{path}/publier", edits="0").status_code == 303
    (case,) = site.rows(UseCase)
    status, page = site.read(f"/cas-d-usage/{case.id}")
    assert (status, "2 contributions" in " ".join(re.sub(r"<[^>]+>", " ", page).split())) == (200, True)


def test_a_draft_is_thrown_away_and_a_public_text_is_not(site):
    site.answer()
    (answer,) = site.rows(OfficialAnswer)
    assert site.post(f"/reponses-officielles/{answer.id}/supprimer").status_code == 303
    assert site.rows(OfficialAnswer) == []
    path = site.published("/reponses-officielles", target="contribution", contribution=str(site.proposal.id), **ANSWER)
    assert site.post(f"{path}/supprimer").status_code == 409
    assert len(site.rows(OfficialAnswer)) == 1


def test_a_reader_reads_drafts_and_writes_nothing(site):
    site.answer()
    (answer,) = site.rows(OfficialAnswer)
    reader = site.app.test_client()
    f.sign_in(reader, site.reader)
    status, page = site.read(f"{site.root}/reponses-officielles/{answer.id}", reader)
    assert (status, ANSWER["body"] in page, "Publier" in page) == (200, True, False)
    assert site.post(f"/reponses-officielles/{answer.id}/publier", reader).status_code == 403
    assert site.rows(OfficialAnswer)[0].status is Status.DRAFT


def test_another_consultation_or_organisation_sees_nothing_of_it(site):
    site.answer()
    (answer,) = site.rows(OfficialAnswer)
    with site.writing() as session:
        f.make_organisation(session, slug="autre")
        f.make_consultation(session, session.get_one(Organisation, site.consultation.organisation_id), slug="voisine")
    assert site.client.get(f"/gestion/consultations/voisine/reponses-officielles/{answer.id}").status_code == 404
    published = site.published("/engagements", **COMMITMENT)
    assert site.read(f"/o/autre{published}")[0] == 404
    assert site.read(f"/o/autre/suites-donnees/{site.consultation.slug}")[0] == 404


def test_an_answer_to_a_theme_stands_above_its_list(site):
    with site.writing() as session:
        theme = f.make_theme(session, session.merge(site.step), slug="trains")
        f.make_answer(session, theme, consultation=site.consultation, body="Nous répondons à tout ce thème.")
        step = session.merge(site.step)
        f.make_answer(session, step, body="Nous répondons à toute l’étape.", outcome=Outcome.UNDER_STUDY)
    listed = f"/consultations/{site.consultation.slug}/{site.step.slug}"
    assert "Nous répondons à tout ce thème." in site.read(f"{listed}?theme=trains")[1]
    assert "Nous répondons à tout ce thème." not in site.read(listed)[1]
    assert "Nous répondons à toute l’étape." in site.read(listed)[1]


def test_pages_ask_a_bounded_number_of_queries(site):
    """Nine answers and commitments more, not one query more.

    The list is asked by date: in the drawn order, one query more counts the proposals left before the wrap where the
    hour's start falls among the last.
    """
    slug = site.consultation.slug
    listed = f"/consultations/{slug}/{site.step.slug}?sort=recent"
    paths = [listed, f"/suites-donnees/{slug}/reponses", f"/suites-donnees/{slug}"]

    def asked(path):
        with watched(site.app.extensions["database"]) as statements:
            assert site.read(path)[0] == 200
        return len(statements)

    counts = []
    for number in (1, 9):
        with site.writing() as session:
            for _ in range(number):
                f.make_answer(session, f.make_proposal(session, session.merge(site.step)))
                f.make_commitment(session, session.merge(site.consultation))
        counts.append([asked(path) for path in paths])
    assert counts[0] == counts[1]
