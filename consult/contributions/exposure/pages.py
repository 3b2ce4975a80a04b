"""What the pages of lists say of what they display."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from consult import displays
from consult.consultations import policy as consultations
from consult.consultations.models import Step


def displayed(step: Step, rows: Iterable[Any], *, drawn: bool) -> None:
    """Count these rows of a list of the step; a draft, which its staff alone reads, counts nothing.

    `drawn`: they are in the order by lot, and the reader asked for nothing else.
    """
    if consultations.is_public(step.consultation):
        displays.note(step.id, (row.id for row in rows), drawn=drawn)
