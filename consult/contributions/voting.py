"""How people vote on the texts of a step, by its setting; pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from consult.contributions.models import VoteValue

MOST_POINTS: Final = 100  # that a person may be given to spread
MOST_PLACES: Final = 20  # of a ranking


class VoteKind(enum.StrEnum):
    """What a vote says; frozen with the rules at the opening."""

    THREE_WAY = "three_way"  # d'accord, mitigé, pas d'accord
    SUPPORT = "support"
    POINTS = "points"  # one ballot a step, that spreads points over its texts
    RANKING = "ranking"  # one ballot a step, that ranks some of its texts


@dataclass(frozen=True, slots=True)
class VoteRule:
    """How the texts of a step are voted on.

    `points`: what a ballot spreads; of a ranking, how many places it has, and what the first of them is worth. `most`:
    what a ballot gives to one text at most.
    """

    kind: VoteKind
    points: int = 0
    most: int = 0

    @property
    def by_ballot(self) -> bool:
        """Whether a person votes by one ballot on all the texts, instead of one vote on each."""
        return self.kind in {VoteKind.POINTS, VoteKind.RANKING}

    @property
    def values(self) -> tuple[VoteValue, ...]:
        """The positions that a vote may take on a text; none where people vote by ballot."""
        if self.by_ballot:
            return ()
        return tuple(VoteValue) if self.kind is VoteKind.THREE_WAY else (VoteValue.FOR,)


def told(rule: VoteRule, value: VoteValue) -> dict[str, str]:
    """What the public log holds of a vote on a text; its kind too, unless it is the usual one."""
    kind = {} if rule.kind is VoteKind.THREE_WAY else {"vote": rule.kind.value}
    return {**kind, "value": value.value}


def rule_of(settings: Mapping[str, Any]) -> VoteRule:
    """The rule of a step by its settings: three positions, unless they say otherwise."""
    kind = VoteKind(settings.get("vote", VoteKind.THREE_WAY))
    if kind is VoteKind.POINTS:
        return VoteRule(kind, settings["points"], settings.get("points_most", settings["points"]))
    if kind is VoteKind.RANKING:
        return VoteRule(kind, settings["ranked"], settings["ranked"])
    return VoteRule(kind)


def frozen(rule: VoteRule) -> dict[str, Any]:
    """What the frozen rules of a step say of its votes."""
    said: dict[str, Any] = {"votes": [value.value for value in rule.values]}
    if rule.by_ballot:
        said["ballot"] = {"vote": rule.kind.value, "points": rule.points, "most": rule.most, "unpublished": "kept"}
    return said
