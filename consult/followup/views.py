"""What anybody reads of official answers, commitments and cases."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

from flask import Blueprint, g, render_template, request, url_for
from sqlalchemy import Select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations import queries as consultations
from consult.consultations.models import Step
from consult.followup import cases, labels, pages, policy, queries
from consult.followup.manage.views import bp as manage
from consult.followup.models import Commitment, OfficialAnswer, Outcome, Stage, Status, UseCase
from consult.pagecache import cached_for_visitors
from consult.paging import page_number
from consult.security import anyone, anyone_indexable

bp = Blueprint("followup", __name__)
bp.register_blueprint(manage)
View: TypeAlias = str | tuple[str, int]
GONE: Final = 410
ANY: Final = "any"  # whatever the outcome


@bp.get("/suites-donnees/<slug>")
@anyone
@cached_for_visitors
def commitments(slug: str) -> View:
    """What the administration committed to after a consultation."""
    return _list(
        "commitments", slug, Commitment, filtered=("avancement", "stage", Stage), choices=pages.stage_choices()
    )


@bp.get("/suites-donnees/<slug>/reponses")
@anyone
@cached_for_visitors
def answers(slug: str) -> View:
    """What the administration answered in a consultation."""
    choices = [choice for choice in pages.outcome_choices() if choice[0] != ANY]
    return _list("answers", slug, OfficialAnswer, filtered=("suite", "outcome", Outcome), choices=choices)


def _list(
    name: str, slug: str, model: Any, *, filtered: tuple[str, str, type[StrEnum]], choices: Sequence[tuple[str, str]]
) -> str:
    """A page of them; `filtered`: the argument that filters it, the column it is about, the values that this takes."""
    argument, column, values = filtered
    consultation = consultations.consultation_or_404(g.session, slug, g.actor)
    chosen = next((each for each in values if each.value == request.args.get(argument)), None)
    only = {column: chosen} if chosen else {}
    listed = queries.published(g.session, model, consultation.id, page=page_number(request.args), only=only)
    kept: dict[str, Any] = {argument: chosen.value} if chosen else {}
    return render_template(
        f"followup/{name}.html",
        consultation=consultation,
        listed=listed,
        titles=pages.target_titles(consultation.id, listed.rows),
        tally=queries.tally(g.session, consultation.id, g.now),
        chosen=chosen or "",
        choices=choices,
        outcomes=labels.OUTCOMES,
        stages=labels.STAGES,
        targets=labels.TARGETS,
        is_overdue=lambda item: policy.is_overdue(item, g.now),
        page_url=lambda n: url_for(f".{name}", slug=slug, **kept, page=n),
    )


@bp.get("/reponses-officielles/<uuid:item_id>")
@anyone
@cached_for_visitors
def answer(item_id: uuid.UUID) -> View:
    """One official answer with what it said before, or what is left of it."""
    return _one(OfficialAnswer, item_id, "followup/answer.html")


@bp.get("/engagements/<uuid:item_id>")
@anyone
@cached_for_visitors
def commitment(item_id: uuid.UUID) -> View:
    """One commitment with its updates, or what is left of it."""
    return _one(Commitment, item_id, "followup/commitment.html")


@bp.get("/cas-d-usage/<uuid:item_id>")
@anyone_indexable
@cached_for_visitors
def case(item_id: uuid.UUID) -> View:
    """One case, or what is left of it."""
    return _one(UseCase, item_id, "followup/case.html")


def _one(model: Any, item_id: uuid.UUID, template: str) -> View:
    item, consultation = queries.public(g.session, model, item_id)
    page = render_template(template, item=item, consultation=consultation, **pages.told(item))
    return (page, GONE) if item.status is Status.WITHDRAWN else page


@bp.get("/cas-d-usage")
@anyone_indexable
@cached_for_visitors
def case_list() -> View:
    """The cases, filtered by theme and by partner."""
    choices = cases.choices(g.session)
    asked = {name: request.args.get(name, "") for name in choices}
    asked = {name: value if value in choices[name] else "" for name, value in asked.items()}
    listed = cases.page(g.session, **asked, number=page_number(request.args))
    kept: dict[str, Any] = {name: value for name, value in asked.items() if value}
    return render_template(
        "followup/cases.html",
        listed=listed,
        rows=pages.case_rows(listed.rows),
        choices=choices,
        asked=asked,
        page_url=lambda n: url_for(".case_list", **kept, page=n),
    )


# What pages of the features below ask ------------------------------------------------------------------------------


class Answered:
    """The filter of a list of contributions by what was answered to them."""

    def choices(self, session: Session, step: Step) -> Sequence[tuple[str, str]]:
        """Nothing where nothing is answered yet."""
        return pages.outcome_choices() if queries.has_answers(session, step.consultation_id) else []

    def ids(self, step: Step, choice: str) -> Select[Any]:
        """The contributions of a step that are answered so."""
        return queries.answered(step.id, None if choice == ANY else Outcome(choice))


@bp.app_template_global("official_answers")
def official_answers(target_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, OfficialAnswer]:
    """The published answers to these, by what they answer."""
    return queries.answers_to(g.session, target_ids)


@bp.app_template_global("commitments_about")
def commitments_about(target_ids: Collection[uuid.UUID]) -> Sequence[tuple[Commitment, bool]]:
    """The published commitments that follow a contribution or its answer, and whether each is late."""
    found = queries.commitments_about(g.session, target_ids)
    return [(each, policy.is_overdue(each, g.now)) for each in found]


@bp.app_template_global("followup_tally")
def followup_tally(consultation_id: uuid.UUID) -> Mapping[str, int]:
    """What was answered and committed to after a consultation."""
    return queries.tally(g.session, consultation_id, g.now)


@bp.app_template_global("may_answer")
def may_answer(consultation_id: uuid.UUID) -> bool:
    """Whether this person answers for the administration."""
    actor: Actor = g.actor
    return actor.holds(*policy.WRITERS, consultation_id=consultation_id)


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {"answer_outcomes": labels.OUTCOMES, "commitment_stages": labels.STAGES}
