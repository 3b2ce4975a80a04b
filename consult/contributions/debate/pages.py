"""The public page of a debate: its question, and the arguments for and against in turn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask import render_template
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations import figures
from consult.consultations import policy as consultations
from consult.consultations.models import Step
from consult.contributions.arguments import pages as argument_pages
from consult.contributions.debate import queries
from consult.registry import queries as registry


def step_page(session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
    """The question and a page of the arguments; a bounded number of queries."""
    del actor, arguments
    question = queries.question(session, step.id)
    return render_template(
        "contributions/debate/step.html",
        step=step,
        state=consultations.step_state(step, step.consultation, now).value,
        is_open=consultations.accepts_acts(step, step.consultation, now),
        census=figures.of_step(session, step, queries.census),
        position=registry.counted(session),
        proposal=question,
        arguments=argument_pages.listing(question, step, searched=True) if question else None,
    )
