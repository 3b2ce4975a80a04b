"""What several pages say of an official answer, a commitment or a case."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import current_app, g, url_for

from consult.consultations.labels import figures
from consult.consultations.models import Consultation, Step
from consult.followup import cases, labels, policy, queries
from consult.followup.models import Commitment, OfficialAnswer, Outcome, Stage, TargetType, UseCase
from consult.labels import date


def target_titles(consultation_id: uuid.UUID, rows: Iterable[Any]) -> Mapping[uuid.UUID, str]:
    """The title of what each answer is about, by its id; nothing for the others."""
    targets = {(each.target_type, each.target_id) for each in rows if isinstance(each, OfficialAnswer)}
    return queries.titles(g.session, consultation_id, targets)


def address_of(answer: OfficialAnswer) -> str:
    """The public page of what is answered."""
    if answer.target_type is TargetType.CONTRIBUTION:
        return url_for("contributions.proposal", proposal_id=answer.target_id)
    consultation = g.session.get_one(Consultation, answer.consultation_id)
    if answer.target_type is TargetType.STEP:
        step = g.session.get_one(Step, answer.target_id)
        return url_for("consultations.step", slug=consultation.slug, step_slug=step.slug)
    theme = queries.theme_page(g.session, answer.target_id) if answer.target_type is TargetType.THEME else None
    if theme is None:
        return url_for("consultations.show", slug=consultation.slug)
    return url_for("consultations.step", slug=consultation.slug, step_slug=theme[1], theme=theme[0])


def told(item: Any) -> dict[str, Any]:
    """All that a page says of one: what it is about, what follows it, what it said before."""
    context: dict[str, Any] = {
        "versions": queries.versions(g.session, item.id),
        "outcomes": labels.OUTCOMES,
        "stages": labels.STAGES,
        "licences": labels.LICENCES,
        "day": lambda written: date(dt.date.fromisoformat(written)),
        "overdue": isinstance(item, Commitment) and policy.is_overdue(item, g.now),
    }
    if isinstance(item, OfficialAnswer):
        title = target_titles(item.consultation_id, [item]).get(item.target_id)
        context |= {
            "target": title,
            "target_word": labels.TARGETS[item.target_type],
            "target_address": address_of(item) if title else "",
            "followed_by_pairs": [
                (each, policy.is_overdue(each, g.now)) for each in queries.commitments_about(g.session, [item.id])
            ],
        }
    elif isinstance(item, Commitment):
        context["linked"] = queries.linked(g.session, item)
    else:
        (context["case"],) = case_rows([item])
        context["figures"] = figures(context["case"])
    return context


def case_rows(found: Sequence[UseCase]) -> Sequence[Mapping[str, Any]]:
    """Cases with their figures."""
    return cases.rows(g.session, found, current_app.extensions["bindings"].step_kinds)


def outcome_choices() -> list[tuple[str, str]]:
    """What a list of contributions may be filtered by."""
    words = [(each.value, labels.OUTCOMES[each][0]) for each in Outcome]
    return [("", "Toutes"), ("any", "Avec une réponse"), *words]


def stage_choices() -> list[tuple[str, str]]:
    """What a list of commitments may be filtered by."""
    return [("", "Tous"), *((each.value, labels.STAGES[each][0]) for each in Stage)]
