"""What a granted limitation or objection stops, until it is lifted (AT-6.3)."""

import shutil
import threading

import pytest
from sqlalchemy import select, text

from consult.actor import Actor, Role
from consult.app import PERSONAL_DATA
from consult.app import bindings as bound
from consult.consultations.models import ContentStatus
from consult.contributions.models import Argument, Proposal
from consult.db import ALL_TENANTS
from consult.errors import ConflictError, InvalidError
from consult.moderation.models import Act
from consult.opendata.raw import queries as raw
from consult.privacy import retention
from consult.privacy import service as privacy
from consult.privacy.jobs import Forget
from consult.privacy.rights import policy, service
from consult.privacy.rights.models import Outcome, Right, RightsRequest
from consult.questionnaires.models import Reply
from consult.registry import conservation
from consult.registry.models import EntryKind, RegistryEntry
from consult.settings import Settings
from tests import factories as f
from tests.integration.privacy.requests import (
    DAY,
    SITE,
    WHY,
    WORDS,
    agent,
    answer,
    ask,
    lift,
    link_in,
    mails,
    one,
    write_in,
)
from tests.integration.privacy.town import EMAIL, WRITTEN, Town
from tests.integration.registry.scene import LATER, Scene, Seed
from tests.registers import settle


def states(town) -> dict[str, ContentStatus]:
    named = {"mine": town.mine, "argument": town.argument, "hidden": town.hidden, "theirs": town.theirs}
    for each in (*named.values(), town.replied):
        town.session.refresh(each)
    return {name: each.status for name, each in named.items()} | {"reply": town.replied.status}


def census(town):
    settle(town.session)
    return {(line.type, line.origin): line for line in conservation.all_of(town.session)[town.consultation.id]}


@pytest.mark.parametrize("right", sorted(policy.SETS_ASIDE))
def test_a_granted_limitation_or_objection_sets_the_texts_aside_until_lifted(town, right):
    """AT-6.3, AT-20.1: kept, shown nowhere, in the log; only what was set aside comes back."""
    before, whole = states(town), census(town)
    request = answer(town, ask(town, right))
    published, hidden = ContentStatus.PUBLISHED, ContentStatus.HIDDEN
    assert states(town) == dict.fromkeys(("mine", "argument", "hidden", "reply"), hidden) | {"theirs": published}
    assert town.mine.body
    assert all(line.balanced for line in census(town).values())
    told = shown(town)
    assert [word for word in WRITTEN.values() if word in told] == []
    assert town.mine.status_reason == right.value
    entries = town.session.scalars(select(RegistryEntry).where(RegistryEntry.kind == EntryKind.MODERATION)).all()
    aside = {entry.opening["item"]: entry.opening for entry in entries if entry.opening["ground"] == right.value}
    assert set(aside) == {str(each.id) for each in (town.mine, town.argument, town.replied)}
    withheld = select(RegistryEntry.ref).where(RegistryEntry.withheld)
    assert {ref for each in aside.values() for ref in each["entries"]} <= set(town.session.scalars(withheld))
    lift(town, request, Actor(town.person.id, town.person.pseudonym))
    assert states(town) == before
    assert census(town) == whole
    assert WRITTEN["edited"] in shown(town)
    with pytest.raises(ConflictError, match="rien à lever"):
        lift(town, request, Actor(town.person.id, town.person.pseudonym))


def shown(town) -> str:
    """All that open data and the administration's raw data give."""
    session = town.session
    session.flush()
    told = [
        str(row)
        for name, dataset in bound(Settings()).public_datasets.items()
        if name != "moderation"
        for row in dataset.rows(session, town.consultation.id)
    ]
    for name in ("proposal", "argument", "reply", "answer", "content_version"):
        told += [str(row) for _, row in raw.rows(session, raw.tables()[name], town.organisation.id)]
    moderated = (WRITTEN["hidden"], WRITTEN["withdrawn"], WRITTEN["pending"])  # their rows are the administration's
    return "\n".join(line for line in told if not any(word in line for word in moderated))


def test_two_measures_are_both_lifted_before_texts_come_back(town):
    limited, objected = answer(town, ask(town)), answer(town, ask(town, Right.OBJECTION))
    person = Actor(town.person.id, town.person.pseudonym)
    lift(town, limited, person)
    assert states(town)["mine"] is ContentStatus.HIDDEN
    lift(town, objected, person)
    assert states(town)["mine"] is ContentStatus.PUBLISHED
    assert town.person.set_aside_at is None


def test_moderation_publishes_nothing_of_who_is_set_aside(town):
    request = answer(town, ask(town))
    another = f.make_account(town.session, town.organisation, Role.MODERATOR)
    for item, seen in ((town.hidden, 1), (town.mine, 0)):
        with pytest.raises(ConflictError, match="L’état de ce contenu"):
            town.decide(another, item, Act.RESTORE, "Le contenu peut être rétabli.", seen=seen)
    lift(town, request, Actor(town.person.id, town.person.pseudonym))
    town.decide(another, town.hidden, Act.RESTORE, "Le contenu peut être rétabli.", seen=1)
    assert town.hidden.status is ContentStatus.PUBLISHED


def test_moderation_restores_what_a_limited_author_wrote_since(town):
    """The measure is about what was written before it: a later text is moderated as any other."""
    answer(town, ask(town))
    later = f.make_proposal(town.session, town.step, town.person, title="Plus tard", created_at=f.NOW + 2 * DAY)
    another, second = (f.make_account(town.session, town.organisation, Role.MODERATOR) for _ in range(2))
    town.decide(another, later, Act.HIDE, "Ce contenu enfreint la charte du site.")
    town.decide(second, later, Act.RESTORE, "Le contenu peut être rétabli.", seen=1)
    assert later.status is ContentStatus.PUBLISHED


def test_a_second_measure_covers_what_was_written_between_the_two(town):
    answer(town, ask(town))
    between = f.make_proposal(town.session, town.step, town.person, title="Entre", created_at=f.NOW + 2 * DAY)
    another = f.make_account(town.session, town.organisation, Role.MODERATOR)
    town.decide(another, between, Act.HIDE, "Ce contenu enfreint la charte du site.")
    answer(town, ask(town, Right.OBJECTION), now=f.NOW + 3 * DAY)
    with pytest.raises(ConflictError, match="L’état de ce contenu"):
        town.decide(another, between, Act.RESTORE, "Le contenu peut être rétabli.", seen=1)


def test_a_limitation_granted_at_the_same_instant_is_seen_by_moderation(database):
    """The moderator waits for the grant that is under way, then is refused."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        town = Town(session)
        town.live()
        request = ask(town)
        another = f.make_account(session, town.organisation, Role.MODERATOR)
    granted, outcomes = threading.Event(), []

    def restore():
        granted.wait(10)
        try:
            with database.transaction(tenant=town.organisation.id) as session:
                town.session = session
                town.decide(another, town.hidden, Act.RESTORE, "Le contenu peut être rétabli.", seen=1)
                outcomes.append("restored")
        except ConflictError as refusal:
            outcomes.append(refusal.message)

    thread = threading.Thread(target=restore)
    with database.transaction(tenant=town.organisation.id) as session:
        town.session = session
        answer(town, request)
        session.flush()
        thread.start()
        granted.set()
        thread.join(0.5)
        assert outcomes == [], "it waits"
    thread.join(30)
    assert outcomes == ["L’état de ce contenu a changé. Rechargez la page pour voir ce qui peut être décidé."]


def test_the_administration_lifts_with_words_for_the_person(town):
    """AT-6.3: article 18.3 of the GDPR."""
    request = answer(town, ask(town))
    with pytest.raises(InvalidError):
        lift(town, request, agent(town))
    lift(town, request, agent(town), words="La vérification est terminée.")
    assert "La vérification est terminée." in one(town, "rights_lifted")


def test_a_rectification_that_is_granted_hides_nothing(town):
    before = states(town)
    answer(town, ask(town, Right.RECTIFICATION))
    assert states(town) == before


def test_erasing_the_account_erases_what_was_set_aside_and_its_requests(town, bindings):
    """AT-6.2."""
    answer(town, ask(town))
    write_in(town, EMAIL)
    token = link_in(next(mail for mail in mails(town) if mail.template == "rights_confirm"))
    service.confirm(town.session, town.organisation, token, site=SITE, now=f.NOW)
    tables = privacy.export_account(town.session, bindings, town.person.id, f.NOW)["tables"]
    assert [row["statement"] for row in tables["rights_request"]["rows"]] == [WHY, WHY]
    privacy.erase_account(town.session, bindings, town.person, now=f.NOW + 3 * DAY)
    assert town.session.scalars(select(RightsRequest.id)).all() == []
    for model in (Proposal, Argument, Reply):
        owner = model.account_id if model is Reply else model.author_id
        assert town.session.scalars(select(model.id).where(owner == town.person.id)).all() == []
    assert all(line.balanced for line in census(town).values())
    assert town.mine.body == ""


def test_requests_are_forgotten_in_their_time(town):
    """AT-6.5: an unconfirmed one after two days, an answered one after a year, one in force not before it is lifted."""
    write_in(town, "inconnue@exemple.fr")
    refused = answer(town, ask(town, Right.OBJECTION), Outcome.REFUSED)
    limited = answer(town, ask(town))

    def left(now) -> set[Right]:
        for _ in Forget(Settings(), PERSONAL_DATA, now=lambda: now).run(town.session, {}, {}):
            town.session.flush()
        town.session.expire_all()
        return set(town.session.scalars(select(RightsRequest.right)))

    town.session.execute(text("UPDATE account SET seen_on = '2036-01-01'"))  # nobody sleeps
    assert left(f.NOW + policy.LINK_LIFE - DAY) == {Right.ERASURE, Right.OBJECTION, Right.LIMITATION}
    assert left(f.NOW + policy.LINK_LIFE + DAY) == {Right.OBJECTION, Right.LIMITATION}
    assert left(refused.answered_at + retention.YEAR - DAY) == {Right.OBJECTION, Right.LIMITATION}
    lifted = refused.answered_at + retention.YEAR + DAY
    assert left(lifted) == {Right.LIMITATION}
    lift(town, limited, Actor(town.person.id, town.person.pseudonym), now=lifted)
    assert left(lifted + retention.YEAR - DAY) == {Right.LIMITATION}
    assert left(lifted + retention.YEAR + DAY) == set()


@pytest.mark.slow
def test_the_verifier_finds_no_fraud_in_what_is_set_aside_and_shown_again(tmp_path, request):
    """AT-20.2."""
    shutil.copy(request.getfixturevalue("_sqlite_template"), tmp_path / "consult.db")
    scene = Scene(tmp_path)
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        seed = Seed(session, scene)
        seed.live()
        seed.organisation.dpo_email = "dpd@exemple.fr"
        shared = (session, seed.organisation, seed.bindings.content_types)
        for person, lifted in ((seed.people[0], False), (seed.people[1], True)):
            asked = service.ask(session, seed.organisation, person.id, Right.LIMITATION, WHY, site=SITE, now=LATER)
            service.answer(*shared, asked.id, Outcome.GRANTED, WORDS, actor=Actor(), site=SITE, now=LATER)
            if lifted:
                service.lift(*shared, asked.id, actor=Actor(person.id), site=SITE, now=LATER)
    scene.place()
    code, frauds, said = scene.verify()
    assert (code, frauds) == (0, []), said
    scene.database.dispose()
