"""What an organiser says of a question, before any rule is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consult.questionnaires.models import AnswerVisibility


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionDraft:
    """What an organiser typed for a question; each kind uses the fields that it names, and ignores the others.

    `options` and `rows` are labels in order; an empty label means no such option.
    """

    kind: str
    wording: str
    help: str = ""
    required: bool = False
    visibility: AnswerVisibility = AnswerVisibility.ROWS
    page: int = 1
    options: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    other: str = ""
    exclusive: str = ""
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    unit: str = ""
    low: str = ""
    high: str = ""
    right: str = ""
    explanation: str = ""
    condition: Mapping[str, Any] | None = None
