"""Invented replies to the questionnaire: closed answers drawn from correlated profiles, open ones composed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consult.demo.grammar import Grammar, bare, restyle, tagged
from consult.demo.people import chance, hour_of_day, some_minute
from consult.demo.records import DemoReply

REPLIES = 1_500
CAMPAIGN_COPIES = 44
_CAMPAIGN_DAYS = (12, 15)
_SAME_SENTENCE = 5  # a sentence worth reading is never told more often than that
_WORTH_READING = 28  # characters
_TRIES = 40
_FOCUS = 1.4  # above 1: people speak first of what concerns them
_LINKS = ("Et ", "Ensuite, ", "En plus, ", "Et surtout, ", "Sinon, ", "Aussi, ", "Et puis ")
# The mixture of lengths of a real questionnaire, in percent; « mark » is RAS, NSP, a dot…
_WISHES = {"blank": 13, "mark": 5, "keywords": 18, "short": 38, "developed": 16, "long": 7.5, "endless": 2.5}
_SENTENCES_PER_TOPIC = {"developed": 1, "long": 2, "endless": 4}
_STYLES = {"neat": 34, "plain": 34, "careless": 20, "expressive": 7, "capitals": 5}
_TERRITORIES = {"grande-ville": 24, "banlieue": 22, "ville-moyenne": 20, "bourg": 18, "campagne": 16}
_AGES = {"moins-25": 12, "25-39": 25, "40-59": 34, "60-74": 22, "75-plus": 7}
_MODES = ("voiture", "covoiturage", "collectif", "velo", "marche", "deux-roues", "peu")
_MODE_WEIGHTS: dict[str, tuple[float, ...]] = {
    "grande-ville": (16, 1, 44, 19, 15, 4, 1),
    "banlieue": (38, 3, 40, 8, 5, 4, 2),
    "ville-moyenne": (50, 4, 18, 12, 12, 2, 2),
    "bourg": (70, 7, 9, 4, 6, 2, 2),
    "campagne": (82, 7, 4, 2, 1, 2, 2),
}
_DURATIONS = ("moins-15", "15-30", "30-60", "60-90", "plus-90")
_DURATION_WEIGHTS = {
    "voiture": (8, 22, 36, 22, 12),
    "covoiturage": (3, 14, 40, 28, 15),
    "collectif": (4, 14, 34, 28, 20),
    "velo": (18, 42, 31, 7, 2),
    "marche": (34, 45, 17, 3, 1),
    "deux-roues": (15, 36, 34, 11, 4),
    "peu": (60, 28, 9, 2, 1),
}
_SATISFACTION = ("tres", "plutot", "plutot-pas", "pas-du-tout", "nsp")
_SATISFACTION_WEIGHTS = {
    "voiture": (9, 36, 34, 18, 3),
    "covoiturage": (12, 44, 31, 10, 3),
    "collectif": (6, 33, 37, 22, 2),
    "velo": (26, 42, 23, 8, 1),
    "marche": (30, 46, 17, 5, 2),
    "deux-roues": (17, 42, 27, 12, 2),
    "peu": (14, 33, 25, 18, 10),
}
_REASONS: dict[str, dict[str, float]] = {
    "voiture": {"rapide": 4, "seul-choix": 6, "horaires": 4, "charges": 4, "confort": 2, "prix": 0.5, "securite": 1},
    "covoiturage": {"prix": 6, "seul-choix": 3, "planete": 3, "horaires": 2, "confort": 1},
    "collectif": {"prix": 4, "seul-choix": 4, "planete": 3, "rapide": 3, "confort": 2, "horaires": 2},
    "velo": {"rapide": 5, "sante": 5, "planete": 5, "prix": 4, "horaires": 1},
    "marche": {"sante": 5, "prix": 4, "rapide": 2, "planete": 3, "confort": 1},
    "deux-roues": {"rapide": 7, "prix": 4, "horaires": 3, "seul-choix": 2},
    "peu": {"seul-choix": 2, "prix": 2, "securite": 1, "confort": 1},
}
_PRIORITIES = ("frequence", "campagne", "tarifs", "pistes", "trottoirs", "routes", "accessibilite", "covoiturage")
_OTHER_MODES = {"voiture": 6, "covoiturage": 1.5, "collectif": 4, "velo": 3, "marche": 6, "deux-roues": 0.7}


@dataclass(frozen=True, slots=True)
class _Profile:
    territory: str
    age: str
    mode: str
    style: str

    @property
    def tags(self) -> frozenset[str]:
        """What templates may ask for."""
        place = {"grande-ville": "urbain", "banlieue": "urbain", "bourg": "rural", "campagne": "rural"}
        age = {"moins-25": "jeune", "25-39": "actif", "40-59": "actif", "60-74": "age", "75-plus": "age"}
        mode = "voiture" if self.mode == "covoiturage" else self.mode
        return frozenset({place.get(self.territory, "ville"), age[self.age], mode})


def draw(authors: Sequence[str], answers: Mapping[str, Any], rng: random.Random) -> tuple[DemoReply, ...]:
    """One reply by author, in the order received."""
    writer = _Writer(answers, rng)
    campaigners = set(rng.sample(range(len(authors)), CAMPAIGN_COPIES))
    replies = [_reply(f"r{n:04d}", author, n in campaigners, writer, rng) for n, author in enumerate(authors)]
    return tuple(sorted(replies, key=lambda reply: (reply.minute, reply.id)))


def _reply(key: str, author: str, in_campaign: bool, writer: _Writer, rng: random.Random) -> DemoReply:  # noqa: FBT001
    profile = _profile(rng)
    choices = _closed_answers(profile, rng)
    text, planted = writer.campaign_copy(profile) if in_campaign else writer.wish(profile)
    texts = {"faciliter": text, "renonce-a": writer.renounced(profile, choices), "mot": writer.word(profile)}
    minute = hour_of_day(rng, rng.randint(*_CAMPAIGN_DAYS)) if in_campaign else some_minute(rng)
    said = {question: answer for question, answer in texts.items() if answer}
    return DemoReply(key, author, minute, choices, said, planted)


def _pick(weights: Mapping[str, float], rng: random.Random) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def _some(weights: Mapping[str, float], count: int, rng: random.Random) -> tuple[str, ...]:
    """Up to that many distinct keys, in the order of the mapping."""
    chosen: set[str] = set()
    for _ in range(count):
        chosen.add(_pick(weights, rng))
    return tuple(key for key in weights if key in chosen)


def _profile(rng: random.Random) -> _Profile:
    territory, age = _pick(_TERRITORIES, rng), _pick(_AGES, rng)
    modes = dict(zip(_MODES, _MODE_WEIGHTS[territory], strict=True))
    if age == "moins-25":
        modes["voiture"] *= 0.45
        modes["collectif"] *= 1.8
    if age == "75-plus":
        modes["marche"] += 12
        modes["peu"] += 12
        modes["velo"] *= 0.3
    return _Profile(territory, age, _pick(modes, rng), _pick(_STYLES, rng))


def _closed_answers(profile: _Profile, rng: random.Random) -> dict[str, tuple[str, ...]]:
    mode = profile.mode
    satisfaction = rng.choices(_SATISFACTION, _SATISFACTION_WEIGHTS[mode])[0]
    strain = 2.2 if satisfaction in {"plutot-pas", "pas-du-tout"} else 1.0
    rural = "rural" in profile.tags
    renounced = {"souvent": 9 * strain * (1.6 if rural else 1), "parfois": 26 * strain, "rarement": 30, "jamais": 30}
    optional = {
        "raisons": _some(_REASONS[mode], rng.choice((1, 2, 2, 3, 3)), rng),
        "autres-modes": _other_modes(mode, rng),
        "duree": (rng.choices(_DURATIONS, _DURATION_WEIGHTS[mode])[0],),
        "renoncement": (_pick(renounced, rng),),
        "priorites": _some(_priorities(profile), rng.choice((1, 2, 2, 2)), rng),
        "territoire": (profile.territory,),
        "age": (profile.age,),
    }
    answered = {question: options for question, options in optional.items() if chance(rng, 0.95)}
    return {"mode": (mode,), "satisfaction": (satisfaction,)} | answered


def _other_modes(mode: str, rng: random.Random) -> tuple[str, ...]:
    others = {other: weight for other, weight in _OTHER_MODES.items() if other != mode}
    return ("aucun",) if chance(rng, 0.2) else _some(others, rng.choice((1, 1, 2, 3)), rng)


def _priorities(profile: _Profile) -> dict[str, float]:
    weights = dict.fromkeys(_PRIORITIES, 1.0)
    tags = profile.tags
    weights["frequence"] += 5 if "collectif" in tags else 2
    weights["campagne"] += 6 if "rural" in tags else 0.5
    weights["tarifs"] += 5 if "jeune" in tags else 2.5
    weights["pistes"] += 8 if "velo" in tags else 1
    weights["trottoirs"] += 5 if "marche" in tags or "age" in tags else 0.5
    weights["routes"] += 5 if "voiture" in tags else 0
    weights["accessibilite"] += 4 if "age" in tags else 0.5
    return weights


class _Writer:
    """Composes open answers, and keeps count so that no sentence is told by dozens of people."""

    def __init__(self, answers: Mapping[str, Any], rng: random.Random) -> None:
        renounced = answers["renounced"]
        slots = {**answers["slots"], "object": renounced["objects"], "reason": renounced["reasons"]}
        self._grammar = Grammar({**slots, "action": renounced["actions"]}, rng)
        self._answers, self._rng = answers, rng
        self._told: Counter[str] = Counter()

    def wish(self, profile: _Profile) -> tuple[str, tuple[str, ...]]:
        """What would make life easier, with the topics it was composed from; empty or « RAS » at times."""
        kind = _pick(_WISHES, self._rng)
        if kind == "blank":
            return "", ()
        if kind == "mark":
            return self._rng.choice(self._answers["blank_marks"]), ()
        topics = self._topics(profile, self._rng.choice((1, 1, 2, 2, 3)))
        if kind == "keywords":
            return self._styled(self._keywords(topics), profile), topics
        if kind == "short":
            topics = topics[:2]
            return self._styled(" ".join(self._sentences(topics, profile, 1)), profile), topics
        sentences = self._sentences(topics, profile, _SENTENCES_PER_TOPIC[kind])
        parts = [self._new(self._usable(self._answers["openers"], profile)), *sentences]
        if chance(self._rng, 0.35):
            parts.append(self._new(self._answers["closers"]))
        return self._styled(self._laid_out(parts), profile), topics

    def campaign_copy(self, profile: _Profile) -> tuple[str, tuple[str, ...]]:
        """The planted campaign, with what each person adds or loses on the way."""
        text = self._answers["campaign"].strip()
        tail = self._rng.choice(self._answers["campaign_tails"])
        style = profile.style if chance(self._rng, 0.4) else "neat"
        return restyle(f"{text} {tail}".strip(), style, self._answers["misspellings"], self._rng), ("desserte",)

    def renounced(self, profile: _Profile, choices: Mapping[str, tuple[str, ...]]) -> str:
        """What was given up and why, from those who said they gave up."""
        wordy = {"souvent": 0.8, "parfois": 0.62, "rarement": 0.3, "jamais": 0.06}
        frequency = choices.get("renoncement", ("jamais",))[0]
        if not chance(self._rng, wordy[frequency]):
            return ""
        if frequency == "jamais":
            never: list[str] = [*self._answers["blank_marks"], "jamais", "non", "à rien", "Non concerné"]
            return self._rng.choice(never)
        source = self._answers["renounced"]
        if chance(self._rng, 0.4):
            return self._styled(self._grammar.fragment(self._rng.choice(source["short"])), profile)
        return self._styled(self._new(source["sentences"]), profile)

    def word(self, profile: _Profile) -> str:
        """A word or two, when the person bothers."""
        if not chance(self._rng, 0.72):
            return ""
        kind = "common" if chance(self._rng, 0.7) else "rare"
        return self._styled(self._rng.choice(self._answers["words"][kind]), profile)

    def _topics(self, profile: _Profile, count: int) -> tuple[str, ...]:
        weights = {
            topic: sum(w for tag, w in about["weights"].items() if tag == "base" or tag in profile.tags) ** _FOCUS
            for topic, about in self._answers["topics"].items()
        }
        return _some(weights, count, self._rng)

    def _keywords(self, topics: Sequence[str]) -> str:
        words = [
            self._grammar.fragment(self._rng.choice(self._answers["topics"][topic]["keywords"])) for topic in topics
        ]
        if len(words) > 1 and chance(self._rng, 0.2):
            return "\n".join(f"- {word}" for word in words)
        return self._rng.choice((", ", ", ", " et ", " / ")).join(words)

    def _sentences(self, topics: Sequence[str], profile: _Profile, per_topic: int) -> list[str]:
        told: list[str] = []
        for topic in topics:
            usable = self._usable(self._answers["topics"][topic]["sentences"], profile)
            templates = self._rng.sample(usable, min(per_topic, len(usable)))
            told += [self._new([template], usable) for template in templates]
        return [told[0], *(self._linked(sentence) for sentence in told[1:])]

    def _linked(self, sentence: str) -> str:
        if not chance(self._rng, 0.2):
            return sentence
        return self._rng.choice(_LINKS) + sentence[:1].lower() + sentence[1:]

    def _new(self, templates: Sequence[str], otherwise: Sequence[str] = ()) -> str:
        """A sentence of these templates that few have told, else of the others, else the least told of all tries."""
        least: tuple[int, str] | None = None
        for attempt in range(_TRIES):
            text = self._grammar.expand(
                self._rng.choice(otherwise if otherwise and attempt > _TRIES / 2 else templates)
            )
            told = self._told[bare(text).casefold()] if len(text) >= _WORTH_READING else 0
            if least is None or told < least[0]:
                least = (told, text)
            if told < _SAME_SENTENCE:
                break
        assert least is not None
        self._told[bare(least[1]).casefold()] += 1
        return least[1]

    @staticmethod
    def _usable(templates: Sequence[str], profile: _Profile) -> list[str]:
        return [text for tags, text in map(tagged, templates) if tags <= profile.tags]

    def _laid_out(self, parts: Sequence[str]) -> str:
        return self._rng.choice((" ", " ", " ", "\n", "\n\n")).join(parts)

    def _styled(self, text: str, profile: _Profile) -> str:
        return restyle(text, profile.style, self._answers["misspellings"], self._rng)
