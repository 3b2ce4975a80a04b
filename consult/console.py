"""What the commands share: French help, and what `consult` gives to those that features declare themselves."""

from __future__ import annotations

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

    WORDS: Final = {"Commands": "Commandes", "Show this message and exit.": "Afficher cette aide."}

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        del prefix
        super().write_usage(prog, args, f"Usage{NO_BREAK}: ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(self.WORDS.get(heading, heading) + NO_BREAK)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(term, self.WORDS.get(text, text)) for term, text in rows], col_max, col_spacing)


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
