"""Every command of the four command lines explains itself in French, and refuses in French."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import analysis.__main__
from consult.cli import cli
from consult.registry import verifier, witness

ENGLISH = re.compile(
    r"\b(usage: |Error|Show|show|this message|exit|positional|required|default|Missing|Invalid|invalid|expected|"
    r"COMMAND|ARGS|TEXT|INTEGER|FLOAT|PATH|FILE|FILES|FILENAME|DIRECTORY|NAME|NUMBER|UUID|BOOLEAN|the|and|of|with|for|is|not)\b"
)


def of_click(command, path=()):
    """Every command under this one, with what leads to it."""
    yield path, command
    for name, sub in getattr(command, "commands", {}).items():
        yield from of_click(sub, (*path, name))


def of_argparse(parser, path=()):
    yield path, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from of_argparse(sub, (*path, name))


@pytest.mark.parametrize("path", [path for path, command in of_click(cli) if not command.hidden], ids=" ".join)
def test_a_consult_command_explains_itself_in_french(path):
    context = click.Context(cli, info_name="consult")
    for name in path:
        context = click.Context(context.command.commands[name], info_name=name, parent=context)
    told = context.command.get_help(context)
    assert told.startswith(f"Usage\u00a0: consult {' '.join(path)}".rstrip())
    assert ENGLISH.findall(told) == []
    for param in context.command.params:
        assert isinstance(param, click.Argument) or param.help, param.name


@pytest.fixture(
    scope="module", params=[analysis.__main__.main, verifier.main, witness.main], ids=lambda m: m.__module__
)
def parser(request):
    """What a program reads its command with."""
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", lambda self, *_: made.append(self) or sys.exit())
        with pytest.raises(SystemExit):
            request.param([])
    return made[0]


def test_a_program_on_files_explains_itself_in_french(parser):
    for path, command in of_argparse(parser):
        told = command.format_help()
        assert told.startswith("Usage"), path
        assert ENGLISH.findall(told.split("\n\n", 1)[1] if path == () else told) == [], path
        for action in command._actions:
            assert action.help or isinstance(action, argparse._SubParsersAction), (path, action)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "il manque\u00a0: commande"),
        (["nope"], "commande\u00a0: 'nope' n’existe pas\u202f; au choix\u00a0: 'report'"),
        (["report", "jeu"], "il manque\u00a0: --out"),
        (["report", "jeu", "--out"], "--out attend une valeur"),
        (["tabulate", "jeu", "--cross", "a"], "--cross attend 2 valeurs"),
        (["tabulate", "jeu", "--cross", "a", "b", "--banner", "c"], "--banner ne va pas avec --cross"),
        (["groups", "jeu", "--out", "x", "--groups", "deux"], "--groups attend un nombre, pas 'deux'"),
        (["describe", "--nope"], "en trop ou inconnu\u00a0: --nope"),
        (["report", "jeu", "--c", "x"], "--c est ambigu\u00a0: --codebook, --corpus, --cache"),
        (["report", "jeu", "--help=x"], "-h/--help n’attend pas de valeur\u00a0: 'x'"),
    ],
)
def test_an_analysis_command_badly_typed_is_told_in_one_french_line(arguments, words, capsys):
    with pytest.raises(SystemExit) as left:
        analysis.__main__.main(arguments)
    assert left.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert "Aide\u00a0: python -m analysis" in line
    assert ENGLISH.findall(line) == []


@pytest.mark.parametrize("program", [verifier, witness])
def test_a_program_handed_to_third_parties_refuses_in_french(program, capsys):
    with pytest.raises(SystemExit) as left:
        program.main(["--nope"])
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("Commande mal écrite. Aide : python3 ")


@pytest.fixture
def refused(tmp_path, capsys):
    """The one line with which a command of the analysis refuses."""

    def refused(*arguments):
        assert analysis.__main__.main([str(each) for each in arguments]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        return line.removeprefix("Refusé : ")

    return refused


def test_a_folder_or_a_file_that_cannot_be_read_or_written_is_told_in_french(refused, small_dump, tmp_path):
    assert refused("tabulate", tmp_path / "absent", "--out", tmp_path / "tables.json") == (
        f"Le fichier ou dossier « {tmp_path}/absent » n’existe pas : vérifiez le chemin."
    )
    folder = refused("code", small_dump, "--codebook", tmp_path, "--out", tmp_path / "out")
    assert folder == f"Plan de codification : « {tmp_path} » est un dossier : donnez un fichier."
    to_folder = refused("iramuteq", small_dump, "--corpus", "s1", "--out", tmp_path)
    assert to_folder == f"« {tmp_path} » est un dossier : donnez un fichier."
    nowhere = refused("iramuteq", small_dump, "--corpus", "s1", "--out", tmp_path / "a" / "b")
    assert nowhere == f"« {tmp_path}/a/b » est introuvable : vérifiez le chemin."


@pytest.mark.slow
def test_both_programs_run_as_modules():
    environment = {**os.environ, "PYTHONPATH": str(Path(analysis.__file__).parents[1])}
    for name in ("consult", "analysis"):
        done = subprocess.run(
            [sys.executable, "-m", name, "--help"], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith("Usage\u00a0: ")
