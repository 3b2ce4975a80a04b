"""Questions whose options are pictures: given by organisers, frozen at opening, served, exported, told in words."""

import datetime as dt
import html
import io
import json
import re

import pytest
from PIL import Image
from sqlalchemy import delete, select, update

from consult.accounts.models import LoginSession
from consult.actor import SYSTEM, Role
from consult.audit.models import AuditEntry
from consult.consultations.models import Step
from consult.consultations.service import open_consultation
from consult.errors import InvalidError
from consult.organisations.models import Organisation
from consult.organisations.policy import LEGAL_NOTICE
from consult.questionnaires import queries, service
from consult.questionnaires.bindings import QuestionsDataset
from consult.questionnaires.builder import exchange
from consult.questionnaires.models import OptionPicture
from consult.questionnaires.pictures import service as pictures
from consult.registry.models import EntryKind, RegistryEntry
from tests.factories import (
    csrf_token,
    make_account,
    make_consultation,
    make_organisation,
    make_question,
    make_step,
    sign_in,
)
from tests.integration.questionnaires.test_builder import Office, _text

PLACE = {"kind": "picture_single", "wording": "Quelle place ?", "visibility": "rows", "page": "1"}
OPTIONS = "Des tilleuls\nUn marché"


def picture(colour="green", size=(64, 48)):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


HERE = {"Sec-Fetch-Site": "same-origin", "Referer": "http://localhost/gestion"}  # what a browser adds by itself


def send(client, path, fields, files, headers=None):
    """Post a form as a browser does; the test client would leave its own temporary files open."""
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    parts += [f'name="{name}"; filename="photo.png"\r\n\r\n'.encode() + raw for name, raw in files.items()]
    body = b"".join(b"--limit\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--limit--"
    return client.post(path, data=body, content_type="multipart/form-data; boundary=limit", headers=headers)


class Studio(Office):
    """An office whose draft asks one question in pictures."""

    def __init__(self, app, client):
        super().__init__(app, client)
        with self.writing() as session:
            step = session.get_one(Step, self.step.id)
            asked = {"wording": "Quelle place ?", "position": 1}
            question = make_question(session, step, "picture_single", OPTIONS.splitlines(), **asked)
            self.question, self.options = question.id, [option.id for option in question.options]
        self.images = f"{self.path}/questions/{self.question}/images"

    def give(self, rank=0, raw=None, alt="Une place plantée", client=None, token=None, headers=None):
        client, option = client or self.client, self.options[rank]
        fields = {"csrf_token": token or csrf_token(client, self.images), f"{option}-alt": alt}
        files = {f"{option}-file": raw} if raw is not None else {}
        return send(client, f"{self.images}/{option}", fields, files, headers)

    def kept(self):
        with self.writing() as session:
            columns = (OptionPicture.option_id, OptionPicture.alt, OptionPicture.digest)
            return {key: (alt, digest) for key, alt, digest in session.execute(select(*columns))}

    def address(self, rank=0):
        return f"/images/{self.options[rank]}/{self.kept()[self.options[rank]][1]}.webp"


@pytest.fixture
def studio(app):
    return Studio(app, app.test_client())


def opened(studio):
    now = dt.datetime.now(dt.UTC)
    with studio.app.extensions["database"].transaction(tenant=studio.organisation.id) as session:
        organisation = session.get_one(Organisation, studio.organisation.id)
        for name in LEGAL_NOTICE:
            setattr(organisation, name, "renseigné")
        step = session.get_one(Step, studio.step.id)
        step.closes_at = step.consultation.closes_at = now + dt.timedelta(days=9)
        kinds = studio.app.extensions["bindings"].step_kinds
        whole = {"organisation": organisation, "actor": SYSTEM, "step_kinds": kinds, "now": now}
        open_consultation(session, step.consultation, **whole)


@pytest.fixture
def office(app):
    return Office(app, app.test_client())


def test_a_question_in_pictures_is_asked_then_given_its_pictures(office):
    added = office.post("questions/nouvelle", **PLACE, options=OPTIONS)
    assert re.search(r"/questions/[0-9a-f-]+/images$", added.location)
    page = _text(office.client.get(added.location))
    assert page.count('type="file"') == 2
    assert "Il manque 2 images" in _text(office.client.get(f"{office.path}/questions"))
    many = office.post("questions/nouvelle", **PLACE, options="\n".join(str(n) for n in range(13)))
    assert "12 réponses au plus" in _text(many)


def test_a_picture_is_given_replaced_told_otherwise_and_taken_back(studio):
    assert studio.give(raw=picture(), alt="  Une place plantée ").status_code == 303
    first = studio.address()
    assert studio.give(raw=picture("red"), alt="Une place pavée").status_code == 303
    second = studio.address()
    assert first != second
    assert studio.client.get(first).status_code == 404
    assert studio.give(alt="Une place et ses pavés").status_code == 303  # without a file, the words alone
    assert studio.kept() == {studio.options[0]: ("Une place et ses pavés", second.split("/")[3][:-5])}
    page = studio.client.get(studio.images).text
    assert f'src="{second}"' in page
    assert 'value="Une place et ses pavés"' in page
    with studio.writing() as session:
        [kept] = session.scalars(select(OptionPicture))
        assert (kept.width, kept.height) == (64, 48)
    path = f"questions/{studio.question}/images/{studio.options[0]}/retirer"
    assert [studio.post(path).status_code for _ in range(2)] == [303, 303]
    assert studio.kept() == {}
    with studio.writing() as session:
        acts = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert acts == ["question.picture"] * 3 + ["question.picture_removed"]


@pytest.mark.parametrize(
    ("raw", "alt", "words"),
    [
        (picture(), "  ", "Dites en quelques mots"),
        (picture(), "x" * 251, "dépasse 250 caractères"),
        (None, "Une place", "Choisissez une image"),
        (b"<svg/>", "Une place", "n’est pas une image lisible"),
        (picture() + b"PK", "Une place", "autre chose qu’une image"),
    ],
)
def test_a_refused_picture_says_why_and_keeps_the_words(studio, raw, alt, words):
    refused = studio.give(raw=raw, alt=alt)
    assert refused.status_code == 422
    assert words in _text(refused)
    assert f'value="{alt}"' in html.unescape(refused.text)
    assert studio.kept() == {}


def test_a_picture_is_served_for_ever_at_an_address_of_its_own(studio, client):
    studio.give(raw=picture())
    address = studio.address()
    assert client.get(address).status_code == 404, "a draft shows nothing to visitors"
    draft = studio.client.get(address)
    assert (draft.status_code, draft.headers["Cache-Control"]) == (200, "no-store")
    studio.give(1, raw=picture("blue"), alt="Un marché couvert")
    opened(studio)
    for visitor in (client, studio.client):
        served = visitor.get(address)
        assert served.status_code == 200
        assert served.headers["Content-Type"] == "image/webp"
        assert served.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert served.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in served.headers
        again = visitor.get(address, headers={"If-None-Match": served.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    with Image.open(io.BytesIO(served.data)) as image:
        assert (image.format, image.size) == ("WEBP", (64, 48))
    assert client.get(address.replace(".webp", "0.webp")).status_code == 404
    assert client.get(f"/images/{studio.options[1]}/{address.split('/')[3]}").status_code == 404


def test_a_picture_stays_in_its_organisation(studio, app):
    studio.give(raw=picture())
    studio.give(1, raw=picture("blue"))
    opened(studio)
    address = studio.address()
    with studio.writing() as session:
        other = make_organisation(session, slug="voisine")
        stranger = make_account(session, other, Role.ORGANISER)
        step = make_step(session, make_consultation(session, other, opened=False), kind="questionnaire")
        mine = f"/o/voisine/gestion/consultations/{step.consultation.slug}/etapes/{step.slug}"
        session.flush()
        session.expunge_all()
    home = app.test_client()
    assert home.get(f"/o/{studio.organisation.slug}{address}").status_code == 200
    assert home.get(f"/o/voisine{address}").status_code == 404
    neighbour = app.test_client()
    sign_in(neighbour, stranger)
    token = csrf_token(neighbour, f"{mine}/questions")
    form = {"csrf_token": token, f"{studio.options[0]}-alt": "Pris"}
    for path in (mine, f"/o/voisine{studio.path}"):
        target = f"{path}/questions/{studio.question}/images/{studio.options[0]}"
        assert neighbour.post(target, data=form).status_code == 404
        assert neighbour.post(f"{target}/retirer", data=form).status_code == 404
    assert studio.kept()[studio.options[0]][0] == "Une place plantée"


def test_what_was_typed_beside_a_large_file_waits_for_whoever_signs_in_again(studio):
    """A session that ended meanwhile: over the limit of other forms, and over the limit of this one (issue 4)."""
    token = csrf_token(studio.client, studio.images)
    with studio.writing() as session:
        session.execute(delete(LoginSession))
    heavy = studio.give(raw=picture() + bytes(3_000_000), alt="Des arbres, un banc.", token=token, headers=HERE)
    assert heavy.status_code == 303
    assert heavy.location.endswith("/connexion?suite=/connexion/reprise")
    sign_in(studio.client, studio.organiser)
    again = _text(studio.client.get("/connexion/reprise"))
    assert "Des arbres, un banc." in again
    assert "Les fichiers ne sont pas gardés." in again
    assert "photo.png" in again


@pytest.mark.parametrize("ended", [True, False])
def test_what_is_too_heavy_to_be_kept_is_refused_in_words_with_a_way_back(studio, ended):
    token = csrf_token(studio.client, studio.images)
    with studio.writing() as session:
        if ended:
            session.execute(delete(LoginSession))
        else:
            session.execute(update(LoginSession).values(second_factor_at=None))
    heaviest = studio.give(raw=picture() + bytes(10_500_000), token=token, headers=HERE)
    if ended:
        assert heaviest.status_code == 401
    else:
        assert heaviest.status_code == 303
        heaviest = studio.client.get(heaviest.location)
    page = _text(heaviest)
    assert "trop volumineux pour être gardé" in page
    assert "Menu" in page, "a page of the site, not the one of a breakdown"
    assert not ended or 'href="/connexion?suite=/gestion"' in heaviest.text


def test_only_this_form_takes_a_large_file_and_only_from_its_page(studio, app):
    raw = picture() + bytes(3_000_000)
    assert studio.give(raw=raw).status_code == 422, "read, and refused for what it is"
    assert studio.give(raw=picture() + bytes(10_000_001)).status_code == 413
    token = csrf_token(studio.client, f"{studio.path}/questions")
    elsewhere = send(studio.client, f"{studio.path}/mode", {"csrf_token": token}, {"file": raw})
    assert elsewhere.status_code == 413
    assert studio.give(raw=picture(), token="faux").status_code == 403
    visitor = app.test_client()
    assert studio.give(raw=raw, client=visitor, token="faux").status_code in {401, 403}
    assert studio.kept() == {}


def test_what_is_open_is_frozen_with_the_digests_of_its_pictures(studio):
    studio.give(raw=picture())
    with pytest.raises(InvalidError, match=r"Un marché.*n’a pas encore d’image"):
        opened(studio)
    studio.give(1, raw=picture("blue"), alt="Un marché couvert")
    opened(studio)
    shown = [
        {"option": str(key), "alt": studio.kept()[key][0], "sha256": studio.kept()[key][1]} for key in studio.options
    ]
    with studio.writing() as session:
        rules = session.scalars(select(RegistryEntry).where(RegistryEntry.kind == EntryKind.RULES)).one().opening
        assert json.dumps(shown)[1:-1] in json.dumps(rules)
        [row] = QuestionsDataset().rows(session, studio.consultation.id)
    assert row["pictures"] == shown
    assert studio.give(raw=picture("red")).status_code == 409
    assert studio.post(f"questions/{studio.question}/images/{studio.options[0]}/retirer").status_code == 409
    page = studio.client.get(studio.images).text
    assert 'type="file"' not in page
    assert "Un marché couvert" in page


def test_options_that_keep_their_label_keep_their_picture_and_the_others_take_theirs_away(studio):
    for rank in (0, 1):
        studio.give(rank, raw=picture())
    studio.post(f"questions/{studio.question}", **PLACE, options="Un jardin\nUn marché", other="Autre")
    assert list(studio.kept()) == [studio.options[1]]
    studio.post(f"questions/{studio.question}", **PLACE, options="Un jardin\nUne école", other="Un marché")
    assert studio.kept() == {}, "what is written in is not shown"


def test_a_question_that_is_no_longer_in_pictures_loses_them_and_a_deleted_one_too(studio):
    for another in ({"kind": "single"}, None):
        studio.give(raw=picture())
        assert studio.kept()
        if another:
            studio.post(f"questions/{studio.question}", **PLACE | another, options=OPTIONS)
            assert studio.kept() == {}
            studio.post(f"questions/{studio.question}", **PLACE, options=OPTIONS)
        else:
            studio.post(f"questions/{studio.question}/supprimer")
            assert studio.kept() == {}


def test_a_copy_of_a_step_has_pictures_of_its_own(studio):
    studio.give(raw=picture())
    with studio.app.extensions["database"].transaction(tenant=studio.organisation.id) as session:
        source = session.get_one(Step, studio.step.id)
        target = make_step(session, source.consultation, kind="questionnaire")
        service.duplicate(session, source, target)
        [copy] = queries.questions(session, target.id)
        assert copy.options[0].picture.digest == source_digest(session, source)
        assert pictures.contents(session, target.id)[copy.options[0].id]
        session.delete(source)
        session.flush()
        assert pictures.contents(session, target.id)


def source_digest(session, step):
    return queries.questions(session, step.id)[0].options[0].picture.digest


def test_the_form_the_page_and_the_paper_show_pictures_with_their_words(studio, client):
    for rank, alt in enumerate(("Une place plantée", "Un marché « couvert »")):
        studio.give(rank, raw=picture(), alt=alt)
    opened(studio)
    place = f"/consultations/{studio.consultation.slug}/{studio.step.slug}"
    form = client.get(f"{place}/repondre").text
    for rank, option in enumerate(studio.options):
        assert re.search(rf'<label for="[^"]+"><img[^>]+src="{studio.address(rank)}"[^>]+alt="', form)
        assert f'value="{option}"' in form
    assert 'alt="Un marché « couvert »"' in html.unescape(form).replace("\u00a0", " ")
    for page in (place, f"{place}/imprimer"):
        assert client.get(page).text.count('<img class="option-picture"') == 2


def test_pictures_leave_and_come_back_in_the_file_of_a_questionnaire(studio):
    for rank, alt in enumerate(("Une place plantée", "Un marché couvert")):
        studio.give(rank, raw=picture(size=(600, 300)), alt=alt)
    document = studio.client.get(f"{studio.path}/questions/export.json").get_json()
    shown = document["questions"][0]["pictures"]
    assert [(each["option"], each["alt"]) for each in shown] == [
        ("Des tilleuls", "Une place plantée"), ("Un marché", "Un marché couvert")
    ]  # fmt: skip
    assert bring(studio, document).status_code == 303
    with studio.writing() as session:
        *_, copy = queries.questions(session, studio.step.id)
        assert [(each.label, each.picture.alt, each.picture.width) for each in copy.options] == [
            ("Des tilleuls", "Une place plantée", 480), ("Un marché", "Un marché couvert", 480)
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"content": "PHN2Zy8+"}, "image de « Des tilleuls » : Ce fichier n’est pas une image lisible"),
        ({"alt": " "}, "Dites en quelques mots"),
        ({"option": "Ailleurs"}, "aucune réponse de ce nom"),
        ({"content": "pas du base64"}, "n’a pas la forme attendue"),
        ({"more": "x"}, "n’a pas la forme attendue"),
    ],
)
def test_a_faulty_picture_of_a_file_adds_nothing(studio, change, words):
    studio.give(raw=picture())
    document = studio.client.get(f"{studio.path}/questions/export.json").get_json()
    document["questions"][0]["pictures"][0] |= change
    refused = bring(studio, document)
    assert refused.status_code == 422
    assert words in _text(refused)
    assert len(studio.ids()) == 1


def test_a_file_of_too_many_pictures_is_refused(studio, monkeypatch):
    studio.give(raw=picture())
    document = studio.client.get(f"{studio.path}/questions/export.json").get_json()
    monkeypatch.setattr(exchange, "MOST_PICTURES", 0)
    assert "partagez-le en plusieurs" in _text(bring(studio, document))


def bring(studio, document):
    token = csrf_token(studio.client, f"{studio.path}/questions")
    files = {"file": json.dumps(document).encode()}
    return send(studio.client, f"{studio.path}/questions/importer", {"csrf_token": token}, files)
