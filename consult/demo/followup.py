"""What the fictional agency answers and commits to, told as its decision maker would: see `followup.yaml`."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from consult.accounts.notices.service import Sender
from consult.actor import Actor
from consult.consultations.models import Consultation
from consult.demo.content import read
from consult.followup import service
from consult.followup.models import Commitment, OfficialAnswer, Outcome, Stage, TargetType
from consult.followup.policy import today


@dataclass(slots=True)
class Decider:
    """Who answers, in which consultation; `ids`: the proposals and the themes by the names of the content."""

    session: Session
    consultation: Consultation
    actor: Actor
    sender: Sender
    now: dt.datetime
    ids: Mapping[str, uuid.UUID]
    answers: dict[str, uuid.UUID] = field(default_factory=dict)

    def run(self) -> None:
        """Everything now: the log would call backdated what was said among acts that it holds already."""
        told = read("followup.yaml")
        for each in told["answers"]:
            self._answer(each, told["authority"])
        for each in told["commitments"]:
            self._commit(each)

    def _publish(self, model: Any, values: Mapping[str, Any]) -> Any:
        made = service.create(self.session, model, self.consultation, values, actor=self.actor, now=self.now)
        service.publish(
            self.session, made, consultation=self.consultation, seen=made.edits, actor=self.actor, sender=self.sender,
            now=self.now,
        )  # fmt: skip
        return made

    def _answer(self, told: Mapping[str, Any], authority: str) -> None:
        kind = TargetType.THEME if told["target"].startswith("theme:") else TargetType.CONTRIBUTION
        target = {"target_type": kind, "target_id": self.ids[told["target"].removeprefix("theme:")]}
        said = {"outcome": Outcome(told["outcome"]), "authority": authority, "body": told["body"]}
        answer = self._publish(OfficialAnswer, {**target, **said})
        self.answers[told["id"]] = answer.id
        if corrected := told.get("corrected"):
            service.change(
                self.session, answer, {"outcome": Outcome(corrected["outcome"]), "body": corrected["body"]},
                consultation=self.consultation, seen=answer.edits, actor=self.actor, sender=self.sender, now=self.now,
            )  # fmt: skip

    def _commit(self, told: Mapping[str, Any]) -> None:
        values = {name: told[name] for name in ("title", "body", "owner")}
        values["links"] = [self.answers.get(name) or self.ids[name] for name in told["links"]]
        values["due_on"] = today(self.now) + dt.timedelta(days=told["days"])
        commitment = self._publish(Commitment, {**values, "stage": Stage.PLANNED})
        for update in told.get("updates", ()):
            service.follow_up(
                self.session, commitment, stage=Stage(update["stage"]), body=update["body"],
                seen=commitment.edits, actor=self.actor, now=self.now,
            )  # fmt: skip
