"""The page of a questionnaire to print: every question, with boxes and lines to fill by hand."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, g, render_template

from consult.consultations import queries as consultations
from consult.errors import NotFoundError
from consult.pagecache import cached_for_visitors
from consult.questionnaires import conditions, labels, policy, queries, wording
from consult.security import anyone

bp = Blueprint("printing", __name__)
MOST_BOXES: Final = 40  # a longer list is not printed: there is a line to write on


@bp.get("/consultations/<slug>/<step_slug>/imprimer")
@anyone
@cached_for_visitors
def paper(slug: str, step_slug: str) -> str:
    """The questionnaire to be read or filled on paper."""
    step = consultations.step_or_404(g.session, slug, step_slug, g.actor)
    asked = conditions.in_order(queries.questions(g.session, step.id)) if step.kind == "questionnaire" else []
    if not asked:
        raise NotFoundError("Aucun questionnaire n’est publié à cette adresse.")
    numbers = policy.numbered(asked)
    when = {
        each.id: wording.sentence(condition, asked, numbers) for each in asked if (condition := conditions.of(each))
    }
    return render_template(
        "questionnaires/paper.html",
        step=step,
        questions=asked,
        numbers=numbers,
        when=when,
        labels=labels,
        most_boxes=MOST_BOXES,
    )
