"""French words of votes: their kinds, how each is counted, what a list is sorted by."""

from __future__ import annotations

from typing import Final

from consult.contributions.models import VoteValue
from consult.contributions.queries import Sort
from consult.contributions.voting import VoteKind, VoteRule

VOTES: Final = {
    VoteKind.THREE_WAY: "Trois positions\u00a0: d’accord, mitigé, pas d’accord",
    VoteKind.SUPPORT: "Soutien\u00a0: un seul bouton",
    VoteKind.POINTS: "Points à répartir\u00a0: un bulletin par personne",
    VoteKind.RANKING: "Classement d’une sélection\u00a0: un bulletin par personne",
}
_BALLOT: Final = (
    "Le bulletin se change ou se retire jusqu’à la fin\u00a0; seul le dernier compte. Les points d’une proposition "
    "masquée ou retirée depuis restent avec elle, sans paraître ni être redistribués, et comptent de nouveau si elle "
    "est rétablie\u00a0; jusqu’à la fin, chacun peut reprendre les siens."
)
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
_MOST: Final = {
    VoteKind.THREE_WAY: "Plus votées",
    VoteKind.SUPPORT: "Plus soutenues",
    VoteKind.POINTS: "Plus de points",
    VoteKind.RANKING: "Plus de points",
}


def counting(rule: VoteRule) -> str:
    """How votes are cast and counted, for everybody to read."""
    if rule.kind is VoteKind.POINTS:
        most = f", {rule.most} au plus par proposition" if rule.most < rule.points else ""
        return (
            f"Chaque compte a un bulletin et {rule.points} points à répartir entre les propositions{most}, "
            f"sans être tenu de tout donner. Une proposition a la somme des points de tous les bulletins. {_BALLOT}"
        )
    if rule.kind is VoteKind.RANKING:
        return (
            f"Chaque compte a un bulletin et y classe jusqu’à {rule.points} propositions. La première reçoit "
            f"{rule.points} points, la suivante un de moins, et ainsi de suite (règle de Borda)\u00a0; une proposition "
            "qui n’est pas classée n’en reçoit pas. Une proposition a la somme des points de tous les bulletins\u00a0; "
            f"son rang moyen est pris sur les bulletins qui la classent. {_BALLOT}"
        )
    return COUNTING[rule.kind]


def points_left(rule: VoteRule, given: int) -> str:
    """What is left of the points of a ballot; `enhance.js` says the same as they are typed."""
    left = rule.points - given
    if left < 0:
        return f"{-left} point{'s' if left < -1 else ''} de trop\u00a0: vous en avez {rule.points} à répartir."
    return f"Il vous reste {left} point{'s' if left > 1 else ''} sur {rule.points}."


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
