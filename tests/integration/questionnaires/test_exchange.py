"""A questionnaire leaves as a file and comes back the same; a faulty file adds nothing and says what to mend."""

import csv
import datetime as dt
import io
import json

import pytest
from sqlalchemy import select

from consult.questionnaires import conditions, kinds, policy, queries
from consult.questionnaires.builder import exchange
from consult.questionnaires.models import Answer, Reply
from tests.factories import csrf_token, make_account, sign_in
from tests.integration.questionnaires.test_builder import Office, _text

CHOICE = {"kind": "single", "wording": "Une voiture ?", "options": ["Oui", "Non"], "id": "voiture"}
SEEN = {"visibility": "rows", "required": False, "page": 1}


@pytest.fixture
def office(app):
    return Office(app, app.test_client())


def bring(office, document):
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    token = csrf_token(office.client, f"{office.path}/questions")
    form = {"csrf_token": token, "file": (io.BytesIO(raw), "questionnaire.json")}
    return office.client.post(f"{office.path}/questions/importer", data=form, content_type="multipart/form-data")


def document(*questions):
    return {"format": exchange.FORMAT, "questions": list(questions)}


def taken(office):
    return office.client.get(f"{office.path}/questions/export.json").get_json()


def one_of_each():
    """A question of each kind, and conditions over them."""
    listed = {"options": ["Oui", "Non"], "rows": ["Train"], "other": "Autre", "exclusive": "Aucun"}
    typed = {"right": "Oui", "explanation": "C’est ainsi.", "unit": "km", "low": "peu", "high": "beaucoup"}
    found = []
    for rank, kind in enumerate(kinds.every().values()):
        used = {name: listed[name] for role, name in ROLES.items() if role in kind.option_kinds}
        used |= {name: typed[name] for name in kind.settings if name in typed}
        found.append({"id": f"q{rank + 1}", "kind": kind.name, "wording": f"Quoi {rank} ?", **SEEN, **used})
    by_kind = {each["kind"]: each["id"] for each in found}
    found[-1]["condition"] = {
        "any": [
            {"question": by_kind["single"], "is": "chosen", "value": "Autre"},
            {"all": [
                {"question": by_kind["matrix"], "is": "not_chosen", "value": "Train : Non"},
                {"question": by_kind["date"], "is": "less", "value": "2026-07-14"},
                {"question": by_kind["departement"], "is": "chosen", "value": "La Réunion"},
            ]},
        ]
    }  # fmt: skip
    return found


ROLES = {"normal": "options", "row": "rows", "other": "other", "exclusive": "exclusive"}


def test_every_kind_comes_back_as_it_left(office):
    assert bring(office, document(*one_of_each())).status_code == 303
    first = taken(office)
    assert first["questions"] == json.loads(json.dumps(first["questions"]))
    plain = json.loads(json.dumps(first).replace("\\u00a0", " "))
    assert plain["questions"] == one_of_each()
    for question in office.ids()[::-1]:
        office.post(f"questions/{question}/supprimer")
    assert bring(office, first).status_code == 303
    assert taken(office) == first
    nested = office.ids()[-1]
    page = _text(office.client.get(f"{office.path}/questions/{nested}"))
    assert '<option selected value="kept">' in page
    paper = _text(office.client.get(f"/consultations/{office.consultation.slug}/{office.step.slug}/imprimer"))
    assert all(each["wording"] in paper for each in first["questions"])
    assert "☐" in paper


def test_a_file_goes_after_what_there_is_on_new_pages(office):
    for _ in range(2):
        assert bring(office, document(CHOICE | {"page": 1})).status_code == 303
    assert [each["page"] for each in taken(office)["questions"]] == [1, 2]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "Choisissez un fichier"),
        (b"\xff\xfe", "n’est pas un document JSON"),
        (b"[" * 100_000, "n’est pas un document JSON"),
        (b"[]", "n’est pas un questionnaire"),
        (document(), "aucune question"),
        (document(CHOICE, CHOICE | {"kind": "zzz"}), "Question 2 du fichier"),
        (document(CHOICE | {"options": ["Oui"]}), "au moins deux réponses"),
        (document(CHOICE | {"options": [1, 2]}), "« options » n’a pas la forme"),
        (document(CHOICE | {"color": "red"}), "« color » n’est pas connu"),
        (document(CHOICE | {"required": "oui"}), "« required » n’a pas la forme"),
        (document(CHOICE | {"visibility": "all"}), "« visibility »"),
        (document(CHOICE | {"page": True}), "« page » n’a pas la forme"),
        (document(CHOICE | {"page": 10**9}), "numéro de page"),
        (document("question"), "ce n’est pas un objet"),
        (document(CHOICE | {"condition": {"all": [{"question": "voiture", "is": "answered"}]}}), "ne vient pas avant"),
        (document(CHOICE, CHOICE | {"id": "b", "condition": {"any": [{"question": "voiture", "is": "chosen",
         "value": "Peut-être"}]}}), "ne propose pas cette réponse"),
        (document(CHOICE, CHOICE | {"condition": {"x": 1}}), "mal formée"),
        (document(*[CHOICE] * 501), "500 questions au plus"),
    ],
)  # fmt: skip
def test_a_faulty_file_adds_nothing_and_says_what_to_mend(office, sent, words):
    refused = bring(office, sent)
    assert (refused.status_code, words in _text(refused)) == (422, True)
    assert office.questions() == []


def test_the_real_questions_of_the_great_debate_are_asked_as_they_were(office, real_data):
    with (real_data / "gd_questions" / "questions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 97
    found, pages = [], {}
    for row in rows:
        page = pages.setdefault(row["debate_id"], len(pages) + 1)
        kind = {"kind": "long_text"} if row["is_free"] == "True" else {"kind": "single", "options": ["Oui", "Non"]}
        asked = {"id": row["question_id"], "wording": row["text"], "page": page, **kind}
        if row["previous_id"]:
            parent = str(int(float(row["previous_id"])))
            yes = {"question": parent, "is": "chosen", "value": "Oui"} if row["text"].startswith("Si oui") else None
            asked["condition"] = {"all": [yes or {"question": parent, "is": "answered"}]}
        found.append(asked)
    assert bring(office, document(*found)).status_code == 303
    with office.writing() as session:
        questions = queries.questions(session, office.step.id)
        hanging = [each for each in questions if conditions.of(each)]
        assert len(hanging) == sum(bool(row["previous_id"]) for row in rows)
        assert len(conditions.asked(questions, {})) == 97 - len(hanging)
        yes = {each.id: policy.read(each, [str(each.options[0].id)]) for each in questions if each.options}
        texts = {each.id: policy.read(each, ["Voici."]) for each in questions if not each.options}
        assert len(conditions.asked(questions, yes | texts)) == 97


@pytest.mark.slow
def test_two_hundred_questions_and_a_thousand_options_still_work(office):
    many = [f"Commune {rank}" for rank in range(1000)]
    questions = [{"kind": "dropdown", "wording": "Laquelle ?", "options": many}]
    questions += [{"kind": "multiple", "wording": "Lesquelles ?", "options": many}]
    questions += [{"kind": "short_text", "wording": f"Question {rank}"} for rank in range(198)]
    assert bring(office, document(*questions)).status_code == 303
    built = office.client.get(f"{office.path}/questions")
    assert built.text.count("Supprimer la question") == 200
    assert "Commune 999" in office.client.get(f"{office.path}/questions/{office.ids()[0]}").text
    with office.writing() as session:
        consultation = session.get_one(type(office.consultation), office.consultation.id)
        consultation.status, consultation.opened_at = "open", consultation.opens_at
        step = session.get_one(type(office.step), office.step.id)
        consultation.closes_at = step.closes_at = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        asked = queries.questions(session, office.step.id)
        typed = {f"q-{asked[0].id}": str(asked[0].options[999].id)}
        typed |= {f"q-{asked[1].id}": [str(option.id) for option in asked[1].options]}
        typed |= {f"q-{each.id}": "oui" for each in asked[2:]}
        person = make_account(session, session.get_one(type(office.organisation), office.organisation.id))
        session.flush()
        session.expunge_all()
    client = office.app.test_client()
    sign_in(client, person)
    path = f"/consultations/{office.consultation.slug}/{office.step.slug}/repondre"
    token = csrf_token(client, path)
    assert client.post(path, data={"csrf_token": token, "page": "1", "action": "send", **typed}).status_code == 303
    with office.writing() as session:
        [reply] = session.scalars(select(Reply))
        place = path.removesuffix("/repondre")
        answers = session.scalars(select(Answer)).all()
        assert (len(answers), max(len(each.options) for each in answers)) == (200, 1000)
        address = f"/reponses/{reply.id}"
    for page in (place, path, f"{place}/imprimer"):
        assert "Question 197" in client.get(page).text
    for page in (f"{place}/reponses", address, f"/mon-compte{address}"):
        assert client.get(page).text.count("Commune ") == 1001
    assert office.client.get(f"{office.path}/chiffres").text.count("Commune 999") >= 2


def test_who_may_reply_leaves_with_the_file_and_comes_back_on_a_blank_step(office):
    assert "mode" not in taken(office)
    mode = {"access": "everyone", "anonymous": True, "final": True}
    assert bring(office, {**document(CHOICE), "mode": mode}).status_code == 303
    assert taken(office)["mode"] == mode
    assert bring(office, {**document(CHOICE), "mode": {"access": "accounts"}}).status_code == 303
    assert taken(office)["mode"] == mode  # there were questions already: theirs stays


@pytest.mark.parametrize(
    "mode", [{"access": "tous"}, {"access": []}, {"final": 1}, {"secret": True}, [], "everyone", {"anonymous": None}]
)
def test_a_mode_that_is_none_is_refused_and_adds_nothing(office, mode):
    refused = bring(office, {**document(CHOICE), "mode": mode})
    assert (refused.status_code, "Le champ « mode »" in _text(refused)) == (422, True)
    assert office.questions() == []
