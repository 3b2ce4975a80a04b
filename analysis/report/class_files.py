"""A classification as tables that a user of IRaMuTeQ knows: profiles, antiprofiles, typical segments, plane, tree."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.iramuteq import starred
from analysis.lexical.profiles import Feature, Profile, Typical, category_names
from analysis.lexical.reinert import Node
from analysis.plurals import counted
from analysis.report.lexicon import Chi2, Classes, CorpusLexicon, LexiconStudy
from analysis.report.lexicon_charts import dendrogram, factorial_plane, leaf_labels
from analysis.spreadsheets import Cell, write_table

LONGEST_EXCERPT = 600
MARKED = 10
# The parts of speech as IRaMuTeQ's dictionaries name them.
TYPES = {"NOUN": "nom", "PROPN": "nom propre", "VERB": "ver", "ADJ": "adj", "ADV": "adv", "X": "nr"}
SUPPLEMENTARY_TYPES = {
    **{kind: f"{name}_sup" for kind, name in TYPES.items() if kind in {"NOUN", "VERB", "ADJ", "ADV"}},
    "AUX": "aux",
    "DET": "art",
    "PRON": "pro",
    "ADP": "pre",
    "CCONJ": "con",
    "SCONJ": "con",
    "INTJ": "ono",
    "NUM": "num",
    "SYM": "émoji",
    "PROPN": "nom propre",
    "X": "nr",
}
PROFILE = (
    *("corpus", "classe", "n°", "eff. s.t.", "eff. total", "pourcentage", "chi2", "Type", "forme", "p"),
    "chi2 hors campagnes",
)
REPEATED = (
    *("corpus", "classe", "n°", "eff. s.t.", "eff. total", "pourcentage", "chi2", "segment répété", "p"),
    *("chi2 hors campagnes", "occurrences", "contributions"),
)
TYPICAL = (
    *("corpus", "classe", "tri", "rang", "score absolu", "score relatif", "contribution", "page"),
    *("formes marquées", "segment"),
)
_AXES = 3

Row = Sequence[Cell]


@dataclass(frozen=True)
class Summary:
    """What IRaMuTeQ's report begins with: texts, units, words, and what of them is classified."""

    texts: int
    units: int
    occurrences: int
    forms: int
    lemmas: int
    content_lemmas: int
    kept_lemmas: int
    occurrences_by_unit: float
    classes: int
    classified: int


def summary(found: CorpusLexicon, classes: Classes) -> Summary:
    """The figures of one classification."""
    words, units = found.prepared.words, len(classes.table.segments)
    lemmas = np.unique(words.numbers)
    return Summary(
        texts=int(found.prepared.readable.sum()),
        units=units,
        occurrences=len(words.numbers),
        forms=len(np.unique(words.forms)),
        lemmas=len(lemmas),
        content_lemmas=int(words.content[lemmas].sum()),
        kept_lemmas=len(classes.table.lemmas),
        occurrences_by_unit=round(len(words.numbers) / units, 2) if units else 0.0,
        classes=len(classes.profiles),
        classified=int((classes.classes >= 0).sum()),
    )


def classified(study: LexiconStudy) -> list[tuple[CorpusLexicon, Classes]]:
    """The corpora that have classes."""
    return [(found, found.classes) for found in study.corpora if found.classes]


def drawn(study: LexiconStudy) -> list[tuple[int, CorpusLexicon, Classes]]:
    """The corpora whose classes are drawn, with the number of their drawings."""
    several = [(found, classes) for found, classes in classified(study) if classes.plane]
    return [(number, *pair) for number, pair in enumerate(several, start=1)]


def write(out: Path, study: LexiconStudy) -> None:
    """Write the tables and drawings of every corpus that has classes."""
    tables: tuple[tuple[str, Row, Callable[[LexiconStudy, CorpusLexicon, Classes], Iterator[Row]]], ...] = (
        ("profiles.csv", PROFILE, _profiles),
        ("antiprofiles.csv", PROFILE, _antiprofiles),
        ("formes_supplementaires.csv", PROFILE, _supplementary),
        ("variables.csv", PROFILE, _variables),
        ("segments_typiques.csv", TYPICAL, _typical),
        ("segments_repetes.csv", REPEATED, _repeated),
        ("plan_factoriel.csv", _plane_header(), _plane),
    )
    for name, header, rows in tables:
        made = (row for found, classes in classified(study) for row in rows(study, found, classes))
        write_table(out / name, [str(label) for label in header], made)
    for number, found, classes in drawn(study):
        (out / f"dendrogram-{number}.svg").write_bytes(dendrogram(classes, found.corpus.title))
        (out / f"dendrogram-{number}.txt").write_text(tree(classes, found.corpus.title), encoding="utf-8")
        (out / f"plane-{number}.svg").write_bytes(factorial_plane(classes, found.corpus.title))


def class_page(found: CorpusLexicon, label: int) -> str:
    """Where the typical contributions of a class are shown whole, relative to the result directory."""
    return f"contributions/{found.corpus.key.replace(':', '-')}/classe-{label + 1}.html"


def excerpt(study: LexiconStudy, found: CorpusLexicon, classes: Classes, unit: int) -> str:
    """The words of a unit: the contribution itself when it is one unit, cut if it is very long."""
    if not study.options.segment:
        return found.corpus.texts[int(classes.table.texts[unit])][:LONGEST_EXCERPT]
    starts = classes.table.segments.starts
    forms = found.prepared.words.forms[starts[unit] : starts[unit + 1]].tolist()
    return " ".join(study.vocabulary.forms[form] for form in forms).replace("' ", "’")


def marked(classes: Classes, profile: Profile, unit: int) -> list[str]:
    """The lemmas of the profile that a unit holds, by falling chi-square."""
    matrix = classes.table.matrix
    held = {classes.table.lemmas[column] for column in matrix.indices[matrix.indptr[unit] : matrix.indptr[unit + 1]]}
    return [item.name for item in profile.profile if item.name in held]


def stars(found: CorpusLexicon) -> dict[tuple[str, str], str]:
    """How IRaMuTeQ names each category (`*region_bretagne`), by the kind and name of its feature."""
    return {
        (variable.key, name): starred(variable, category)
        for variable in found.corpus.variables
        for name, category in zip(category_names(variable), variable.categories, strict=True)
    }


def _feature(number: int, item: Feature, shown: tuple[str, str], chi2_without: float | None) -> Row:
    figures = (item.units, item.total, item.share, item.chi2)
    return (number, *figures, *shown, float(f"{item.p:.6g}"), chi2_without)


def _features(
    found: CorpusLexicon,
    profile: Profile,
    items: Sequence[Feature],
    without: Chi2,
    names: dict[tuple[str, str], str],
    types: dict[str, str] = TYPES,
) -> Iterator[Row]:
    for number, item in enumerate(items, start=1):
        star = names.get((item.kind, item.name))
        shown = (types.get(item.kind, item.kind.lower()), item.name) if star is None else ("var", star)
        yield (
            found.corpus.key,
            profile.label + 1,
            *_feature(number, item, shown, without.get((profile.label, item.kind, item.name))),
        )


def _profiles(_study: LexiconStudy, found: CorpusLexicon, classes: Classes) -> Iterator[Row]:
    for profile in classes.profiles:
        yield from _features(found, profile, profile.profile, classes.chi2_without, {})


def _antiprofiles(_study: LexiconStudy, found: CorpusLexicon, classes: Classes) -> Iterator[Row]:
    for profile in classes.profiles:
        yield from _features(found, profile, profile.antiprofile, classes.chi2_without, {})


def _supplementary(_study: LexiconStudy, found: CorpusLexicon, classes: Classes) -> Iterator[Row]:
    """Those that the class holds more than the rest, then those that it holds less."""
    own = classes.supplementary
    for profile in own.profiles:
        items = (*profile.profile, *profile.antiprofile)
        yield from _features(found, profile, items, own.chi2_without, {}, SUPPLEMENTARY_TYPES)


def _variables(_study: LexiconStudy, found: CorpusLexicon, classes: Classes) -> Iterator[Row]:
    for profile in classes.profiles:
        yield from _features(found, profile, profile.variables, classes.chi2_without, stars(found))


def _typical(study: LexiconStudy, found: CorpusLexicon, classes: Classes) -> Iterator[Row]:
    for profile in classes.profiles:
        orders: tuple[tuple[str, Sequence[Typical]], ...] = (
            ("absolu", profile.typical),
            ("relatif", profile.typical_on_average),
        )
        for order, items in orders:
            for rank, item in enumerate(items, start=1):
                yield (
                    *(found.corpus.key, profile.label + 1, order, rank, item.absolute, item.relative),
                    found.corpus.ids[int(classes.table.texts[item.unit])],
                    f"{class_page(found, profile.label)}#c-{found.corpus.ids[int(classes.table.texts[item.unit])]}",
                    ", ".join(marked(classes, profile, item.unit)[:MARKED]),
                    excerpt(study, found, classes, item.unit),
                )


def _repeated(_study: LexiconStudy, found: CorpusLexicon, classes: Classes) -> Iterator[Row]:
    if classes.repeated is None:
        return
    rank = {name: place for place, name in enumerate(classes.repeated.found.table.lemmas)}
    counts, texts = classes.repeated.found.counts.tolist(), classes.repeated.found.texts.tolist()
    for profile in classes.repeated.profiles:
        for number, item in enumerate(profile.profile, start=1):
            without = classes.repeated.chi2_without.get((profile.label, item.kind, item.name))
            place = rank[item.name]
            figures = (number, item.units, item.total, item.share, item.chi2, item.name, float(f"{item.p:.6g}"))
            yield (found.corpus.key, profile.label + 1, *figures, without, counts[place], texts[place])


def _plane_header() -> tuple[str, ...]:
    axes = range(1, _AXES + 1)
    return (
        *("corpus", "nature", "nom", "classe", "masse"),
        *(f"coord. facteur {axis}" for axis in axes),
        *(f"contribution facteur {axis} (%)" for axis in axes),
    )


def _plane(_study: LexiconStudy, found: CorpusLexicon, classes: Classes) -> Iterator[Row]:
    """Classes, lemmas, then supplementary lemmas and categories, which have no mass: they take no part in the axes."""
    plane, key = classes.plane, found.corpus.key
    if plane is None:
        return
    best: dict[str, tuple[float, int]] = {}
    for profile in classes.profiles:
        for item in profile.profile:
            best[item.name] = max(best.get(item.name, (0.0, 0)), (item.chi2, profile.label + 1))
    shares = (100 * plane.column_contributions, 100 * plane.row_contributions)
    for label, place in enumerate(plane.columns):
        name = f"Classe {label + 1}"
        yield (
            key,
            "classe",
            name,
            label + 1,
            _round(plane.column_masses[label]),
            *_axes(place),
            *_axes(shares[0][label]),
        )
    for rank, lemma in enumerate(classes.table.lemmas):
        if not np.isnan(plane.rows[rank]).any():
            own, place = best[lemma][1] if lemma in best else None, plane.rows[rank]
            yield (key, "forme", lemma, own, _round(plane.row_masses[rank]), *_axes(place), *_axes(shares[1][rank]))
    for kind, name, place in _projected(classes):
        if not np.isnan(place).any():
            yield (key, kind, name, None, None, *_axes(place), *[None] * _AXES)


def _projected(classes: Classes) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    own = classes.supplementary
    if own.places is not None:
        for lemma, place in zip(own.lemmas, own.places, strict=True):
            yield "forme supplémentaire", lemma, place
    for variable, places in classes.illustrated:
        for category, place in zip(variable.categories, places, strict=True):
            yield "variable", starred(variable, category), place


def _round(value: float) -> float:
    return float(f"{value:.6g}")


def _axes(values: np.ndarray) -> tuple[float | None, ...]:
    """The first axes; a table of two classes has one."""
    known = np.round(values[:_AXES], 4).tolist()
    return (*known, *[None] * (_AXES - len(known)))


def tree(classes: Classes, title: str) -> str:
    """The dendrogram in words: each division, and each class with its size, its share and its first lemmas."""
    nodes, labels = classes.simple.nodes, leaf_labels(classes)
    classified_units = int(classes.simple.sizes.sum())
    title = f"Dendrogramme – {title}"
    if classes.agreement is not None:
        title += "\nClassification simple, avant l’accord des deux classifications :"
    lines = [title, f"{counted(classified_units, 'segment classé')} sur {len(nodes[0].units)}"]
    lines += _branch(nodes, labels, classes.simple.sizes.tolist(), nodes[0], "", "")
    return "\n".join(lines) + "\n"


def _branch(
    nodes: Sequence[Node], labels: Sequence[str], sizes: Sequence[int], node: Node, first: str, rest: str
) -> Iterator[str]:
    if node.children is None:
        assert node.label is not None
        yield f"{first}{labels[node.label]} – {counted(sizes[node.label], 'segment')}"
        return
    yield f"{first}{counted(len(node.units), 'segment')}, khi-deux de la division : {node.chi2:.1f}".replace(".", ",")
    one, two = node.children
    yield from _branch(nodes, labels, sizes, nodes[one], f"{rest}├── ", f"{rest}│   ")
    yield from _branch(nodes, labels, sizes, nodes[two], f"{rest}└── ", f"{rest}    ")
