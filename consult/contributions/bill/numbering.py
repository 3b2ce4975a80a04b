"""The order and the numbers of the parts of a bill, as French drafting has them; pure.

Articles are numbered through the whole bill, divisions within what holds them: « Livre Ier », « Section 2 »,
« Article 1er ». A number that was typed stands for that part; the count goes on from it when it is a whole number
(« 12 » is followed by 13), and passes it over when it is not (« 4 bis »).
"""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from consult.contributions.bill.labels import LEVELS
from consult.contributions.models import Level

DEPTH: Final = 12  # how many parts may hold one another, an article included
ROMAN: Final = frozenset({Level.BOOK, Level.TITLE, Level.SUBTITLE, Level.CHAPTER})
_WHOLE: Final = re.compile(r"(\d{1,4})(?:er|re)?", re.ASCII)
_SIGNS: Final = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


class Part(Protocol):
    """What is numbered."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def parent_id(self) -> uuid.UUID | None: ...
    @property
    def position(self) -> int: ...
    @property
    def level(self) -> Level: ...
    @property
    def number(self) -> str: ...
    @property
    def heading(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Line:
    """A part in its place: how deep it is, from 0, what it is called, and by whom it is held, the outermost first."""

    id: uuid.UUID
    parent_id: uuid.UUID | None
    depth: int
    level: Level
    name: str  # « Article 1er »; empty for a heading without a number
    heading: str
    path: tuple[str, ...]

    @property
    def title(self) -> str:
        """« Article 1er – De la gratuité »."""
        return " – ".join(filter(None, (self.name, self.heading)))


def outline(parts: Iterable[Part]) -> list[Line]:
    """Every part in reading order, numbered."""
    held: dict[uuid.UUID | None, list[Part]] = defaultdict(list)
    for part in parts:
        held[part.parent_id].append(part)
    counts: dict[tuple[uuid.UUID | None, Level], int] = defaultdict(int)
    return list(_lines(held, None, (), counts))


def _lines(
    held: dict[uuid.UUID | None, list[Part]],
    parent_id: uuid.UUID | None,
    path: tuple[str, ...],
    counts: dict[tuple[uuid.UUID | None, Level], int],
) -> Iterator[Line]:
    for part in sorted(held.get(parent_id, ()), key=lambda each: each.position):
        scope = (None if part.level is Level.ARTICLE else parent_id, part.level)
        line = Line(part.id, parent_id, len(path), part.level, _name(part, scope, counts), part.heading, path)
        yield line
        yield from _lines(held, part.id, (*path, line.title), counts)


def _name(part: Part, scope: tuple[uuid.UUID | None, Level], counts: dict[tuple[uuid.UUID | None, Level], int]) -> str:
    if part.level is Level.HEADING:
        return part.number
    if part.number:
        whole = _WHOLE.fullmatch(part.number)
        counts[scope] = int(whole[1]) if whole else counts[scope]
        return f"{LEVELS[part.level]} {part.number}"
    counts[scope] += 1
    written = roman(counts[scope]) if part.level in ROMAN else _arabic(part.level, counts[scope])
    return f"{LEVELS[part.level]} {written}"


def roman(number: int) -> str:
    """« Ier », « II », « XIV »: from 1."""
    if number == 1:
        return "Ier"
    written = ""
    for value, signs in _SIGNS:
        written += signs * (number // value)
        number %= value
    return written


def _arabic(level: Level, number: int) -> str:
    return "1er" if number == 1 and level is Level.ARTICLE else str(number)


def height(lines: Sequence[Line], part_id: uuid.UUID) -> int:
    """How many parts a part holds one in another, itself included."""
    start = next(place for place, line in enumerate(lines) if line.id == part_id)
    deepest = lines[start].depth
    for line in lines[start + 1 :]:
        if line.depth <= lines[start].depth:
            break
        deepest = max(deepest, line.depth)
    return deepest - lines[start].depth + 1
