"""The forms that were read as others, listed: accents restored, typing errors mended.

Each is undone by an override `form: form`. All of them are written by `--corrections`; results show those that may be
published (`analysis.lexical.disclosure`).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from analysis.lemmas import Lemmas
from analysis.plurals import counted
from analysis.typos import bare

CORRECTIONS_HELP = "écrire ici toutes les formes corrigées (YAML ; « --lemmas » en défait une : « forme: forme »)"
ACCENTS, TYPO = "accents", "typo"


def write(path: Path, lemmas: Lemmas) -> None:
    """Write every form read as another, as YAML `form: form read`, in alphabetical order."""
    path.write_text(yaml.safe_dump(dict(sorted(lemmas.corrections.items())), allow_unicode=True), encoding="utf-8")


def listed(lemmas: Lemmas, published: Iterable[str]) -> dict[str, Any]:
    """How many forms were read as others, and those among the `published` ones: each form, what it was read as, why
    (`accents` or `typo`).
    """
    found = lemmas.corrections
    shown = [
        {"form": form, "read_as": found[form], "why": ACCENTS if bare(form) == bare(found[form]) else TYPO}
        for form in dict.fromkeys(published)
        if form in found
    ]
    return {"total": len(found), "shown": shown}


def told(lemmas: Lemmas) -> str:
    """One line that says how many forms were read as others, and where to see them."""
    mended = sum(bare(form) != bare(read) for form, read in lemmas.corrections.items())
    restored = len(lemmas.corrections) - mended
    return (
        f"{counted(restored, 'forme lue avec ses accents rétablis', 'formes lues avec leurs accents rétablis')}, "
        f"{counted(mended, 'faute de frappe corrigée', 'fautes de frappe corrigées')} (liste : « --corrections »)."
    )
