"""The register of campaigns: texts copied, adapted or filled in from a common model, told apart and counted.

Three links join texts of at least ten words: exact or near duplicates (`duplicates`); a template, when half of the
shorter text, 25 words at least, stands in the other in the same order, by runs of four words or more (mail-merge
letters, whose filled-in words lower any Jaccard index); and a shared opening, the same first twelve words, which finds
letters that vary after their first words. Links do not chain: each text of a family is like its model (`families`).
Nothing is removed: every figure can be given with and without.

Source of templates: Kao (2017), « More than a Million Pro-Repeal Net Neutrality Comments were Likely Faked ».
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.semantic.duplicates import THRESHOLD, Duplicates, exact_duplicates, linked, near_pairs
from analysis.semantic.families import PART, gather, openings, runs, shared, words_of
from analysis.semantic.shingles import Bare, Ranks

SMALLEST = 3
SHORTEST = 10
LOOSE = 0.3
SLOT = "[…]"
_COMMON = 25
_ALIGNED = 20


@dataclass(frozen=True)
class Campaign:
    """One family of texts: `texts` are their ranks, in order; `model` that of the most frequent wording, the
    most like the others among equals: every text opens as it does, or holds half of its words in runs.

    `kinds` says what joins them, among `exact`, `near`, `template`, `opening`. `authors` counts the distinct known
    authors, None when none is known; `first` and `last` are the earliest and latest known dates. `template` is what
    the wordings have in common, filled-in places shown by « […] »; None when there is one wording.
    """

    number: int
    kinds: tuple[str, ...]
    texts: tuple[int, ...]
    wordings: int
    model: int
    authors: int | None
    first: str | None
    last: str | None
    template: str | None

    @property
    def size(self) -> int:
        """Contributions of the family."""
        return len(self.texts)

    @property
    def single_author(self) -> bool:
        """Whether one known author sent them all: repetition, not mobilisation."""
        return self.authors == 1


@dataclass(frozen=True)
class Register:
    """Campaigns of `n` texts, largest first, and the duplicates among all texts, short ones included.

    `family[i]` is the number of the campaign of text i, -1 for none; `first_only`, shape (n,), keeps one text a
    campaign (its first) and all the others: the mask of every figure « hors campagnes ».
    """

    duplicates: Duplicates
    campaigns: tuple[Campaign, ...]
    family: NDArray[np.int32]

    @property
    def first_only(self) -> NDArray[np.bool_]:
        """Mask of the texts that count once campaigns are reduced to one text each, shape (n,)."""
        kept = np.ones(len(self.family), dtype=np.bool_)
        for campaign in self.campaigns:
            kept[list(campaign.texts[1:])] = False
        return kept


def find_campaigns(
    texts: Bare,
    *,
    authors: Sequence[str | None] = (),
    dates: Sequence[str | None] = (),
    smallest: int = SMALLEST,
    threshold: float = THRESHOLD,
    progress: Callable[[int, int], None] | None = None,
) -> Register:
    """Find the duplicates and the campaigns among texts.

    Args:
        texts: the words of the texts (`shingles.bare`).
        authors: identifier of the author of each text, None when unknown; empty when none is known.
        dates: date of each text, as sortable text (ISO 8601), None when unknown; empty when none is known.
        smallest: contributions that make a campaign, two at least by nature.
        threshold: Jaccard index of near-duplicates.
        progress: that of `near_pairs`.
    """
    exact = exact_duplicates(texts)
    firsts = np.flatnonzero(exact == np.arange(len(exact)))
    pairs, similarity = near_pairs(texts, firsts, threshold=min(LOOSE, threshold), progress=progress)
    near = similarity >= threshold
    duplicates = Duplicates(exact, pairs[near], similarity[near], linked(exact, pairs[near]))
    template = _templates(texts, pairs[~near], similarity[~near], duplicates.groups)
    opening = openings(texts, firsts)
    closeness = np.bincount(pairs.ravel(), np.repeat(similarity, 2), len(exact)).astype(np.float64)
    models = gather(texts, exact, np.concatenate([pairs[near], template]), opening, closeness)
    kinds = {"near": _within(models, pairs[near]), "template": _within(models, template)}
    kinds["opening"] = _shared(models, opening)
    campaigns = sorted(
        _families(texts, exact, models, kinds, smallest, authors, dates),
        key=lambda found: (-found.size, found.texts[0]),
    )
    family = np.full(len(exact), -1, dtype=np.int32)
    numbered = []
    for number, campaign in enumerate(campaigns):
        family[list(campaign.texts)] = number
        numbered.append(Campaign(**{**vars(campaign), "number": number}))
    return Register(duplicates, tuple(numbered), family)


def _templates(
    texts: Bare, pairs: NDArray[np.int64], similarity: NDArray[np.float64], groups: Ranks
) -> NDArray[np.int64]:
    """Pairs that follow one template and join two groups, the most similar first; those already joined are not aligned
    again, so that a family of n texts costs about n alignments and not n².
    """
    long = (texts.lengths[pairs] >= _COMMON).all(axis=1)
    order = np.argsort(-similarity[long], kind="stable")
    root: dict[int, int] = {}

    def family(rank: int) -> int:
        while (above := root.get(rank, rank)) != rank:
            root[rank] = root.get(above, above)
            rank = above
        return rank

    kept = []
    for one, two in pairs[long][order].tolist():
        first, second = family(int(groups[one])), family(int(groups[two]))
        if first != second and _one_template(words_of(texts, one), words_of(texts, two)):
            root[second] = first
            kept.append((one, two))
    return np.array(kept, dtype=np.int64).reshape(-1, 2)


def _one_template(one: list[int], two: list[int]) -> bool:
    return shared(one, two) >= max(_COMMON, PART * min(len(one), len(two)))


def _within(models: Ranks, pairs: NDArray[np.int64]) -> set[int]:
    """The models of the families that hold both texts of one of these pairs."""
    held = models[pairs]
    return set(held[held[:, 0] == held[:, 1], 0].tolist())


def _shared(models: Ranks, opening: Ranks) -> set[int]:
    """The models of the families of which two wordings open with the same words."""
    begun = np.flatnonzero(opening >= 0)
    both, count = np.unique(np.stack([models[begun], opening[begun]], axis=1), axis=0, return_counts=True)
    return set(both[count > 1, 0].tolist())


def _families(
    texts: Bare,
    exact: Ranks,
    models: Ranks,
    kinds: dict[str, set[int]],
    smallest: int,
    authors: Sequence[str | None],
    dates: Sequence[str | None],
) -> Iterator[Campaign]:
    sizes = np.bincount(models, minlength=len(models))
    wanted = (sizes[models] >= max(2, smallest)) & (texts.lengths >= SHORTEST) & (exact >= 0)
    members: dict[int, list[int]] = {}
    for rank in np.flatnonzero(wanted).tolist():
        members.setdefault(int(models[rank]), []).append(rank)
    for model, ranks in members.items():
        if len(ranks) >= max(2, smallest):
            wordings = Counter(exact[ranks].tolist())
            repeated = ["exact"] if wordings.most_common(1)[0][1] > 1 else []
            joined = (kind for kind, families in kinds.items() if model in families)
            yield _campaign(texts, (*repeated, *joined), ranks, model, wordings, authors, dates)


def _campaign(
    texts: Bare,
    kinds: tuple[str, ...],
    ranks: list[int],
    model: int,
    wordings: Counter[int],
    authors: Sequence[str | None],
    dates: Sequence[str | None],
) -> Campaign:
    known = {authors[rank] for rank in ranks} - {None} if authors else set()
    dated = sorted(date for rank in ranks if (date := dates[rank])) if dates else []
    others = [wording for wording in wordings if wording != model][:_ALIGNED]
    return Campaign(
        number=-1,
        kinds=kinds,
        texts=tuple(ranks),
        wordings=len(wordings),
        model=model,
        authors=len(known) or None,
        first=dated[0] if dated else None,
        last=dated[-1] if dated else None,
        template=_template(texts, model, others) if others else None,
    )


def _template(texts: Bare, model: int, others: list[int]) -> str:
    """The words of the model that most of the other wordings (twenty at most) hold in the same order, slots between."""
    words = words_of(texts, model)
    held = np.zeros(len(words), dtype=np.int64)
    for other in others:
        for start, size in runs(words, words_of(texts, other)):
            held[start : start + size] += 1
    common = 2 * held >= len(others)
    shown: list[str] = []
    spelt = texts.spelt[texts.starts[model] :][: len(words)].tolist()
    for number, kept in zip(spelt, common.tolist(), strict=True):
        if kept:
            shown.append(texts.spellings[number])
        elif not shown or shown[-1] != SLOT:
            shown.append(SLOT)
    return " ".join(shown).replace("' ", "’")
