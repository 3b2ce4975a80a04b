"""What a debate hands to `app.py` through the protocols: its step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from consult import clock
from consult.consultations.models import Step
from consult.contributions import bindings, policy
from consult.contributions.debate import queries, service
from consult.contributions.models import VoteValue
from consult.errors import InvalidError


class DebateStep(bindings.ProposalsStep):
    """Citizens argue for and against one question, and say which arguments are useful."""

    kind: ClassVar[str] = "debate"
    label: ClassVar[str] = "Débat : une question, des arguments pour et contre"
    staff_pages: ClassVar[tuple[tuple[str, str], ...]] = (("debat", "Question"), ("moderation", "Modération"))

    def duplicate(self, session: Session, source: Step, target: Step) -> None:
        """Copy the settings and the question, never the arguments."""
        target.introduction, target.settings = source.introduction, dict(source.settings)
        question = queries.question(session, source.id)
        if question is not None:
            service.write(session, target, service.draft_of(question), clock.now())

    def rules(self, session: Session, step: Step) -> Mapping[str, Any]:
        """The question, how long an argument may be, in which order all are shown. Raises InvalidError without it."""
        question = queries.question(session, step.id)
        if question is None:
            raise InvalidError(f"Étape « {step.title} » : saisissez la question avant d’ouvrir.")
        shared = super().rules(session, step)
        digest = policy.text_digest(question.title, question.body)
        return {name: shared[name] for name in ("arguments", "limits", "random_order")} | {
            "votes": [VoteValue.FOR.value],
            "texts": [{"id": str(question.id), "text_sha256": digest}],
            "sources": question.sources or [],
        }

    def census(self, session: Session, step: Step) -> Mapping[str, int]:
        """Published arguments, in all and on each side, and the votes on them."""
        return queries.census(session, step)
