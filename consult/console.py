"""What the commands share: French help, and what `consult` gives to those that features declare themselves."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import click

from consult.db import Database
from consult.labels import NO_BREAK
from consult.protocols import Bindings, Sequencing
from consult.settings import Settings


class FrenchHelp(click.HelpFormatter):
    """Click's help, whose own words have no French translation."""

    WORDS: Final = {
        "Commands": "Commandes",
        "Show this message and exit.": "Afficher cette aide.",
        "COMMAND [ARGS]...": "COMMANDE [ARGUMENTS]...",
        "[required]": "[obligatoire]",
        "TEXT": "TEXTE",
        "UUID": "IDENTIFIANT",
        "PATH": "CHEMIN",
    }
    _KNOWN: Final = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in WORDS))

    def _french(self, text: str) -> str:
        return self._KNOWN.sub(lambda found: self.WORDS[found.group()], text)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        del prefix
        super().write_usage(prog, self._french(args), f"Usage{NO_BREAK}: ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(self._french(heading) + NO_BREAK)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(self._french(term), self._french(text)) for term, text in rows], col_max, col_spacing)


def misuse(error: click.UsageError) -> str:
    """What is wrong with a command as it was typed, in French, without the final stop."""
    param = error.param if isinstance(error, click.BadParameter) else None
    name = _name(param) if param else ""
    match error:
        case click.NoSuchOption():
            return f"Option inconnue : {error.option_name}" + _close(error.possibilities)
        case click.NoSuchCommand():
            return f"Commande inconnue : {error.command_name}" + _close(error.possibilities)
        case click.BadOptionUsage():
            needs = "requires" in error.message  # said by its words alone
            return f"L’option {error.option_name} {'attend une valeur' if needs else 'n’attend pas de valeur'}"
        case click.MissingParameter() if param:
            return f"Il manque : {name}"
        case click.BadParameter() if param:
            wanted = " : un identifiant est attendu" if isinstance(param.type, type(click.UUID)) else ""
            return f"Valeur refusée pour {name}{wanted}"
    return "Commande incomplète ou mal écrite"


def _name(param: click.Parameter) -> str:
    return param.opts[0] if isinstance(param, click.Option) else param.human_readable_name.strip("[]")


def _close(names: Iterable[str] | None) -> str:
    return f" (peut-être : {', '.join(sorted(names))})" if names else ""


@dataclass(frozen=True, slots=True)
class Served:
    """The platform as one organisation sees it; `tell` writes a line of progress on stderr."""

    settings: Settings
    database: Database
    bindings: Bindings
    organisation_id: uuid.UUID
    tell: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform as a whole, which may have no organisation yet."""

    settings: Settings
    database: Database
    bindings: Bindings
    sequencing: Sequencing
    tell: Callable[[str], None]


class Serve(Protocol):
    """What a command of a feature is given."""

    def __call__(self, slug: str) -> Served:
        """The organisation of that identifier; empty: the default one. Raises NotFoundError."""

    def platform(self) -> Platform:
        """All of them."""

    def settings(self) -> Settings:
        """The settings alone: no database is opened."""
