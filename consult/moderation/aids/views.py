"""What the machine suggests, on the pages of moderators: beside a content, and the latest of all."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Blueprint, current_app, g, render_template

from consult import seam
from consult.consultations import queries as consultations
from consult.moderation import policy
from consult.moderation.aids import labels, queries
from consult.protocols import ModerableItem
from consult.security import staff

bp = Blueprint("aids", __name__)


@bp.app_template_global("suggested")
def suggested(items: Collection[ModerableItem | None]) -> dict[Any, list[dict[str, Any]]]:
    """For the pages of moderation: what is suggested of each of these contents, and why; one query for all."""
    contents = {item.id: item for item in items if item is not None}
    found = queries.of_contents(g.session, contents.values())
    return {
        item_id: [
            {
                "kind": labels.KINDS[each.kind],
                "reason": labels.reason(each, queries.text_of(contents[item_id])),
                "version": each.version,
                "made_at": each.made_at,
            }
            for each in suggestions
        ]
        for item_id, suggestions in found.items()
    }


@bp.get("/gestion/moderation/suggestions")
@staff(*policy.MODERATORS, anywhere=True)
def latest() -> str:
    """The contents that the machine suggested lately, with what is known of its errors."""
    scope = policy.scope(g.actor)
    types = current_app.extensions["bindings"].content_types
    named: dict[str, dict[Any, None]] = {}
    for each in queries.latest(g.session, scope):
        named.setdefault(each.item_type, {})[each.item_id] = None
    items = [item for name, ids in named.items() for item in types[name].items(g.session, list(ids)).values()]
    items.sort(key=lambda item: item.created_at, reverse=True)
    return render_template(
        "moderation/aids/latest.html",
        items=items,
        types={name: content.label for name, content in types.items()},
        titles={each.id: each.title for each in consultations.names(g.session, scope)},
        model=seam.insult_model(),
    )
