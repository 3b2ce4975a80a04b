"""Training and measuring the model of insults and threats on files of labelled texts.

The texts are split by groups of near-duplicates, so that no text of the measured part was learnt by its copy. The
threshold is set on texts presumed legitimate that the model has not learnt, before anything is measured: the share of
them that may be wrongly suggested is chosen, not found.
"""

import csv
import datetime as dt
import gzip
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from analysis import __version__
from analysis.errors import AnalysisError
from analysis.moderation.insults import PLACES, Model, features, read, score, write
from analysis.semantic.duplicates import find_duplicates
from analysis.semantic.shingles import bare
from analysis.text import Vocabulary

HELD_OUT = 0.25
WRONG_AT_MOST = 0.005  # of the legitimate texts on which the threshold is set
STRENGTH = 10.0
FEWEST, FEWEST_LEGITIMATE = 20, 400
LEAST_BORNE = 3  # insulting texts that bear a feature: under that, it is a chance of this sample


@dataclass(frozen=True)
class Labelled:
    """Texts of a file and whether each insults or threatens; `digest` is that of the file."""

    name: str
    digest: str
    texts: tuple[str, ...]
    insulting: NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """A count among others, with its exact (Clopper-Pearson) interval at 95 %."""

    count: int
    among: int

    def told(self) -> dict[str, Any]:
        """The count, the share and its interval, to be written."""
        interval = binomtest(self.count, self.among).proportion_ci(method="exact")
        share = round(self.count / self.among, 4)
        return {
            "count": self.count,
            "among": self.among,
            "share": share,
            "low": round(interval.low, 4),
            "high": round(interval.high, 4),
        }


def load(path: Path, text: str, label: str | None = None, insulting: Sequence[str] = ()) -> Labelled:
    """Read a CSV file, gzipped or not; without label column, its texts are legitimate.

    A label may be several joined by « _ »: the text insults as soon as one of them is in `insulting`.
    """
    raw = path.read_bytes()
    content = gzip.decompress(raw) if path.suffix == ".gz" else raw
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnalysisError(f"« {path} » n’est pas un CSV en UTF-8 : enregistrez-le ainsi.") from error
    for column in (text, label):
        if column is not None and (not rows or column not in rows[0]):
            raise AnalysisError(f"« {path} » n’a pas de colonne « {column} » : nommez la bonne.")
    kept = [row for row in rows if (row[text] or "").strip()]
    labels = [not set(insulting).isdisjoint((row[label] or "").split("_")) if label else False for row in kept]
    digest = hashlib.sha256(raw).hexdigest()
    return Labelled(path.name, digest, tuple(row[text] for row in kept), np.array(labels, dtype=np.bool_))


def train(
    labelled: Labelled,
    legitimate: Sequence[Labelled],
    criticism: Labelled | None,
    out: Path,
    *,
    seed: int,
    day: dt.date,
) -> Model:
    """Train on three quarters of the texts, measure on the others, and write the model with its measures.

    `legitimate` are texts of consultations presumed so: they are learnt as such, and set the threshold. `criticism`
    is never learnt: what the threshold wrongly suggests of it is the cost of the aid. Raises AnalysisError.
    """
    chance = np.random.default_rng(seed)
    learnt, held = _split(labelled.texts, chance)
    texts, labels = [labelled.texts[rank] for rank in learnt], list(labelled.insulting[learnt])
    if min(sum(labels), len(labels) - sum(labels)) < FEWEST:
        raise AnalysisError(f"Il faut au moins {FEWEST} textes insultants et autant d’autres pour apprendre.")
    if not any(len(each.texts) >= FEWEST_LEGITIMATE for each in legitimate):
        raise AnalysisError(
            f"Il faut au moins {FEWEST_LEGITIMATE} textes légitimes (--legitimate) pour fixer le seuil."
        )
    reserved: list[tuple[str, ...]] = []
    for each in legitimate:
        ours, reserve = _split(each.texts, chance)
        texts += _at(each.texts, ours)
        labels += [False] * len(ours)
        reserved.append(_at(each.texts, reserve))
    weights, bias = _fitted(texts, np.array(labels))
    card = _card(labelled, legitimate, criticism, seed, day)
    write(out, weights, bias, 0.0, card)
    model = read(out)  # the weights as they are read, on their levels
    threshold = max(_threshold(model, part) for part in reserved)
    model = Model(model.version, model.weights, bias, threshold, card)
    held_out = Labelled(labelled.name, labelled.digest, _at(labelled.texts, held), labelled.insulting[held])
    measures = measure(model, held_out, criticism)
    write(out, weights, bias, threshold, {**card, "measures": measures})
    return read(out)


def _fitted(texts: Sequence[str], insulting: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    matrix = _matrix(texts)
    borne = np.asarray((matrix[insulting] > 0).sum(axis=0)).ravel() >= LEAST_BORNE
    fitted = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1_000).fit(matrix[:, borne], insulting)
    weights = np.zeros(PLACES)
    weights[borne] = fitted.coef_[0]
    return weights, float(fitted.intercept_[0])


def _threshold(model: Model, legitimate: Sequence[str]) -> float:
    """The lowest score above those of all these texts but the share that may be wrongly suggested."""
    scores = [score(model, text).score for text in legitimate]
    return float(np.nextafter(np.quantile(scores, 1 - WRONG_AT_MOST, method="higher"), np.inf))


def measure(model: Model, labelled: Labelled, criticism: Labelled | None) -> dict[str, Any]:
    """Shares at the model's threshold, each with its interval."""
    said = _suggested(model, labelled.texts)
    found = {
        "recall": Share(int(said[labelled.insulting].sum()), int(labelled.insulting.sum())).told(),
        "wrong_among_the_others": Share(int(said[~labelled.insulting].sum()), int((~labelled.insulting).sum())).told(),
    }
    if criticism is not None:
        wrong = _suggested(model, criticism.texts)
        found["criticism_wrongly_suggested"] = Share(int(wrong.sum()), len(wrong)).told()
    return found


def _suggested(model: Model, texts: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([score(model, text).score >= model.threshold for text in texts], dtype=np.bool_)


def _card(
    labelled: Labelled, legitimate: Sequence[Labelled], criticism: Labelled | None, seed: int, day: dt.date
) -> dict[str, Any]:
    parts = [("labelled", labelled), *(("legitimate", each) for each in legitimate)]
    parts += [("criticism", criticism)] if criticism else []
    read_files = [
        {"part": part, "file": each.name, "sha256": each.digest, "texts": len(each.texts),
         "insulting": int(each.insulting.sum())}
        for part, each in parts
    ]  # fmt: skip
    return {"code": __version__, "date": day.isoformat(), "seed": seed, "held_out": HELD_OUT, "files": read_files}


def _matrix(texts: Sequence[str]) -> Any:
    columns = [[place for place, _, _ in features(text)] for text in texts]
    starts = np.cumsum([0, *map(len, columns)])
    values = np.concatenate([np.full(len(places), 1 / np.sqrt(len(places) or 1)) for places in columns])
    return sparse.csr_matrix((values, np.concatenate(columns).astype(np.int64), starts), (len(texts), PLACES))


def _split(texts: Sequence[str], chance: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks to learn and ranks held out: near-duplicates are on the same side."""
    vocabulary = Vocabulary()
    groups = find_duplicates(bare(vocabulary.tokenise(texts), vocabulary)).groups
    drawn = chance.random(len(texts))[groups] < HELD_OUT
    return np.flatnonzero(~drawn), np.flatnonzero(drawn)


def _at(texts: Sequence[str], ranks: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(texts[rank] for rank in ranks)
