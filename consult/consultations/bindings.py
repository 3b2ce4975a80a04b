"""What this feature hands to `app.py` through the protocols: the steps that are read; see also `datasets.py`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations.models import Step

Page = Callable[[Session, Any, Actor, dt.datetime, Mapping[str, str]], str]


class PageStep:
    """A step that is read: nobody acts in it. Its kinds differ by what their page shows."""

    kind: ClassVar[str]
    label: ClassVar[str]

    def __init__(self, page: Page) -> None:
        self._page = page

    def create(self, session: Session, step: Step) -> None:
        """Need nothing more than the step itself."""

    def duplicate(self, session: Session, source: Step, target: Step) -> None:
        """Copy the text."""
        target.introduction, target.settings = source.introduction, dict(source.settings)
        session.flush()

    def rules(self, session: Session, step: Step) -> Mapping[str, Any]:  # noqa: ARG002  # the protocol's signature
        """Nothing but the step itself is frozen."""
        return {}

    def purge_test_traces(self, session: Session, step: Step) -> int:  # noqa: ARG002
        """There are no acts here."""
        return 0

    def render(self, session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
        """The page."""
        return self._page(session, step, actor, now, arguments)

    def census(self, session: Session, step: Step) -> Mapping[str, int]:  # noqa: ARG002
        """There is nothing to count."""
        return {}


class PresentationStep(PageStep):
    """A page of the organiser: context, documents, contradictory viewpoints."""

    kind: ClassVar[str] = "presentation"
    label: ClassVar[str] = "Présentation"
