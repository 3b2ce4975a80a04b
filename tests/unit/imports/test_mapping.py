"""A mapping is checked in French before a row is read, or guessed for a person to correct."""

import datetime as dt

import pytest
import yaml

from consult.errors import InvalidError
from consult.imports import guess, mapping, readers
from consult.imports.mapping import FileKind, Layout, Target
from consult.questionnaires.models import AnswerVisibility

PROPOSALS = "format: consult-import/1\ntarget: proposals\ncolumns: {body: texte, title: titre}\n"


def refusal(text):
    with pytest.raises(InvalidError) as caught:
        mapping.parse(text)
    return caught.value


def test_the_smallest_mapping_has_a_usual_step():
    found = mapping.parse(PROPOSALS)
    assert (found.target, found.step.slug, found.columns["body"]) == (Target.PROPOSALS, "propositions", "texte")


@pytest.mark.parametrize(
    "text", ["", "[1]", "a: [", "format: other/2\n", "&a [*a]", "\x00", "format: !!python/object:os.x {}"]
)
def test_what_is_no_mapping_is_refused_in_french(text):
    assert refusal(text).message.startswith(("La correspondance doit commencer", "La correspondance n’est pas un YAML"))


def test_every_fault_is_named_with_the_nearest_right_word():
    refused = refusal(
        "format: consult-import/1\ntarget: proposals\ncolumns: {bodi: texte}\nmising: ['?']\nhtml: body\n"
        "consultation: {title: x, opens_at: demain}\n"
    )
    assert refused.fields == {
        "mising": "clé inconnue (vouliez-vous dire « missing » ?)",
        "columns.bodi": "clé inconnue (vouliez-vous dire « body » ?)",
        "html": "une liste est attendue",
        "consultation.opens_at": "une date ISO est attendue, par exemple 2026-03-02T09:00",
        "columns.body": "champ obligatoire : dites quelle colonne le donne",
    }


def test_an_unknown_target_is_refused_with_the_known_ones():
    refused = refusal("format: consult-import/1\ntarget: votes\n")
    assert refused.fields == {"target": "valeurs possibles : proposals, arguments, replies"}


def test_questions_are_checked_one_by_one():
    refused = refusal(
        "format: consult-import/1\ntarget: replies\nquestions:\n"
        "  - {column: a, kind: rating}\n  - {column: a}\n  - texte\n  - {wording: b, options: []}\n"
    )
    assert refused.fields["questions.1.kind"] == "valeurs possibles : single, multiple, short_text, long_text"
    assert refused.fields["questions.2.code"] == "« a » est donné deux fois"
    assert "clés" in refused.fields["questions.3"]
    assert "liste de libellés" in refused.fields["questions.4.options"]


def test_a_companion_file_is_a_name_without_folder():
    head = "format: consult-import/1\ntarget: replies\nlayout: long\ncolumns: {ref: a, question: b, answer: c}\n"
    refused = refusal(head + "labels: {file: ../../etc/passwd, question: q, code: c, label: l}\n")
    assert set(refused.fields) == {"labels"}


def test_dates_without_zone_are_those_of_paris():
    text = PROPOSALS + "consultation: {title: Essai, opens_at: 2026-07-01, closes_at: 2026-07-31T18:00:00+00:00}\n"
    found = mapping.parse(text).consultation
    assert found.opens_at.astimezone(dt.UTC) == dt.datetime(2026, 6, 30, 22, tzinfo=dt.UTC)
    assert found.closes_at == dt.datetime(2026, 7, 31, 18, tzinfo=dt.UTC)


def test_absent_columns_are_named_with_the_nearest_present_one():
    with pytest.raises(InvalidError) as caught:
        mapping.parse(PROPOSALS).check_columns(["id", "textes", "titre"])
    assert "« texte » (vouliez-vous dire « textes » ?)" in caught.value.message
    assert caught.value.fields == {"texte": "colonne absente du fichier"}


@pytest.mark.parametrize("name", mapping.packaged_names())
def test_every_packaged_mapping_is_valid(name):
    assert mapping.load(name).columns


def test_an_unknown_mapping_is_refused_with_the_packaged_names():
    with pytest.raises(InvalidError, match="elf_repondants, elf_reponses, gd_open_answers"):
        mapping.load("inconnu")


# Guessing


def guessed(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    source = readers.open_source(path)
    found = mapping.parse(guess.guess(source))
    found.check_columns(source.columns)
    return found


def test_proposals_are_recognised_by_their_columns(tmp_path):
    rows = "".join(f"{n},Titre {n},<p>Texte {n}</p>,{n},0\n" for n in range(30))
    found = guessed(tmp_path, "p.csv", "ID,Titre,Contenu,Votes OK,votes_nok\n" + rows)
    assert found.target is Target.PROPOSALS
    assert found.columns == {
        "ref": "ID", "title": "Titre", "body": "Contenu", "votes_for": "Votes OK", "votes_against": "votes_nok",
    }  # fmt: skip
    assert found.html == {"body"}


def test_arguments_are_recognised_by_their_side(tmp_path):
    rows = "".join(f"{n},{n},{'pour' if n % 2 else 'contre'},Texte {n}\n" for n in range(30))
    found = guessed(tmp_path, "a.csv", "id,opinion_id,sens,texte\n" + rows)
    assert found.target is Target.ARGUMENTS
    assert found.columns["proposal"] == "opinion_id"


def test_a_survey_gets_careful_visibilities_and_leaves_personal_columns_out(tmp_path):
    rows = "".join(f"{n},n{n}@exemple.fr,{20 + n % 3},{'?' if n % 9 else 'oui'},{'mot ' * n}\n" for n in range(60))
    found = guessed(tmp_path, "s.csv", "id,e-mail,âge,avis,Pourquoi\n" + rows)
    assert found.layout is Layout.WIDE
    assert found.missing == {"?"}
    kinds = {code: (question.kind, question.visibility) for code, question in found.questions.items()}
    assert kinds == {
        "âge": (FileKind.SINGLE, AnswerVisibility.AGGREGATES),
        "avis": (FileKind.SINGLE, AnswerVisibility.AGGREGATES),
        "Pourquoi": (FileKind.LONG_TEXT, AnswerVisibility.ADMINISTRATION),
    }


def test_one_answer_a_row_is_recognised_as_the_long_layout(tmp_path):
    rows = "".join(f"{n % 10},q{n % 3},{n % 4}\n" for n in range(60))
    found = guessed(tmp_path, "l.csv", "user_id,question_id,answer\n" + rows)
    assert (found.layout, found.defaults.kind) == (Layout.LONG, FileKind.SINGLE)


def test_the_guess_says_which_columns_it_leaves(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("id,titre,texte,couleur\n1,a,b,c\n", encoding="utf-8")
    text = guess.guess(readers.open_source(path))
    assert text.splitlines()[-1] == "# Colonnes laissées de côté : couleur"
    assert yaml.safe_load(text)["format"] == "consult-import/1"
