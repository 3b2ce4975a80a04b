"""Argparse in French: its own words have no translation."""

import argparse
import re
from pathlib import Path
from typing import Any, Final, NoReturn

# What argparse says of a command badly typed, and how it is said in French.
_MISTAKES: Final = (
    (r"the following arguments are required: (.+)", r"il manque : \1"),
    (r"one of the arguments (.+) is required", r"il faut l’une de ces options : \1"),
    (r"unrecognized arguments: (.+)", r"en trop ou inconnu : \1"),
    (r"ambiguous option: (.+) could match (.+)", r"\1 est ambigu : \2"),
    (r"argument (.+): expected (?:one argument|at least one argument)", r"\1 attend une valeur"),
    (r"argument (.+): expected (\d+) arguments?", r"\1 attend \2 valeurs"),
    (r"argument (.+): ignored explicit argument (.+)", r"\1 n’attend pas de valeur : \2"),
    (r"argument (.+): not allowed with argument (.+)", r"\1 ne va pas avec \2"),
    (
        r"argument (.+): invalid choice: (.+) \(choose from (.+)\)",
        r"\1 : \2 n’existe pas ; au choix : \3",
    ),
    (r"argument (.+): invalid (?:int|float) value: (.+)", r"\1 attend un nombre, pas \2"),
)
_METAVARS: Final[dict[Any, str]] = {int: "NOMBRE", float: "NOMBRE", Path: "FICHIER"}


class Parser(argparse.ArgumentParser):
    """A parser, and those of its commands, whose help and refusals are in French."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=_Help, add_help=False)
        self._positionals.title, self._optionals.title = "arguments\u00a0", "options\u00a0"
        self.add_argument("-h", "--help", action="help", help="afficher cette aide")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one French line, and leave with exit code 2."""
        for pattern, words in _MISTAKES:
            found = re.fullmatch(pattern, message)
            if found:
                self.exit(2, f"Mauvais usage\u00a0: {found.expand(words)}. Aide\u00a0: {self.prog} --help\n")
        self.exit(2, f"Commande mal écrite. Aide\u00a0: {self.prog} --help\n")


class _Help(argparse.HelpFormatter):
    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "Usage\u00a0: " if prefix is None else prefix)

    def _get_default_metavar_for_optional(self, action: argparse.Action) -> str:
        return _METAVARS.get(action.type, "TEXTE")
