"""Organisers build a questionnaire with plain forms while the consultation is a draft."""

import datetime as dt
import html
import re

import pytest
from sqlalchemy import select

from consult.actor import Role
from consult.audit.models import AuditEntry
from consult.consultations import service as consultations
from consult.consultations.models import ConsultationStatus
from consult.db import ALL_TENANTS
from consult.questionnaires import kinds, queries
from consult.questionnaires.models import AnswerVisibility, Question, QuestionOption
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

QUESTION = {
    "kind": "multiple",
    "wording": "Quels moyens ?",
    "visibility": "rows",
    "page": "1",
    "options": "Train\nVélo",
}


class Office:
    """A draft with a questionnaire, and an organiser signed in."""

    def __init__(self, app, client):
        self.app, self.client = app, client
        with self.writing() as session:
            self.organisation = make_organisation(session)
            self.consultation = make_consultation(session, self.organisation, opened=False)
            self.step = make_step(session, self.consultation, kind="questionnaire")
            self.organiser = make_account(session, self.organisation, Role.ORGANISER)
            session.flush()
            session.expunge_all()
        self.path = f"/gestion/consultations/{self.consultation.slug}/etapes/{self.step.slug}"
        sign_in(client, self.organiser)

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    def questions(self):
        with self.writing() as session:
            return [
                (each.wording, [(option.label, option.kind.value) for option in each.options])
                for each in queries.questions(session, self.step.id)
            ]

    def ids(self):
        with self.writing() as session:
            return [each.id for each in queries.questions(session, self.step.id)]

    def post(self, path, **fields):
        token = csrf_token(self.client, f"{self.path}/questions")
        return self.client.post(f"{self.path}/{path}", data={"csrf_token": token, **fields})


@pytest.fixture
def office(app):
    return Office(app, app.test_client())


def _text(response):
    """The page with plain spaces: typography is not what these tests are about."""
    return html.unescape(response.get_data(as_text=True)).replace("\u00a0", " ").replace("\u202f", " ")


def test_questions_are_added_changed_moved_and_deleted(office):
    added = office.post("questions/nouvelle", **QUESTION, other="Autre", exclusive="Aucun", minimum="1", maximum="2")
    assert added.status_code == 303
    options = [("Train", "normal"), ("Vélo", "normal"), ("Autre", "other"), ("Aucun", "exclusive")]
    assert office.questions() == [("Quels moyens ?", options)]
    office.post("questions/nouvelle", kind="long_text", wording="Que changer ?", visibility="rows", page="1")
    first, second = office.ids()
    filled = _text(office.client.get(f"{office.path}/questions/{first}"))
    assert "Train\nVélo" in filled
    assert 'value="Aucun"' in filled
    changed = QUESTION | {"options": "Vélo\nBus\nTrain", "wording": "Quels modes ?"}
    with office.writing() as session:
        before = {option.label: option.id for option in session.scalars(select(QuestionOption))}
    assert office.post(f"questions/{first}", **changed).status_code == 303
    with office.writing() as session:
        after = {option.label: option.id for option in session.scalars(select(QuestionOption))}
    assert (after["Train"], after["Vélo"]) == (before["Train"], before["Vélo"])
    assert office.questions()[0] == ("Quels modes ?", [("Vélo", "normal"), ("Bus", "normal"), ("Train", "normal")])
    assert office.post(f"questions/{second}/deplacer", sens="haut").status_code == 303
    assert office.ids() == [second, first]
    assert office.post(f"questions/{second}/deplacer", sens="haut").status_code == 303
    assert office.ids() == [second, first]
    assert office.post(f"questions/{second}/supprimer").status_code == 303
    assert office.ids() == [first]
    with office.writing() as session:
        acts = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert acts == ["question.add", "question.add", "question.change", "question.move", "question.delete"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"wording": "  "}, "Écrivez la question."),
        ({"wording": "x" * 1001}, "au plus"),
        ({"options": "Train"}, "au moins deux réponses"),
        ({"options": "Train\nVélo\nTrain"}, "« Train » figure deux fois"),
        ({"options": "\n".join(str(n) for n in range(1001))}, "1 000 réponses au plus"),
        ({"options": "x" * 501 + "\nTrain"}, "dépasse 500 caractères"),
        ({"kind": "zzz"}, "Choisissez une des possibilités"),
        ({"visibility": "public"}, "Choisissez une des possibilités"),
        ({"page": "deux"}, "nombre entier"),
        ({"page": "0"}, "entre 1 et 500"),
        ({"minimum": "3"}, "Le minimum se situe entre 1 et 2"),
        ({"maximum": "9" * 5000}, "nombre entier"),
        ({"kind": "long_text", "max_length": "100001"}, "entre 1 et 100 000"),
    ],
)
def test_a_refused_question_says_what_to_mend_and_keeps_the_rest(office, fields, words):
    refused = office.post("questions/nouvelle", **(QUESTION | {"help": "Une aide à garder"} | fields))
    page = _text(refused)
    assert refused.status_code == 422
    assert words in page
    assert "Une aide à garder" in page
    assert office.questions() == []


def test_questions_are_frozen_once_the_consultation_is_open(office):
    with office.writing() as session:
        make_question(session, session.get_one(type(office.step), office.step.id))
        consultation = session.get_one(type(office.consultation), office.consultation.id)
        consultation.status, consultation.opened_at = ConsultationStatus.OPEN, dt.datetime.now(dt.UTC)
    (question,) = office.ids()
    before = office.questions()
    for path, fields in (
        ("questions/nouvelle", QUESTION),
        (f"questions/{question}", QUESTION),
        (f"questions/{question}/deplacer", {"sens": "bas"}),
        (f"questions/{question}/supprimer", {}),
    ):
        refused = office.post(path, **fields)
        assert (refused.status_code, "figées depuis l’ouverture" in _text(refused)) == (409, True)
    assert office.questions() == before
    assert "Ajouter une question" not in _text(office.client.get(f"{office.path}/questions"))


def test_a_question_of_another_step_is_out_of_reach(office):
    with office.writing() as session:
        other = make_step(
            session, session.get_one(type(office.consultation), office.consultation.id), kind="questionnaire"
        )
        question_id = make_question(session, other).id
    assert office.post(f"questions/{question_id}/supprimer").status_code == 404
    assert office.client.get(f"{office.path}/questions/{question_id}").status_code == 404
    assert office.post(f"questions/{question_id}", **QUESTION).status_code == 404


def test_figures_are_live_and_small_totals_are_withheld(office):
    with office.writing() as session:
        step = session.get_one(type(office.step), office.step.id)
        rows = make_question(session, step, "single", ["Oui", "Non"], wording="Publié ?")
        age = make_question(
            session, step, "single", ["Jeune", "Vieux"], wording="Âge ?", visibility=AnswerVisibility.AGGREGATES
        )
        for _ in range(9):
            make_reply(session, step, None, {rows: [rows.options[0]], age: [age.options[1]]})
        age_id = age.id
    page = _text(office.client.get(f"{office.path}/chiffres"))
    assert "Base : 9 personnes" in page
    assert "Moins de 10 réponses" in page
    assert "Vieux" not in page
    with office.writing() as session:
        step, age = session.get_one(type(office.step), office.step.id), session.get_one(Question, age_id)
        make_reply(session, step, None, {age: [age.options[1]]})
    page = _text(office.client.get(f"{office.path}/chiffres"))
    assert "Moins de 10 réponses" not in page
    assert "Base : 10 personnes" in page


def test_an_organiser_of_one_consultation_works_on_it_alone(office):
    with office.writing() as session:
        organisation = session.get_one(type(office.organisation), office.organisation.id)
        other = make_consultation(session, organisation, opened=False)
        step = make_step(session, other, kind="questionnaire")
        elsewhere = make_account(session, organisation, Role.ORGANISER, consultation=other)
        path = f"/gestion/consultations/{other.slug}/etapes/{step.slug}/questions"
        session.flush()
        session.expunge_all()
    client = office.app.test_client()
    sign_in(client, elsewhere)
    assert client.get(path).status_code == 200
    assert client.get(f"{office.path}/questions").status_code in {403, 404}
    token = csrf_token(client, path)
    refused = client.post(f"{office.path}/questions/nouvelle", data={"csrf_token": token, **QUESTION})
    assert refused.status_code in {403, 404}
    assert office.questions() == []


def test_the_consultation_leads_to_its_questions_and_figures(office):
    page = _text(office.client.get(f"/gestion/consultations/{office.consultation.slug}"))
    for path in ("questions", "chiffres"):
        assert f'href="{office.path}/{path}"' in page
        assert office.client.get(f"{office.path}/{path}").status_code == 200


def test_sending_without_the_token_changes_nothing(office):
    assert office.client.post(f"{office.path}/questions/nouvelle", data=QUESTION).status_code == 403
    assert office.questions() == []


def test_a_condition_is_built_kept_by_what_it_hangs_on_and_told(office):
    office.post(
        "questions/nouvelle", kind="single", wording="Une voiture ?", visibility="rows", page="1", options="Oui\nNon"
    )
    (car,) = office.ids()
    only = {"condition-how": "all", "condition-leaves-0-question": str(car), "condition-leaves-0-operator": "chosen"}
    number = {"kind": "number", "wording": "Combien ?", "visibility": "rows", "page": "1", "unit": "km"}
    refused = office.post("questions/nouvelle", **number, **only, **{"condition-leaves-0-value": "Peut-être"})
    assert (refused.status_code, "ne propose pas cette réponse" in _text(refused)) == (422, True)
    added = office.post("questions/nouvelle", **number, **only, **{"condition-leaves-0-value": "oui"})
    assert added.status_code == 303
    assert "Si vous avez choisi « Oui » à la question 1." in _text(office.client.get(f"{office.path}/questions"))
    far = office.ids()[1]
    filled = _text(office.client.get(f"{office.path}/questions/{far}"))
    assert 'value="Oui"' in filled
    for path, fields in (
        (f"questions/{car}/supprimer", {}),
        (f"questions/{car}/deplacer", {"sens": "bas"}),
        (
            f"questions/{car}",
            {"kind": "single", "wording": "Voiture ?", "visibility": "rows", "page": "1", "options": "A\nB"},
        ),
    ):
        kept = office.post(path, **fields)
        assert (kept.status_code, "Modifiez-la d’abord" in _text(kept)) == (409, True), path
    assert office.ids() == [car, far]
    assert office.questions()[0][0] == "Une voiture ?"
    later = {**only, "condition-leaves-0-question": str(far), "condition-leaves-0-operator": "answered"}
    early = office.post(
        f"questions/{car}", kind="short_text", wording="Une voiture ?", visibility="rows", page="1", **later
    )
    assert (early.status_code, "ne vient pas avant celle-ci" in _text(early)) == (422, True)


@pytest.mark.parametrize("kind", sorted(kinds.every()))
def test_each_kind_has_its_form(office, kind):
    page = office.client.get(f"{office.path}/questions/nouvelle?type={kind}")
    assert page.status_code == 200
    chooser = _text(office.client.get(f"{office.path}/questions/nouvelle"))
    assert f'href="?type={kind}"' in chooser
    fields = {"options": "Oui\nNon", "rows": "Train", "right": "Oui", "visibility": "rows", "page": "1"}
    assert office.post("questions/nouvelle", kind=kind, wording="Quoi ?", **fields).status_code == 303
    (question,) = office.ids()
    assert office.client.get(f"{office.path}/questions/{question}").status_code == 200
    assert office.client.get(f"/consultations/{office.consultation.slug}/{office.step.slug}").status_code == 200
    other = office.client.get(f"{office.path}/questions/{question}?type=long_text")
    assert "Longueur maximale" in _text(other)


def test_replies_may_be_sent_for_good_and_the_pages_say_so(office):
    office.post("questions/nouvelle", kind="short_text", wording="Quoi ?", visibility="rows", page="1")
    assert office.post("mode", mode="attributed", edits="final").status_code == 303
    assert office.post("mode", mode="attributed", edits="jamais").status_code == 422
    with office.writing() as session:
        step = session.get_one(type(office.step), office.step.id)
        consultation = session.get_one(type(office.consultation), office.consultation.id)
        assert step.settings == {"final": True}
        consultation.status, consultation.opened_at = ConsultationStatus.OPEN, consultation.opens_at
        consultation.closes_at = step.closes_at = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        person = make_account(session, session.get_one(type(office.organisation), office.organisation.id))
        session.flush()
        session.expunge_all()
    client, (question,) = office.app.test_client(), office.ids()
    sign_in(client, person)
    path = f"/consultations/{office.consultation.slug}/{office.step.slug}"
    assert "ne pourra plus être modifiée" in _text(client.get(f"{path}/repondre"))
    fields = {"csrf_token": csrf_token(client, f"{path}/repondre"), "page": "1", "action": "send"}
    sent = client.post(f"{path}/repondre", data=fields | {f"q-{question}": "Ceci"}, follow_redirects=True)
    assert "Elle ne peut plus être modifiée" in _text(sent)
    assert "Modifier ma réponse" not in _text(sent)
    assert client.get(f"{path}/repondre").status_code == 303
    again = client.post(f"{path}/repondre", data=fields | {f"q-{question}": "Cela", "seen": "1"})
    assert (again.status_code, "ne puisse plus être modifiée" in _text(again)) == (403, True)
    assert "Cela" in _text(again)


def test_the_organiser_says_who_may_reply_until_the_opening(office):
    office.post("questions/nouvelle", kind="short_text", wording="Quoi ?", visibility="rows", page="1")
    assert office.post("mode", access="everyone", mode="anonymous", edits="open").status_code == 303
    assert office.post("mode", access="tous", mode="anonymous").status_code == 422
    chosen = re.findall(r'<input[^>]*checked[^>]*value="(\w+)"', office.client.get(f"{office.path}/questions").text)
    assert chosen == ["everyone", "anonymous", "open"]
    with office.writing() as session:
        step = session.get_one(type(office.step), office.step.id)
        assert step.settings == {"anonymous": True, "access": "everyone"}
        rules = consultations.rules_of(session, step.consultation, office.app.extensions["bindings"].step_kinds)
        assert rules["steps"][0]["settings"]["access"] == "everyone"
        step.consultation.status, step.consultation.opened_at = ConsultationStatus.OPEN, step.opens_at
    assert office.post("mode", access="accounts", mode="anonymous").status_code == 409
    assert "à tous, sans compte ni dédoublonnage" in _text(office.client.get(f"{office.path}/questions"))
