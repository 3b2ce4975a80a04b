"""What this feature hands to `app.py` through the protocols: the results step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sqlalchemy.orm import Session

from consult.coding import queries
from consult.consultations.bindings import PageStep
from consult.consultations.models import Step


class ResultsStep(PageStep):
    """Where the organiser publishes the results: the last published analysis of the consultation."""

    kind: ClassVar[str] = "results"
    label: ClassVar[str] = "Résultats"

    def census(self, session: Session, step: Step) -> Mapping[str, int]:
        """Whether results are published."""
        return {"results": int(queries.published_run(session, step.consultation_id) is not None)}
