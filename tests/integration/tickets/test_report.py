"""The monthly report: counted by hand, equal to the clocks, the same bytes whenever it is made again (AT-A.5)."""

import datetime as dt
import io
import re

import docx
import openpyxl
import pytest
from pypdf import PdfReader

from consult.seam import service_levels as levels
from consult.tickets import service
from consult.tickets.models import Kind
from consult.tickets.report import content, figures, files
from consult.tickets.status.models import ServiceMonth
from tests.integration.tickets.world import REASON

BLOCKING, MAJOR, MINOR = levels.Severity
MARCH, APRIL = levels.month(2026, 3)  # of 743 hours; the world begins on the second day, at 9:41:27
WRITERS = (files.docx, files.xlsx, files.pdf)


@pytest.fixture
def month(world):
    """Three anomalies and a request: one kept, one late and closed, one still open, one to be answered in April."""
    kept = world.report(MINOR, title="Une faute d’accord")
    world.after(minutes=10)
    world.reach(kept, "caught_up")
    late = world.report(BLOCKING, title="Le vote $ <rompu> & lent")
    world.after(days=3)
    world.reach(late, "caught_up")
    for ticket in (kept, late):
        service.explain(
            world.session, ticket, cause="Cache plein", release="1.4.2", actor=world.operator, now=world.now
        )
    world.now = APRIL - dt.timedelta(hours=1)
    world.report(MAJOR, title="La carte ne s’affiche plus")
    world.report(None, kind=Kind.ACCESSIBILITY, title="Le clavier ne suffit pas")
    world.session.add(
        ServiceMonth(
            first_day=dt.date(2026, 3, 1), measured_from=MARCH, measured_to=APRIL, down_ms=3_600_000, up=True,
            outages={"count": 1, "last": [
                {"start": "2026-03-10T08:00:00Z", "end": "2026-03-10T09:00:00Z", "seen": True}]},
        )
    )  # fmt: skip
    world.session.flush()
    return world


def made(world, now=APRIL, **terms):
    name = "Agence des essais"
    return figures.compute(world.session, name, 2026, 3, figures.Terms(**terms), now=now)


def test_each_delay_counts_in_the_month_in_which_it_ends(month):
    """Counted by hand: 5 of the minor, all kept; 5 of the blocking, none; the major's acknowledgement, half an hour
    before the end, missed; nothing of the request, whose seven days end in April."""
    found = {(each.severity, each.milestone.value): (each.due, each.kept) for each in made(month).rates}
    contract = [each.value for each in levels.CONTRACT]
    # The delays of the minor one end on 2 March and later in the month, but for catching up: on 1 April.
    assert found == {
        **{(MINOR, name): (1, 1) for name in contract[:4]},
        **{(BLOCKING, name): (1, 0) for name in contract},
        (MAJOR, "acknowledged"): (1, 0),
    }


def test_lines_are_the_tickets_as_they_stood_at_the_end_of_the_month(month):
    before = made(month)
    assert [(line.number, line.known.closed_at is not None) for line in before.lines] == [
        (1, True), (2, True), (3, False), (4, False)
    ]  # fmt: skip
    assert before.lines[1].late == dt.timedelta(days=3) - dt.timedelta(minutes=15)
    assert before.lines[2].late == dt.timedelta(minutes=30)
    assert [(each.kind.value, each.opened, each.closed) for each in before.volumes] == [
        ("anomaly", 3, 2), ("accessibility", 1, 0), ("assistance", 0, 0)
    ]  # fmt: skip
    assert before.causes == [("Cache plein", 2)]
    assert before.releases == [("1.4.2", "n° 1, n° 2")]


def test_at_a_5_what_happens_afterwards_changes_no_byte_of_a_month_that_is_over(month):
    report = made(month, value=12_000, rate=1_000, drills=("12 mars, tout restauré.",))
    first = [write(report) for write in WRITERS]
    world = month
    world.now = APRIL + dt.timedelta(days=20)
    from_history = {ticket.number: ticket for ticket in figures._open_since(world.session, MARCH, APRIL)}
    world.reach(from_history[3], "caught_up")
    service.take_back(
        world.session, from_history[2], levels.Milestone.RESOLVED, REASON, **world.acting(world.admin)
    )  # fmt: skip
    world.report(BLOCKING)
    world.session.expire_all()
    again = made(world, now=world.now, value=12_000, rate=1_000, drills=("12 mars, tout restauré.",))
    assert [write(again) for write in WRITERS] == first


def test_a_month_that_is_not_over_says_when_it_was_stopped(month):
    report = made(month, now=APRIL - dt.timedelta(days=10))
    assert "Le mois n’est pas fini" in content.sections(report)[0].said[0]
    assert [line.number for line in report.lines] == [1, 2]


def test_penalties_are_worked_out_only_where_the_contract_gives_a_rate(month):
    assert made(month, value=12_000, rate=1_000).penalties == [(2, 2, 24.0)]
    assert made(month).penalties == [(2, 2, 0.0)]
    assert "aucun montant" in content.sections(made(month))[-1].said[0]


def test_an_empty_month_has_a_report_that_says_so(world):
    report = made(world)
    said = " ".join(line for section in content.sections(report) for line in section.said)
    assert "Aucune mesure de la sonde" in said
    assert "Aucun ticket dans le mois" in said
    assert all(write(report) for write in WRITERS)


def test_the_three_files_say_the_same(month):
    report = made(month, value=12_000, rate=1_000)
    parts = content.sections(report)
    text = "\n".join(each.text for each in docx.Document(io.BytesIO(files.docx(report))).paragraphs)
    book = openpyxl.load_workbook(io.BytesIO(files.xlsx(report)))
    pages = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(files.pdf(report))).pages)
    assert book.sheetnames == ["Sommaire", *(part.name for part in parts)]
    for part in parts:
        assert part.title in text
        assert part.title in pages
        assert book[part.name]["A1"].value == part.title
    assert "Le vote $ <rompu> & lent" in text
    assert "Le vote $ <rompu> & lent" in pages
    assert "99,865" in re.sub(r"\s", "", pages), "one hour of 743 is 0.1346 %"
    cells = [row for row in book["Tickets"].iter_rows(values_only=True) if row[0] == "N° 2"]
    assert [row[2] for row in cells] == [
        each.deadline.astimezone(levels.PARIS).replace(tzinfo=None) for each in report.lines[1].clocks
    ]
    assert [row[4] for row in cells] == [each.late for each in report.lines[1].clocks]


def test_the_hour_that_comes_twice_is_told_apart():
    first = dt.datetime(2026, 10, 25, 0, 59, tzinfo=dt.UTC)
    assert content.words(first).endswith("2\u00a0h\u00a059 (heure d’été)")
    assert content.words(first + dt.timedelta(hours=1)).endswith("2\u00a0h\u00a059 (heure d’hiver)")
    assert content.words(first + dt.timedelta(hours=2)).endswith("3\u00a0h\u00a059")


def test_no_page_ends_on_a_heading_and_no_line_is_lost(month):
    lines = list(files._lines(made(month))) * 9
    pages = list(files._pages(lines))
    assert [line for page in pages for line in page] == lines
    assert len(pages) > 3
    assert all(files._is_text(page[-1]) for page in pages[:-1])


@pytest.mark.audit
def test_libreoffice_opens_both_files_and_cuts_no_word(month, convert, tmp_path):
    report = made(month, value=12_000, rate=1_000)
    for extension, write in (("docx", files.docx), ("xlsx", files.xlsx)):
        path = tmp_path / f"rapport.{extension}"
        path.write_bytes(write(report))
        reader = PdfReader(convert(path, "pdf"))
        text = "\n".join(page.extract_text() for page in reader.pages)
        for word in ("Contournement", "Rattrapage", "Disponibilité"):
            assert word in text
        assert "###" not in text
