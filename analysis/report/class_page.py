"""The classification as a French page with the headings of IRaMuTeQ, and the contributions to which it leads."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment

from analysis.lexical.disclosure import PUBLISHED_FROM
from analysis.lexical.profiles import Profile, Typical
from analysis.report.class_files import (
    SUPPLEMENTARY_TYPES,
    TYPES,
    class_page,
    classified,
    drawn,
    excerpt,
    marked,
    stars,
    summary,
)
from analysis.report.lexicon import CODES, Classes, CorpusLexicon, LexiconStudy
from analysis.report.listings import Listing
from analysis.report.pages import environment
from analysis.tabulate.flat import percentage

SHOWN_FORMS = 30
SHOWN_AVOIDED = 10
SHOWN_SUPPLEMENTARY = 15
SHOWN_VARIABLES = 20
SHOWN_SEGMENTS = 10
SHOWN_MARKED = 8


def write(out: Path, study: LexiconStudy) -> None:
    """Write `report.html`, and for each class the page of its most typical contributions, beside the drawings."""
    templates = environment()
    for found, classes in classified(study):
        for profile in classes.profiles:
            _write_typical(out, templates, found, classes, profile)
    content = templates.get_template("classes.html").render(
        study=study,
        charts={found.corpus.key: _images(out, number) for number, found, _ in drawn(study)},
        coded=CODES in study.options.parts,
        summary=summary,
        percentage=percentage,
        without=_without,
        typical=lambda found, profile, items: _typical(study, found, profile, items),
        page=class_page,
        stars=stars,
        types=TYPES,
        supplementary_types=SUPPLEMENTARY_TYPES,
        published_from=PUBLISHED_FROM,
        shown_forms=SHOWN_FORMS,
        shown_avoided=SHOWN_AVOIDED,
        shown_supplementary=SHOWN_SUPPLEMENTARY,
        shown_variables=SHOWN_VARIABLES,
        shown_segments=SHOWN_SEGMENTS,
    )
    (out / "report.html").write_text(content, encoding="utf-8")


def _write_typical(out: Path, templates: Environment, found: CorpusLexicon, classes: Classes, profile: Profile) -> None:
    units = [item.unit for item in (*profile.typical, *profile.typical_on_average)]
    texts = tuple(dict.fromkeys(classes.table.texts[units].tolist()))
    path = class_page(found, profile.label)
    title = f"Contributions les plus typiques de la classe {profile.label + 1}"
    content = templates.get_template("contributions.html").render(
        listing=Listing("class", str(profile.label), title, path, texts),
        corpus=found.corpus,
        rows=[(found.corpus.ids[text], found.corpus.texts[text], None) for text in texts],
        page=1,
        pages=[Path(path).name],
        root="../" * path.count("/"),
    )
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    (out / path).write_text(content, encoding="utf-8")


def _images(out: Path, number: int) -> dict[str, str]:
    drawings = {name: (out / f"{name}-{number}.svg").read_bytes() for name in ("dendrogram", "plane")}
    images = {name: "data:image/svg+xml;base64," + base64.b64encode(svg).decode() for name, svg in drawings.items()}
    return {**images, "tree": (out / f"dendrogram-{number}.txt").read_text(encoding="utf-8")}


def _without(found: CorpusLexicon, classes: Classes, label: int) -> int:
    """Units of a class when campaigns count one text each."""
    kept = found.register.first_only[classes.table.texts]
    return int((kept & (classes.classes == label)).sum())


def _typical(
    study: LexiconStudy, found: CorpusLexicon, profile: Profile, items: Sequence[Typical]
) -> list[dict[str, Any]]:
    classes = found.classes
    assert classes is not None
    return [
        {
            "absolute": item.absolute,
            "relative": item.relative,
            "contribution": found.corpus.ids[int(classes.table.texts[item.unit])],
            "marked": marked(classes, profile, item.unit)[:SHOWN_MARKED],
            "text": excerpt(study, found, classes, item.unit),
        }
        for item in items[:SHOWN_SEGMENTS]
    ]
