"""Texts read before they are published: committed to at once, shown nowhere, and verified by a stranger (AT-U2.1)."""

import shutil

import pytest
from sqlalchemy import select

from consult.consultations.labels import AWAITING, REWORDING
from consult.consultations.models import ContentStatus, OffHours, Reading
from consult.contributions import service as contributions
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.moderation.models import Act, Decision
from consult.moderation.reading import service as reading
from consult.registry import conservation
from consult.search.models import SearchDocument
from tests.integration.registry.scene import LATER, NOW, ORGANISER, Scene, Seed
from tests.registers import tamper

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def honest(tmp_path_factory, _sqlite_template) -> Scene:
    folder = tmp_path_factory.mktemp("read_first")
    shutil.copy(_sqlite_template, folder / "consult.db")
    scene = Scene(folder)
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        live(Seed(session, scene))
    scene.place()
    scene.database.dispose()
    return scene


def live(seed) -> None:
    """Every fate of a text that is read first; « attendu » is in what is published, « secret » in what never was."""
    session, (ann, *_) = seed.session, seed.people
    early = seed.write(ann, "Un texte attendu, puis secret")
    switch = {"actor": ORGANISER, "off_hours": OffHours.QUEUE, "charter": "", "now": NOW}
    assert reading.choose(session, seed.step, how=Reading.BEFORE, **switch)
    waits, shown, refused, back, asked, gone = (
        seed.write(ann, f"Un texte {word} numéro {n}")
        for n, word in enumerate(("secret", "attendu", "secret", "secret", "secret", "secret"))
    )
    assert {each.status_reason for each in (waits, shown, refused, back, asked, gone)} == {AWAITING}
    seed.decide(shown, Act.PUBLISH, 0)
    seed.decide(refused, Act.HIDE, 0)
    for each in (back, asked):
        seed.decide(each, Act.REWORD, 0)
    edit(seed, back, "Un texte attendu, reformulé")
    seed.decide(back, Act.PUBLISH, 1)
    contributions.withdraw(session, gone, account_id=ann.id, now=LATER)
    edit(seed, early, "Un texte secret, modifié après coup")
    session.flush()


def edit(seed, item, title) -> None:
    contributions.edit(
        seed.session, item, step=seed.step, account_id=item.author_id, title=title, body=f"{title}, en entier.",
        theme_id=None, version=item.version, now=LATER,
    )  # fmt: skip


@pytest.fixture
def scene(honest, tmp_path) -> Scene:
    scene = honest.copy(tmp_path / "copy")
    yield scene
    scene.database.dispose()


def test_an_honest_state_is_verified_and_nothing_is_missing(scene):
    code, frauds, said = scene.verify()
    assert (code, frauds) == (0, []), said
    with scene.database.session(write=False, tenant=ALL_TENANTS) as session:
        (line,) = [each for lines in conservation.all_of(session).values() for each in lines if each.type == "proposal"]
        assert line.balanced
        assert (line.logged, line.published, line.hidden, line.withdrawn) == (7, 2, 4, 1)
        held = session.execute(select(Proposal.status_reason).where(Proposal.status == ContentStatus.HIDDEN)).all()
        assert sorted(row.status_reason for row in held) == [AWAITING, AWAITING, "insult", REWORDING]
        found = session.scalars(select(SearchDocument.words)).all()
        assert (len(found), [text for text in found if "secret" in text]) == (2, [])


def test_what_nobody_has_read_is_in_no_public_file(scene):
    """Log, openings and dump, of texts that wait, were refused, or were withdrawn before they were read."""
    site = scene.publish()
    told = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    assert any(b"attendu" in content for content in told.values())
    assert [str(path) for path, content in told.items() if b"secret" in content] == []


@pytest.mark.parametrize(
    ("statement", "fraud"),
    [
        ("UPDATE registry_entry SET withheld = 1 WHERE kind = 'contribution'", "hidden"),
        ("UPDATE proposal SET status = 'published', status_reason = NULL WHERE status_reason = 'insult'", None),
        ("UPDATE proposal SET status = 'published', status_reason = NULL WHERE status_reason = 'awaiting'", None),
    ],
)
def test_who_keeps_or_shows_a_text_without_saying_so_is_named(scene, statement, fraud):
    tamper(scene.database, statement)
    code, frauds, said = scene.verify()
    assert code == 1, said
    assert frauds
    assert fraud is None or fraud in {each["fraud"] for each in frauds}, said


def test_each_publication_is_a_decision_of_a_person(scene):
    with scene.database.session(write=False, tenant=ALL_TENANTS) as session:
        acts = session.scalars(select(Decision.act).order_by(Decision.act)).all()
        assert acts == [Act.HIDE, Act.PUBLISH, Act.PUBLISH, Act.REWORD, Act.REWORD]
