"""A blind sample: drawn from a run, shared among people, coded without a hint, measured, read by the next run."""

import datetime as dt
import json
import re
import uuid

import pytest
from sqlalchemy import select

from consult import seam
from consult.actor import Actor, Role
from consult.audit.models import AuditEntry
from consult.coding import queries, service
from consult.coding.jobs import MeasureHandler, RunHandler, run_folder
from consult.coding.models import AnalysisRun, Codebook, QualitySample, RunStatus, SampleCoder, SampleCoding
from consult.consultations.models import Consultation, ContentStatus
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.errors import ConflictError
from consult.opendata.raw import queries as raw
from tests import factories
from tests.integration.analysis.conftest import small_rows, write_dump

PLAN = """
version: "1"
codes:
  - {id: velo, label: Vélo, definition: Tout sur le vélo., patterns: ['vélo'], positive_examples: ['Plus de vélos.']}
  - {id: train, label: Train, patterns: ['train'], positive_examples: ['Des trains.']}
"""
CODED = {"velo": range(12), "train": range(8, 16)}  # by the machine, of thirty proposals


@pytest.fixture
def world(app, settings, database):
    """A finished run over thirty proposals, coded by a plan, and two analysts."""
    checked = seam.read_codebook(PLAN)
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = factories.make_organisation(session)
        people = [factories.make_account(session, organisation, Role.ANALYST) for _ in range(2)]
        people.append(factories.make_account(session, organisation, Role.READER))
        consultation = factories.make_consultation(session, organisation)
        step = factories.make_step(session, consultation)
        ids = [
            str(factories.make_proposal(session, step, body=f"Proposition sans hasard n° {n}.").id) for n in range(30)
        ]
        common = {"organisation_id": organisation.id, "consultation_id": consultation.id}
        book = Codebook(
            number=1,
            title="Plan",
            source=PLAN,
            digest=checked.digest,
            created_at=factories.NOW,
            id=uuid.uuid4(),
            **common,
        )
        session.add(book)
        session.flush()
        run = AnalysisRun(
            id=uuid.uuid4(),
            codebook_id=book.id,
            status=RunStatus.DONE,
            seed=3,
            requested_at=factories.NOW,
            finished_at=factories.NOW,
            manifest_digest="a" * 64,
            publishable=True,
            **common,
        )
        session.add(run)
    report = run_folder(settings.data_path, run.id) / "report"
    report.mkdir(parents=True)
    codes = [{"id": "velo", "label": "Vélo", "definition": "Tout sur le vélo.", "patterns": ["vélo"]}]
    codes += [{"id": "train", "label": "Train", "definition": "", "patterns": ["train"]}]
    corpus = {
        "key": step.slug,
        "title": "Vos propositions",
        "unit": "contribution",
        "codes": [{"code": code, "verdict": "unmeasured"} for code in CODED],
        "uncoded": ids[16:],
        "campaigns": {"register": [{"contributions": ids[20:24]}]},
    }
    results = {"codebook": {"digest": checked.digest, "codes": codes}, "corpora": [corpus]}
    (report / "results.json").write_text(json.dumps(results), encoding="utf-8")
    rows = [{"corpus": step.slug, "contribution": ids[n], "code": code} for code, of in CODED.items() for n in of]
    (report / "assignments.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {"slug": consultation.slug, "run": run.id, "ids": ids, "people": people, "corpus": step.slug, **common}


def as_person(app, account):
    client = app.test_client()
    factories.sign_in(client, account, now=dt.datetime.now(dt.UTC))
    return client


def draw(app, world, **changes):
    client = as_person(app, world["people"][0])
    page = f"/gestion/consultations/{world['slug']}/analyse/{world['run']}/echantillons"
    fields = {
        "corpus": world["corpus"],
        "coders": [str(each.id) for each in world["people"][:2]],
        "readers": "2",
        "per_stratum": "6",
        "seed": "5",
        "precision": "70",
        "recall": "50",
        "csrf_token": factories.csrf_token(client, page),
        **changes,
    }
    return client.post(page, data=fields)


def stored(app):
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        return session.scalars(select(QualitySample)).one()


def code_all(app, world, account, truth, address):
    """Code one's part to its end; gives the units met, in order."""
    client, met = as_person(app, account), []
    while (page := client.get(f"{address}/coder")).status_code == 200:
        unit = re.search(r'name="unit" type="hidden" value="([^"]+)"', page.text)[1]
        token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        codes = truth(world["ids"].index(unit))
        data = {"csrf_token": token, "unit": unit, "codes": codes, **({} if codes else {"nothing": "y"})}
        assert client.post(f"{address}/coder", data=data).status_code == 303
        met.append(unit)
    return met


def measure(app):
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        list(MeasureHandler().run(session, {"sample": str(session.scalars(select(QualitySample.id)).one())}, {}))


@pytest.mark.slow
def test_at_u4_6_a_sample_is_drawn_coded_blind_and_measured(app, world):
    """Alpha, precision, recall and corrected prevalence, with the codebook and the run that they are of."""
    sent = draw(app, world)
    assert sent.status_code == 303
    sample, address = stored(app), sent.location
    key = json.loads(sample.key)
    assert key["codebook"] == seam.read_codebook(PLAN).digest
    assert set(key["sizes"]) == set(CODED)
    assert len({*key["units"]} & {*world["ids"][20:24]}) <= 1, "those of one campaign are read once"

    def truth(n):
        return ["velo"] if n < 12 else ["train"] if n == 13 else []

    met = [code_all(app, world, person, truth, address) for person in world["people"][:2]]
    assert sorted(met[0]) == sorted(met[1]) == sorted(key["units"]), "each is coded by two people"
    client = as_person(app, world["people"][0])
    page = client.get(address)
    assert page.text.count(f"{sample.size} sur {sample.size}") == 2
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    assert client.post(f"{address}/mesurer", data={"csrf_token": token}).status_code == 303
    measure(app)
    measured = stored(app)
    found = json.loads(measured.measure)
    verdicts = {code["code"]: code["verdict"] for code in found["codes"]}
    assert verdicts["train"] == "withheld"
    assert {code["code"]: code["precision"]["value"] for code in found["codes"]}["velo"] == 1.0
    assert found["agreement"]["codes"]["velo"]["value"] == 1.0
    assert (found["corpus"], found["codebook"]) == (world["corpus"], key["codebook"])
    text = client.get(address).text
    assert ">retenu<" in text
    assert measured.measure_digest in text
    assert key["codebook"] in text
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        acts = set(session.scalars(select(AuditEntry.action)))
        assert {"sample.draw", "sample.measure"} <= acts
        run, consultation = session.get_one(AnalysisRun, world["run"]), session.scalars(select(Consultation)).one()
        session.info["tenant"] = world["organisation_id"]
        with pytest.raises(ConflictError, match="mesurée depuis cette analyse"):
            service.publish(session, run, consultation, actor=Actor(), now=factories.NOW)
    assert client.get(f"{address}/coder?rang=1").text.count("on n’y code plus") == 1
    again = {"codebook": "1", "seed": "3"}
    assert all(f'name="{name}" value="{value}"' in text for name, value in again.items())
    asked = client.post(address.split("/echantillons")[0] + "/lancer", data={"csrf_token": token, **again})
    assert asked.status_code == 303


@pytest.mark.slow
def test_disagreements_are_settled_once_all_have_coded(app, world):
    """What is settled prevails in the measure; the agreement stays that of the people."""
    address = draw(app, world, per_stratum="12").location
    client = as_person(app, world["people"][0])
    assert client.get(f"{address}/trancher").status_code == 409, "somebody still codes"
    for person, upto in zip(world["people"][:2], (12, 8), strict=True):
        code_all(app, world, person, lambda n, upto=upto: ["velo"] if n < upto else [], address)
    drawn = [world["ids"].index(unit) for unit in json.loads(stored(app).key)["units"]]
    disputed = [n for n in drawn if 8 <= n < 12]
    assert disputed
    assert "codées différemment" in client.get(address).text or len(disputed) == 1
    for _ in disputed:
        page = client.get(f"{address}/trancher").text
        assert "Personne 1 : Vélo" in page.replace("\xa0", " ").replace("\u202f", " ")
        unit = re.search(r'name="unit" type="hidden" value="([^"]+)"', page)[1]
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        assert client.post(f"{address}/trancher", data={"csrf_token": token, "unit": unit}).status_code == 422
        sent = client.post(f"{address}/trancher", data={"csrf_token": token, "unit": unit, "nothing": "y"})
        assert sent.status_code == 303
    agreed = next(world["ids"][n] for n in drawn if n not in disputed)
    refused = client.post(f"{address}/trancher", data={"csrf_token": token, "unit": agreed, "nothing": "y"})
    assert refused.status_code == 404
    assert client.get(f"{address}/trancher").status_code == 303
    client.post(f"{address}/mesurer", data={"csrf_token": token})
    measure(app)
    found = json.loads(stored(app).measure)
    velo = next(code for code in found["codes"] if code["code"] == "velo")
    given = [n for n in drawn if n < 12]
    assert velo["precision"]["value"] < 1, f"{len(disputed)} of {len(given)} were settled as not about it"
    assert found["agreement"]["codes"]["velo"]["value"] < 1


def test_the_page_of_coding_gives_no_hint(app, world):
    address = draw(app, world).location
    page = as_person(app, world["people"][0]).get(f"{address}/coder").text
    assert "Proposition sans hasard" in page
    assert "Tout sur le vélo." in page
    for word in ("given", "refused", "checked", "strate"):
        assert word not in page.replace("aria-checked", "")
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        session.info["tenant"] = world["organisation_id"]
        table = raw.tables()["quality_sample"]
        ((_, row),) = raw.rows(session, table, world["organisation_id"])
        assert "key" not in row, "not even the raw data of the administration tell what the machine gave"


def test_an_answer_is_asked_for_and_can_be_corrected(app, world):
    address = draw(app, world).location
    client = as_person(app, world["people"][0])
    page = client.get(f"{address}/coder?rang=1").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    unit = re.search(r'name="unit" type="hidden" value="([^"]+)"', page)[1]
    empty = client.post(f"{address}/coder", data={"csrf_token": token, "unit": unit})
    both = client.post(f"{address}/coder", data={"csrf_token": token, "unit": unit, "codes": "velo", "nothing": "y"})
    assert (empty.status_code, both.status_code) == (422, 422)
    assert "Cochez un code au moins" in empty.text
    assert 'checked id="codes-0"' in both.text, "what was ticked is kept"
    strange = client.post(f"{address}/coder", data={"csrf_token": token, "unit": unit, "codes": "<script>"})
    assert strange.status_code == 422
    other = client.post(f"{address}/coder", data={"csrf_token": token, "unit": str(uuid.uuid4()), "codes": "velo"})
    assert other.status_code == 404
    for codes in (["velo"], ["train", "velo"]):
        client.post(f"{address}/coder", data={"csrf_token": token, "unit": unit, "codes": codes})
    again = client.get(f"{address}/coder?rang=1").text
    assert again.count("checked") == 2
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        kept = session.scalars(select(SampleCoding.codes).order_by(SampleCoding.number)).all()
        assert kept == ['["velo"]', '["train", "velo"]'], "a correction is a new row"


@pytest.mark.slow
def test_what_is_not_public_any_more_is_left_out_of_the_measure(app, world):
    address = draw(app, world, coders=[str(world["people"][0].id)], readers="1").location
    gone = json.loads(stored(app).key)["units"][0]
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        proposal = session.get_one(Proposal, uuid.UUID(gone))
        proposal.status, proposal.status_reason = ContentStatus.HIDDEN, "insult"
    client = as_person(app, world["people"][0])
    page = client.get(f"{address}/coder").text
    assert "n’est plus publiée" in page
    assert world["ids"].index(gone) >= 0
    assert f"n° {world['ids'].index(gone)}." not in page
    code_all(app, world, world["people"][0], lambda n: ["velo"] if n < 12 else [], address)
    token = factories.csrf_token(client, address)
    assert client.post(f"{address}/mesurer", data={"csrf_token": token}).status_code == 303
    measure(app)
    assert stored(app).error is None
    assert stored(app).measured_at is not None
    assert "Une contribution n’est plus publiée" in client.get(address).text


def test_who_may_draw_code_and_see(app, world):
    address = draw(app, world, coders=[str(world["people"][0].id)], readers="1").location
    analyst, reader = (as_person(app, person) for person in world["people"][1:])
    assert analyst.get(f"{address}/coder").status_code == 403, "not one of those who code"
    assert reader.get(address).status_code == 200
    assert "Coder ma part" not in reader.get(address).text
    assert reader.get(f"{address}/coder").status_code == 403
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        other = factories.make_organisation(session)
        theirs = factories.make_account(session, other, Role.ANALYST)
        mine = factories.make_consultation(session, other)
    stranger = as_person(app, theirs)
    assert "Vos propositions" not in stranger.get(address, follow_redirects=True).text
    assert stranger.get(f"/o/{other.slug}{address.replace(world['slug'], mine.slug)}").status_code == 404
    left = analyst.post(f"{address}/mesurer", data={"csrf_token": factories.csrf_token(analyst, address)})
    assert left.status_code == 409
    assert "n’ont été codées par personne" in left.text


FAULTY = [
    ({"coders": []}, "Choisissez au moins 2 personnes"),
    ({"coders": [str(uuid.uuid4())] * 2}, "coders-error"),
    ({"corpus": "ailleurs"}, "corpus-error"),
    ({"per_stratum": "0"}, "entre 1 et 500"),
    ({"precision": "beaucoup"}, "entre 0 et 100"),
    ({"seed": "9" * 30}, "entre 0 et"),
]


def test_a_faulty_draw_is_refused_and_keeps_what_was_typed(app, world):
    for changes, words in FAULTY:
        refused = draw(app, world, recall="51", **changes)
        assert refused.status_code == 422
        assert words in refused.text
        assert 'value="51"' in refused.text
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        assert session.scalars(select(QualitySample)).all() == []
        assert session.scalars(select(SampleCoder)).all() == []


@pytest.mark.slow
def test_a_measure_that_fails_says_why_and_coding_opens_again(app, world):
    address = draw(app, world).location
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        session.scalars(select(QualitySample)).one().job_id = uuid.uuid4()
    measure(app)  # nothing is coded
    sample = stored(app)
    assert sample.job_id is None
    assert sample.error.startswith("Refusé")
    assert "La mesure n’a pas abouti" in as_person(app, world["people"][0]).get(address).text


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # no query differs
def test_the_next_run_reads_the_measure_withholds_and_keeps_it(session, tmp_path, now):
    organisation = factories.make_organisation(session)
    session.info["tenant"] = organisation.id
    consultation = factories.make_consultation(session, organisation)
    plan = service.save_codebook(session, consultation, seam.read_codebook(PLAN), actor=Actor(), now=now)
    found = {"corpus": "s1", "codebook": plan.digest, "agreement": {"codes": {}, "sets": {"value": None}}}
    found["codes"] = [{"code": "velo", "verdict": "withheld", "reason": "Retenu : précision 0,41."}]
    made = {"organisation_id": organisation.id, "consultation_id": consultation.id, "codebook_id": plan.id}
    first = service.request_run(session, consultation, codebook=plan, seed=1, actor=Actor(), now=now)
    first.status, first.finished_at = RunStatus.DONE, now
    sample = QualitySample(
        **made, run_id=first.id, corpus="s1", title="Propositions", unit="contribution", size=1, seed=1, per_stratum=1,
        readers=1, precision=0.7, recall=0.5, key="{}", drawn_at=now, measured_at=now, measure=json.dumps(found),
        measure_digest="d" * 64,
    )  # fmt: skip
    session.add(sample)
    session.flush()
    run = service.request_run(
        session, consultation, codebook=plan, seed=1, actor=Actor(), now=now + dt.timedelta(minutes=1)
    )

    def dump(_organisation_id, _consultation_id, folder):
        write_dump(folder, **small_rows())
        yield from ()

    list(RunHandler(tmp_path, dump).run(session, {"run": str(run.id)}, {}))
    assert run.error is None
    report = run_folder(tmp_path, run.id) / "report"
    assert seam.measures(report)["s1"]["codes"] == found["codes"]
    corpus = next(each for each in seam.results(report)["corpora"] if each["key"] == "s1")
    assert {code["code"]: code["verdict"] for code in corpus["codes"]} == {"velo": "withheld", "train": "withheld"}
    assert queries.unread_measures(session, run) == []
