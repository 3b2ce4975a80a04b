"""Kinds of questions brought by other packages, and every kind in anonymous replies."""

import shutil
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from consult.actor import Actor, Role
from consult.db import ALL_TENANTS
from consult.organisations.models import Organisation
from consult.questionnaires import kinds, policy, queries, totals
from consult.questionnaires.anonymous import batches, codes, service, urns
from consult.questionnaires.kinds.base import Sent
from consult.questionnaires.models import Answer, AnswerVisibility
from tests.factories import make_account, make_consultation, make_organisation, make_question, make_step
from tests.integration.questionnaires.test_builder import Office, _text

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
