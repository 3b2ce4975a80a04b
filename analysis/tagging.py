"""Parts of speech of words in context, by spaCy's French model: its tagger alone, on words cut by `analysis.text`.

spaCy is imported here and in `analysis.lemma_tables` only, when lemmas are to be learnt: a web process never loads it.
"""

import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from threadpoolctl import threadpool_limits

from analysis.lemma_tables import MODEL
from analysis.passages import Passage

_AT_ONCE = 100

Progress = Callable[[int, int], None]


@cache
def _load_tagger() -> Any:
    # `lang` is overridden and the tokenizer left out because the words are ours: importing spaCy's
    # French tokenizer alone compiles seven seconds of regular expressions that would never be used.
    # Products of matrices are numpy's: on one thread they take half the time of thinc's own, and give the same tags.
    with importlib.import_module("thinc.api").use_ops("numpy", use_blis=False):
        return importlib.import_module("spacy").load(
            MODEL,
            exclude=["tokenizer", "parser", "ner", "senter", "lemmatizer", "attribute_ruler"],
            config={"nlp": {"lang": "xx"}},
        )


def parts_of_speech(passages: Sequence[Passage], progress: Progress | None = None) -> dict[str, Counter[str]]:
    """How often each form (lower case) was read as each part of speech (UPOS).

    `progress` is called with (passages read, passages to read).
    """
    tagger = _load_tagger()
    attribute = importlib.import_module("spacy.attrs").POS
    names = {number: name for name, number in importlib.import_module("spacy.parts_of_speech").IDS.items()}
    document = importlib.import_module("spacy.tokens").Doc
    met: Counter[tuple[str, int]] = Counter()

    def documents() -> Iterator[tuple[Any, list[str]]]:
        for done, (words, spaces) in enumerate(passages, start=1):
            yield document(tagger.vocab, words=words, spaces=spaces), words
            if progress and (done % _AT_ONCE == 0 or done == len(passages)):
                progress(done, len(passages))

    with tagger.memory_zone(), threadpool_limits(1, "blas"):
        for doc, words in tagger.pipe(documents(), as_tuples=True, batch_size=_AT_ONCE):
            met.update(zip(map(str.lower, words), doc.to_array(attribute).tolist(), strict=True))
    found: dict[str, Counter[str]] = {}
    for (form, number), count in met.items():
        found.setdefault(form, Counter())[names[number]] += count
    return found
