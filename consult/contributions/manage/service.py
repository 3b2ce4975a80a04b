"""The themes of a step of proposals and the rules of taking part in it, until they are frozen."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.consultations import policy as consultations
from consult.consultations.models import Consultation, Step
from consult.contributions import policy
from consult.contributions.models import Theme
from consult.errors import InvalidError, NotFoundError


def add_theme(session: Session, step: Step, *, title: str) -> Theme:
    """Add a heading at the end of a step's themes. Raises InvalidError, also once the consultation is opened."""
    title = policy.one_line(title)
    if not title or len(title) > consultations.TITLE_LENGTH:
        message = f"Donnez au thème un titre de {consultations.TITLE_LENGTH} caractères au plus."
        raise InvalidError(message, fields={"title": message})
    _check_draft(session, step)
    themes = session.scalars(select(Theme).where(Theme.step_id == step.id).order_by(Theme.position)).all()
    slug = consultations.slug_of(title)
    if slug in {theme.slug for theme in themes}:
        message = "Un thème porte déjà ce titre."
        raise InvalidError(message, fields={"title": message})
    theme = Theme(
        organisation_id=step.organisation_id,
        step_id=step.id,
        slug=slug,
        title=title,
        position=(themes[-1].position if themes else 0) + 1,
    )
    session.add(theme)
    session.flush()
    return theme


def remove_theme(session: Session, step: Step, theme_id: uuid.UUID) -> None:
    """Delete a theme of a draft. Raises InvalidError once the consultation is opened, NotFoundError."""
    _check_draft(session, step)
    theme = session.scalar(select(Theme).where(Theme.id == theme_id, Theme.step_id == step.id))
    if theme is None:
        raise NotFoundError("Ce thème n’existe pas dans cette étape.")
    session.delete(theme)
    session.flush()


def set_rules(session: Session, step: Step, rules: Mapping[str, Any]) -> None:
    """Say how people take part in a step: settings by name; None for one that is left as usual.

    Raises InvalidError once the consultation is opened.
    """
    _check_draft(session, step)
    others = {name: value for name, value in step.settings.items() if name not in rules}
    step.settings = others | {name: value for name, value in rules.items() if value is not None}
    session.flush()


def _check_draft(session: Session, step: Step) -> None:
    """Wait for whoever opens the consultation. Raises InvalidError once it is opened."""
    consultation = session.get_one(Consultation, step.consultation_id, with_for_update=True, populate_existing=True)
    if consultations.is_public(consultation):
        raise InvalidError("Les thèmes et les règles sont figés depuis l’ouverture de la consultation.")
