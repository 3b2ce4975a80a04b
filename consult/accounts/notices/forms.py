"""The form of « mes courriels »."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, Form

from consult.accounts.notices.policy import Notice


def choices_form(notices: Sequence[Notice], *args: Any, **kwargs: Any) -> Form:
    """A box for each of these notices, under the name of its column."""
    boxes = {notice.column: BooleanField(notice.name, description=notice.said) for notice in notices}
    return type("ChoicesForm", (Form,), boxes)(*args, **kwargs)
