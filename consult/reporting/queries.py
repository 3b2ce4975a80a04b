"""From a figure of a run back to the contributions that it counts, as they are public today."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.consultations.models import ContentStatus, Step
from consult.errors import NotFoundError
from consult.protocols import ContentType
from consult.questionnaires.models import Answer, AnswerVisibility, Question, Reply

PAGE_SIZE = 50
CONTENT_TYPES = {"contribution": "proposal", "argument": "argument"}  # unit of a corpus -> moderable content


@dataclass(frozen=True, slots=True)
class Verbatim:
    """One contribution behind a figure."""

    id: uuid.UUID
    title: str
    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run: what it counts, and the ids of what it counted at the time of the run."""

    corpus: Mapping[str, Any]
    title: str
    ids: Sequence[uuid.UUID]


def figure(results: Mapping[str, Any], report: Path, arguments: Mapping[str, str]) -> Figure:
    """The figure that an address names: `corpus`, then `code`, `mot`, `campagne` or `sans-code`.

    Raises NotFoundError.
    """
    missing = NotFoundError("Cette analyse ne contient pas ce chiffre.")
    corpus = next((each for each in results["corpora"] if each["key"] == arguments.get("corpus")), None)
    if corpus is None:
        raise missing
    if "sans-code" in arguments:
        return Figure(corpus, "Contributions sans code", _ids(corpus["uncoded"]))
    if "code" in arguments:
        code = next((each for each in corpus["codes"] if each["code"] == arguments["code"]), None)
        if code is None or code["total"] is None:  # withheld: its quality is not good enough to be shown
            raise missing
        return Figure(corpus, f"Contributions codées « {code['label']} »", _ids(code["contributions"]))
    if "campagne" in arguments:
        return _campaign(corpus, arguments["campagne"], missing)
    found = _behind_word(report, corpus["key"], arguments.get("mot", ""))
    if found is None:
        raise missing
    return Figure(corpus, f"Contributions contenant « {arguments['mot']} »", _ids(found))


def _campaign(corpus: Mapping[str, Any], number: str, missing: NotFoundError) -> Figure:
    listed = corpus.get("campaigns", {}).get("register", [])
    found = next((campaign for rank, campaign in enumerate(listed, start=1) if str(rank) == number), None)
    if found is None:
        raise missing
    return Figure(corpus, f"Contributions de la campagne {number}", _ids(found["contributions"]))


def _ids(raw: Sequence[str]) -> list[uuid.UUID]:
    return [uuid.UUID(each) for each in raw]


def _behind_word(report: Path, corpus: str, lemma: str) -> list[str] | None:
    with (report / "words.ndjson").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["corpus"] == corpus and row["lemma"] == lemma:
                contributions: list[str] = row["contributions"]
                return contributions
    return None


def verbatims(
    session: Session,
    consultation_id: uuid.UUID,
    corpus: Mapping[str, Any],
    ids: Sequence[uuid.UUID],
    content_types: Mapping[str, ContentType],
) -> list[Verbatim]:
    """The texts of these ids that are public now, in the order given; those withdrawn or hidden since are left out."""
    if corpus["unit"] == "reply":
        found = _answers(session, consultation_id, corpus["key"], ids)
    else:
        items = content_types[CONTENT_TYPES[corpus["unit"]]].items(session, ids)
        found = {
            item.id: Verbatim(item.id, item.title, item.body, item.address)
            for item in items.values()
            if item.status == ContentStatus.PUBLISHED
        }
    return [found[each] for each in ids if each in found]


def _answers(
    session: Session, consultation_id: uuid.UUID, corpus: str, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Verbatim]:
    step_slug, _, position = corpus.rpartition(":q")
    rows = session.execute(
        select(Reply.id, Answer.text)
        .join(Answer, Answer.reply_id == Reply.id)
        .join(Question, Question.id == Answer.question_id)
        .join(Step, Step.id == Question.step_id)
        .where(
            Step.consultation_id == consultation_id,
            Step.slug == step_slug,
            Question.position == int(position),
            Question.visibility == AnswerVisibility.ROWS,
            Reply.status == ContentStatus.PUBLISHED,
            Reply.id.in_(ids),
        )
    )
    return {row.id: Verbatim(row.id, "", row.text or "", "") for row in rows}
