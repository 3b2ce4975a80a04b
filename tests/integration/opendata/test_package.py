"""What goes with the rows of a dump: the data package, the dictionary, and the dump of a whole organisation."""

import csv
import json

import frictionless
import pyarrow.parquet
import pytest
from python_calamine import load_workbook

from consult.app import bindings
from consult.consultations.models import Origin
from consult.contributions.models import Level
from consult.db import ALL_TENANTS
from consult.opendata.formats import Format
from consult.opendata.jobs import DumpMaker
from consult.opendata.labels import DATASETS
from consult.opendata.tables import tables
from consult.registry.models import EntryKind
from consult.registry.service import append
from tests import factories

# Many pages and processes: `make check` leaves it to `make test`.
pytestmark = [pytest.mark.slow, pytest.mark.sqlite_first]


@pytest.fixture
def filled(database):
    """Two consultations with everything in them, a draft, and another organisation's."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session, slug="agence")
        account = factories.make_account(session, organisation)
        first = None
        for number in range(2):
            consultation = factories.make_consultation(
                session, organisation, slug=f"essai-{number}", title=f"Essai {number}", summary=""
            )
            first = first or consultation
            step = factories.make_step(session, consultation)
            theme = factories.make_theme(session, step)
            proposal = factories.make_proposal(session, step, account, theme_id=theme.id, title="=1+1", body="a\nb | c")
            factories.make_proposal(session, step, origin=Origin.IMPORTED, imported_votes_for=3)
            factories.make_argument(session, proposal, account)
            bill = factories.make_step(session, consultation, kind="bill")
            factories.make_part(session, bill, parent=factories.make_part(session, bill, Level.TITLE))
            factories.make_vote(session, proposal, account)
            factories.make_ballot(session, proposal, account)
            factories.make_answer(session, proposal, body="=Oui\n\n« C’est décidé »")
            factories.make_commitment(session, consultation, due_on=factories.NOW.date())
            form = factories.make_step(session, consultation, kind="questionnaire")
            closed = factories.make_question(session, form, "multiple", ["Oui", "Non", "'Autre'"])
            opened = factories.make_question(session, form)
            given = {closed: [closed.options[0], closed.options[2]], opened: "Une réponse, « citée »"}
            factories.make_reply(session, form, account, given)
            append(
                session, organisation_id=organisation.id, consultation_id=consultation.id,
                kind=EntryKind.CONTENT, content={"n": number}, now=factories.NOW,
            )  # fmt: skip
        factories.make_consultation(session, organisation, slug="brouillon", status="draft", opened_at=None)
        other = factories.make_organisation(session, slug="autre")
        factories.make_consultation(session, other, slug="ailleurs")
        return organisation.id, first.id


def make(settings, folder, organisation_id, consultation_id, **options):
    maker = DumpMaker(settings, bindings(settings).public_datasets, **options)
    making = maker(organisation_id, consultation_id, folder)
    while True:
        try:
            next(making)
        except StopIteration as end:
            return end.value


def lines(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("whole", [False, True])
def test_the_data_package_is_valid_with_every_row_and_digest(database, settings, filled, tmp_path, whole):
    """AT-21.2."""
    make(settings, tmp_path / "dump", filled[0], None if whole else filled[1])
    report = frictionless.validate(str(tmp_path / "dump/datapackage.json"))
    assert report.valid, report.flatten(["rowNumber", "fieldName", "type", "message"])
    described = json.loads((tmp_path / "dump/datapackage.json").read_text(encoding="utf-8"))
    known = bindings(settings).public_datasets
    full = {name for name in known if lines(tmp_path / "dump", name)}
    assert full == {*known} - {"moderation", "totals"}, "nothing else is empty"
    assert {each["name"] for each in described["resources"]} == {*known, *(f"{name}-ndjson" for name in full)}
    read = {task.name for task in report.tasks if task.stats.get("rows")}
    assert read == {*full, *(f"{name}-ndjson" for name in full)}
    listed = tables(known, whole=whole)
    for each in described["resources"]:
        columns = [column.name for column in listed[each["name"].removesuffix("-ndjson")].columns]
        assert [field["name"] for field in each["schema"]["fields"]] == columns


@pytest.mark.parametrize("name", ["contributions.csv", "votes.ndjson"])
def test_the_data_package_tells_a_file_that_was_changed(database, settings, filled, tmp_path, name):
    """AT-21.2: and a link that leads nowhere, a value out of its list, a missing one."""
    make(settings, tmp_path / "dump", *filled)
    file = tmp_path / "dump" / name
    file.write_text(file.read_text(encoding="utf-8").replace("for", "fox", 1), encoding="utf-8")
    assert not frictionless.validate(str(tmp_path / "dump/datapackage.json")).valid


def test_every_column_is_in_the_dictionary_in_french(database, settings, filled, tmp_path):
    """AT-21.2: 100 % of the columns, in the file that people read, in the package and in the workbooks."""
    make(settings, tmp_path / "dump", *filled)
    text = (tmp_path / "dump/dictionnaire.md").read_text(encoding="utf-8")
    package = json.loads((tmp_path / "dump/datapackage.json").read_text(encoding="utf-8"))
    fields = {each["name"]: each["schema"]["fields"] for each in package["resources"]}
    sheet = load_workbook(str(tmp_path / "dump/essai-0.ods")).get_sheet_by_name("Dictionnaire").to_python()
    for name in bindings(settings).public_datasets:
        section = text.partition(f": `{name}`\n")[2].partition("\n## ")[0]
        meanings = {field["name"]: field["description"] for field in fields[name]}
        in_sheet = {column: meaning for table, column, _, meaning in sheet if table == name}
        for column in bindings(settings).public_datasets[name].columns:
            assert f"| `{column}` |" in section, f"{name}.{column} is missing from the dictionary"
            assert len(meanings[column]) > 3
            assert in_sheet[column]


def test_every_dataset_has_words_for_its_name_and_columns(settings):
    """AT-21.2: a column added without an entry, or without a type, is refused here."""
    known = bindings(settings).public_datasets
    for name, table in tables(known).items():
        assert DATASETS[name]
        assert [column.name for column in table.columns] == list(known[name].columns)
        for column in table.columns:
            assert column.description.strip(), f"{name}.{column.name} has no meaning"
            assert column.description[0].isupper()


def test_a_whole_organisation_is_dumped_with_the_consultation_of_each_row(database, settings, filled, tmp_path):
    """AT-20.10: in all formats, the rows of its consultations, and of no other."""
    organisation_id, first = filled
    made = make(settings, tmp_path / "all", organisation_id, None)
    make(settings, tmp_path / "one", organisation_id, first)
    manifest = json.loads((tmp_path / "all/manifest.json").read_text(encoding="utf-8"))
    assert (manifest["format"], manifest["consultation"]) == ("consult-dump-whole/1", "")
    assert {row["slug"] for row in lines(tmp_path / "all", "consultation")} == {"essai-0", "essai-1"}
    for name in bindings(settings).public_datasets:
        every = lines(tmp_path / "all", name)
        if name != "consultation":
            mine = [
                {key: row[key] for key in row if key != "consultation"}
                for row in every
                if row["consultation"] == str(first)
            ]
            assert mine == lines(tmp_path / "one", name)
            assert len(every) == 2 * len(mine)
        with (tmp_path / f"all/{name}.csv").open(encoding="utf-8", newline="") as stream:
            assert len(list(csv.reader(stream))) == len(every) + 1
        assert pyarrow.parquet.read_table(tmp_path / f"all/{name}.parquet").num_rows == len(every)
        for form in (Format.XLSX, Format.ODS):
            assert load_workbook(str(tmp_path / f"all/agence.{form}")).get_sheet_by_name(name).height == len(every) + 1
    assert made.removals == 0


def test_acts_without_a_position_are_named_in_the_manifest(database, settings, filled, tmp_path):
    """What the rows show beyond the position that the dump tells, so that anybody can count it."""
    made = make(settings, tmp_path / "dump", *filled, formats={Format.NDJSON})
    manifest = json.loads((tmp_path / "dump/manifest.json").read_text(encoding="utf-8"))
    assert made.position is None
    assert manifest["position"] is None
    assert len(manifest["pending"]) == 1
    assert {path.suffix for path in (tmp_path / "dump").iterdir()} == {".ndjson", ".json", ".md", ".zip"}
