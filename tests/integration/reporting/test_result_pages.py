"""Result pages: each figure leads to what it counts, as it is public now; nothing shows before its publication."""

import datetime as dt
import json
import re
import uuid
from dataclasses import asdict

import numpy as np
import pytest
from sqlalchemy import select

from analysis.corpus import Variable
from analysis.tabulate.cross import cross_table
from consult.actor import Role
from consult.coding.jobs import run_folder
from consult.coding.models import AnalysisRun, Codebook, QualitySample, RunStatus
from consult.consultations.models import Consultation, ContentStatus
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from tests import factories


def corpus(ids):
    codes = [{"code": "velo", "label": "Vélo", "parent": "doux", "total": len(ids), "direct": len(ids), "share": 100.0}]
    codes[0] |= {"quality": "À lire avec prudence : l’intervalle descend sous le seuil.", "contributions": ids}
    codes += [{**codes[0], "code": "doux", "label": "Mobilités", "parent": None, "without": len(ids)}]
    withheld = {
        "code": "train",
        "label": "Train",
        "parent": None,
        "quality": "Retenu : précision 0,41 sous le seuil de 0,70.",
    }
    withheld |= {**dict.fromkeys(("total", "direct", "share", "without")), "contributions": []}
    lemma = {"lemma": "piste", "shown": "piste", "count": len(ids), "texts": len(ids), "page": "x"}
    return {
        "key": "propositions",
        "title": "Vos propositions",
        "unit": "contribution",
        "reconciliation": {
            "received": len(ids),
            "set_apart": 0,
            "nonresponse": 0,
            "billable": len(ids),
            "coded": len(ids),
            "no_code": 0,
        },
        "reconciliation_rows": [{"label": "Codées", "count": len(ids)}],
        "rules": {"version": "1"},
        "notices": [],
        "words": {"tokens": 12},
        "lemmas": [lemma],
        "specificities": [],
        "codes": [*codes, withheld],
        "quality_note": "Qualité mesurée sur un échantillon lu par des personnes : 1 retenu.",
        "uncoded": [],
        "flat": [],
        "cross": [],
    }


@pytest.fixture
def world(app, settings, database):
    """A finished, unpublished run over sixty proposals, its files in place."""
    run_id = uuid.uuid4()
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session)
        people = {role: factories.make_account(session, organisation, role) for role in (Role.ANALYST, Role.ORGANISER)}
        people["citizen"] = factories.make_account(session, organisation)
        consultation = factories.make_consultation(session, organisation)
        step = factories.make_step(session, consultation)
        factories.make_step(session, consultation, kind="results", slug="resultats", title="Résultats")
        ids = [str(factories.make_proposal(session, step, body=f"Une piste n° {n}.").id) for n in range(60)]
        run = {
            "organisation_id": organisation.id,
            "consultation_id": consultation.id,
            "status": RunStatus.DONE,
            "seed": 3,
            "requested_at": factories.NOW,
            "finished_at": factories.NOW,
            "manifest_digest": "a" * 64,
            "publishable": True,
        }
        session.add(AnalysisRun(id=run_id, **run))
        slug = consultation.slug
        for account in people.values():
            session.expunge(account)
    report = run_folder(settings.data_path, run_id) / "report"
    report.mkdir(parents=True)
    results = {
        "publishable": True,
        "notices": [],
        "codebook": {"title": "Plan", "version": "1", "digest": "b" * 64},
        "source": {"digest": "c" * 64, "position": None},
        "questionnaires": [],
        "corpora": [corpus(ids)],
    }
    (report / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (report / "words.ndjson").write_text(
        json.dumps({"corpus": "propositions", "lemma": "piste", "contributions": ids[:3]}) + "\n", encoding="utf-8"
    )
    (report / "manifest.json").write_text("{}", encoding="utf-8")
    return slug, run_id, ids, people


def as_role(app, account):
    client = app.test_client()
    factories.sign_in(client, account, now=dt.datetime.now(dt.UTC))
    return client


def publish(app, world):
    slug, run_id, _, people = world
    client = as_role(app, people[Role.ORGANISER])
    page = f"/gestion/consultations/{slug}/analyse/{run_id}"
    token = client.get(page).text.split('name="csrf_token" value="')[1].split('"')[0]
    return client.post(f"{page}/publier", data={"csrf_token": token})


def test_nothing_is_public_before_the_organiser_publishes(app, world):
    slug, run_id, _, people = world
    visitor = app.test_client()
    public = f"/consultations/{slug}/resultats"
    assert "Aucun résultat publié" in visitor.get(public).text
    assert visitor.get(f"{public}/chiffres?corpus=propositions&code=velo").status_code == 404
    assert visitor.get(f"{public}/fichiers/results.json").status_code == 404
    analyst = as_role(app, people[Role.ANALYST])
    page = analyst.get(f"/gestion/consultations/{slug}/analyse/{run_id}")
    assert page.status_code == 200
    assert "Publier" not in page.text, "an analyst does not publish"
    assert as_role(app, people["citizen"]).get(f"/gestion/consultations/{slug}/analyse/{run_id}").status_code == 403


def test_a_published_figure_leads_to_its_contributions_by_pages(app, world):
    slug, *_ = world
    assert publish(app, world).status_code == 303
    visitor = app.test_client()
    public = f"/consultations/{slug}/resultats"
    assert "code=velo" in visitor.get(public).text
    first = visitor.get(f"{public}/chiffres?corpus=propositions&code=velo").text
    second = visitor.get(f"{public}/chiffres?corpus=propositions&code=velo&page=2").text
    assert (first.count("<article"), second.count("<article")) == (50, 10)
    assert visitor.get(f"{public}/chiffres?corpus=propositions&mot=piste").text.count("<article") == 3


def test_a_withheld_code_is_named_with_its_reason_and_leads_nowhere(app, world):
    """A code under its threshold: no count, no contribution; one above it, but not surely, is marked."""
    slug, *_ = world
    publish(app, world)
    visitor = app.test_client()
    public = f"/consultations/{slug}/resultats"
    page = visitor.get(public).text
    assert "Qualité mesurée sur un échantillon" in page
    row = page.split('<th scope="row">Train</th>')[1].split("</tr>")[0]
    assert "Retenu : précision 0,41 sous le seuil de 0,70." in row
    assert re.findall(r'<td class="numeric">(.*?)</td>', row) == ["–", "–"]
    assert "code=train" not in page
    assert visitor.get(f"{public}/chiffres?corpus=propositions&code=train").status_code == 404
    marked = page.split("code=velo")[1].split("</tr>")[0]
    assert "À lire avec prudence" in marked


def test_a_code_measured_under_its_threshold_after_publication_is_withheld_at_once(app, world):
    """The figures of the code go, with the contributions behind them; the code above it says that it counts them."""
    slug, run_id, *_ = world
    publish(app, world)
    visitor = app.test_client()
    public = f"/consultations/{slug}/resultats"
    assert "code=velo" in visitor.get(public).text
    estimate = {"value": 0.4, "low": 0.2, "high": 0.6}
    judged = {"precision": estimate, "recall": estimate, "prevalence": estimate, "verdict": "withheld"}
    reason = "Retenu : précision 0,40 sous le seuil de 0,70."
    measure = {
        "corpus": "propositions",
        "codes": [{"code": "velo", "reason": reason, **judged}],
        "agreement": {"codes": {}, "sets": {"value": None, "low": None, "high": None, "units": 0}},
    }
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        run = session.get_one(AnalysisRun, run_id)
        where = {"organisation_id": run.organisation_id, "consultation_id": run.consultation_id}
        book = Codebook(**where, number=1, title="Plan", source="", digest="b" * 64, created_at=factories.NOW)
        session.add(book)
        session.flush()
        run.codebook_id = book.id
        later = factories.NOW + dt.timedelta(days=1)
        sample = QualitySample(
            **where, run_id=run_id, codebook_id=book.id, corpus="propositions", title="Vos propositions",
            unit="contribution", size=1, seed=1, per_stratum=1, readers=1, precision=0.7, recall=0.5, key="{}",
            drawn_at=later, measured_at=later, measure=json.dumps(measure), measure_digest="d" * 64,
        )  # fmt: skip
        session.add(sample)
    page = visitor.get(public).text
    assert "les codes sous leur seuil ne sont plus montrés ici, mais les fichiers datent d’avant" in page
    row = page.split('<th scope="row">Vélo</th>')[1].split("</tr>")[0]
    assert reason in row
    assert re.findall(r'<td class="numeric">(.*?)</td>', row) == ["–", "–"]
    assert visitor.get(f"{public}/chiffres?corpus=propositions&code=velo").status_code == 404
    above = page.split("code=doux")[1].split("</tr>")[0]
    assert "Compte aussi des sous-codes retenus" in above
    assert ">60<" in above
    staff = as_role(app, world[3][Role.ANALYST]).get(f"/gestion/consultations/{slug}/analyse/{run_id}").text
    assert "la page publique ne montre plus les codes sous leur seuil" in staff
    assert "code=velo" not in staff


def test_results_say_who_could_answer_a_questionnaire_that_was_not_for_accounts(app, world):
    slug, *_ = world
    publish(app, world)
    visitor, public = app.test_client(), f"/consultations/{slug}/resultats"
    assert "dédoublonné" not in visitor.get(public).text
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        whole = session.scalars(select(Consultation).where(Consultation.slug == slug)).one()
        factories.make_step(session, whole, kind="questionnaire", title="À tous", settings={"access": "everyone"})
    page = visitor.get(public).text
    assert "À tous" in page
    assert "Ouvert à tous, non dédoublonné" in page


def test_a_campaign_is_told_and_leads_to_its_contributions(app, world, settings):
    slug, run_id, ids, _ = world
    path = run_folder(settings.data_path, run_id) / "report" / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    campaign = {"size": 4, "wordings": 2, "authors": 3, "contributions": ids[:4]}
    results["corpora"][0]["campaigns"] = {"billable_without": 57, "register": [campaign]}
    results["corpora"][0]["codes"][0]["without"] = 58
    path.write_text(json.dumps(results), encoding="utf-8")
    publish(app, world)
    visitor = app.test_client()
    public = f"/consultations/{slug}/resultats"
    page = visitor.get(public).text
    assert "Hors campagnes" in page
    assert '<td class="numeric">58</td>' in page
    assert "57 restent sur 60 exploitables" in page
    behind = visitor.get(f"{public}/chiffres?corpus=propositions&campagne=1").text
    assert behind.count("<article") == 4
    for number in ("0", "2", "01", "-1", "x", "²", "", "9" * 5_000):
        assert visitor.get(f"{public}/chiffres?corpus=propositions&campagne={number}").status_code == 404


def test_a_cross_table_stands_beside_itself_without_campaigns(app, world, settings):
    slug, run_id, *_ = world
    members = np.ones((4, 1), dtype=np.bool_)
    codes, side = (
        Variable("codes", "Codes", ("Vélo",), members, multiple=True),
        Variable("s", "Côté", ("est",), members),
    )
    whole = asdict(cross_table(codes, side))
    once = asdict(cross_table(codes.take(np.arange(2)), side.take(np.arange(2))))
    path = run_folder(settings.data_path, run_id) / "report" / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    results["corpora"][0]["cross"] = [{**whole, "without": once}, {**whole, "without": whole}]
    path.write_text(json.dumps(results), encoding="utf-8")
    assert publish(app, world).status_code == 303
    page = app.test_client().get(f"/consultations/{slug}/resultats").text
    assert page.count("Codes selon Côté, hors campagnes</caption>") == 1
    assert "Base : 2 ayant répondu aux deux" in page


def test_a_text_hidden_since_the_run_is_not_shown(app, world, database):
    slug, _, ids, _ = world
    publish(app, world)
    with database.transaction(tenant=ALL_TENANTS) as session:
        hidden = session.get_one(Proposal, uuid.UUID(ids[0]))
        hidden.status, hidden.status_reason, hidden.body = ContentStatus.HIDDEN, "insult", "Texte tu"
    page = app.test_client().get(f"/consultations/{slug}/resultats/chiffres?corpus=propositions&mot=piste").text
    assert page.count("<article") == 2
    assert "Texte tu" not in page
    assert "n’est plus publiée" in page


@pytest.mark.parametrize(
    "query", ["", "corpus=rien&code=velo", "corpus=propositions&code=../x", "corpus=propositions&mot=%00", "page=abc"]
)
def test_a_figure_that_does_not_exist_is_404(app, world, query):
    slug, *_ = world
    publish(app, world)
    assert app.test_client().get(f"/consultations/{slug}/resultats/chiffres?{query}").status_code == 404


def test_files_are_those_listed_and_no_other(app, world):
    slug, *_ = world
    publish(app, world)
    visitor = app.test_client()
    public = f"/consultations/{slug}/resultats/fichiers"
    reply = visitor.get(f"{public}/results.json")
    assert reply.status_code == 200
    assert "attachment" in reply.headers["Content-Disposition"]
    assert "noindex" in reply.headers["X-Robots-Tag"]
    reply.close()
    for name in ("report.xlsx", "words.ndjson", "..%2Fplan.yaml", "absent"):
        assert visitor.get(f"{public}/{name}").status_code == 404


def test_a_run_is_found_under_its_own_consultation_alone(app, world, database):
    _, run_id, _, people = world
    with database.transaction(tenant=ALL_TENANTS) as session:
        elsewhere = factories.make_organisation(session)
        stranger = factories.make_account(session, elsewhere, Role.ADMINISTRATOR)
        other = factories.make_consultation(session, elsewhere)
        slug, organisation = other.slug, elsewhere.slug
        session.expunge(stranger)
    client = as_role(app, stranger)
    assert client.get(f"/o/{organisation}/gestion/consultations/{slug}/analyse/{run_id}").status_code == 404
    assert as_role(app, people[Role.ANALYST]).get(f"/gestion/consultations/{slug}/analyse/{run_id}").status_code == 404
