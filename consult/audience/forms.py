"""Forms of traffic reports. They hold what was typed; `service` judges it."""

from __future__ import annotations

from typing import Final

from wtforms import DateField, Form, HiddenField, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from consult.audience.models import Period

_PERIODS: Final = [
    SelectChoice(Period.WEEK.value, "La semaine de ce jour, du lundi au dimanche"),
    SelectChoice(Period.DAY.value, "Ce jour seul"),
]


class Day(DateField):  # type: ignore[misc]  # WTForms has no types
    """A day; what is typed wrong is told in French."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed. Raises ValueError telling how to type it."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Donnez une date, par exemple 2026-09-01.") from None


class ReportForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Which period to report on."""

    class Meta:
        """What the library itself has to say is said in French."""

        locales = ("fr",)

    period = RadioField("Période", [InputRequired("Choisissez une période.")], choices=_PERIODS, default="week")
    day = Day("Jour", [InputRequired("Donnez un jour.")], description="Un jour passé.")


class RecommendationsForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What staff recommend."""

    recommendations = TextAreaField(
        "Recommandations",
        description="Pour que la consultation reste connue et suivie\u00a0: à qui écrire, quand, par quel relais. Une "
        "ligne vide sépare les paragraphes, un tiret commence une liste, **deux étoiles** mettent en gras.",
    )
    edits = HiddenField()
