"""What this feature hands to `app.py` through the protocols: the results step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.coding import queries
from consult.consultations.bindings import Page
from consult.consultations.models import Step


class ResultsStep:
    """Where the organiser publishes the results: the last published analysis of the consultation."""

    kind: ClassVar[str] = "results"
    label: ClassVar[str] = "Résultats"

    def __init__(self, page: Page) -> None:
        self._page = page

    def create(self, session: Session, step: Step) -> None:
        """Need nothing more than the step itself."""

    def duplicate(self, session: Session, source: Step, target: Step) -> None:
        """Copy the text, never the results."""
        target.introduction, target.settings = source.introduction, dict(source.settings)
        session.flush()

    def rules(self, session: Session, step: Step) -> Mapping[str, Any]:  # noqa: ARG002  # the protocol's signature
        """Nothing but the step itself is frozen."""
        return {}

    def purge_test_traces(self, session: Session, step: Step) -> int:  # noqa: ARG002
        """There are no acts here."""
        return 0

    def render(self, session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
        """The published results."""
        return self._page(session, step, actor, now, arguments)

    def census(self, session: Session, step: Step) -> Mapping[str, int]:
        """Whether results are published."""
        return {"results": int(queries.published_run(session, step.consultation_id) is not None)}
