"""Reinert's classification of real answers: speed and memory beside rainette, growth, quality of the classes."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

from bench_lexical import answers, real_words, row  # noqa: E402
from child import child, peak  # noqa: E402

GROWTH = 4
# rainette 0.3.1.1 on a machine like this one, 41,900 real answers x 3,000 forms x 10 classes.
RAINETTE_SECONDS, RAINETTE_MB = 132, 5_500


def run_table(path: str) -> None:
    """Saves the matrix of answers by lemmas, so that classifying it is measured alone."""
    from scipy import sparse

    from analysis.lexical.segments import cut, tabulate

    found, *_ = real_words(answers())
    sparse.save_npz(path, tabulate(found.words, cut(found.words, size=0)).matrix)


def run_reinert(path: str) -> None:
    """Prints seconds of the classification alone, then the measures of its quality."""
    import numpy as np
    from scipy import sparse
    from sklearn.metrics import adjusted_rand_score

    from analysis.lexical.bipartition import Rows, chi_square, improving
    from analysis.lexical.reinert import descend

    table = sparse.load_npz(path)
    started = time.process_time()
    whole = descend(table, classes=10, least=None, seed=1)
    seconds = time.process_time() - started
    rng = np.random.default_rng(11)
    total = len(whole.classes)
    stability = []
    for _ in range(5):
        kept = np.sort(rng.choice(total, size=int(0.9 * total), replace=False))
        again = descend(table[kept], classes=10, least=None, seed=1)
        stability.append(adjusted_rand_score(whole.classes[kept], again.classes))
    order = rng.permutation(total)
    shuffled = descend(table[order], classes=10, least=None, seed=1)
    seeds = [
        adjusted_rand_score(whole.classes, descend(table, classes=10, least=None, seed=seed).classes) for seed in (2, 3)
    ]
    gaps, moves = [], 0
    for node in whole.nodes:
        if node.children:
            one, two = (whole.nodes[child].units for child in node.children)
            matrix = table[np.concatenate([one, two])][:, node.columns].tocsr()
            first = np.arange(matrix.shape[0]) < len(one)
            rows = Rows(matrix, np.ones(matrix.shape[0]))
            gaps.append(abs(chi_square(rows, first) / node.chi2 - 1))
            moves += len(improving(rows, first, least=whole.least))
    same = float((shuffled.classes == whole.classes[order]).mean())
    print(seconds, np.mean(stability), min(stability), same, min(seeds), max(gaps), moves)
    print(whole.sizes.min() / whole.least, whole.unclassified / total)


def run_growth(path: str) -> None:
    """Prints seconds to classify the real answers, then four times as many: each again without a sixth of its words."""
    import numpy as np
    from scipy import sparse

    from analysis.lexical.reinert import descend

    table = sparse.load_npz(path).tocsr()
    larger = sparse.vstack([table] * GROWTH).tocsr()
    kept = np.random.default_rng(13).random(larger.nnz) >= 1 / 6
    kept[: table.nnz] = True
    larger.data[~kept] = 0
    larger.eliminate_zeros()
    for each in (table, larger):
        started = time.process_time()
        descend(each, classes=10, least=None, seed=1)
        print(time.process_time() - started)


def run(scale: str) -> list[dict]:
    """Measure and return rows for the bench table; the answers are the same at both scales."""
    with tempfile.TemporaryDirectory() as folder:
        child(__file__, "table", Path(folder) / "table.npz")
        _, memory, printed = child(__file__, "reinert", Path(folder) / "table.npz")
        *_, grown = child(__file__, "growth", Path(folder) / "table.npz")
    seconds, mean, lowest, same, seeds, gap, moves, smallest, left = map(float, printed)
    return [
        row(
            "Reinert, speed beside rainette",
            RAINETTE_SECONDS / seconds,
            "x",
            ">= 5",
            f"{seconds:.1f} s, rainette {RAINETTE_SECONDS} s recorded",
        ),
        row("Reinert, memory beside rainette", RAINETTE_MB / memory, "x", ">= 5", f"{memory:.0f} MB"),
        row(
            f"Reinert, time a unit, {GROWTH} times as many",
            float(grown[1]) / float(grown[0]) / GROWTH,
            "ratio",
            "<= 1.5",
            f"{float(grown[0]):.1f} s then {float(grown[1]):.1f} s; linear is 1",
        ),
        row("Reinert, 90 % subsamples, mean of five", mean, "ARI", ">= 0.75", f"lowest {lowest:.3f}"),
        row("Reinert, units in the same class in another order", same, "share", ">= 1", ""),
        row("Reinert, two other seeds, lowest", seeds, "ARI", ">= 0.8", ""),
        row("Reinert, reported chi-square against recomputed", gap, "gap", "<= 1e-9", ""),
        row("Reinert, single moves that would improve a division", moves, "moves", "<= 0", ""),
        row(
            "Reinert, smallest class over the set minimum",
            smallest,
            "ratio",
            ">= 1",
            f"unclassified {100 * left:.2f} %",
        ),
    ]


CHILDREN = {"table": run_table, "reinert": run_reinert, "growth": run_growth}


def main() -> None:
    """Print the rows, or do one child's work."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", nargs="+")
    options = parser.parse_args()
    if options.child:
        mode, *arguments = options.child
        CHILDREN[mode](*arguments)
        print(peak())
        return
    for found in run("full"):
        print(f"{found['name']}: {found['value']} {found['unit']} (budget {found['budget']}) – {found['note']}")


if __name__ == "__main__":
    main()
