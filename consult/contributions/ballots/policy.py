"""What a ballot may say, and what it adds to the counts; pure.

A ballot is points by text, whatever the rule: in a ranking of five places the first text has five points, the second
four, and so on. Points given to a text that is published no more stay with it: they are not shown, neither spread
anew, and count again if it is restored; their holder may take them back.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypeAlias

from consult.contributions.policy import refuse
from consult.contributions.voting import VoteKind, VoteRule
from consult.errors import InvalidError

Choices: TypeAlias = Mapping[str, int]  # points by the id of a proposal
Changes: TypeAlias = dict[str, list[int]]  # points, ballots and first choices to add, by the id of a proposal
NOT_THERE: Final = "n’est pas publiée dans cette étape\u00a0: retirez-la de votre bulletin."


class Move(enum.StrEnum):
    """What a person does to a text in their ranking."""

    ADD = "add"  # after the others
    UP = "up"
    DOWN = "down"
    REMOVE = "remove"


def check(rule: VoteRule, choices: Choices, former: Choices, published: Collection[str]) -> None:
    """Raise InvalidError, naming the texts, when a ballot may not say that in the place of what it `former`ly said."""
    refuse(
        {
            text: _fault(rule, given, former.get(text, 0), is_published=text in published)
            for text, given in choices.items()
        }
    )
    if rule.kind is VoteKind.RANKING:
        if sorted(choices.values(), reverse=True) != list(range(rule.points, rule.points - len(choices), -1)):
            raise InvalidError("Ce classement n’est pas lisible\u00a0: rien n’a été enregistré.")
        return
    excess = sum(choices.values()) - rule.points
    if excess > 0:
        raise InvalidError(
            f"Vous avez donné {sum(choices.values())} points sur {rule.points}\u00a0: enlevez-en {excess}."
        )


def _fault(rule: VoteRule, given: int, before: int, *, is_published: bool) -> str:
    if not is_published and (not before or (rule.kind is VoteKind.POINTS and given > before)):
        return f"Cette proposition {NOT_THERE}"
    if given < 0:
        return "Un nombre de points ne peut pas être négatif\u00a0: écrivez 0 ou plus."
    if given > rule.most:
        return f"{given} points, c’est trop\u00a0: {rule.most} au plus par proposition."
    return ""


def ranking(choices: Choices) -> list[str]:
    """The texts of a ballot, the one with the most points first."""
    return sorted(choices, key=lambda text: (-choices[text], text))


def ranked(rule: VoteRule, texts: Sequence[str]) -> dict[str, int]:
    """The ballot that ranks these texts in that order. Raises InvalidError when they are too many."""
    if len(texts) > rule.points:
        raise InvalidError(
            f"Votre classement compte déjà {rule.points} propositions\u00a0: retirez-en une avant d’en ajouter."
        )
    return {text: rule.points - place for place, text in enumerate(texts)}


def moved(rule: VoteRule, choices: Choices, move: Move, text: str) -> dict[str, int]:
    """The ballot after that move; the same one when there is nothing to move. Raises InvalidError."""
    texts = ranking(choices)
    if move is Move.ADD:
        return ranked(rule, texts if text in texts else [*texts, text])
    if text not in texts:
        return dict(choices)
    place = texts.index(text)
    texts.remove(text)
    if move is not Move.REMOVE:
        texts.insert(max(0, place + (1 if move is Move.DOWN else -1)), text)
    return ranked(rule, texts)


def remaining(rule: VoteRule, choices: Choices, published: Collection[str]) -> dict[str, int]:
    """A ballot without the texts that are published no more."""
    left = {text: given for text, given in choices.items() if text in published}
    return ranked(rule, ranking(left)) if rule.kind is VoteKind.RANKING else left


def changes(rule: VoteRule, former: Choices, choices: Choices) -> Changes:
    """What a ballot adds to the counts of each text in the place of what it `former`ly said."""
    added = {}
    for text in {**former, **choices}:
        before, after = _counts(rule, former.get(text, 0)), _counts(rule, choices.get(text, 0))
        if before != after:
            added[text] = [new - old for old, new in zip(before, after, strict=True)]
    return added


def _counts(rule: VoteRule, given: int) -> tuple[int, int, int]:
    """What a ballot that gives so many points to a text counts for."""
    return given, int(given > 0), int(rule.kind is VoteKind.RANKING and given == rule.points)


def mean_rank(rule: VoteRule, points: int, ballots: int) -> float | None:
    """The rank of a text, on average over the ballots that rank it; None without any."""
    return rule.points + 1 - points / ballots if ballots else None


def ids(texts: Collection[str]) -> list[uuid.UUID]:
    """The ids that a ballot names."""
    return [uuid.UUID(text) for text in texts]
