"""The clocks of tickets: from a T0 that nobody can change, by a history that nobody can change (AT-A.1 to AT-A.5)."""

import datetime as dt
import io
import threading

import pytest
from PIL import Image
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from consult.actor import Role
from consult.db import ALL_TENANTS, as_tenant
from consult.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from consult.seam import service_levels as levels
from consult.settings import Settings
from consult.tickets import jobs, policy, queries, service
from consult.tickets.models import EventKind, Kind, Side, Ticket, TicketClock, TicketEvent
from tests import factories as f
from tests.integration.tickets.world import REASON, World

BLOCKING, MAJOR, MINOR = levels.Severity
SECOND = dt.timedelta(seconds=1)


def rows(ticket):
    return {each.milestone: (each.deadline, each.reached_at) for each in ticket.clocks}


@pytest.mark.parametrize("severity", levels.Severity)
def test_at_a_1_the_five_deadlines_are_kept_from_the_instant_of_the_report(world, severity):
    ticket = world.report(severity)
    assert ticket.t0 == f.NOW
    wanted = levels.deadlines(f.NOW, levels.DELAYS[severity])
    assert {name: deadline for name, (deadline, _) in rows(ticket).items()} == wanted


def test_at_a_2_a_milestone_at_its_deadline_is_kept_and_one_second_later_is_not(world):
    on_time, late = world.report(), world.report()
    world.after(minutes=15)
    world.reach(on_time, "acknowledged")
    world.after(seconds=1)
    world.reach(late, "acknowledged")
    assert [world.clocks(each)[0].breached for each in (on_time, late)] == [False, True]
    assert world.clocks(late)[0].late == SECOND


def test_what_is_later_than_a_second_within_the_deadline_s_own_second_is_not_told_apart(world):
    """T0 and acts are known to the second: half a second is nobody's fault."""
    world.now = f.NOW.replace(microsecond=900_000)
    ticket = world.report()
    assert ticket.t0 == f.NOW
    world.now = f.NOW.replace(microsecond=400_000) + dt.timedelta(minutes=15)
    world.reach(ticket, "acknowledged")
    assert not world.clocks(ticket)[0].breached


def test_at_a_2_nobody_has_to_do_anything_for_a_delay_to_be_over(world):
    ticket = world.report()
    world.after(minutes=15, seconds=1)
    late = queries.listed(world.session, kind="", state="late", severity="", now=world.now, page=1)
    assert [each.id for each in late.rows] == [ticket.id]
    assert [each.breached for each in world.clocks(ticket)] == [True, False, False, False, False]
    kept = queries.listed(world.session, kind="", state="late", severity="", now=world.now - SECOND, page=1)
    assert kept.rows == []


@pytest.mark.parametrize("role", ["admin", "ditp"])
def test_at_a_3_the_administration_changes_the_severity_and_t0_stays(world, role):
    ticket = world.report(MINOR)
    world.after(hours=3)
    world.set_severity(ticket, BLOCKING, actor=getattr(world, role))
    assert ticket.t0 == f.NOW
    assert rows(ticket)[levels.Milestone.ACKNOWLEDGED][0] == f.NOW + dt.timedelta(minutes=15)
    assert world.clocks(ticket)[0].late == dt.timedelta(hours=2, minutes=45)


def test_at_a_3_who_runs_the_platform_neither_sets_nor_changes_it(world):
    with pytest.raises(ForbiddenError):
        world.report(BLOCKING, actor=world.operator)
    ticket = world.report(None, actor=world.operator)
    assert (ticket.severity, ticket.clocks) == (None, [])
    with pytest.raises(ForbiddenError):
        world.set_severity(ticket, MINOR, actor=world.operator)
    world.after(hours=1)
    world.set_severity(ticket, BLOCKING)
    assert world.clocks(ticket)[0].late == dt.timedelta(minutes=45), "it ran since the report, not since the severity"


def test_the_administration_says_the_severity_of_what_it_reports(world):
    with pytest.raises(InvalidError) as refused:
        world.report(None)
    assert list(refused.value.fields) == ["severity"]


@pytest.mark.parametrize("change", ["t0", "number", "kind"])
def test_the_database_itself_refuses_another_t0(world, change):
    ticket = world.report()
    values = {"t0": f.NOW + SECOND, "number": 77, "kind": Kind.ACCESSIBILITY}
    world.session.flush()
    with pytest.raises(DBAPIError), world.session.begin_nested():
        world.session.execute(update(Ticket).where(Ticket.id == ticket.id).values({change: values[change]}))


@pytest.mark.parametrize("statement", [update(TicketEvent).values(at=f.NOW), delete(TicketEvent), delete(Ticket)])
def test_at_a_5_the_database_itself_refuses_to_change_the_history(world, statement):
    world.report()
    with pytest.raises(DBAPIError), world.session.begin_nested():
        world.session.execute(statement.execution_options(synchronize_session=False))


def test_the_last_milestone_closes_and_stands_for_those_before_it(world):
    ticket = world.report()
    world.after(hours=3)
    world.reach(ticket, "caught_up")
    assert ticket.closed_at == world.now
    assert {reached for _, reached in rows(ticket).values()} == {world.now}
    world.after(days=30)
    assert [each.breached for each in world.clocks(ticket)] == [True, False, False, False, False]
    with pytest.raises(ConflictError, match="clos"):
        world.reach(ticket, "resolved")


def test_a_milestone_is_reached_once_and_in_order(world):
    ticket = world.report()
    world.reach(ticket, "diagnosed")
    for milestone in ("acknowledged", "diagnosed"):
        with pytest.raises(ConflictError):
            world.reach(ticket, milestone)
    with pytest.raises(ForbiddenError):
        service.reach(world.session, ticket, levels.Milestone.RESOLVED, **world.acting(world.admin))


def test_a_refused_milestone_never_stopped_its_clock(world):
    ticket = world.report()
    world.after(hours=1)
    world.reach(ticket, "caught_up")
    world.after(hours=24)
    service.take_back(world.session, ticket, levels.Milestone.RESOLVED, REASON, **world.acting(world.admin))
    assert ticket.closed_at is None
    assert [each.reached is not None for each in world.clocks(ticket)] == [True, True, True, False, False]
    assert world.clocks(ticket)[3].late == dt.timedelta(hours=1)
    with pytest.raises(ForbiddenError):
        service.take_back(world.session, ticket, levels.Milestone.RESOLVED, REASON, **world.acting(world.operator))


def test_what_is_closed_without_being_done_stands_as_it_did_until_it_is_taken_up_again(world):
    ticket = world.report()
    world.after(hours=5)
    service.close(world.session, ticket, "Ce n’était pas une anomalie.", **world.acting(world.ditp))
    closed = [each.late for each in world.clocks(ticket)]
    world.after(days=10)
    assert [each.late for each in world.clocks(ticket)] == closed
    assert all(each.alert_at is None for each in ticket.clocks)
    service.reopen(world.session, ticket, "C’en était bien une, finalement.", **world.acting(world.ditp))
    assert world.clocks(ticket)[0].late == dt.timedelta(days=10, hours=5) - dt.timedelta(minutes=15)


def test_rows_are_what_the_history_comes_to(world):
    ticket = world.report(MINOR)
    world.after(hours=1)
    world.reach(ticket, "acknowledged")
    world.set_severity(ticket, MAJOR)
    service.explain(world.session, ticket, cause="Cache  plein", release="1.4.2", actor=world.operator, now=world.now)
    known = policy.state(ticket.events)
    assert (known.severity, known.cause, known.release) == (ticket.severity, ticket.cause, ticket.release)
    assert (ticket.severity, ticket.cause, ticket.release) == (MAJOR, "Cache plein", "1.4.2")
    assert {each.milestone: (each.deadline, each.reached) for each in world.clocks(ticket)} == rows(ticket)
    assert [event.number for event in ticket.events] == [1, 2, 3, 4]
    assert [event.kind for event in ticket.events] == [
        EventKind.OPENED, EventKind.REACHED, EventKind.SEVERITY, EventKind.EXPLAINED
    ]  # fmt: skip


def test_at_2_6_a_request_about_accessibility_is_owed_an_answer_in_seven_days(world):
    ticket = world.report(BLOCKING, kind=Kind.ACCESSIBILITY)
    assert ticket.severity is None
    assert rows(ticket) == {levels.Milestone.ANSWERED: (f.NOW + dt.timedelta(days=7), None)}
    world.after(days=7)
    world.reach(ticket, "answered")
    assert (ticket.closed_at, world.clocks(ticket)[0].breached) == (world.now, False)


# Mails --------------------------------------------------------------------------------------------------------------


def alerted(world):
    """Run the job as the worker does, for every organisation."""
    with as_tenant(world.session, ALL_TENANTS):
        before = {mail.id for mail in world.mails("tickets_alert")}
        for _ in jobs.AlertDelays(Settings(), now=lambda: world.now).run(world.session, {}, {}):
            pass
        return [mail.subject for mail in world.mails("tickets_alert") if mail.id not in before]


def test_at_a_4_each_share_is_told_once_at_its_second(world):
    ticket = world.report()
    told = {}
    for seconds in (449, 450, 451, 719, 720, 900, 901, 902):
        world.now = f.NOW + seconds * SECOND
        if subjects := alerted(world):
            told[seconds] = set(subjects)
    assert told == {
        450: {"50 % du délai écoulé : prise en compte, ticket n° 1"},
        720: {"80 % du délai écoulé : prise en compte, ticket n° 1"},
        901: {"Délai dépassé : prise en compte, ticket n° 1"},
    }
    assert world.told("tickets_alert") == ["administrator", "ditp", "operator", "operator", "operator"]
    history = [(each.detail["milestone"], each.detail["share"]) for each in ticket.events[1:]]
    assert history == [("acknowledged", 50), ("acknowledged", 80), ("acknowledged", 100)]


def test_a_worker_that_was_away_tells_the_last_share_of_each_delay(world):
    world.report()
    world.after(days=3)
    alerted(world)
    over = {mail.subject.removeprefix("Délai dépassé : ").split(",")[0] for mail in world.mails("tickets_alert")}
    assert over == {"prise en compte", "diagnostic", "contournement", "résolution", "rattrapage"}
    assert alerted(world) == []


def test_what_is_reached_is_told_no_more_and_a_new_severity_is_told_by_its_own_delays(world):
    ticket = world.report(MINOR)
    world.after(hours=3)
    assert len(alerted(world)) == 1
    world.set_severity(ticket, MAJOR)
    assert {subject.split(" :")[0] for subject in alerted(world)} == {"Délai dépassé"}
    world.reach(ticket, "caught_up")
    world.after(days=90)
    assert alerted(world) == []


def test_mails_say_what_happened_to_the_other_side_and_where_to_look(world):
    ticket = world.report()
    assert world.told() == ["operator"]
    world.reach(ticket, "acknowledged")
    assert world.told("tickets_changed") == ["administrator", "ditp"]
    mail = world.mails("tickets_changed")[0]
    assert mail.subject == "Ticket n° 1 : Étape atteinte : prise en compte"
    assert f"https://exemple.fr/gestion/tickets/{ticket.id}" in mail.text
    service.say(world.session, ticket, "Merci, où en êtes-vous ?", **world.acting(world.admin))
    assert world.told("tickets_changed") == ["administrator", "ditp", "operator"]


def test_whoever_runs_the_platform_has_the_administration_told_of_what_it_reports(world):
    world.report(None, actor=world.operator)
    assert world.told() == ["administrator", "ditp", "operator"]


# Files, threads, numbers, tenants -----------------------------------------------------------------------------------


def picture(size=(2_400, 1_200)):
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, "PNG")
    return out.getvalue()


def attach(world, ticket, name, raw):
    service.attach(world.session, ticket, name, raw, actor=world.admin, now=world.now)
    return queries.file(world.session, ticket.id, ticket.files[-1].id)


def test_a_picture_is_written_again_and_stays_readable(world):
    kept, content = attach(world, world.report(), "écran.png", picture())
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("WEBP", (1_600, 800))
    assert (kept.name, kept.media_type, kept.size) == ("écran.png", "image/webp", len(content))


def test_a_text_is_kept_as_it_is(world):
    kept, content = attach(world, world.report(), "../journal\n.log", "erreur 500\r\nà midi".encode())
    assert (kept.name, content.decode()) == ("../journal .log", "erreur 500\nà midi")


@pytest.mark.parametrize(
    "raw", [b"", b"%PDF-1.7\n\xff\xfe", b"a\0b", b"PK\x03\x04\xff", b"\xff" * 9_000_000, b"a" * 200_001]
)
def test_what_is_neither_is_refused_on_its_field(world, raw):
    ticket = world.report()
    with pytest.raises(InvalidError) as refused:
        attach(world, ticket, "fichier", raw)
    assert list(refused.value.fields) == ["file"]
    assert (ticket.files, len(ticket.events)) == ([], 1)


def test_numbers_follow_each_other_in_each_organisation(world):
    assert [world.report().number for _ in range(3)] == [1, 2, 3]
    other = World(world.session)
    assert other.report().number == 1


def test_two_reports_at_the_same_instant_have_two_numbers(database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        world = World(session)
    numbers, ready = [], threading.Barrier(2)

    def report():
        ready.wait()
        with database.transaction(tenant=world.organisation.id) as session:
            numbers.append(
                service.report(
                    session, kind=Kind.ANOMALY, severity=MINOR, title="Un lien rompu", body="La page rend une erreur.",
                    **world.acting(world.admin),
                ).number
            )  # fmt: skip

    threads = [threading.Thread(target=report) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [1, 2]


def test_another_organisation_sees_nothing(world):
    ticket = world.report()
    file_id = attach(world, ticket, "a.txt", b"un texte")[0].id
    other = World(world.session)
    with pytest.raises(NotFoundError):
        queries.one(other.session, ticket.id)
    with pytest.raises(NotFoundError):
        queries.file(other.session, ticket.id, file_id)
    found = queries.listed(other.session, kind="", state="", severity="", now=other.now, page=1)
    assert found.rows == []
    staff = [world.accounts[Role.DITP], other.accounts[Role.DITP], other.accounts[Role.ADMINISTRATOR]]
    written = queries.mailboxes(other.session, other.organisation.id, {Side.ADMINISTRATION})
    assert sorted(written) == sorted(each.email for each in staff)


def test_no_delay_that_is_over_waits_for_an_alert(world):
    """The job asks by index: what is told or reached has nothing more to say."""
    ticket = world.report()
    world.reach(ticket, "caught_up")
    assert world.session.scalars(select(TicketClock).where(TicketClock.alert_at.is_not(None))).all() == []
