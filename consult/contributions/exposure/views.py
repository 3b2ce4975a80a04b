"""The public page of the displays of a step, and its figures for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, g, render_template, request, url_for
from werkzeug.wrappers import Response

from consult import clock
from consult.consultations import queries as consultation_queries
from consult.consultations.models import Step
from consult.contributions.exposure import queries
from consult.contributions.exposure.policy import evenness
from consult.contributions.exposure.queries import Displayed
from consult.contributions.models import STEP_KINDS
from consult.errors import NotFoundError
from consult.pagecache import cached_for_visitors
from consult.paging import page_number
from consult.security import anyone

bp = Blueprint("exposure", __name__)
ROOT: Final = "/consultations/<slug>/<step_slug>/affichages"
PAGE: Final = 50
LABELS: Final = {"propositions": "Propositions", "versions": "Versions", "arguments": "Arguments"}
COLUMNS: Final = ("id", "type", "hours", "drawn", "asked")


@bp.get(ROOT)
@anyone
@cached_for_visitors
def show(slug: str, step_slug: str) -> str:
    """How many times each text was displayed, the least displayed first, and how even that is."""
    step = _step(slug, step_slug)
    lists = _lists(step)
    name = request.args.get("liste", "")
    name = name if name in lists else next(iter(lists))
    items = lists[name]
    pages = max(1, -(-len(items) // PAGE))
    number = min(page_number(request.args), pages)
    shown = items[(number - 1) * PAGE : number * PAGE]
    here: dict[str, Any] = {"slug": slug, "step_slug": step_slug}
    return render_template(
        "contributions/exposure/show.html",
        step=step,
        until=clock.hour(g.now),
        title=LABELS[name],
        names=[(LABELS[each], url_for(".show", **here, liste=each), each == name) for each in lists],
        evenness=evenness([each.rate for each in items]),
        total=sum(each.drawn for each in items),
        items=shown,
        titles=queries.titles(g.session, shown),
        number=number,
        pages=pages,
        page_url=lambda n: url_for(".show", **here, liste=name, page=n),
    )


@bp.get(f"{ROOT}.csv")
@anyone
@cached_for_visitors
def figures(slug: str, step_slug: str) -> Response:
    """The same for every text of the step, as CSV: one line a text."""
    step = _step(slug, step_slug)
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(COLUMNS)
    for name, items in _lists(step).items():
        lines.writerows((each.id, name, each.hours, each.drawn, each.asked) for each in items)
    named = f'attachment; filename="affichages-{step.slug}.csv"'
    return Response(written.getvalue(), mimetype="text/csv", headers={"Content-Disposition": named})


def _lists(step: Step) -> dict[str, Sequence[Displayed]]:
    """The lists of a step by name; a debate has no text but its question, which is in no list."""
    arguments = queries.of_arguments(g.session, step, g.now)
    if step.kind == "debate":
        return {"arguments": arguments}
    name = "versions" if step.kind == "bill" else "propositions"
    return {name: queries.of_texts(g.session, step, g.now), "arguments": arguments}


def _step(slug: str, step_slug: str) -> Step:
    step = consultation_queries.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind not in STEP_KINDS:
        raise NotFoundError("Cette étape n’a pas de liste de contributions.")
    return step
