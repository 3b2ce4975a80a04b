"""Lexical analysis at volume: speed and memory beside TfidfVectorizer and spaCy, and the quality of what it finds.

Texts are the real answers, cut into sentences and put together again at random, so that a million of them differ.
"""

import argparse
import csv
import hashlib
import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
import yaml

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

from child import ROOT, child, peak  # noqa: E402

# 500 words of the held-out answers, drawn with seed 500 among those of three letters or more that are no function word;
# one reader gave each its lemma in context before seeing the machine's (two where both can be defended, « | » between).
# Each line: rank of the answer, rank of the word in it, start of the SHA-256 of its form, lemma. No sentence.
BY_HAND = HERE / "lemmas_by_hand.csv"
ANSWERS = "gd_te_q161_unique/te_q161_unique_0-4.parquet"
SIZES = {"small": (10_000,), "full": (10_000, 100_000, 1_000_000)}
WORDS = 60
NO_ANSWER = ("RAS", "NSP", "", "...", "Rien", "Je ne sais pas", "Aucune idée")
SPACY_SAMPLE = 60
HELD_OUT = 400
COMPARED = {"small": 6_000, "full": 41_900}


def data() -> Path:
    return Path(os.environ.get("CONSULT_REAL_DATA") or ROOT.parent / "shared" / "data")


def answers() -> list[str]:
    return pq.read_table(data() / ANSWERS, columns=["comment"])["comment"].to_pylist()


def write_corpus(path: Path, size: int) -> None:
    """As many texts of about 60 words, 5 % of them non-responses and 1 % copies of a few texts, and two variables."""
    rng = random.Random(7)
    real = answers()
    sentences = [part.strip() for text in real for part in re.split(r"(?<=[.!?\n])\s+", text) if len(part) > 3]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text", "region", "age"])
        for rank in range(size):
            chance = rng.random()
            if chance < 0.06:
                text = rng.choice(NO_ANSWER) if chance < 0.05 else real[rng.randrange(50)]
            else:
                text, words, wanted = "", 0, rng.lognormvariate(3.95, 0.55)
                while words < wanted:
                    sentence = rng.choice(sentences)
                    words += sentence.count(" ") + 1
                    text += sentence + " "
            rows.writerow([rank, text, f"r{rng.randrange(13)}", f"a{rng.randrange(6)}"])


def plan(path: Path) -> None:
    """A codebook of 200 codes over frequent words."""
    from analysis.text import Vocabulary

    vocabulary = Vocabulary()
    counts = vocabulary.counts([vocabulary.tokenise(answers()[:3_000])])
    ranked = sorted(range(len(counts)), key=lambda form: (-counts[form], vocabulary.forms[form]))
    words = [vocabulary.forms[form] for form in ranked if vocabulary.forms[form].isalpha()]
    words = [word for word in words if len(word) > 4][:400]
    codes = [
        {
            "id": f"c{rank}",
            "label": f"c{rank}",
            "patterns": [f"{one} OU {two}", f"{one} PRES/5 {two}"],
            "positive_examples": [one],
        }
        for rank, (one, two) in enumerate(zip(words[:200], words[200:], strict=True))
    ]
    path.write_text(yaml.safe_dump({"title": "Banc", "version": "1", "codes": codes}), encoding="utf-8")


def run_lexicon(corpus: str, codebook: str, out: str) -> None:
    """The one command."""
    from analysis.__main__ import main

    assert main(["lexicon", corpus, "--codebook", codebook, "--out", out]) == 0


def run_vectoriser(corpus: str) -> None:
    """The reference: scikit-learn's vectoriser with its default options; prints its own processor time."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    with Path(corpus).open(newline="", encoding="utf-8") as file:
        texts = [row[1] for row in csv.reader(file)]
    started = time.process_time()
    TfidfVectorizer().fit_transform(texts)
    print(time.process_time() - started)


def run_spacy() -> None:
    """Prints how many texts a second the whole French pipeline reads, loading left out."""
    import spacy

    pipeline = spacy.load("fr_core_news_md")
    texts = answers()[:SPACY_SAMPLE]
    started = time.process_time()
    for _ in pipeline.pipe(texts):
        pass
    print(len(texts) / (time.process_time() - started))


def real_words(texts: list[str]):
    from analysis.corpus import Corpus
    from analysis.prepare import prepare
    from analysis.text import Vocabulary

    vocabulary = Vocabulary()
    (found,), lemmas = prepare(
        [Corpus("c", "c", "row", tuple(map(str, range(len(texts)))), tuple(texts))], vocabulary, seed=1
    )
    return found, lemmas, vocabulary


def run_duplicates(compared: str) -> None:
    """Prints recall and precision of near pairs against every pair, and seconds, on real answers and planted copies.

    Then the share of near pairs that one campaign holds both of, where it holds one, and the size of the largest.
    """
    import numpy as np
    from scipy import sparse

    from analysis.semantic.campaigns import find_campaigns
    from analysis.semantic.duplicates import THRESHOLD, near_pairs
    from analysis.semantic.shingles import bare, word_shingles
    from analysis.text import Vocabulary

    rng = random.Random(3)
    texts = answers()[: int(compared)]
    long = [text for text in texts if 30 < text.count(" ") < 300][:200]
    for text in long:
        for _ in range(4):
            words = text.split()
            for place in rng.sample(range(len(words)), max(1, len(words) // 40)):
                words[place] = rng.choice(("citoyen", "région", "demain"))
            texts.append(" ".join(words))
    vocabulary = Vocabulary()
    read = bare(vocabulary.tokenise(texts), vocabulary)
    ranks = np.flatnonzero(read.lengths >= 25)
    started = time.process_time()
    pairs, _ = near_pairs(read, ranks)
    seconds = time.process_time() - started
    shingles = word_shingles(read, ranks)
    _, columns = np.unique(shingles.values, return_inverse=True)
    matrix = sparse.csr_matrix((np.ones(len(columns), dtype=np.float32), columns, shingles.starts))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    sizes, expected = np.diff(matrix.indptr), set()
    for low in range(0, len(ranks), 1_000):
        shared = (matrix[low : low + 1_000] @ matrix.T).tocoo()
        one, two = shared.row + low, shared.col
        near = shared.data >= THRESHOLD * (sizes[one] + sizes[two] - shared.data)
        expected |= {(int(ranks[i]), int(ranks[j])) for i, j in zip(one[near], two[near], strict=True) if i < j}
    found = set(map(tuple, pairs.tolist()))
    print(len(found & expected) / len(expected), len(found & expected) / len(found), len(expected), seconds)
    register = find_campaigns(read)
    one, two = register.family[register.duplicates.pairs].T
    print((one == two)[(one >= 0) | (two >= 0)].mean(), register.campaigns[0].size)


def run_lemmas() -> None:
    """Prints the agreement of learnt lemmas with spaCy in context, on content words of answers not learnt from.

    Accents do not count, and words mended are left out: spaCy reads them as they are typed. Then prints how many of the
    words read by hand have the lemma that the reader gave, and how many there are; there everything counts.
    """
    import numpy as np
    import spacy
    from spacy.tokens import Doc

    from analysis.lemmas import learn
    from analysis.passages import Material
    from analysis.text import Vocabulary
    from analysis.typos import bare
    from analysis.words import in_context

    whole = answers()
    order = list(range(len(whole)))
    random.Random(5).shuffle(order)
    texts = [whole[rank] for rank in order]
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(texts)
    counts = vocabulary.counts([tokens]).tolist()
    material = Material(texts, tokens, np.arange(len(texts)) >= HELD_OUT)
    lemmas = learn(vocabulary.forms, [material], seed=1, counts=counts)
    pipeline = spacy.load("fr_core_news_md", exclude=["parser", "ner", "senter"])
    agreed = total = 0
    for text in texts[:HELD_OUT]:
        words, spaces, _ = in_context(text)
        doc = Doc(pipeline.vocab, words=words, spaces=spaces)
        for _, component in pipeline.pipeline:
            doc = component(doc)
        for token in doc:
            number = vocabulary.number(token.lower_)
            if token.pos_ not in {"NOUN", "VERB", "ADJ", "ADV"} or number is None:
                continue
            if lemmas.source[number] not in {"accents", "typo"}:
                total += 1
                agreed += bare(lemmas.lemma[number]) == bare(token.lemma_.lower())
    print(agreed / total, total)
    right, given = 0, list(csv.DictReader(BY_HAND.open(encoding="utf-8")))
    place = {rank: at for at, rank in enumerate(order)}
    for item in given:
        number = tokens.forms[tokens.starts[place[int(item["answer"])]] + int(item["word"])]
        assert hashlib.sha256(vocabulary.forms[number].encode()).hexdigest().startswith(item["form"])
        right += lemmas.lemma[number] in item["lemma"].split("|")
    print(right, len(given))


def row(name: str, value: float, unit: str, budget: str | None, note: str) -> dict:
    return {"name": f"lexical: {name}", "value": round(value, 4), "unit": unit, "budget": budget, "note": note}


def volume(scale: str) -> list[dict]:
    """The one command beside the vectoriser at each size, and beside spaCy."""
    rows, per_text = [], []
    *_, (speed,) = child(__file__, "spacy")
    with tempfile.TemporaryDirectory() as folder:
        codebook = Path(folder) / "plan.yaml"
        plan(codebook)
        for size in SIZES[scale]:
            corpus = Path(folder) / "corpus.csv"
            write_corpus(corpus, size)
            seconds, memory, _ = child(__file__, "lexicon", corpus, codebook, Path(folder) / "out")
            *_, (reference,) = child(__file__, "vectoriser", corpus)
            per_text.append(seconds / size)
            note = f"{seconds:.1f} s of processor, TfidfVectorizer {float(reference):.1f} s"
            print(f"… {size:,} texts: {note}, {memory:.0f} MB", file=sys.stderr, flush=True)
            # Starting and learning lemmas is a fixed cost: the budget is that of a million texts.
            budget = "<= 12" if size >= 1_000_000 else None
            rows.append(row(f"one command on {size:,} texts", seconds / float(reference), "x Tfidf", budget, note))
            rows.append(row(f"peak memory on {size:,} texts", memory, "MB", "<= 8000", "every process together at one"))
            faster = size / seconds / float(speed)
            rows.append(
                row(
                    f"speed on {size:,} texts beside spaCy",
                    faster,
                    "x spaCy",
                    ">= 20" if size >= 1_000_000 else None,
                    f"spaCy {float(speed):.0f} texts/s",
                )
            )
        if len(per_text) > 2:
            rows.append(
                row("time a text, 1,000,000 over 100,000", per_text[2] / per_text[1], "ratio", "<= 1.5", "linear is 1")
            )
    return rows


def quality(scale: str) -> list[dict]:
    """What the duplicates and the lemmas are worth."""
    *_, found = child(__file__, "duplicates", COMPARED[scale])
    recall, precision, pairs, took, together, largest = map(float, found)
    *_, (agreement, tokens, right, read) = child(__file__, "lemmas")
    return [
        row("near pairs at 0.8, recall", recall, "share", ">= 0.98", f"{pairs:.0f} pairs in {took:.1f} s"),
        row("near pairs at 0.8, precision", precision, "share", ">= 1", ""),
        row("near pairs that campaigns keep together", together, "share", ">= 0.98", f"largest campaign {largest:.0f}"),
        row("lemmas, agreement with spaCy in context", float(agreement), "share", ">= 0.98", f"{tokens} content words"),
        row("lemmas, right by a reader", int(right) / int(read), "share", ">= 0.97", f"{right} of {read} words"),
    ]


def run(scale: str) -> list[dict]:
    """Measure and return rows for the bench table."""
    return [*volume(scale), *quality(scale)]


CHILDREN = {
    "lexicon": run_lexicon,
    "vectoriser": run_vectoriser,
    "spacy": run_spacy,
    "duplicates": run_duplicates,
    "lemmas": run_lemmas,
}


def main() -> None:
    """Print the rows, or do one child's work."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", choices=sorted(SIZES), default="small")
    parser.add_argument("--child", nargs="+")
    options = parser.parse_args()
    if options.child:
        mode, *arguments = options.child
        CHILDREN[mode](*arguments)
        print(peak())
        return
    for found in run(options.scale):
        print(f"{found['name']}: {found['value']} {found['unit']} (budget {found['budget']}) – {found['note']}")


if __name__ == "__main__":
    main()
