"""A stranger verifies a bill: its articles are those that the rules froze, its votes are recounted."""

import pytest
from sqlalchemy import select

from consult.consultations.models import Step
from consult.contributions import service, votes
from consult.contributions.arguments import service as arguments
from consult.contributions.bill import service as bill
from consult.contributions.models import Proposal, Side, VoteValue
from consult.db import ALL_TENANTS, as_tenant
from consult.moderation.models import Act
from consult.opendata import feed
from consult.registry import conservation
from tests.integration.registry.scene import LATER, Scene, Seed
from tests.registers import tamper

REASON = "Chacun a le droit d’aller où il travaille."
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the verifier reads files alone


@pytest.fixture
def scene(database, tmp_path):
    """A bill of two articles, opened, on which people voted and argued, placed and signed."""
    scene = Scene(tmp_path, database)
    with database.transaction(tenant=ALL_TENANTS) as session:
        seed = Seed(session, scene, bill=True)
        step, texts = seed.bill, seed.articles
        for person, value in zip(seed.people, (VoteValue.FOR, VoteValue.FOR, VoteValue.AGAINST), strict=False):
            votes.cast_vote(session, texts[0], step=step, account_id=person.id, value=value, now=LATER)
        arguments.submit_argument(
            session, step=step, proposal=texts[1], account_id=seed.people[0].id, side=Side.AGAINST,
            body="Un prix unique serait plus juste.", submission_key="k", now=LATER,
        )  # fmt: skip
        play(seed)
    scene.place()
    return scene


def rewrite(seed, text, who, title, body):
    return bill.submit_version(
        seed.session, step=seed.bill, rewritten=text, account_id=seed.people[who].id, title=title, body=body,
        reason=REASON, sources=[{"url": "https://exemple.fr", "title": "Enquête"}], submission_key=title, now=LATER,
    )  # fmt: skip


def play(seed):
    """Versions, one of another, edited, voted, withdrawn and hidden."""
    session, (first_text, second_text) = seed.session, seed.articles
    first = rewrite(seed, first_text, 0, "Pour tous", "Les trajets en autocar sont gratuits pour tous.")
    second = rewrite(seed, first, 1, "Sans carte", "Les trajets en autocar sont gratuits sans carte.")
    gone = rewrite(seed, second_text, 2, "À retirer", "Rien n’est gratuit.")
    hidden = rewrite(seed, second_text, 2, "À masquer", "Tout est gratuit.")
    service.edit(
        session, first, step=seed.bill, account_id=first.author_id, title="Pour tous, partout", body=first.body,
        theme_id=None, reason=f"{REASON} Partout.", sources=[], version=1, now=LATER,
    )  # fmt: skip
    votes.cast_vote(session, second, step=seed.bill, account_id=seed.people[0].id, value=VoteValue.MIXED, now=LATER)
    service.withdraw(session, gone, account_id=gone.author_id, now=LATER)
    seed.decide(hidden, Act.HIDE, 0)


@pytest.mark.slow
def test_an_honest_bill_is_verified_and_nothing_is_missing(scene):
    code, frauds, said = scene.verify()
    assert (code, frauds) == (0, []), said
    with scene.database.session(write=False, tenant=ALL_TENANTS) as session:
        step = session.scalars(select(Step).where(Step.kind == "bill")).one()
        lines = {line.type: line for line in conservation.all_of(session)[step.consultation_id]}
        assert set(lines) == {"argument", "version", "vote"}  # articles are nobody's contributions
        version = lines["version"]
        assert (version.logged, version.published, version.hidden, version.withdrawn) == (4, 2, 1, 1)
        assert all(line.balanced for line in lines.values())


def test_a_changed_article_is_told(scene):
    tamper(scene.database, "UPDATE proposal SET body = 'Autre chose.' WHERE title LIKE '%Prix'")
    code, frauds, said = scene.verify()
    assert code == 1, said
    assert [fraud["fraud"] for fraud in frauds] == ["edit"]


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'Une autre raison, écrite après.'",
        """sources = '[{"url": "https://ailleurs.fr", "title": "Autre"}]'""",
        "body = 'Autre chose.'",
        "rewrites_id = (SELECT id FROM proposal WHERE kind = 'article' AND title LIKE '%Prix')",
    ],
)
def test_a_changed_version_is_told(scene, change):
    tamper(scene.database, f"UPDATE proposal SET {change} WHERE title = 'Sans carte'")
    code, frauds, said = scene.verify()
    assert code == 1, said
    assert [fraud["fraud"] for fraud in frauds] == ["edit"]


def test_a_removed_article_is_told(scene):
    tamper(scene.database, "DELETE FROM proposal WHERE title LIKE '%Prix'", "DELETE FROM argument")
    code, frauds, _ = scene.verify()
    assert code == 1
    assert "deletion" in {fraud["fraud"] for fraud in frauds}


def test_the_feed_of_changes_gives_the_articles_before_any_vote(scene):
    with scene.database.session(write=False, tenant=ALL_TENANTS) as session:
        text = session.scalars(select(Proposal).where(Proposal.kind == "article")).first()
        with as_tenant(session, text.organisation_id):
            page = feed.page(session, text.consultation_id, scene.bindings.public_datasets, after=-1, limit=2)
    told = {
        (change["dataset"], change["row"]["title"]) for change in page.changes if change["dataset"] == "contributions"
    }
    assert told == {("contributions", "Article 1er – Gratuité"), ("contributions", "Article 2 – Prix")}
    assert sum(change["dataset"] == "articles" for change in page.changes) == 3
