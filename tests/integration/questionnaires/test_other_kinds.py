"""Kinds of questions brought by other packages, and every kind in anonymous replies."""

import shutil
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from consult.actor import Actor, Role
from consult.consultations.models import Step
from consult.db import ALL_TENANTS
from consult.errors import InvalidError
from consult.organisations.models import Organisation
from consult.questionnaires import kinds, policy, queries, totals
from consult.questionnaires import service as replies
from consult.questionnaires.anonymous import batches, urns
from consult.questionnaires.by_code import codes, service
from consult.questionnaires.kinds.base import Sent
from consult.questionnaires.models import Answer, AnswerVisibility, ReplyDraft
from tests.factories import (
    csrf_token,
    make_account,
    make_consultation,
    make_organisation,
    make_question,
    make_reply,
    make_step,
    sign_in,
)
from tests.integration.questionnaires.test_builder import Office, _text
from tests.integration.questionnaires.test_pages import Site

PLUGIN = Path(__file__).parents[2] / "plugins" / "consult_stars.py"
KEYS = urns.keyring("une phrase assez longue pour sceller")
OPTIONS = [("Train", "row"), "Oui", "Non"]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The package installed as pip does: its module, and its metadata with the entry point."""
    metadata = tmp_path / "site" / "consult_stars-1.0.dist-info"
    metadata.mkdir(parents=True)
    shutil.copy(PLUGIN, tmp_path / "site")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: consult-stars\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{kinds.ENTRY_POINTS}]\nstars = consult_stars:Stars\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    kinds.every.cache_clear()
    yield
    sys.modules.pop("consult_stars", None)
    monkeypatch.undo()
    kinds.every.cache_clear()


@pytest.mark.usefixtures("installed")
def test_a_kind_of_another_package_is_built_answered_and_counted(app):
    office = Office(app, app.test_client())
    assert "De une à cinq étoiles." in _text(office.client.get(f"{office.path}/questions/nouvelle"))
    added = office.post("questions/nouvelle", kind="stars", wording="Combien ?", visibility="rows", page="1")
    assert added.status_code == 303
    with office.writing() as session:
        (question,) = queries.questions(session, office.step.id)
        assert policy.check(question, policy.read(question, ["6"])) == "Choisissez de une à cinq étoiles."
        assert kinds.of(question).shown(question, policy.read(question, ["3"])) == ["★★★"]


def _said(question):
    """An answer that the kind accepts."""
    kind, known = kinds.of(question), {option.label: str(option.id) for option in question.options}
    sent = {
        "ranking": Sent(parts={known.get("Oui", ""): ["1"]}),
        "number": Sent(["12,5"]),
        "date": Sent(["14/07/2026"]),
        "scale": Sent(["7"]),
        "departement": Sent(parts={"postcode": ["75011"]}),
        "short_text": Sent(["Oui"]),
        "long_text": Sent(["Oui"]),
    }.get(kind.name)
    if sent is None and "Train" in known:
        sent = Sent(parts={known["Train"]: [known["Oui"]]})
    return kind.read(question, sent or Sent([known["Oui"]]))


def test_every_kind_goes_through_an_urn_and_a_batch_to_its_totals(database, now):
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = make_organisation(session)
        consultation = make_consultation(session, organisation)
        step = make_step(session, consultation, kind="questionnaire", settings={policy.ANONYMOUS: True})
        for name, kind in kinds.every().items():
            options = OPTIONS if "row" in kind.option_kinds else OPTIONS[1:] if kind.option_kinds else []
            make_question(session, step, name, options, visibility=AnswerVisibility.AGGREGATES)
        asked = queries.questions(session, step.id)
        answers = {each.id: _said(each) for each in asked if kinds.of(each).asks}
        assert policy.errors(asked, answers) == {}
        for _ in range(urns.LEAST):
            account = make_account(session, session.get_one(Organisation, organisation.id))
            actor = Actor(account_id=account.id, confirmed=True, roles=frozenset({Role.PARTICIPANT}))
            service.submit(session, step, asked, answers, actor=actor, code=codes.draw(), keys=KEYS, now=now)
        assert batches.flush(session, step, keys=KEYS, now=now)
        columns = (Answer.question_id, Answer.text, Answer.options, Answer.other)
        rows = session.execute(select(*columns)).all()
        assert len(rows) == urns.LEAST * len(answers)
        assert all(
            {"text": text, "options": options, "other": other} == answers[key] for key, text, options, other in rows
        )
        counted = {each.id for each in asked if kinds.of(each).groups(each)}
        assert totals.publish(session, step.id, now) == len(counted)
        for key, (table,) in totals.latest(session, list(counted)).items():
            assert {count for cell, count in table.counts.items() if cell in answers[key]["options"]} == {urns.LEAST}


def test_a_questionnaire_whose_kind_is_no_longer_installed_says_so_on_every_page(app):
    site = Site(app, app.test_client())
    with site.writing() as session:
        step = session.get_one(Step, site.step.id)
        stars = make_question(session, step, "stars", wording="Combien d’étoiles ?", page=1, required=True)
        reply = make_reply(session, step, answers={stars: "3", site.written: "Plus de trains."})
        organiser = make_account(session, session.get_one(Organisation, site.organisation.id), Role.ORGANISER)
        reply_id = reply.id
        session.flush()
        session.expunge_all()
    api = f"/api/v1/consultations/{site.consultation.slug}"
    for path in (site.path, f"{site.path}/reponses", f"/reponses/{reply_id}", f"{site.path}/imprimer",
                 f"{api}/questionnaires", f"{api}/replies", f"{api}/answers"):  # fmt: skip
        assert site.client.get(path).status_code == 200, path
    page = _text(site.client.get(site.path))
    assert "un type de question qui n’est plus installé sur ce site (« stars »)" in page
    assert f"{site.path}/repondre" not in page
    assert "illisible ici" in _text(site.client.get(f"/reponses/{reply_id}"))
    assert site.client.get(f"{site.path}/repondre").location == site.path
    sign_in(site.client, site.account)
    form = {"csrf_token": csrf_token(site.client, "/reponse-par-code"), "page": 1, "action": "next"}
    refused = site.client.post(f"{site.path}/repondre", data=form | site.first())
    assert (refused.status_code, "plus installé" in _text(refused), "À pied" in _text(refused)) == (403, True, True)
    (draft,) = site.rows(ReplyDraft)
    assert (str(site.choice.id) in draft.answers, str(stars.id) in draft.answers) == (True, False)
    desk = app.test_client()
    sign_in(desk, organiser)
    staff = f"/gestion{site.path.replace(f'/{site.step.slug}', '')}/etapes/{site.step.slug}"
    for path in ("questions", "chiffres", "questions/export.json", f"questions/{stars.id}"):
        assert desk.get(f"{staff}/{path}").status_code == 200, path
    assert "plus installé" in _text(desk.get(f"{staff}/questions"))


def test_a_consultation_does_not_open_with_a_kind_that_is_not_installed(database, now):
    with database.transaction(tenant=ALL_TENANTS) as session:
        consultation = make_consultation(session, make_organisation(session), opened=False)
        step = make_step(session, consultation, kind="questionnaire", title="Votre avis")
        make_question(session, step, "stars")
        with pytest.raises(InvalidError, match=r"Votre avis.*plus installé \(stars\)"):
            replies.rules(session, step)
