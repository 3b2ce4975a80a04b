"""Opinion groups: participants who vote alike, found from the votes alone.

The stateless, seeded form of what Polis does: column-mean imputation, principal components, k-means, k by silhouette.
Nothing depends on the order of rows, on a previous result or on an unseeded start. How stable the groups are is part
of the result: participants are drawn again with replacement, and each time groups are found anew and compared.

Sources: Small, Bjorkegren, Erkkilä, Shaw & Megill (2021), « Polis: Scaling Deliberation by Mapping High Dimensional
Opinion Spaces », Recerca 26(2); Rousseeuw (1987), « Silhouettes », J. Comput. Appl. Math. 20, 53-65; Hennig (2007),
« Cluster-wise assessment of cluster stability », Comput. Stat. Data Anal. 52, 258-271 (the bootstrap).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import svds
from sklearn.metrics import adjusted_rand_score, silhouette_score

from analysis.errors import AnalysisError
from analysis.plurals import counted
from analysis.semantic.votes import Votes

MIN_VOTES = 7
FEWEST_PARTICIPANTS = 15
MAX_GROUPS = 5
STABLE = 0.6
_STARTS = 20
_RESTARTS = 5
_ITERATIONS = 300
_LARGEST_GRAM = 2_000
_SILHOUETTE_SAMPLE = 2_000

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """Participants on two axes.

    `centre` (p,) is the mean vote per statement, `axes` (2, p) have unit length (their largest weight is positive),
    `coordinates` is (n, 2), `explained` the share of the variance of the imputed votes that each axis carries.
    """

    centre: _Floats
    axes: _Floats
    coordinates: _Floats
    explained: tuple[float, float]

    @property
    def extremity(self) -> _Floats:
        """How far from the centre someone stands who only agreed with one statement, shape (p,)."""
        p = len(self.centre)
        return np.asarray(np.sqrt(p) * np.linalg.norm((1 - self.centre) * self.axes, axis=0), dtype=np.float64)


@dataclass(frozen=True)
class Stability:
    """What becomes of the groups when participants are drawn again with replacement, `resamples` times.

    `rand` is the median adjusted Rand index with the groups found on everyone, their number kept, between `low` and
    `high` (5th and 95th percentiles); `chosen` how often each number of groups would be chosen; `kept[i]` how often the
    i-th grouped participant stays in its group.
    """

    resamples: int
    rand: float
    low: float
    high: float
    chosen: dict[int, int]
    kept: _Floats


@dataclass(frozen=True)
class Groups:
    """The groups found: `label[i]` is the group of the i-th participant, -1 when it voted too little to be placed.

    Groups are numbered by falling size. `silhouettes` holds the mean silhouette of each number of groups tried.
    """

    label: NDArray[np.int64]
    sizes: tuple[int, ...]
    centres: _Floats
    silhouettes: dict[int, float]
    projection: Projection
    stability: Stability | None
    seed: int
    scaled: bool
    notices: tuple[str, ...] = field(default=())

    @property
    def grouped(self) -> NDArray[np.int64]:
        """Ranks of the participants who are in a group."""
        return np.flatnonzero(self.label >= 0)


def project(votes: Votes, *, excluded: NDArray[np.bool_] | None = None, scaled: bool = False) -> Projection:
    """Principal components of the votes, absent ones replaced by the mean of their statement.

    The centred, imputed matrix is zero wherever no vote was cast, so it stays sparse whatever the imputation.

    Args:
        votes: n participants × p statements.
        excluded: statements that must not count, shape (p,); their weight is zero.
        scaled: stretch each participant by sqrt(p / votes cast), as the Polis server does to bring back from the
            centre those who voted little. It also stretches their noise: off by default.
    """
    n, p = votes.shape
    counted = np.ones(p, dtype=np.bool_) if excluded is None else ~excluded
    values = np.where(counted[votes.column], votes.value, 0).astype(np.float64)
    cast = np.bincount(votes.column, minlength=p)
    centre = np.bincount(votes.column, weights=values, minlength=p) / np.maximum(cast, 1)
    matrix = votes.cells(values - centre[votes.column])
    axes, variances = _axes(matrix, min(n, p))
    total = float((matrix.data**2).sum())
    coordinates = np.asarray(matrix @ axes.T)
    if scaled:
        coordinates *= np.sqrt(p / np.maximum(votes.cast, 1))[:, None]
    shares = [round(float(v) / total, 6) if total else 0.0 for v in variances]
    return Projection(centre, axes, coordinates, (shares[0], shares[1]))


def _axes(matrix: csr_array, rank: int) -> tuple[_Floats, _Floats]:
    """The two leading right singular vectors (2, p) and their squared singular values; zeros where there is none."""
    p = matrix.shape[1]
    axes, squares = np.zeros((2, p)), np.zeros(2)
    if p <= _LARGEST_GRAM:
        values, vectors = np.linalg.eigh((matrix.T @ matrix).toarray())
        found, vectors = values[::-1][:2], vectors[:, ::-1][:, :2].T
    elif rank > 2:  # noqa: PLR2004 -- fewer rows than axes: ARPACK wants more
        start = np.ones(min(matrix.shape))
        _, singular, vectors = svds(matrix, k=2, v0=start / np.linalg.norm(start))
        found, vectors = singular[::-1] ** 2, vectors[::-1]
    else:
        return axes, squares
    for place, (value, vector) in enumerate(zip(found, vectors, strict=True)):
        if value > 1e-9 * max(float(found[0]), 1e-300):  # below rounding there is no axis
            largest = int(np.argmax(np.round(np.abs(vector), 9)))
            axes[place], squares[place] = vector * np.sign(vector[largest]), value
    return axes, squares


def find_groups(
    votes: Votes,
    *,
    k: int | None = None,
    start: _Floats | None = None,
    seed: int = 1,
    min_votes: int = MIN_VOTES,
    excluded: NDArray[np.bool_] | None = None,
    scaled: bool = False,
    resamples: int = 100,
    progress: Callable[[int, int], None] | None = None,
) -> Groups:
    """Group the participants who voted enough.

    Args:
        votes: n participants × p statements.
        k: number of groups; None chooses the best mean silhouette among 2 and min(5, 2 + participants / 12).
        start: centres (k, 2) to start from instead of drawing them, to follow groups from one state to the next.
        seed: of k-means and of the bootstrap.
        min_votes: votes needed to be placed; completed to 15 participants by those who voted most.
        excluded: statements left out of the axes (moderated), shape (p,).
        scaled: see `project`.
        resamples: bootstrap draws; 0 measures no stability.
        progress: called with (draws done, draws to do).
    """
    if k is not None and not 1 <= k <= votes.shape[0]:
        people = counted(votes.shape[0], "participant")
        raise AnalysisError(f"{counted(k, 'groupe')} pour {people} : donnez un nombre entre 1 et ce total.")
    placed = _placed(votes, min_votes)
    mine = votes.take(placed)
    inner = project(mine, excluded=excluded, scaled=scaled)
    labels, centres, silhouettes = _cluster(inner.coordinates, k, seed, _STARTS, start)
    label = np.full(votes.shape[0], -1, dtype=np.int64)
    label[placed] = labels
    coordinates = np.zeros((votes.shape[0], 2))
    coordinates[placed] = inner.coordinates
    stability = None
    if resamples and len(centres) > 1:
        stability = _bootstrap(mine, labels, k, seed, resamples, _Settings(excluded, scaled), progress)
    return Groups(
        label=label,
        sizes=tuple(int(size) for size in np.bincount(labels, minlength=len(centres))),
        centres=centres,
        silhouettes=silhouettes,
        projection=Projection(inner.centre, inner.axes, coordinates, inner.explained),
        stability=stability,
        seed=seed,
        scaled=scaled,
        notices=tuple(_notices(label, centres, stability)),
    )


def _placed(votes: Votes, min_votes: int) -> NDArray[np.int64]:
    cast = votes.cast
    enough = cast >= min(min_votes, votes.shape[1])
    if int(enough.sum()) < FEWEST_PARTICIPANTS:
        enough[np.argsort(-cast, kind="stable")[:FEWEST_PARTICIPANTS]] = True
    return np.flatnonzero(enough & (cast > 0))


def _cluster(
    points: _Floats, k: int | None, seed: int, starts: int, start: _Floats | None = None
) -> tuple[NDArray[np.int64], _Floats, dict[int, float]]:
    """Labels by falling size, centres, and the silhouette of each k tried."""
    points = np.round(points, 9)  # people who voted the same stand at the same place, whatever the rounding
    distinct = len(np.unique(points, axis=0))
    wanted = [k] if k else list(range(2, min(MAX_GROUPS, 2 + len(points) // 12) + 1))
    wanted = wanted if start is None else [len(start)]
    fits, silhouettes = {}, {}
    for number in wanted:
        if 1 < number <= distinct:
            fits[number] = _k_means(points, number, seed, starts, start)
            silhouettes[number] = _silhouette(points, fits[number], seed)
    if not fits:
        return np.zeros(len(points), dtype=np.int64), points.mean(axis=0, keepdims=True), {}
    best = max(fits, key=lambda number: (silhouettes[number], -number))
    sizes = np.bincount(fits[best])
    first = [int(np.flatnonzero(fits[best] == group)[0]) for group in range(best)]
    order = sorted(range(best), key=lambda group: (-sizes[group], first[group]))
    labels = np.argsort(order)[fits[best]]
    return labels, np.stack([points[labels == group].mean(axis=0) for group in range(best)]), silhouettes


def _k_means(points: _Floats, k: int, seed: int, starts: int, start: _Floats | None) -> NDArray[np.int64]:
    """Labels of the best of several seeded runs of Lloyd's algorithm from k-means++ (Arthur & Vassilvitskii, 2007).

    Two axes and a few groups: the general implementations spend their time before the first iteration.
    """
    draws = np.random.default_rng(seed)
    best, labels = np.inf, np.zeros(len(points), dtype=np.int64)
    for _ in range(1 if start is not None else starts):
        centres = _plus_plus(points, k, draws) if start is None else start.astype(np.float64)
        found, inertia = _lloyd(points, centres)
        if inertia < best * (1 - 1e-9) and len(np.unique(found)) == k:
            best, labels = inertia, found
    return labels


def _plus_plus(points: _Floats, k: int, draws: np.random.Generator) -> _Floats:
    chosen = [points[draws.integers(len(points))]]
    nearest = ((points - chosen[0]) ** 2).sum(axis=1)
    while len(chosen) < k and nearest.sum() > 0:
        chosen.append(points[draws.choice(len(points), p=nearest / nearest.sum())])
        nearest = np.minimum(nearest, ((points - chosen[-1]) ** 2).sum(axis=1))
    return np.array(chosen)


def _lloyd(points: _Floats, centres: _Floats) -> tuple[NDArray[np.int64], float]:
    labels = np.full(len(points), -1, dtype=np.int64)
    for _ in range(_ITERATIONS):
        squares = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
        nearest = squares.argmin(axis=1)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        sizes = np.bincount(labels, minlength=len(centres))[:, None]
        sums = np.stack([np.bincount(labels, weights=axis, minlength=len(centres)) for axis in points.T], axis=1)
        centres = np.where(sizes > 0, sums / np.maximum(sizes, 1), centres)
    return labels, float(squares.min(axis=1).sum())


def _silhouette(points: _Floats, labels: NDArray[np.int64], seed: int) -> float:
    if len(set(labels.tolist())) == len(points):
        return 0.0  # groups of one say nothing
    size = _SILHOUETTE_SAMPLE if len(points) > _SILHOUETTE_SAMPLE else None
    return round(float(silhouette_score(points, labels, sample_size=size, random_state=seed)), 6)


@dataclass(frozen=True)
class _Settings:
    excluded: NDArray[np.bool_] | None
    scaled: bool


def _bootstrap(
    votes: Votes,
    labels: NDArray[np.int64],
    k: int | None,
    seed: int,
    resamples: int,
    settings: _Settings,
    progress: Callable[[int, int], None] | None,
) -> Stability:
    draws = np.random.default_rng(seed)
    n, groups = len(labels), int(labels.max()) + 1
    rand, kept, chosen = [], np.zeros(n), dict[int, int]()
    whole = votes.cells(votes.value.astype(np.float64))
    present = votes.cells(np.ones(len(votes.row)))
    for done in range(resamples):
        drawn = votes.take(draws.integers(0, n, n))
        found = project(drawn, excluded=settings.excluded, scaled=settings.scaled)
        _, centres, _ = _cluster(found.coordinates, groups, seed + done, _RESTARTS)
        best = len(centres) if k else len(_cluster(found.coordinates, None, seed + done, _RESTARTS)[1])
        chosen[best] = chosen.get(best, 0) + 1
        weights = found.axes.copy()
        if settings.excluded is not None:
            weights[:, settings.excluded] = 0
        points = whole @ weights.T - present @ (weights * found.centre).T
        if settings.scaled:
            points = points * np.sqrt(votes.shape[1] / np.maximum(votes.cast, 1))[:, None]
        nearest = ((points[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        rand.append(adjusted_rand_score(labels, nearest))
        table = np.zeros((groups, len(centres)))
        np.add.at(table, (labels, nearest), 1)
        kept += nearest == table.argmax(axis=1)[labels]
        if progress:
            progress(done + 1, resamples)
    low, middle, high = (round(float(v), 3) for v in np.quantile(rand, [0.05, 0.5, 0.95]))
    return Stability(resamples, middle, low, high, dict(sorted(chosen.items())), np.round(kept / resamples, 3))


def _notices(label: NDArray[np.int64], centres: _Floats, stability: Stability | None) -> list[str]:
    notices = []
    left = int((label < 0).sum())
    if left:
        placed = "a trop peu voté pour être placé" if left == 1 else "ont trop peu voté pour être placés"
        notices.append(f"{counted(left, 'participant')} {placed} dans un groupe.")
    if len(centres) == 1:
        notices.append("Les votes ne séparent pas de groupes : un seul est présenté.")
    if stability and stability.rand < STABLE:
        notices.append(
            f"Groupes peu stables (indice de Rand ajusté médian {stability.rand:.2f}".replace(".", ",")
            + " en rééchantillonnant) : ne les présentez pas comme des camps établis."
        )
    return notices
