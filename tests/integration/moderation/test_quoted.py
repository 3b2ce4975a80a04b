"""The mail of a decision quotes the person's own text, and nobody else's; what is told of it in public is true."""

import dataclasses

import pytest
from sqlalchemy import select

from consult.accounts.models import AccountStatus
from consult.consultations.models import Step
from consult.mail.models import OutgoingMail
from consult.moderation import figures, letters, policy, queries
from consult.moderation.bindings import ModerationDataset
from consult.moderation.models import Act
from consult.registry.models import RegistryEntry
from tests.factories import make_account, make_proposal
from tests.integration.moderation.test_decisions import CONTENTS, LINKS, WORDS, World

OWN = {
    "proposal": "Mon texte sur deux lignes,\npour le vélo.",
    "argument": "Mon argument, tel que je l’ai écrit.",
    "reply": "Un texte rude.",
}


@pytest.fixture
def world(session):
    world = World(session)
    for kind in ("proposal", "argument"):
        world.items[kind].body = OWN[kind]
    return world


def mails(world):
    return {mail.template: mail.text for mail in world.session.scalars(select(OutgoingMail))}


def test_the_author_is_told_facts_ground_machine_and_recourse(world, now):
    """AT-U2.2."""
    world.decide(now, Act.HIDE)
    mail = world.session.scalars(select(OutgoingMail)).one()
    assert mail.recipient == world.author.email
    for words in (
        "2 mars 2026 à 10\u00a0h\u00a041",
        world.items["proposal"].title,
        "Injure, menace ou attaque personnelle (article 3",
        WORDS,
        "Aucune machine",
        "https://exemple.fr/c/",
        "https://exemple.fr/charte",
    ):
        assert words in mail.text


def test_nobody_writes_to_an_erased_author(world, now):
    world.author.status, world.author.email, world.author.email_key = AccountStatus.ERASED, None, None
    world.decide(now, Act.HIDE)
    assert world.count(OutgoingMail) == 0


@pytest.mark.parametrize("kind", CONTENTS)
def test_each_mail_quotes_the_text_that_was_decided_on(world, now, kind):
    """AT-U2.2: the author knows which of their texts is meant."""
    world.decide(now, Act.HIDE, kind=kind)
    world.decide(now, Act.RESTORE, kind=kind, seen=1, actor=world.actor(1))
    assert set(mails(world)) == {"moderation_hidden", "moderation_restored"}
    for text in mails(world).values():
        assert "Votre texte\u00a0:\n> " in text
        for line in OWN[kind].splitlines():
            assert f"> {line}\n" in text


def test_an_argument_under_a_hidden_proposal_is_quoted_without_the_proposal(world, now):
    other = make_account(world.session, world.organisation)
    world.items["proposal"].author_id = other.id
    world.items["proposal"].title = "Titre que plus personne ne lit"
    world.decide(now, Act.HIDE, kind="proposal")
    world.session.expire_all()
    world.decide(now, Act.HIDE, kind="argument")
    (text,) = (
        mail.text for mail in world.session.scalars(select(OutgoingMail)) if mail.recipient == world.author.email
    )
    assert "une proposition qui n’est plus publiée" in text
    assert f"> {OWN['argument']}\n" in text
    assert "Titre que plus personne ne lit" not in text
    assert "vélo" not in text


@pytest.mark.parametrize(
    ("reporter", "said", "by_machine"),
    [(policy.MACHINE, False, True), ("somebody", False, False), ("somebody", True, True), (policy.MACHINE, True, True)],
)
def test_the_author_is_told_whether_a_machine_took_part(world, now, reporter, said, by_machine):
    """AT-U2.2: a machine reported it, or the moderator says that it served; mail, public row and log say the same."""
    world.report(now, reporter=reporter)
    decided = world.decide(now, Act.HIDE, machine=said)
    text = next(iter(mails(world).values()))
    assert decided.automated is by_machine
    logged = world.session.scalars(select(RegistryEntry).where(RegistryEntry.ref == decided.registry_ref)).one()
    assert logged.opening["automated"] is by_machine
    rows = ModerationDataset().rows(world.session, world.consultation.id)
    assert [row["automated"] for row in rows] == [by_machine]
    assert figures.statistics(world.session).automated == by_machine
    assert ("Une machine avait signalé ce texte" in text) is by_machine
    assert ("Aucune machine n’a pris part" in text) is not by_machine


def test_a_quotation_is_bounded_and_keeps_its_lines(world, now):
    item = CONTENTS["proposal"].items(world.session, [world.items["proposal"].id])[world.items["proposal"].id]
    item = dataclasses.replace(item, body="a" * 50_000)
    preview = letters.preview(item, (Act.HIDE, "insult", WORDS), world.organisation, LINKS, now, automated=False)
    assert f"> {'a' * policy.QUOTE_LENGTH}\u00a0[…]\n" in preview
    assert "a" * (policy.QUOTE_LENGTH + 1) not in preview
    assert policy.quote("un\n\n  deux\r\ntrois  ") == "> un\n>\n> deux\n> trois"
    assert policy.quote(" \n") == ""
    empty = dataclasses.replace(item, body="")
    preview = letters.preview(empty, (Act.HIDE, "insult", WORDS), world.organisation, LINKS, now, automated=False)
    assert "Votre texte" not in preview


def test_the_author_was_told_only_when_a_mail_is_queued(world, now):
    world.decide(now, Act.HIDE, kind="argument")
    assert queries.author_was_told(world.session, "argument", world.items["argument"].id)
    world.decide(now, Act.RESTORE, kind="argument", seen=1, actor=world.actor(1))
    assert not queries.author_was_told(world.session, "argument", world.items["argument"].id)

    step = world.session.get_one(Step, world.items["proposal"].step_id)
    mute = make_account(world.session, world.organisation)
    mute.email = None
    blocked = make_account(world.session, world.organisation, status=AccountStatus.BLOCKED)
    before = len(world.session.scalars(select(OutgoingMail)).all())
    for author in (mute, blocked, None):
        world.items["proposal"] = make_proposal(world.session, step, author)
        decision = world.decide(now, Act.HIDE)
        assert decision.contest_digest is None
        assert not queries.author_was_told(world.session, "proposal", world.items["proposal"].id)
    assert len(world.session.scalars(select(OutgoingMail)).all()) == before
