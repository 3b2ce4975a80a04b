"""Giving, replacing and taking back the picture of an option, while the consultation is a draft."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations.models import Consultation, Step
from consult.errors import InvalidError, NotFoundError
from consult.media.pictures import Picture, recoded
from consult.questionnaires import kinds
from consult.questionnaires.builder import service as builder
from consult.questionnaires.models import OptionKind, OptionPicture, Question, QuestionOption

ALT_LENGTH: Final = 250


def put(
    session: Session,
    step: Step,
    question_id: uuid.UUID,
    option_id: uuid.UUID,
    *,
    alt: str,
    raw: bytes,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Give an option its picture, or other words for it; without a file, the picture stays.

    Raises InvalidError naming `alt` or `file`; NotFoundError; ConflictError once the consultation opened.
    """
    builder.lock(session, step)
    question, option = _option(session, step, question_id, option_id)
    faults = alt_fault(alt)
    if not raw and option.picture is None:
        faults |= {"file": "Choisissez une image, en JPEG, PNG ou WebP."}
    if faults:
        raise InvalidError("L’image n’est pas complète.", fields=faults)
    if raw:
        [picture] = recoded([raw])
        if isinstance(picture, str):
            raise InvalidError("L’image n’est pas acceptée.", fields={"file": picture})
        attach(option, picture, alt)
    elif option.picture is not None:
        option.picture.alt = alt.strip()
    session.flush()
    builder.journal(session, step, question, actor, "question.picture", now, option=option.position)


def remove(
    session: Session, step: Step, question_id: uuid.UUID, option_id: uuid.UUID, *, actor: Actor, now: dt.datetime
) -> None:
    """Take the picture of an option back; without one, nothing changes. Raises NotFoundError, ConflictError."""
    builder.lock(session, step)
    question, option = _option(session, step, question_id, option_id)
    if option.picture is not None:
        option.picture = None
        session.flush()
        builder.journal(session, step, question, actor, "question.picture_removed", now, option=option.position)


def attach(option: QuestionOption, picture: Picture, alt: str) -> None:
    """Show a picture with an option, instead of the one it had; its words were checked."""
    if option.picture is None:
        option.picture = OptionPicture(organisation_id=option.organisation_id)
    option.picture.alt, option.picture.content, option.picture.digest = alt.strip(), picture.content, picture.digest
    option.picture.width, option.picture.height = picture.width, picture.height


def copied(picture: OptionPicture) -> OptionPicture:
    """The same picture, for another option."""
    columns = ("organisation_id", "alt", "digest", "width", "height", "content")
    return OptionPicture(**{name: getattr(picture, name) for name in columns})


def alt_fault(alt: str) -> dict[str, str]:
    """What is wrong with the words of a picture, told on the field `alt`."""
    if not alt.strip():
        return {"alt": "Dites en quelques mots ce que montre l’image, pour qui ne la voit pas."}
    if len(alt.strip()) > ALT_LENGTH:
        return {"alt": f"Ce texte dépasse {ALT_LENGTH} caractères. Raccourcissez-le."}
    return {}


def contents(session: Session, step_id: uuid.UUID) -> dict[uuid.UUID, bytes]:
    """The bytes of every picture of a step, by option."""
    query = select(OptionPicture.option_id, OptionPicture.content)
    query = query.join(QuestionOption, QuestionOption.id == OptionPicture.option_id)
    query = query.join(Question, Question.id == QuestionOption.question_id).where(Question.step_id == step_id)
    return dict(session.execute(query).all())


def served(session: Session, option_id: uuid.UUID, digest: str) -> tuple[bytes, Consultation]:
    """The picture of that digest and the consultation that it is of. Raises NotFoundError."""
    query = (
        select(OptionPicture.content, Consultation)
        .join(QuestionOption, QuestionOption.id == OptionPicture.option_id)
        .join(Question, Question.id == QuestionOption.question_id)
        .join(Step, Step.id == Question.step_id)
        .join(Consultation, Consultation.id == Step.consultation_id)
        .where(OptionPicture.option_id == option_id, OptionPicture.digest == digest)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFoundError("Aucune image n’est publiée à cette adresse.")
    return found[0], found[1]


def _option(
    session: Session, step: Step, question_id: uuid.UUID, option_id: uuid.UUID
) -> tuple[Question, QuestionOption]:
    question = builder.question_of(session, step, question_id)
    plain = [each for each in question.options if each.kind is OptionKind.NORMAL] if kinds.of(question).pictured else []
    option = next((each for each in plain if each.id == option_id), None)
    if option is None:
        raise NotFoundError("Cette réponse n’existe pas ou ne se montre pas en image.")
    return question, option
