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


def named(typed: MultiDict[str, str]) -> list[str]:
    """The texts for which something was typed. Raises InvalidError for what is no text, or named twice."""
    names = [name.removeprefix(PREFIX) for name in typed if name.startswith(PREFIX)]
    for name in names:
        if len(typed.getlist(PREFIX + name)) > 1:
            raise InvalidError("Une proposition figure deux fois dans ce bulletin\u00a0: rien n’a été enregistré.")
        if not is_id(name):
            raise InvalidError("Ce bulletin nomme une proposition qui n’existe pas\u00a0: rien n’a été enregistré.")
    return names


def is_id(text: str) -> bool:
    """Whether what was sent may be the id of a text."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def chosen(form: Any) -> dict[str, int]:
    """The points typed, by text; an empty field gives none. Raises InvalidError when one is no number."""
    if not form.validate():
        raise InvalidError  # the fields say why
    return {field.name.removeprefix(PREFIX): field.data or 0 for field in form}
