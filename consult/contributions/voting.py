"""How people vote on the texts of a step, by its setting; pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consult.contributions.models import VoteValue


class VoteKind(enum.StrEnum):
    """What a vote says; frozen with the rules at the opening."""

    THREE_WAY = "three_way"  # d'accord, mitigé, pas d'accord
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class VoteRule:
    """How the texts of a step are voted on."""

    kind: VoteKind

    @property
    def values(self) -> tuple[VoteValue, ...]:
        """The positions that a vote may take on a text."""
        return tuple(VoteValue) if self.kind is VoteKind.THREE_WAY else (VoteValue.FOR,)


def told(rule: VoteRule, value: VoteValue) -> dict[str, str]:
    """What the public log holds of a vote on a text; its kind too, unless it is the usual one."""
    kind = {} if rule.kind is VoteKind.THREE_WAY else {"vote": rule.kind.value}
    return {**kind, "value": value.value}


def rule_of(settings: Mapping[str, Any]) -> VoteRule:
    """The rule of a step by its settings: three positions, unless they say otherwise."""
    return VoteRule(VoteKind(settings.get("vote", VoteKind.THREE_WAY)))
