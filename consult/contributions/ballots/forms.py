"""The form of a ballot that spreads points: one number by text. It holds what was typed; `policy` alone judges it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm
from wtforms.validators import Optional

from consult.contributions.forms import WholeNumber
from consult.contributions.voting import VoteRule
from consult.errors import InvalidError

PREFIX: Final = "points-"


def points_form(
    rule: VoteRule, titles: Mapping[str, str], given: Mapping[str, int], typed: MultiDict[str, str] | None = None
) -> Any:
    """One field by text of `titles`, with the points `given` or as they were typed."""
    attributes = {"inputmode": "numeric", "min": 0, "max": rule.most, "step": 1}
    fields = {
        f"{PREFIX}{text}": WholeNumber(title, [Optional()], render_kw=attributes) for text, title in titles.items()
    }
    form = BaseForm(fields)
    form.process(typed, data={f"{PREFIX}{text}": points for text, points in given.items()})
    return form


def read(typed: MultiDict[str, str]) -> dict[str, int]:
    """The points typed, by text; an empty field gives none. Raises InvalidError for what is no text, is named twice, or
    is no number: of that, the field itself says why.
    """
    points = {}
    for name, values in typed.lists():
        if not name.startswith(PREFIX):
            continue
        text = name.removeprefix(PREFIX)
        if len(values) > 1:
            raise InvalidError("Une proposition figure deux fois dans ce bulletin\u00a0: rien n’a été enregistré.")
        if not is_id(text):
            raise InvalidError("Ce bulletin nomme une proposition qui n’existe pas\u00a0: rien n’a été enregistré.")
        try:
            points[text] = int(values[0].strip() or 0)
        except ValueError:
            raise InvalidError from None
    return points


def is_id(text: str) -> bool:
    """Whether what was sent may be the id of a text."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
