"""Followers are told of what happened, in one mail a day at most, whatever they follow."""

import datetime as dt

import pytest

from consult.clock import PARIS
from consult.coding.models import AnalysisRun, RunStatus
from consult.contributions import service as contributions
from consult.contributions.pending import publish_pending
from consult.followup import service as followup
from consult.followup.models import Stage, TargetType
from consult.moderation.models import Act, Decision
from consult.settings import Settings
from consult.subscriptions import jobs
from consult.subscriptions.models import Subscription
from tests import factories as f
from tests.integration.followup.world import SITE, World
from tests.plans import watched

SETTINGS = Settings(public_url=SITE)
TOMORROW = f.NOW + f.DAY


@pytest.fixture
def world(session):
    return World(session)


def follower(world, *targets, **values):
    account = f.make_account(world.session, world.organisation, **values)
    for target in targets:
        f.make_subscription(world.session, account, target)
    return account


def tell(world, now=TOMORROW, *, stop_after=None):
    """Run the task; gives the mails that it wrote, by recipient."""
    before = {mail.id for mail in world.mails()}
    for turn, _ in enumerate(jobs.TellFollowers(SETTINGS, now=lambda: now).run(world.session, {}, {}), 1):
        world.session.flush()
        if turn == stop_after:
            break
    new = [mail for mail in world.mails() if mail.template == "subscriptions_news" and mail.id not in before]
    assert len({mail.recipient for mail in new}) == len(new), "one mail each"
    return {mail.recipient: mail.text for mail in new}


def decide(world, item, act):
    world.session.add(
        Decision(
            organisation_id=world.organisation.id, consultation_id=world.consultation.id, item_type="proposal",
            item_id=item.id, number=1, act=act, ground="insult" if act is Act.HIDE else None,
            article=1 if act is Act.HIDE else None, message="Vu.", decided_at=f.NOW + dt.timedelta(minutes=1),
        )
    )  # fmt: skip


def test_all_that_happened_to_a_contribution_is_told_in_one_mail(world):
    edited = f.make_proposal(world.session, world.step, world.author, title="Un bus de nuit")
    account = follower(world, world.proposal, edited)
    world.now += dt.timedelta(minutes=5)
    answer = world.publish(world.answer())
    world.publish(world.commitment(links=[answer.id]))
    contributions.edit(
        world.session, edited, step=world.step, account_id=world.author.id, title="Un bus de nuit",
        body="Une ligne jusqu’à deux heures, tous les soirs.", theme_id=world.theme.id, version=1, now=world.now,
    )  # fmt: skip
    text = tell(world)[account.email]
    for words in (
        world.proposal.title, f"{SITE}/contributions/{world.proposal.id}", "Réponse officielle à une contribution",
        "à l’étude", f"{SITE}/reponses-officielles/{answer.id}", "Engagement\u00a0: Un train du soir (prévu)",
        "Un bus de nuit", "Texte modifié par son auteur", f"{SITE}/contributions/{edited.id}/versions",
        f"{SITE}/mon-compte/suivis", "Ne plus recevoir ces courriels",
    ):  # fmt: skip
        assert words in text
    assert tell(world) == {}, "what was told is not told again"
    assert tell(world, TOMORROW + f.DAY) == {}, "a day without news writes to nobody"


def test_all_that_happened_to_a_consultation_is_told(world):
    world.step.closes_at = f.NOW + dt.timedelta(hours=3)
    later = f.make_step(world.session, world.consultation, title="La synthèse", opens_at=f.NOW + dt.timedelta(hours=4))
    account = follower(world, world.consultation)
    world.now += dt.timedelta(minutes=5)
    commitment = world.publish(world.commitment())
    world.publish(world.answer(TargetType.CONSULTATION, world.consultation.id))
    _results(world)
    text = tell(world)[account.email]
    for words in (
        world.consultation.title, f"Étape terminée\u00a0: {world.step.title}", "Étape ouverte\u00a0: La synthèse",
        f"{SITE}/consultations/{world.consultation.slug}/{later.slug}", "Engagement\u00a0: Un train du soir",
        "Réponse officielle à toute la consultation", "Résultats publiés",
    ):  # fmt: skip
        assert words in text
    world.now = TOMORROW + dt.timedelta(hours=1)
    _step_up(world, commitment)
    text = tell(world, TOMORROW + f.DAY)[account.email]
    assert "Engagement, texte mis à jour\u00a0: Un train du soir (en cours)" in text
    assert "Étape" not in text


def _results(world):
    world.session.add(
        AnalysisRun(
            organisation_id=world.organisation.id, consultation_id=world.consultation.id, seed=1,
            status=RunStatus.DONE, requested_at=f.NOW, finished_at=f.NOW, published_at=world.now,
        )
    )  # fmt: skip


def _step_up(world, commitment):
    followup.follow_up(
        world.session, commitment, stage=Stage.IN_PROGRESS, body="Les travaux ont commencé en gare.",
        seen=commitment.edits, actor=world.actor, now=world.now,
    )  # fmt: skip


def test_a_new_version_of_an_article_is_told_to_who_follows_it(world):
    bill = f.make_step(world.session, world.consultation, kind="bill")
    article = f.text_of_article(world.session, f.make_part(world.session, bill, body="Les trajets sont gratuits."))
    account = follower(world, article)
    version = f.make_version(world.session, article, world.author, created_at=f.NOW + dt.timedelta(minutes=1))
    again = f.make_version(world.session, version, world.author, created_at=f.NOW + dt.timedelta(minutes=2))
    hidden = f.make_version(
        world.session, article, world.author, created_at=f.NOW + dt.timedelta(minutes=3), title="Un texte masqué",
        status="hidden", status_reason="insult",
    )  # fmt: skip
    text = tell(world)[account.email]
    for each in (version, again):
        assert f"Nouvelle version proposée\u00a0: {each.title}\n  {SITE}/contributions/{each.id}" in text
    assert hidden.title not in text


def test_a_version_is_told_from_when_the_address_of_its_author_is_confirmed(world):
    bill = f.make_step(world.session, world.consultation, kind="bill")
    article = f.text_of_article(world.session, f.make_part(world.session, bill, body="Les trajets sont gratuits."))
    account = follower(world, article)
    newcomer = f.make_account(world.session, world.organisation, confirmed_at=None)
    version = f.make_version(
        world.session, article, newcomer, status="pending", created_at=f.NOW + dt.timedelta(minutes=1)
    )
    assert tell(world) == {}
    published = TOMORROW + dt.timedelta(hours=1)
    newcomer.confirmed_at = published
    assert publish_pending(world.session, newcomer.id, published) == 1
    for day, count in ((TOMORROW + dt.timedelta(minutes=5), 0), (TOMORROW + f.DAY, 1), (TOMORROW + 2 * f.DAY, 0)):
        assert tell(world, day).get(account.email, "").count(f"proposée\u00a0: {version.title}") == count


def test_what_was_hidden_or_withdrawn_is_told_without_its_title(world):
    withdrawn = f.make_proposal(world.session, world.step, world.author, title="Une idée reprise")
    account = follower(world, world.proposal, withdrawn)
    contributions.withdraw(world.session, withdrawn, account_id=world.author.id, now=f.NOW + dt.timedelta(minutes=1))
    contributions.hide(world.session, world.proposal, "insult", f.NOW + dt.timedelta(minutes=1))
    decide(world, world.proposal, Act.HIDE)
    text = tell(world)[account.email]
    assert "Contribution masquée par la modération" in text
    assert "Contribution retirée par son auteur" in text
    assert world.proposal.title not in text
    assert "Une idée reprise" not in text
    assert "Une contribution que vous suivez" in text


def test_what_was_taken_back_is_not_said_again(world):
    account = follower(world, world.consultation)
    world.now += dt.timedelta(minutes=5)
    commitment = world.publish(world.commitment(title="Un engagement imprudent"))
    world.withdraw(commitment)
    text = tell(world)[account.email]
    assert "Engagement\u00a0: texte retiré" in text
    assert "imprudent" not in text


def test_an_answer_to_a_followed_contribution_is_told_once(world):
    account = follower(world, world.consultation, world.proposal)
    world.now += dt.timedelta(minutes=5)
    world.publish(world.answer())
    assert tell(world)[account.email].count("Réponse officielle") == 1


def test_what_happened_before_one_followed_is_not_told(world):
    world.publish(world.commitment())
    late = f.make_account(world.session, world.organisation)
    f.make_subscription(world.session, late, world.consultation, now=f.NOW + dt.timedelta(minutes=1))
    assert tell(world) == {}


def test_the_mail_waits_for_nine_in_the_morning(world):
    account = follower(world, world.consultation)
    world.now += dt.timedelta(minutes=5)
    world.publish(world.commitment())
    assert tell(world, dt.datetime(2026, 3, 3, 8, 59, tzinfo=PARIS)) == {}
    assert list(tell(world, dt.datetime(2026, 3, 3, 9, 0, 1, tzinfo=PARIS))) == [account.email]


def test_a_pause_of_the_worker_loses_nothing(world):
    account = follower(world, world.consultation)
    world.now += dt.timedelta(minutes=5)
    world.publish(world.commitment())
    assert "Un train du soir" in tell(world, f.NOW + 5 * f.DAY)[account.email]


@pytest.mark.parametrize("limit", [{"confirmed_at": None}, {"set_aside_at": f.NOW}, {"status": "blocked"}])
def test_who_may_not_be_written_to_is_told_nothing_and_waits_for_nothing(world, limit):
    follower(world, world.consultation, **limit)
    world.now += dt.timedelta(minutes=5)
    world.publish(world.commitment())
    assert tell(world) == {}
    assert {each.told_until for each in world.session.query(Subscription)} == {dt.datetime(2026, 3, 3, 9, tzinfo=PARIS)}


def test_a_crash_half_way_writes_to_nobody_twice(world, monkeypatch):
    monkeypatch.setattr(jobs, "CHUNK", 2)
    people = {follower(world, world.consultation, world.proposal).email for _ in range(5)}
    world.now += dt.timedelta(minutes=5)
    world.publish(world.commitment())
    first = tell(world, stop_after=1)
    assert 1 <= len(first) <= 2
    rest = tell(world)
    assert first.keys() | rest.keys() == people
    assert not first.keys() & rest.keys()


def test_another_organisation_is_told_of_its_own_alone(session):
    """AT-4.3: one run of the task serves them all, each in its name."""
    here, there = World(session), None
    session.info["tenant"] = "all tenants"
    there = World(session)
    session.info["tenant"] = "all tenants"
    told = {}
    for world in (here, there):
        told[world] = follower(world, world.consultation)
        world.now += dt.timedelta(minutes=5)
        world.publish(world.commitment(title=f"Un engagement de {world.organisation.slug}"))
    texts = tell(here)
    for world, other in ((here, there), (there, here)):
        text = texts[told[world].email]
        assert world.organisation.name in text
        assert f"Un engagement de {world.organisation.slug}" in text
        assert f"Un engagement de {other.organisation.slug}" not in text


def test_a_day_with_much_news_is_told_in_a_short_mail(world):
    account = follower(world, world.consultation)
    world.now += dt.timedelta(minutes=5)
    for n in range(jobs.NAMED + 2):
        world.publish(world.commitment(title=f"Engagement numéro {n}"))
    text = tell(world)[account.email]
    assert text.count("numéro") == jobs.NAMED
    assert "Et d’autres nouvelles, sur la page." in text


def test_the_number_of_queries_does_not_follow_the_number_of_followers(world, database):
    for _ in range(3):
        follower(world, world.consultation, world.proposal, told_of_followed=False)
    with watched(database) as few:
        assert tell(world) == {}
    for _ in range(20):
        follower(world, world.consultation, world.proposal, told_of_followed=False)
    with watched(database) as many:
        assert tell(world, TOMORROW + f.DAY) == {}
    assert len(many) <= len(few) + 2
