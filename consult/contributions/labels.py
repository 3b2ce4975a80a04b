"""French words of votes: their kinds, how each is counted, what a list is sorted by."""

from __future__ import annotations

from typing import Final

from consult.contributions.models import VoteValue
from consult.contributions.queries import Sort
from consult.contributions.voting import VoteKind, VoteRule

VOTES: Final = {
    VoteKind.THREE_WAY: "Trois positions\u00a0: d’accord, mitigé, pas d’accord",
    VoteKind.SUPPORT: "Soutien\u00a0: un seul bouton",
}
COUNTING: Final = {
    VoteKind.THREE_WAY: (
        "Chaque compte donne une position par texte, d’accord, mitigé ou pas d’accord, et peut la changer ou "
        "la retirer jusqu’à la fin. Les trois positions sont comptées à part, jamais soustraites l’une de l’autre."
    ),
    VoteKind.SUPPORT: (
        "Chaque compte peut soutenir autant de textes qu’il veut, une fois chacun, et retirer son soutien jusqu’à la "
        "fin. Un texte a autant de soutiens que de comptes qui le soutiennent."
    ),
}
_POSITIONS: Final = {VoteValue.FOR: "D’accord", VoteValue.MIXED: "Mitigé", VoteValue.AGAINST: "Pas d’accord"}
_MOST: Final = {VoteKind.THREE_WAY: "Plus votées", VoteKind.SUPPORT: "Plus soutenues"}


def counting(rule: VoteRule) -> str:
    """How votes are cast and counted, for everybody to read."""
    return COUNTING[rule.kind]


def position(rule: VoteRule, value: VoteValue) -> str:
    """What a vote said."""
    return "Soutien" if rule.kind is VoteKind.SUPPORT else _POSITIONS[value]


def sorts(rule: VoteRule) -> list[tuple[str, str]]:
    """The orders of a list of texts, the first one by default."""
    return [
        (Sort.RANDOM.value, "Ordre aléatoire"),
        (Sort.RECENT.value, "Plus récentes"),
        (Sort.VOTED.value, _MOST[rule.kind]),
    ]
