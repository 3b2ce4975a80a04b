"""Receipts: taken after each act, read by their author, verified here and offline (AT-20.3, AT-8.1)."""

import base64
import dataclasses
import io
import json
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from consult.app import create_app
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.registry import notes, receipts, verifier
from consult.registry.models import EntryKind, LostOpening, RegistryEntry
from consult.site import labels
from tests import factories as f
from tests.integration.registry.scene import LATER, Scene, Seed
from tests.registers import features, sequencer, tamper

# Many pages and processes: `make check` leaves it to `make test`.
pytestmark = [pytest.mark.slow, pytest.mark.sqlite_first]

ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ADDRESS = re.compile(r'href="/recepisse/([0-9a-f]{32})"')


@pytest.fixture
def lived(app, settings, database, tmp_path):
    """A consultation in which all that can happen has happened, placed and signed, served; and its people."""
    scene = Scene.__new__(Scene)
    scene.folder, scene.database, scene.bindings = tmp_path, database, app.extensions["bindings"]
    with database.transaction(tenant=ALL_TENANTS) as session:
        seed = Seed(session, scene)
        seed.live()
        people = list(seed.people)
        session.expire_on_commit = False

    def place():
        sequencer(database, tmp_path, on_placed=features().on_placed).run_until_settled()
        shutil.rmtree(settings.registry_path, ignore_errors=True)
        shutil.copytree(tmp_path / "first", settings.registry_path)

    place()
    return SimpleNamespace(
        seed=seed, people=people, place=place, scene=scene, key=(tmp_path / "first/agence/key").read_text().strip()
    )


def entries(database, kind=None):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        query = select(RegistryEntry).order_by(RegistryEntry.id)
        return session.scalars(query if kind is None else query.where(RegistryEntry.kind == kind)).all()


def own(client, person):
    """The refs of a person's receipts, as their pages list them."""
    f.sign_in(client, person)
    found, page = [], 1
    while True:
        refs = ADDRESS.findall(client.get(f"/recepisse?page={page}").text)
        if set(refs) <= set(found):
            return found
        found, page = found + refs, page + 1


def offline(folder, receipt, *arguments):
    """The verifier on a file, as a stranger runs it."""
    file = folder / "recu.tlog-proof"
    file.write_bytes(receipt)
    command = [sys.executable, "-I", verifier.__file__, str(file), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def brought(client, data, *, token=None):
    """The page that judges a file."""
    token = token or f.csrf_token(client, "/recepisse/verifier")
    form = {"csrf_token": token, "file": (io.BytesIO(data), "recu.tlog-proof")}
    return client.post("/recepisse/verifier", data=form, content_type="multipart/form-data")


def test_every_act_of_a_person_has_its_receipt_and_each_verifies_offline(app, lived, database, tmp_path):
    """AT-20.3: votes cast, changed and withdrawn, proposals, edits, withdrawals, arguments, replies."""
    kinds = {entry.ref: entry.kind for entry in entries(database)}
    client, (ann, bob, *_) = app.test_client(), lived.people
    listed = {kinds[ref] for ref in own(client, ann)} | {kinds[ref] for ref in own(app.test_client(), bob)}
    assert listed == {
        EntryKind.CONTRIBUTION, EntryKind.EDIT, EntryKind.ARGUMENT, EntryKind.TOMBSTONE,
        EntryKind.VOTE_CAST, EntryKind.VOTE_CHANGED, EntryKind.VOTE_WITHDRAWN,
    }  # fmt: skip
    done = 0
    for ref in own(client, ann):
        page, file = client.get(f"/recepisse/{ref}"), client.get(f"/recepisse/{ref}/fichier")
        assert page.status_code == 200
        if file.status_code == 410:
            assert "Contenu effacé" in page.text
            continue
        assert "Ce que ce fichier révèle" in page.text
        assert file.headers["Content-Disposition"].endswith('.tlog-proof"')
        assert file.headers["Cache-Control"] == "no-store"
        told = offline(tmp_path, file.data, "--key", lived.key)
        assert told.returncode == 0, told.stdout + told.stderr
        done += 1
    assert done >= 6


def test_no_name_is_on_a_receipt_neither_the_usual_one_nor_that_of_the_consultation(app, lived, database):
    """AT-18.1: who hands a receipt over tells neither of their names, nor that both are one person."""
    ann = lived.people[0]
    with database.transaction(tenant=ALL_TENANTS) as session:
        (consultation_id,) = {entry.consultation_id for entry in entries(database, EntryKind.VOTE_CAST)}
        f.make_pseudonym(session, ann, session.get_one(f.Consultation, consultation_id), "Nymphéa")
    client = app.test_client()
    refs, read = own(client, ann), []
    for ref in refs:
        read += [client.get(f"/recepisse/{ref}").text, app.test_client().get(f"/recepisse/{ref}").text]
        file = client.get(f"/recepisse/{ref}/fichier")
        if file.status_code == 200:
            read.append(base64.b64decode(file.data.split(b"\n")[1].removeprefix(b"extra ")).decode())
    read += [client.get(f"/recepisse?page={page}").text for page in (1, 2)]
    told = [text.partition("<main")[2] or text for text in read]
    assert sum('"salt"' in text for text in told) >= 6
    assert not any(name in text for text in told for name in ("Nymphéa", ann.pseudonym))


def test_a_receipt_says_no_name_and_matches_its_entry(client, lived, database):
    vote = entries(database, EntryKind.VOTE_CHANGED)[0]
    page = client.get(f"/recepisse/{vote.ref}").text
    assert "Mitigé" in page
    file = client.get(f"/recepisse/{vote.ref}/fichier").data
    head = file.split(b"\n\n")[0].split(b"\n")
    assert head[0] == b"c2sp.org/tlog-proof@v1"
    held = json.loads(base64.b64decode(head[1].removeprefix(b"extra ")))
    assert set(held) == {"content", "entry", "salt"}
    assert (held["content"], held["salt"]) == (vote.opening, vote.salt.hex())
    assert head[2] == b"index %d" % vote.position
    for person in lived.people:
        for personal in (person.pseudonym, person.email, str(person.id)):
            assert personal is None or personal.encode() not in base64.b64decode(head[1][6:]) + file


def test_an_act_that_has_no_place_yet_says_so_and_the_page_comes_back_without_javascript(app, lived, database):
    ann = lived.people[0]
    with database.transaction(tenant=lived.seed.organisation.id) as session:
        lived.seed.session = session
        train = session.scalars(select(Proposal).where(Proposal.title.like("Des bus%"))).one()
        lived.seed.step = session.get_one(type(lived.seed.step), lived.seed.step.id)
        from consult.contributions import votes
        from consult.contributions.models import VoteValue

        votes.cast_vote(session, train, step=lived.seed.step, account_id=ann.id, value=VoteValue.MIXED, now=LATER)
    client = app.test_client()
    f.sign_in(client, ann)
    (ref,) = ADDRESS.findall(client.get("/recepisse").text)[:1]
    page = client.get(f"/recepisse/{ref}")
    assert "dans la seconde" in page.text
    assert page.headers["Refresh"] == f"2; url=/recepisse/{ref}?essai=2"
    assert client.get(f"/recepisse/{ref}/fichier").status_code == 404
    late = client.get(f"/recepisse/{ref}?essai=10")
    assert "Refresh" not in late.headers
    assert "Registre en retard" in late.text
    lived.place()
    page = client.get(f"/recepisse/{ref}?essai=2")
    assert "Refresh" not in page.headers
    assert "Télécharger le récépissé" in page.text


def test_what_moderation_withholds_is_for_its_author_alone(app, lived, database):
    (hidden,) = [entry for entry in entries(database) if entry.withheld]
    bob = lived.people[1]
    for person in (None, lived.people[0], lived.people[3]):
        client = app.test_client()
        if person is not None:
            f.sign_in(client, person)
        page = client.get(f"/recepisse/{hidden.ref}")
        assert (page.status_code, "Contenu masqué" in page.text) == (200, True)
        assert hidden.opening["text_sha256"] not in page.text
        assert client.get(f"/recepisse/{hidden.ref}/fichier").status_code == 410
    client = app.test_client()
    f.sign_in(client, bob)
    assert hidden.opening["text_sha256"] in client.get(f"/recepisse/{hidden.ref}").text
    assert client.get(f"/recepisse/{hidden.ref}/fichier").status_code == 200


def test_what_was_destroyed_or_lost_says_so(client, lived, database):
    gone = next(entry for entry in entries(database) if entry.salt is None)
    assert "Contenu effacé" in client.get(f"/recepisse/{gone.ref}").text
    assert client.get(f"/recepisse/{gone.ref}/fichier").status_code == 410
    with database.transaction(tenant=gone.organisation_id) as session:
        session.add(LostOpening(organisation_id=gone.organisation_id, ref=gone.ref, found_at=LATER))
    assert "Contenu perdu" in client.get(f"/recepisse/{gone.ref}").text


def test_a_receipt_is_of_its_organisation_alone(app, lived, database):
    vote = entries(database, EntryKind.VOTE_CAST)[-1]
    with database.transaction(tenant=ALL_TENANTS) as session:
        f.make_organisation(session, slug="autre")
    client = app.test_client()
    assert client.get(f"/recepisse/{vote.ref}").status_code == 200
    assert client.get(f"/o/autre/recepisse/{vote.ref}").status_code == 404
    assert client.get(f"/o/autre/recepisse/{vote.ref}/fichier").status_code == 404


@ONE
@pytest.mark.parametrize("ref", ["0" * 32, "x" * 32, "0" * 31, "A" * 32, "%00", "..", "' OR 1=1"])
def test_a_reference_of_nothing_is_not_found(client, lived, ref):
    assert client.get(f"/recepisse/{ref}").status_code == 404
    assert client.get(f"/recepisse/{ref}/fichier").status_code == 404


def test_nobody_lists_or_indexes_receipts(client, lived, database):
    """AT-8.1."""
    vote = entries(database, EntryKind.VOTE_CHANGED)[0]
    for path in ("/recepisse", f"/recepisse/{vote.ref}", f"/recepisse/{vote.ref}/fichier", "/recepisse/verifier"):
        reply = client.get(path)
        assert reply.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert ADDRESS.findall(client.get("/recepisse").text) == []


# Judging one --------------------------------------------------------------------------------------------------------


@pytest.fixture
def receipt(client, lived, database) -> bytes:
    return client.get(f"/recepisse/{entries(database, EntryKind.VOTE_CHANGED)[0].ref}/fichier").data


@ONE
def test_a_good_receipt_is_told_good_from_its_file_or_its_text(client, lived, receipt):
    page = brought(client, receipt)
    assert (page.status_code, "Récépissé valable" in page.text, "Mitigé" in page.text) == (200, True, True)
    pasted = receipt.decode().replace("\n", "\r\n").strip()
    data = {"csrf_token": f.csrf_token(client, "/recepisse/verifier"), "text": f"  {pasted}\r\n\r\n"}
    assert "Récépissé valable" in client.post("/recepisse/verifier", data=data).text


def altered(receipt, change):
    head, note = receipt.split(b"\n\n", 1)
    lines = head.split(b"\n")
    held = json.loads(base64.b64decode(lines[1].removeprefix(b"extra ")))
    change(held)
    lines[1] = b"extra " + base64.b64encode(verifier.canonical(held).encode())
    return b"\n".join(lines) + b"\n\n" + note


@ONE
def test_an_altered_receipt_is_told_and_why(client, lived, receipt):
    for data in (
        altered(receipt, lambda held: held["content"].update(value="against")),
        altered(receipt, lambda held: held["entry"].update(at="2026-01-01T00:00:00Z")),
        altered(receipt, lambda held: held.update(salt="00" * 32)),
        receipt.replace(b"\nindex 1", b"\nindex 2", 1),
        receipt.replace(b"\n\xe2\x80\x94", b"\n\xe2\x80\x94 autre", 1),
    ):
        page = brought(client, data)
        assert (page.status_code, "Récépissé non valable" in page.text) == (200, True), data
        assert "Récépissé valable" not in page.text


@ONE
def test_a_log_that_was_made_anew_without_the_act_is_told(client, lived, database, receipt):
    for name in ("first", "second"):
        shutil.rmtree(lived.scene.folder / name)
    tamper(
        database,
        "UPDATE registry_log SET size = 0, signed_size = 0, signed_root = NULL",
        "UPDATE registry_entry SET position = NULL",
        "DELETE FROM registry_entry WHERE kind = 'vote.changed'",
    )
    lived.place()
    page = brought(client, receipt)
    assert "Le registre ne porte plus cet acte" in page.text
    assert "Récépissé valable" not in page.text


@ONE
def test_a_receipt_of_another_log_is_told(client, lived, receipt):
    other = notes.SigningKey(b"\x01" * 32, "ailleurs.example/registry/autre")
    text = b"ailleurs.example/registry/autre\n" + notes.split(receipt.split(b"\n\n", 1)[1])[0].split(b"\n", 1)[1]
    page = brought(client, receipt.split(b"\n\n", 1)[0] + b"\n\n" + other.sign(text))
    assert "Registre inconnu ici" in page.text


HOSTILE = {
    "nothing": b"",
    "a page": b"<script>alert(1)</script>",
    "bytes": bytes(range(256)) * 20,
    "too long": b"c2sp.org/tlog-proof@v1\n" + b"x" * receipts.MAX_BYTES,
    "no proof": b"c2sp.org/tlog-proof@v1\nextra e30=\nindex 0\n\n",
    "deep": b"c2sp.org/tlog-proof@v1\nextra " + base64.b64encode(b"[" * 20_000) + b"\nindex 0\n\nx\n1\n",
    "a huge number": b"c2sp.org/tlog-proof@v1\nextra e30=\nindex " + b"9" * 9_000 + b"\n\n",
}


@ONE
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_receipt_is_refused_in_french_and_gives_no_verdict(client, lived, name):
    page = brought(client, HOSTILE[name])
    assert page.status_code == 422
    assert "récépissé" in page.text
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held.update(entry=[]),
        lambda held: held.update(entry={"kind": 1}),
        lambda held: held.update(salt=3),
        lambda held: held.update(salt="zz"),
        lambda held: held.pop("content"),
        lambda held: held.update(entry=None),
    ],
)
def test_a_receipt_of_another_shape_is_refused(client, lived, receipt, change):
    assert brought(client, altered(receipt, change)).status_code == 422


@ONE
def test_a_receipt_with_hundreds_of_signatures_is_refused(client, lived, receipt):
    line = receipt.split(b"\n\n", 1)[1].split(b"\n\n")[1]
    assert brought(client, receipt + line * 100).status_code == 422


@ONE
def test_what_a_receipt_holds_is_shown_as_text(client, lived, receipt):
    data = altered(receipt, lambda held: held.update(content={"<b>x</b>": "<script>alert(1)</script>"}))
    page = brought(client, data)
    assert page.status_code == 200
    assert "<script>alert" not in page.text


@ONE
def test_a_kind_that_is_no_word_is_an_act_like_any_other(client, lived, receipt):
    page = brought(client, altered(receipt, lambda held: held["entry"].update(kind=["vote.cast"])))
    assert (page.status_code, "Récépissé valable" in page.text) == (200, False)


@ONE
def test_a_judgement_needs_the_token_of_the_form(client, lived, receipt):
    assert brought(client, receipt, token="0" * 64).status_code in {400, 403}


@ONE
def test_judgements_are_limited(settings, database, organisation_id):
    app = create_app(dataclasses.replace(settings, rate_limits=True))
    client = app.test_client()
    token = f.csrf_token(client, "/recepisse/verifier")
    codes = [brought(client, b"x", token=token).status_code for _ in range(21)]
    assert codes == [422] * 20 + [429]
    app.extensions["database"].dispose()


@ONE
def test_the_square_leads_to_what_the_log_has_at_that_place(client, lived, database):
    vote = entries(database, EntryKind.VOTE_CHANGED)[0]
    page = client.get(f"/recepisse/{vote.ref}").text
    address = re.search(r'href="[^"]*(/recepisse/verifier\?n=\d+&amp;h=[0-9a-f]{64})"', page)[1].replace("&amp;", "&")
    assert "Inchangé" in client.get(address).text
    assert "Empreinte différente" in client.get(address[:-4] + "0000").text
    assert "Entrée absente" in client.get(re.sub(r"n=\d+", "n=99999", address)).text
    for wrong in ("?n=1", "?h=00", "?n=-1&h=" + "0" * 64, "?n=" + "9" * 400 + "&h=" + "0" * 64, "?n=1&h=%3Cscript%3E"):
        page = client.get(f"/recepisse/verifier{wrong}")
        assert (page.status_code, "Adresse incomplète" in page.text, "<script>" in page.text) == (200, True, False)


@ONE
def test_the_receipt_takes_the_state_that_most_witnesses_cosigned(client, app, lived, database, monkeypatch, settings):
    from consult.registry.cosigning import Witness
    from tests.integration.registry.test_cosigning import LIAR, NOW

    witness = Witness("http://127.0.0.1:9", LIAR.key)
    monkeypatch.setitem(app.extensions, "witnesses", (witness,))
    vote = entries(database, EntryKind.VOTE_CHANGED)[0]
    assert "n’est pas cosigné" in client.get(f"/recepisse/{vote.ref}").text
    folder = settings.registry_path / "agence"
    note = (folder / "checkpoint").read_bytes()
    (folder / "cosigned").mkdir()
    (folder / witness.file).write_bytes(note + LIAR.line(notes.split(note)[0], NOW))
    assert "cosigné par : menteur.example" in client.get(f"/recepisse/{vote.ref}").text
    data = client.get(f"/recepisse/{vote.ref}/fichier").data
    assert "Cosigné par : menteur.example" in brought(client, data).text


def test_a_vote_for_a_proposal_and_one_for_an_argument_are_not_said_alike():
    assert labels.said({"contribution": "p", "value": "for"})[1] == ("Sens du vote", "D’accord")
    assert labels.said({"argument": "a", "value": "for"})[1] == ("Sens du vote", "Utile")
