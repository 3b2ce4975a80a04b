"""`consult import`, as an operator types it."""

import csv
import io

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from consult.console import Served
from consult.consultations.models import Consultation
from consult.contributions.models import Proposal
from consult.errors import ConflictError, InvalidError
from consult.imports.cli import import_
from consult.imports.models import ImportBatch
from consult.protocols import Bindings
from tests.integration.imports.conftest import STEP_KINDS

MAPPING = "format: consult-import/1\nconsultation: {title: Essai}\ntarget: proposals\ncolumns: {ref: id, body: texte}\n"


@pytest.fixture
def run(importing, settings):
    """Run the command; returns what it wrote and what it told."""
    told = []

    def serve(_slug):
        bindings = Bindings(step_kinds=STEP_KINDS)
        return Served(settings, importing.database, bindings, importing.organisation_id, told.append)

    def invoke(*arguments):
        told.clear()
        done = CliRunner().invoke(import_, [str(argument) for argument in arguments], obj=serve)
        if done.exception:
            raise done.exception
        return done.stdout, list(told)

    return invoke


@pytest.fixture
def table(importing):
    return importing.file("p.csv", "id,texte\n1,Des arbres\n2,\n3,Un banc\n")


@pytest.fixture
def mapping(importing):
    return importing.file("m.yaml", MAPPING)


def test_without_mapping_one_is_written_and_nothing_is_imported(run, importing, table):
    written, told = run(table, "--consultation", "essai")
    assert written.startswith("# Correspondance proposée pour « p.csv »")
    assert told == ["Rien n’a été importé : relisez cette correspondance, enregistrez-la, donnez-la avec --mapping."]
    assert importing.count(ImportBatch) == 0


@pytest.mark.parametrize(
    "content",
    [
        "id,texte,votes_pour\n1,Des arbres,2\n",
        "id,age,avis\n1,20-29,oui\n2,30-39,non\n",
        "user_id,question_id,answer\n1,q1,oui\n2,q1,non\n",
    ],
)
@pytest.mark.parametrize("slug", ["essai", ""])
def test_the_mapping_that_is_written_runs_as_it_is(run, importing, content, slug):
    table = importing.file("Nos avis_2026.csv", content)
    option = ["--consultation", slug] if slug else []
    written, _ = run(table, *option)
    _, told = run(table, "--mapping", importing.file("m.yaml", written), *option)
    (consultation,) = importing.all(select(Consultation))
    assert (consultation.title, consultation.slug) == ("Nos avis 2026", slug or "nos-avis-2026")
    assert any(f"({consultation.slug}), étape" in line for line in told), told
    (batch,) = importing.all(select(ImportBatch))
    assert batch.rows_added == batch.rows_read > 0


def test_two_names_for_the_consultation_are_refused(run, importing, table):
    written, _ = run(table, "--consultation", "essai")
    with pytest.raises(InvalidError, match="« autre » et la correspondance « essai »"):
        run(table, "--mapping", importing.file("m.yaml", written), "--consultation", "autre")
    assert importing.count(Consultation) == 0


def test_a_dry_run_tells_what_would_be_refused_and_writes_nothing(run, importing, table, mapping):
    _, told = run(table, "--mapping", mapping, "--dry-run")
    assert told[:2] == [
        "3 lignes lues, 1 à refuser ; rien n’a été écrit.",
        "  ligne 3 : Le texte est vide (colonne « texte »).",
    ]
    assert importing.count(ImportBatch) == 0


def test_an_import_tells_its_counts_its_refusals_and_how_to_undo(run, importing, table, mapping):
    _, told = run(table, "--mapping", mapping, "--consultation", "essai")
    (batch,) = importing.all(select(ImportBatch.id))
    assert told == [
        "3 lignes lues",
        "Dans « Essai » (essai), étape « Propositions » (propositions) :",
        "3 lignes lues.",
        "  2 ajoutées",
        "  1 refusées",
        "  ligne 3 : Le texte est vide (colonne « texte »).",
        f"Toutes les lignes refusées : consult import --rejected {batch}",
        "Une tâche relit les textes\u00a0: ce qui semble une donnée personnelle entre dans la file de modération.",
        f"Pour annuler ce lot : consult import --undo {batch}",
    ]
    written, _ = run("--rejected", batch)
    assert list(csv.reader(io.StringIO(written))) == [
        ["line", "reason", "row"],
        ["3", "Le texte est vide (colonne « texte »).", '{"id": "2", "texte": ""}'],
    ]
    run("--undo", batch)
    assert importing.count(Proposal) == 0
    with pytest.raises(ConflictError):
        run("--undo", batch)


def test_what_is_missing_is_said(run, table, mapping):
    with pytest.raises(SystemExit, match="2"):
        run()
    with pytest.raises(InvalidError, match="--consultation IDENTIFIANT"):
        run(table, "--mapping", mapping)
