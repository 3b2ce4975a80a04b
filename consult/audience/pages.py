"""What a report says, in the order in which page, mail and files say it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from consult.audience import labels
from consult.audience.figures import Acts, Ranked, Span, Traffic
from consult.audience.models import TrafficReport
from consult.labels import date


@dataclass(frozen=True, slots=True)
class Section:
    """A table of counts."""

    title: str
    column: str
    unit: str
    rows: Ranked
    ordered: bool = False  # along time: drawn as it is, never cut


@dataclass(frozen=True, slots=True)
class Told:
    """A report that was made, read back from its row."""

    span: Span
    source: str
    outage: str
    traffic: Traffic | None
    before: Traffic | None
    acts: Acts
    acts_before: Acts

    @classmethod
    def of(cls, report: TrafficReport) -> Self:
        """Read it. The report was made."""
        assert report.acts is not None
        assert report.acts_before is not None
        return cls(
            span=Span(report.period, report.first_day),
            source=report.source,
            outage=report.outage,
            traffic=Traffic.read(report.traffic) if report.traffic else None,
            before=Traffic.read(report.traffic_before) if report.traffic_before else None,
            acts=Acts(**report.acts),
            acts_before=Acts(**report.acts_before),
        )

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The figures: what, how many, how many before, the change."""
        return [
            (label, labels.figure(now), labels.figure(before), "–" if now is None else labels.changed(now, before))
            for label, now, before in self.figures()
        ]

    def figures(self) -> list[tuple[str, int | None, int | None]]:
        """The same, not written yet."""
        return labels.summary(self.traffic, self.before, self.acts, self.acts_before)

    def notes(self) -> list[str]:
        """What must be said beside the figures: what could not be measured, or that nothing came."""
        if self.traffic is None:
            return [self.outage]
        return [] if self.traffic.visits or self.traffic.views else [labels.EMPTY]

    def method(self) -> list[str]:
        """How it was measured."""
        return [labels.METHODS[self.source], labels.APART]

    def funnel(self) -> list[tuple[str, int]]:
        """From visits to votes: visits only when they were measured."""
        acts = [(label, getattr(self.acts, name)) for name, label in labels.ACTS]
        return [*([("Visites", self.traffic.visits)] if self.traffic else []), *acts]

    def sections(self) -> list[Section]:
        """The tables of traffic; none when it was not measured."""
        if self.traffic is None:
            return []
        found = self.traffic
        days = tuple((date(dt.date.fromisoformat(day)), count) for day, count in found.days)
        hours = tuple((labels.hour(rank), count) for rank, count in enumerate(found.hours))
        return [
            *([Section("Visites par jour", "Jour", "visites", days, ordered=True)] if len(days) > 1 else []),
            Section("Visites par heure de la journée", "Heure", "visites", hours, ordered=True),
            Section("Pages les plus vues", "Page", "pages vues", _named(found.pages, labels.page)),
            Section("Origine des visites", "Origine", "visites", _named(found.sources, labels.source)),
            Section("Appareils", "Appareil", "visites", _named(found.devices, str.capitalize)),
        ]


def _named(rows: Ranked, name: Callable[[str], str]) -> Ranked:
    return tuple((name(label), count) for label, count in rows)
