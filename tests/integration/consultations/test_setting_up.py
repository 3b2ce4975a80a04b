"""From a draft to a closed consultation: rules frozen, logged and journalled."""

import datetime as dt
import hashlib

import pytest
import rfc8785
from sqlalchemy import select

from consult.actor import Actor, Role
from consult.audit.models import AuditEntry
from consult.consultations import service
from consult.consultations.bindings import PresentationStep
from consult.consultations.datasets import ConsultationDataset, StepsDataset
from consult.consultations.models import ConsultationStatus
from consult.contributions.bindings import ProposalsStep
from consult.contributions.manage.service import add_theme
from consult.contributions.models import StepSecret
from consult.errors import ConflictError, InvalidError
from consult.organisations.policy import LEGAL_NOTICE
from consult.registry.models import EntryKind, RegistryEntry
from tests import factories

NOW = factories.NOW
DAY = dt.timedelta(days=1)
KINDS = {"proposals": ProposalsStep(page=None), "presentation": PresentationStep(page=None)}
ORGANISER = Actor(pseudonym="organisatrice", roles=frozenset({Role.ORGANISER}))


@pytest.fixture
def organisation(session):
    return factories.make_organisation(session, **dict.fromkeys(LEGAL_NOTICE, "donné"))


def draft(session, organisation, title="Nos trajets", **values):
    dates = {"opens_at": NOW, "closes_at": NOW + 10 * DAY} | values
    return service.create_consultation(
        session, organisation_id=organisation.id, actor=ORGANISER, title=title, now=NOW, **dates
    )


def add_step(session, consultation, title="Vos idées", kind="proposals", **values):
    dates = {"opens_at": NOW, "closes_at": NOW + 5 * DAY} | values
    return service.add_step(session, consultation, actor=ORGANISER, kind=KINDS[kind], title=title, now=NOW, **dates)


def open_(session, consultation, organisation, now=NOW):
    service.open_consultation(
        session, consultation, organisation=organisation, actor=ORGANISER, step_kinds=KINDS, now=now
    )


def log(session):
    return session.scalars(select(RegistryEntry).order_by(RegistryEntry.id)).all()


def test_opening_freezes_the_rules_and_logs_them_before_the_opening(session, organisation):  # AT-20.4
    consultation = draft(session, organisation)
    step = add_step(session, consultation)
    add_theme(session, step, title="Le train")
    open_(session, consultation, organisation)
    rules, opened = log(session)
    assert [rules.kind, opened.kind] == [EntryKind.RULES, EntryKind.OPENED]
    digest = hashlib.sha256(rfc8785.dumps(rules.opening["rules"])).hexdigest()
    assert consultation.rules_digest == rules.opening["digest"] == digest
    frozen = rules.opening["rules"]["steps"][0]
    assert frozen["order_seed"] == step.order_seed
    assert [theme["title"] for theme in frozen["rules"]["themes"]] == ["Le train"]
    assert frozen["rules"]["votes"] == ["for", "mixed", "against"]
    with pytest.raises(InvalidError, match="figés"):
        add_theme(session, step, title="Le bus")
    with pytest.raises(InvalidError, match="figées"):
        add_step(session, consultation)
    with pytest.raises(InvalidError, match="figées"):
        service.remove_step(session, step, actor=ORGANISER, now=NOW)
    with pytest.raises(ConflictError):
        open_(session, consultation, organisation)


def test_nothing_opens_without_steps_in_the_past_or_without_legal_notice(session, organisation):  # AT-17.1
    consultation = draft(session, organisation)
    with pytest.raises(InvalidError, match="au moins une étape"):
        open_(session, consultation, organisation)
    add_step(session, consultation)
    with pytest.raises(InvalidError, match="passée"):
        open_(session, consultation, organisation, now=consultation.closes_at)
    organisation.dpo_email = " "
    with pytest.raises(InvalidError, match="délégué à la protection des données"):
        open_(session, consultation, organisation)
    assert consultation.status is ConsultationStatus.DRAFT
    assert log(session) == []


def test_after_opening_only_the_end_moves_and_only_later(session, organisation):
    consultation = draft(session, organisation)
    step = add_step(session, consultation)
    open_(session, consultation, organisation)
    before = consultation.rules_digest

    def update(opens_at, closes_at, now=NOW + DAY):
        service.update_consultation(
            session, consultation, actor=ORGANISER, title="Nos trajets", summary="", description="<b>Ici</b>",
            outcome="<script>x</script>", opens_at=opens_at, closes_at=closes_at, step_kinds=KINDS, now=now,
        )  # fmt: skip

    for opens_at, closes_at in ((NOW + DAY, NOW + 10 * DAY), (NOW, NOW + 9 * DAY)):
        with pytest.raises(InvalidError, match="reculée"):
            update(opens_at, closes_at)
    with pytest.raises(InvalidError, match="passée"):
        update(NOW, NOW + 30 * DAY, now=NOW + 10 * DAY)
    update(NOW, NOW + 20 * DAY)
    assert [entry.kind for entry in log(session)[2:]] == [EntryKind.CONTENT, EntryKind.RULES]
    assert consultation.rules_digest != before
    assert (consultation.description, consultation.outcome) == ("<b>Ici</b>", "")
    with pytest.raises(InvalidError, match="figées"):
        service.update_step(
            session, step, actor=ORGANISER, title="Vos idées", introduction="", opens_at=step.opens_at,
            closes_at=step.closes_at, settings={"title_max": 5}, step_kinds=KINDS, now=NOW,
        )  # fmt: skip


def test_closing_is_motivated_final_and_public(session, organisation):
    consultation = draft(session, organisation)
    add_step(session, consultation)
    open_(session, consultation, organisation)
    with pytest.raises(InvalidError):
        service.close_consultation(session, consultation, actor=ORGANISER, reason=" ", now=NOW)
    service.close_consultation(session, consultation, actor=ORGANISER, reason="Fin anticipée", now=NOW + DAY)
    with pytest.raises(ConflictError):
        service.close_consultation(session, consultation, actor=ORGANISER, reason="Encore", now=NOW)
    assert log(session)[-1].opening["reason"] == "Fin anticipée"
    assert (consultation.ends_at, consultation.steps[0].ends_at) == (NOW + DAY, NOW + DAY), "not as planned"
    actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["consultation.create", "step.add", "consultation.open", "consultation.close"]


def test_addresses_are_unique_and_never_reserved(session, organisation):
    assert [draft(session, organisation).slug for _ in range(3)] == ["nos-trajets", "nos-trajets-2", "nos-trajets-3"]
    assert draft(session, organisation, title="Nouvelle").slug == "nouvelle-2"
    elsewhere = factories.make_organisation(session)
    session.info["tenant"] = elsewhere.id
    assert draft(session, elsewhere).slug == "nos-trajets"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"closes_at": NOW}, "closes_at"),
        ({"summary": "x" * 501}, "summary"),
    ],
)
def test_bad_input_names_its_field(session, organisation, values, field):
    with pytest.raises(InvalidError) as refused:
        draft(session, organisation, **values)
    assert field in refused.value.fields


@pytest.mark.parametrize(
    ("values", "field"), [({"opens_at": NOW - DAY}, "opens_at"), ({"closes_at": NOW + 11 * DAY}, "closes_at")]
)
def test_a_step_stands_within_its_consultation(session, organisation, values, field):
    with pytest.raises(InvalidError) as refused:
        add_step(session, draft(session, organisation), **values)
    assert field in refused.value.fields


def test_steps_move_one_place_and_go_with_what_hangs_on_them(session, organisation):
    consultation = draft(session, organisation)
    first, second = add_step(session, consultation), add_step(session, consultation, kind="presentation")
    service.move_step(session, second, actor=ORGANISER, up=True, now=NOW)
    service.move_step(session, second, actor=ORGANISER, up=True, now=NOW)
    assert (second.position, first.position) == (1, 2)
    service.remove_step(session, first, actor=ORGANISER, now=NOW)
    session.expire_all()
    assert consultation.steps == [second]
    assert session.scalars(select(StepSecret)).all() == []


def test_open_data_say_nothing_of_a_draft(session, organisation):
    consultation = draft(session, organisation)
    step = add_step(session, consultation)
    datasets = ConsultationDataset(), StepsDataset()
    assert [list(each.rows(session, consultation.id)) for each in datasets] == [[], []]
    open_(session, consultation, organisation)
    whole, steps = (list(each.rows(session, consultation.id)) for each in datasets)
    assert [set(rows[0]) for rows in (whole, steps)] == [set(each.columns) for each in datasets]
    assert steps[0] | {"id": "", "slug": ""} == {
        "id": "", "slug": "", "kind": "proposals", "title": "Vos idées", "position": 1,
        "opens_at": "2026-03-02T09:41:27Z", "closes_at": "2026-03-07T09:41:27Z",
        "order_seed": step.order_seed,
    }  # fmt: skip
    assert list(StepsDataset().rows(session, consultation.id, after=str(step.id))) == []
