"""Invented figures, rankings, judgements and notes, which go with the rest of the reply."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from consult.demo.people import chance
from consult.demo.records import DemoReply
from consult.departements import DEPARTEMENTS

_Said = TypeVar("_Said")
_DISTANCES: dict[str, tuple[float, float]] = {  # kilometres: the middle, and how far one strays from it
    "voiture": (34, 0.7), "covoiturage": (42, 0.6), "collectif": (22, 0.6), "velo": (8, 0.5), "marche": (2.5, 0.5),
    "deux-roues": (18, 0.6), "peu": (3, 0.8),
}  # fmt: skip
_LONGEST = 400
_CRITERIA = {"temps": 5.0, "cout": 4.0, "fiabilite": 4.0, "confort": 1.5, "securite": 2.0}
_RANKED = 3
_MENTIONS = ("excellent", "bien", "passable", "insuffisant", "rejeter")
_JUDGED: dict[str, tuple[float, ...]] = {
    "nuit": (34, 33, 20, 8, 5), "zone-30": (19, 22, 17, 16, 26), "gratuite": (30, 24, 20, 14, 12),
}  # fmt: skip
_TRIALS = {"pistes": 5.0, "pret": 1.5, "stationnement": 2.0, "prime": 2.0, "rien": 4.0}
_STREETS = ("voitures", "velos", "pietons", "bus")
_PREFERRED = {"voiture": (6, 2, 4, 2), "velo": (1, 8, 3, 2), "collectif": (1, 2, 4, 6), "marche": (1, 2, 8, 2)}
_WITHOUT_CAR = {"grande-ville": 8, "banlieue": 5, "ville-moyenne": 4, "bourg": 2, "campagne": 1}


def added(replies: Sequence[DemoReply], rng: random.Random) -> tuple[DemoReply, ...]:
    """The same replies, most of them with these answers too."""
    return tuple(_with_opinions(reply, rng) for reply in replies)


def _with_opinions(reply: DemoReply, rng: random.Random) -> DemoReply:
    (mode,) = reply.choices["mode"]
    middle, spread = _DISTANCES[mode]
    distance = min(_LONGEST, middle * rng.lognormvariate(0, spread))
    figure = f"{distance:.1f}".replace(".0", "") if distance < 5 else f"{distance:.0f}"  # noqa: PLR2004  # a short way
    (place,) = reply.choices.get("territoire", ("ville-moyenne",))
    note = min(10, max(0, round(rng.gauss(_WITHOUT_CAR[place], 2.2))))
    cells = {
        "classement": tuple(f"{criterion}:{rank}" for rank, criterion in enumerate(_ranking(rng), 1)),
        "jugement": tuple(
            f"{idea}:{rng.choices(_MENTIONS, weights)[0]}" for idea, weights in _JUDGED.items() if chance(rng, 0.96)
        ),
        "recommander": (str(note),),
    }
    trial = {} if mode == "velo" else {"essai-velo": (rng.choices(list(_TRIALS), list(_TRIALS.values()))[0],)}
    return replace(
        reply,
        choices=reply.choices | _some(trial, rng, 0.8),
        cells=_some({key: given for key, given in cells.items() if given}, rng, 0.85),
        figures=_some({"distance": figure}, rng, 0.8),
    )


def placed(replies: Sequence[DemoReply], rng: random.Random) -> tuple[DemoReply, ...]:
    """The same replies, most of them with a street and a département too; few départements have most of the people."""
    codes = rng.sample(sorted(DEPARTEMENTS), len(DEPARTEMENTS))
    weights = [1 / rank for rank in range(1, len(codes) + 1)]

    def told(reply: DemoReply) -> DemoReply:
        (mode,) = reply.choices["mode"]
        street = rng.choices(_STREETS, _PREFERRED.get(mode, (3, 3, 4, 3)))[0]
        return replace(
            reply,
            choices=reply.choices | _some({"rue": (street,)}, rng, 0.85),
            figures=reply.figures | _some({"departement": rng.choices(codes, weights)[0]}, rng, 0.75),
        )

    return tuple(told(reply) for reply in replies)


def _ranking(rng: random.Random) -> list[str]:
    """The first criteria, drawn one after the other."""
    left, ranked = dict(_CRITERIA), []
    for _ in range(rng.choice((1, 2, _RANKED, _RANKED, _RANKED))):
        chosen = rng.choices(list(left), list(left.values()))[0]
        ranked.append(chosen)
        del left[chosen]
    return ranked


def _some(answers: Mapping[str, _Said], rng: random.Random, part: float) -> dict[str, _Said]:
    return {key: given for key, given in answers.items() if chance(rng, part)}
