"""A form being filled: the questions of a step by page, and what was answered so far."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from consult.consultations.models import Step
from consult.questionnaires import conditions, policy
from consult.questionnaires.kinds.base import Given
from consult.questionnaires.kinds.breaks import Section
from consult.questionnaires.models import Question, Reply


@dataclass(slots=True)
class Filling:
    """What the form needs on any request: the step, its questions by page, and what was answered so far."""

    step: Step
    questions: list[Question]
    reply: Reply | None
    answers: dict[uuid.UUID, Given]

    @property
    def anonymous(self) -> bool:
        """See `policy.is_anonymous`."""
        return policy.is_anonymous(self.step)

    @property
    def access(self) -> policy.Access:
        """See `policy.access`."""
        return policy.access(self.step)

    @property
    def by_code(self) -> bool:
        """See `policy.by_code`."""
        return policy.by_code(self.step)

    @property
    def settled(self) -> bool:
        """Whether the reply was sent for good."""
        return policy.is_final(self.step) and self.reply is not None

    @property
    def texts(self) -> int:
        """See `policy.texts`."""
        return policy.texts(self.questions)

    @property
    def pages(self) -> list[list[Question]]:
        """Its pages: as the organiser numbered them, and cut before each section."""
        found: list[list[Question]] = []
        for _, numbered in itertools.groupby(sorted(self.questions, key=_page), key=_page):
            found.append([])
            for question in numbered:
                if question.kind == Section.name and found[-1]:
                    found.append([])
                found[-1].append(question)
        return found

    def on(self, page: int) -> list[Question]:
        """The questions of the n-th page, from 1."""
        return self.pages[page - 1]

    def shown(self, page: int) -> list[Question]:
        """The questions of the n-th page that concern this person, or may; none after the last page."""
        if page > len(self.pages):
            return []
        return conditions.shown(self.on(page), self.questions, self.answers)

    def following(self, page: int) -> int | None:
        """The next page that asks something of this person; None: there is none."""
        return next((each for each in range(page + 1, len(self.pages) + 1) if self.shown(each)), None)

    def previous(self, page: int) -> int:
        """The page before, those that ask nothing of this person passed over."""
        return next((each for each in range(page - 1, 0, -1) if self.shown(each)), 1)

    def may_go_on(self, page: int) -> bool:
        """Whether another page may follow, whatever is answered on this one."""
        later = [question for each in self.pages[page:] for question in each]
        return self.following(page) is not None or any(conditions.of(question) for question in later)

    def number(self, raw: str) -> int:
        """A page number sent by a browser, brought back among those that exist, and the end that follows them."""
        asked = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 6 else 1  # noqa: PLR2004  # digits
        return max(1, min(asked, len(self.pages) + 1))

    def reached(self, raw: str) -> int:
        """That page, or the first after it that asks something of this person, or the end."""
        page = self.number(raw)
        return page if self.shown(page) else self.following(page) or len(self.pages) + 1

    def page_of(self, refused: Mapping[uuid.UUID, str]) -> int:
        """The first page that holds a refused question."""
        return next(rank for rank, page in enumerate(self.pages, 1) if any(each.id in refused for each in page))


def _page(question: Question) -> int:
    return question.page
