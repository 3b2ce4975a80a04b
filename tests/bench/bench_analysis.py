"""Speed and memory of the analysis of real answers, beside TfidfVectorizer on the same texts in the same run."""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))

from child import ROOT, child, peak

ANSWERS = "gd_open_answers/gd_open_answers_fiscalite_transition.parquet"
# Starting and learning lemmas is a fixed cost: on the 98,469 answers it weighs more than all the rest.
BUDGET = ">= 0.08"
REPEATS = {"small": 1, "full": 10}

CODEBOOK = {
    "version": "1",
    "groups": {"moins": "baisser OU réduire OU diminuer OU supprimer"},
    "codes": [
        {"id": name, "label": name, "patterns": patterns, "positive_examples": [name]}
        for name, patterns in {
            "impôts": ["impôt", "fiscal*", "@moins PUIS/4 taxe"],
            "tva": ["tva", '"première nécessité"'],
            "santé": ["santé OU hôpital OU médecin OU soin"],
            "transports": ["transport PUIS/2 commun", "train OU bus OU tramway", "covoiturage"],
            "vélo": ["vélo", '"piste* cyclable*"'],
            "énergie": ["énergie OU électricité OU solaire OU nucléaire SAUF voiture"],
            "logement": ["logement OU isolation", "chauffage PRES/5 (changer OU remplacer)"],
            "déchets": ["déchet OU tri OU recyclage", "emballage ET plastique"],
            "refus": ["NIE(taxe OU taxer OU impôt)"],
            "exemplarité": ["exemple PRES/4 (montrer OU donner)", "élu PRES/6 exemplaire"],
        }.items()
    ],
}


def analyse(texts: list[str]) -> None:
    """Non-response, words, lemmas, frequencies and codes, as a report does them."""
    import numpy as np

    from analysis.coding.codebook import from_mapping
    from analysis.corpus import Corpus, Source
    from analysis.report.study import Steps, study

    corpus = Corpus("gd", "gd", "row", tuple(map(str, np.arange(len(texts)))), tuple(texts))
    source = Source("gd", "gd", (corpus,), (), {"gd": ""})
    found = study(source, from_mapping(CODEBOOK), seed=1, steps=Steps(1, None))
    assert found.corpora[0].reconciliation.received == len(texts)


def vectorise(texts: list[str]) -> None:
    """The reference: scikit-learn's vectoriser with its default options."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    started = time.process_time()
    TfidfVectorizer().fit_transform(texts)
    print(time.process_time() - started)


def run(scale: str) -> list[dict]:
    """Measure and return rows for the bench table."""
    data = Path(os.environ.get("CONSULT_REAL_DATA") or ROOT.parent / "shared" / "data")
    texts = pq.read_table(data / ANSWERS, columns=["comment"])["comment"].to_pylist()
    texts = [f"{text} ({n})" if n else text for n in range(REPEATS[scale]) for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        path.write_text(json.dumps(texts), encoding="utf-8")
        seconds, memory, _ = child(__file__, "analyse", path)
        *_, (reference,) = child(__file__, "vectorise", path)
    ratio = float(reference) / seconds
    return [
        {
            "name": "analysis: speed as a share of TfidfVectorizer, start included",
            "value": round(ratio, 3),
            "unit": "ratio",
            "budget": BUDGET,
            "note": f"{len(texts)} answers: {seconds:.1f} s of processor, TfidfVectorizer {float(reference):.1f} s",
        },
        {
            "name": "analysis: peak memory",
            "value": round(memory),
            "unit": "MB",
            "budget": None,
            "note": f"{len(texts)} real answers, one process",
        },
    ]


def main() -> None:
    """Print the rows, or do one child's work."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", choices=sorted(REPEATS), default="small")
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        mode, path = options.child
        {"analyse": analyse, "vectorise": vectorise}[mode](json.loads(Path(path).read_text(encoding="utf-8")))
        print(peak())
        return
    for row in run(options.scale):
        print(f"{row['name']}: {row['value']} {row['unit']} (budget {row['budget']}) – {row['note']}")


if __name__ == "__main__":
    main()
