"""Kinds of questions: what each asks, takes, shows and counts. `of` gives the one of a question."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from typing import Final

from consult.questionnaires.kinds.base import Kind
from consult.questionnaires.kinds.breaks import Explanation, Section
from consult.questionnaires.kinds.choices import Dropdown, Multiple, Quiz, Satisfaction, Single
from consult.questionnaires.kinds.grids import Judgement, Matrix, MatrixMultiple
from consult.questionnaires.kinds.measures import Date, Number, Scale
from consult.questionnaires.kinds.pictures import PictureMultiple, PictureSingle
from consult.questionnaires.kinds.ranking import Ranking
from consult.questionnaires.kinds.territory import Departement
from consult.questionnaires.kinds.texts import LongText, ShortText
from consult.questionnaires.kinds.uninstalled import Uninstalled
from consult.questionnaires.models import Question

ENTRY_POINTS: Final = "consult.question_kinds"
OURS: Final[tuple[Kind, ...]] = (
    Single(),
    Multiple(),
    Dropdown(),
    PictureSingle(),
    PictureMultiple(),
    ShortText(),
    LongText(),
    Ranking(),
    Matrix(),
    MatrixMultiple(),
    Judgement(),
    Scale(),
    Satisfaction(),
    Number(),
    Date(),
    Departement(),
    Quiz(),
    Section(),
    Explanation(),
)
UNINSTALLED: Final = Uninstalled()


@functools.cache
def every() -> Mapping[str, Kind]:
    """All of them by name: ours, then those of other installed packages."""
    brought: list[Kind] = [point.load()() for point in entry_points(group=ENTRY_POINTS)]
    return {kind.name: kind for kind in (*OURS, *brought)}


def words_of(question: Question) -> dict[str, str]:
    """What each key of an answer to the question means."""
    return {
        key: f"{group.label} : {label}" if group.label else label
        for group in of(question).groups(question)
        for key, label in group.cells.items()
    }


def of(question: Question) -> Kind:
    """The kind of a question; `UNINSTALLED` where the package that brought it is gone."""
    return every().get(question.kind, UNINSTALLED)


def gone(questions: Iterable[Question]) -> list[str]:
    """The names of the kinds of these questions that are no longer installed."""
    return sorted({question.kind for question in questions if of(question) is UNINSTALLED})
