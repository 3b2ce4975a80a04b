"""What the votes say of each statement: shared by all groups, dividing them, held by one, fit for a compromise.

Every share is smoothed, (votes + 1) / (all votes + 2), passes counted among all votes, so that silence is never read as
agreement; every test is told with its correction for the number of statements tried.

Sources: Small et al. (2021), Recerca 26(2), for the two tests, representativeness and group-informed consensus;
Benjamini & Hochberg (1995), JRSS B 57, 289-300, for the correction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, chi2, norm

from analysis.lexical.specificity import benjamini_hochberg
from analysis.semantic.votes import AGREE, DISAGREE, VoteEvent, Votes

Z_90 = 1.2816
"""One-sided 90 % of the normal law, the bound of the source."""
REPRESENTATIVE = 5
_META_PRIORITY = 7.0**2

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """Votes of each of `g` groups on each of `p` statements: `agree`, `disagree`, `cast` (passes included), (g, p)."""

    agree: NDArray[np.int64]
    disagree: NDArray[np.int64]
    cast: NDArray[np.int64]

    @property
    def total(self) -> "Counts":
        """All the groups together, one row."""
        return Counts(*(part.sum(axis=0, keepdims=True) for part in (self.agree, self.disagree, self.cast)))


@dataclass(frozen=True)
class Representative:
    """A statement that sets one group apart: `side` is `agree` or `disagree`.

    `share` is the smoothed share of that side in the group, `ratio` that share over the one among all others, `z` and
    `z_ratio` the tests of the share against one half and against the others. `corrected` tells whether the second
    passes Benjamini-Hochberg at 5 % among all statements, groups and sides.
    """

    group: int
    statement: str
    side: str
    votes: int
    cast: int
    share: float
    ratio: float
    z: float
    z_ratio: float
    corrected: bool


@dataclass(frozen=True)
class Statement:
    """One statement over all groups.

    `kind` is `consensus` (every group agrees, tested), `rejection` (every group disagrees, tested), `dissensus` (one
    group agrees and one disagrees, both tested), `compromise` (no group has more against than for, some have more for,
    yet not all tests pass: what an amended wording could win), or `open`. `minority` lists the groups that hold it,
    tested against the others, while fewer than half of all voters agree.

    `consensus` is the product over groups of the smoothed share of agreement, `rejection` its twin; their geometric
    mean and minimum stand beside because the product falls as groups are added.
    """

    statement: str
    kind: str
    agree: int
    disagree: int
    passed: int
    shares: tuple[float, ...]
    consensus: float
    rejection: float
    geometric_mean: float
    lowest: float
    divergence: float
    minority: tuple[int, ...]


def counts(votes: Votes, label: NDArray[np.int64]) -> Counts:
    """Count the votes of the participants in each group; those labelled -1 are left out."""
    groups, p = max(int(label.max(initial=-1)) + 1, 1), votes.shape[1]
    mine = label[votes.row] >= 0
    cell = label[votes.row][mine] * p + votes.column[mine]
    value = votes.value[mine]

    def table(kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(cell[kept], minlength=groups * p).reshape(groups, p)

    return Counts(table(value == AGREE), table(value == DISAGREE), table(np.ones(len(value), np.bool_)))


def share(votes: NDArray[np.int64], cast: NDArray[np.int64]) -> _Floats:
    """(votes + 1) / (cast + 2)."""
    return np.asarray((votes + 1) / (cast + 2), dtype=np.float64)


def z_half(votes: NDArray[np.int64], cast: NDArray[np.int64]) -> _Floats:
    """How far a share is above one half, in standard deviations, with one success added."""
    return np.asarray(2 * np.sqrt(cast + 1) * ((votes + 1) / (cast + 1) - 0.5), dtype=np.float64)


def z_ratio(
    votes: NDArray[np.int64], cast: NDArray[np.int64], others: NDArray[np.int64], others_cast: NDArray[np.int64]
) -> _Floats:
    """Two-proportion test of a group against the others, one added to each of the four counts."""
    first, second = (votes + 1) / (cast + 1), (others + 1) / (others_cast + 1)
    pooled = (votes + others + 2) / (cast + others_cast + 2)
    spread = np.sqrt(np.maximum(pooled * (1 - pooled), 0) * (1 / (cast + 1) + 1 / (others_cast + 1)))
    return np.where(spread > 0, (first - second) / np.where(spread > 0, spread, 1), 0.0)


def group_informed_consensus(shares: _Floats) -> _Floats:
    """Product over groups, shape (p,), of the smoothed shares (g, p) of one side: no group can be outvoted."""
    return np.asarray(shares.prod(axis=0), dtype=np.float64)


def priorities(table: Counts, extremity: _Floats, meta: NDArray[np.bool_]) -> _Floats:
    """How much more one wants to be told about each statement, shape (p,): little voted, agreed, dividing.

    Args:
        table: counts of one row or more, summed here.
        extremity: distance from the centre of someone who voted on this statement alone, shape (p,).
        meta: statements about the voter, which are given a fixed priority of 49.
    """
    whole = table.total
    agree, cast = whole.agree[0], whole.cast[0]
    passed = share(cast - agree - whole.disagree[0], cast)
    raised = (1 - passed) * (1 + extremity) * share(agree, cast) * (1 + 8 * 2.0 ** (-cast / 5))
    return np.where(meta, _META_PRIORITY, raised**2)


def statements(names: Sequence[str], table: Counts) -> tuple[Statement, ...]:
    """Each statement that received a vote, in order."""
    agree, against = share(table.agree, table.cast), share(table.disagree, table.cast)
    consensus, rejection = group_informed_consensus(agree), group_informed_consensus(against)
    for_z, against_z = z_half(table.agree, table.cast) > Z_90, z_half(table.disagree, table.cast) > Z_90
    apart = _against_others(table, AGREE) > Z_90
    whole = table.total
    found = []
    for place, name in enumerate(names):
        votes, no, cast = (int(part[0, place]) for part in (whole.agree, whole.disagree, whole.cast))
        if not cast:
            continue
        yes = agree[:, place]
        held = np.flatnonzero(for_z[:, place] & apart[:, place] & (2 * votes < cast))
        balance = table.agree[:, place] - table.disagree[:, place]
        found.append(
            Statement(
                statement=name,
                kind=_kind(for_z[:, place], against_z[:, place], balance),
                agree=votes,
                disagree=no,
                passed=cast - votes - no,
                shares=tuple(round(float(v), 4) for v in yes),
                consensus=round(float(consensus[place]), 6),
                rejection=round(float(rejection[place]), 6),
                geometric_mean=round(float(np.exp(np.log(yes).mean())), 4),
                lowest=round(float(yes.min()), 4),
                divergence=round(float(yes.max() - yes.min()), 4),
                minority=tuple(int(group) for group in held),
            )
        )
    return tuple(found)


def _kind(agreed: NDArray[np.bool_], refused: NDArray[np.bool_], balance: NDArray[np.int64]) -> str:
    if agreed.all():
        return "consensus"
    if refused.all():
        return "rejection"
    if agreed.any() and refused.any():
        return "dissensus"
    return "compromise" if (balance >= 0).all() and (balance > 0).any() else "open"


def _against_others(table: Counts, side: int) -> _Floats:
    votes = table.agree if side == AGREE else table.disagree
    return z_ratio(votes, table.cast, votes.sum(axis=0) - votes, table.cast.sum(axis=0) - table.cast)


def representative(
    names: Sequence[str],
    table: Counts,
    *,
    limit: int | None = REPRESENTATIVE,
    excluded: NDArray[np.bool_] | None = None,
) -> tuple[Representative, ...]:
    """The statements that set each group apart: both tests pass on one side. None as `limit` lists them all.

    Ranked by the product of shares and tests; the best agreed one comes first, so that a group is told by what it wants
    whenever it wants something, then agreements, then refusals.
    """
    sides = {side: _side(table, side) for side in (AGREE, DISAGREE)}
    z = np.stack([sides[AGREE].z_ratio, sides[DISAGREE].z_ratio])
    corrected = benjamini_hochberg(np.log(np.maximum(norm.sf(z), 1e-300)).ravel()).reshape(z.shape)
    barred = np.zeros(len(names), dtype=np.bool_) if excluded is None else excluded
    found: list[Representative] = []
    for group in range(len(table.agree)):
        chosen = _chosen(sides, group, barred, limit)
        for place, side in chosen:
            of = sides[side]
            found.append(
                Representative(
                    group=group,
                    statement=names[place],
                    side="agree" if side == AGREE else "disagree",
                    votes=int(of.votes[group, place]),
                    cast=int(table.cast[group, place]),
                    share=round(float(of.share[group, place]), 6),
                    ratio=round(float(of.ratio[group, place]), 6),
                    z=round(float(of.z[group, place]), 6),
                    z_ratio=round(float(of.z_ratio[group, place]), 6),
                    corrected=bool(corrected[0 if side == AGREE else 1, group, place]),
                )
            )
    return tuple(found)


@dataclass(frozen=True)
class _Side:
    votes: NDArray[np.int64]
    share: _Floats
    ratio: _Floats
    z: _Floats
    z_ratio: _Floats

    @property
    def weight(self) -> _Floats:
        return self.share * self.ratio * self.z * self.z_ratio


def _side(table: Counts, side: int) -> _Side:
    votes = table.agree if side == AGREE else table.disagree
    mine = share(votes, table.cast)
    others = share(votes.sum(axis=0) - votes, table.cast.sum(axis=0) - table.cast)
    return _Side(votes, mine, mine / others, z_half(votes, table.cast), _against_others(table, side))


def _chosen(sides: dict[int, _Side], group: int, barred: NDArray[np.bool_], limit: int | None) -> list[tuple[int, int]]:
    yes, no = sides[AGREE], sides[DISAGREE]
    leaning = np.where(yes.z_ratio[group] > no.z_ratio[group], AGREE, DISAGREE)
    ranked = []
    for place in np.flatnonzero(~barred).tolist():
        of = sides[int(leaning[place])]
        if of.z[group, place] > Z_90 and of.z_ratio[group, place] > Z_90:
            ranked.append((-float(of.weight[group, place]), place, int(leaning[place])))
    listed = [(place, side) for _, place, side in sorted(ranked)]
    best = _best_agreed(yes, group, barred)
    if best is not None:
        listed = [(best, AGREE), *(item for item in listed if item[0] != best)]
    return sorted(listed[:limit], key=lambda item: item[1] != AGREE)


def _best_agreed(yes: _Side, group: int, barred: NDArray[np.bool_]) -> int | None:
    """The statement a group agrees with most distinctly, or most plainly when it agrees with none distinctly."""
    share, ratio, z = yes.share[group], yes.ratio[group], yes.z[group]
    fit = ~barred & (yes.votes[group] > 0) & ((z > Z_90) | ((ratio > 1) & (share > 0.5)))  # noqa: PLR2004 -- one half
    distinct = fit & (ratio > 1)
    if distinct.any():
        return int(np.argmax(np.where(distinct, yes.weight[group], -np.inf)))
    return int(np.argmax(np.where(fit, share * z, -np.inf))) if fit.any() else None


@dataclass(frozen=True)
class Change:
    """How the same people moved on one statement between two votes.

    `moves[i][j]` counts those who went from the i-th to the j-th of agree, pass, disagree. `towards` and `away` are
    moves up and down that scale; `p_direction` is the exact sign test between them, `p_margins` the test of equal
    margins (None when nobody moved or it is singular). `corrected` is p_direction after Benjamini-Hochberg at 5 %.
    """

    statement: str
    people: int
    moves: tuple[tuple[int, ...], ...]
    towards: int
    away: int
    net: float
    p_direction: float
    p_margins: float | None
    corrected: bool


def changes(before: Iterable[VoteEvent], after: Iterable[VoteEvent]) -> tuple[Change, ...]:
    """Change of position as a paired test: only people who voted on a statement both before and after are compared.

    The last vote of each period counts. Sources: McNemar (1947), Psychometrika 12, 153-157, in its exact form for the
    direction; Stuart (1955), Biometrika 42, 412-416, and Maxwell (1970), Br. J. Psychiatry 116, 651-655, for margins.
    """
    first, second = _last(before), _last(after)
    tables: dict[str, NDArray[np.int64]] = {}
    for key in sorted(first.keys() & second.keys()):
        table = tables.setdefault(key[1], np.zeros((3, 3), dtype=np.int64))
        table[1 - first[key], 1 - second[key]] += 1
    up = [int(np.tril(table, -1).sum()) for table in tables.values()]
    down = [int(np.triu(table, 1).sum()) for table in tables.values()]
    p = [binomtest(a, a + b).pvalue if a + b else 1.0 for a, b in zip(up, down, strict=True)]
    passing = benjamini_hochberg(np.log(np.maximum(np.array(p), 1e-300)))
    return tuple(
        Change(
            statement=name,
            people=int(table.sum()),
            moves=tuple(tuple(int(v) for v in line) for line in table),
            towards=up[rank],
            away=down[rank],
            net=round((up[rank] - down[rank]) / int(table.sum()), 4),
            p_direction=float(f"{p[rank]:.4g}"),
            p_margins=_equal_margins(table),
            corrected=bool(passing[rank]),
        )
        for rank, (name, table) in enumerate(tables.items())
    )


@dataclass(frozen=True)
class Paired:
    """Whose position can be followed: pairs of a person and a statement voted in both periods, or in one alone."""

    both: int
    before_only: int
    after_only: int


def paired(before: Iterable[VoteEvent], after: Iterable[VoteEvent]) -> Paired:
    """How many votes `changes` compares, and how many it cannot."""
    first, second = _last(before).keys(), _last(after).keys()
    return Paired(len(first & second), len(first - second), len(second - first))


def _last(events: Iterable[VoteEvent]) -> dict[tuple[str, str], int]:
    return {(event.participant, event.statement): event.value for event in events}


def _equal_margins(table: NDArray[np.int64]) -> float | None:
    used = (table.sum(axis=0) + table.sum(axis=1)) > 0
    kept = table[used][:, used].astype(np.float64)
    gap = (kept.sum(axis=1) - kept.sum(axis=0))[:-1]
    spread = -(kept + kept.T)
    np.fill_diagonal(spread, kept.sum(axis=1) + kept.sum(axis=0) - 2 * np.diag(kept))
    spread = spread[:-1, :-1]
    if not len(gap) or abs(np.linalg.det(spread)) < sqrt(np.finfo(np.float64).eps):
        return None
    return float(f"{chi2.sf(float(gap @ np.linalg.solve(spread, gap)), len(gap)):.4g}")
