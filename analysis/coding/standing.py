"""Which codes may be shown, and with what warning: the one rule of every table, list, page and file of codes.

It reads what `quality` measured on a blind sample of one corpus, coded by one version of a codebook. A code under its
threshold, or never measured although the others were, is withheld: it is named with the reason, its contributions and
its count are not shown, and those that hold nothing else are left to a person. A code above its threshold, but not
surely, is marked. Where nothing was measured, every code says so.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from analysis.coding.codebook import Codebook
from analysis.errors import AnalysisError
from analysis.recorded import SUFFIX

QUALITY_COPY = "quality"
QUALITY_HELP = "fichier écrit par « quality », ou dossier de plusieurs : ses codes retenus ne sont pas montrés"
PUBLISHED, MARKED, WITHHELD, UNMEASURED = "published", "marked", "withheld", "unmeasured"
WORDS: Final = {
    PUBLISHED: "publiable",
    MARKED: "à lire avec prudence",
    WITHHELD: "retenu",
    UNMEASURED: "qualité non mesurée",
}


@dataclass(frozen=True)
class Standing:
    """What is known of one code: a verdict (`published`, `marked`, `withheld`, `unmeasured`) and its reason in French,
    empty when there is nothing to say.
    """

    verdict: str
    reason: str = ""

    @property
    def shown(self) -> bool:
        """Whether the code and its contributions may be shown."""
        return self.verdict != WITHHELD

    def named(self, label: str) -> str:
        """The label of the code, with its mark if it has one."""
        return f"{label} ({WORDS[MARKED]})" if self.verdict == MARKED else label


Standings = Mapping[str, Standing]

_UNMEASURED: Final = Standing(UNMEASURED)
_NEVER: Final = Standing(WITHHELD, "Retenu : sa qualité n’a jamais été mesurée sur ce corpus.")


@dataclass(frozen=True)
class Measure:
    """What one quality file says: the corpus, the digest of the codebook (None for codes learnt without one), and the
    standing of each code measured.
    """

    name: str
    corpus: str
    codebook: str | None
    codes: Standings


def measure_files(path: Path) -> list[Path]:
    """The quality files of a folder, or the one given."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.glob("*.json") if not file.name.endswith(SUFFIX))


def copy_measures(path: Path | None, results: Path) -> None:
    """Keep the quality files that a run read in its result directory."""
    if path is not None:
        kept = results / QUALITY_COPY
        kept.mkdir()
        for file in measure_files(path):
            shutil.copyfile(file, kept / file.name)


def measures_in(results: Path) -> Path | None:
    """The quality files kept in a result directory, None when the run read none."""
    kept = results / QUALITY_COPY
    return kept if kept.exists() else None


def read_measures(path: Path | None) -> tuple[Measure, ...]:
    """What `quality` wrote, in a file or a folder of them; nothing without path.

    Raises AnalysisError naming the file that is not one, or two files on one corpus.
    """
    if path is None:
        return ()
    found = [_read(file) for file in measure_files(path)]
    if not found:
        raise AnalysisError(f"« {path.name} » ne contient aucun fichier écrit par « quality ».")
    for one, two in zip(sorted(found, key=_corpus), sorted(found, key=_corpus)[1:], strict=False):
        if one.corpus == two.corpus:
            raise AnalysisError(f"« {one.name} » et « {two.name} » portent sur le même corpus : gardez-en un.")
    return tuple(found)


def _corpus(measure: Measure) -> str:
    return measure.corpus


def _read(path: Path) -> Measure:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        codes = {str(each["code"]): Standing(str(each["verdict"]), str(each["reason"])) for each in raw["codes"]}
        found = Measure(path.name, str(raw["corpus"]), raw["codebook"], codes)
    except (ValueError, KeyError, TypeError) as error:
        raise AnalysisError(f"« {path.name} » n’a pas été écrit par « quality » : refaites-le.") from error
    if unknown := {standing.verdict for standing in codes.values()} - {PUBLISHED, MARKED, WITHHELD}:
        raise AnalysisError(f"« {path.name} » : le verdict « {min(unknown)} » n’existe pas ; refaites-le.")
    return found


def warnings(standings: Standings) -> Iterator[str]:
    """One line for each code that is withheld or marked."""
    for code, standing in standings.items():
        if standing.reason:
            yield f"Code « {code} » : {standing.reason}"


def plain(standings: Standings) -> dict[str, dict[str, str]]:
    """Verdict and reason of each code, as plain data."""
    return {code: asdict(standing) for code, standing in standings.items()}


def withheld(standings: Standings) -> frozenset[str]:
    """The codes that may not be shown."""
    return frozenset(code for code, standing in standings.items() if not standing.shown)


def of_codes(measures: Sequence[Measure], corpus: str, codes: Iterable[str]) -> dict[str, Standing]:
    """The standing of codes learnt from people, without a codebook.

    Raises AnalysisError when what was measured is a codebook.
    """
    measure = _on(measures, corpus, None)
    return dict.fromkeys(codes, _NEVER if measure is not None else _UNMEASURED) | dict(measure.codes if measure else {})


def of_codebook(
    measures: Sequence[Measure], corpus: str, plan: Codebook, learnt: Iterable[str] = ()
) -> dict[str, Standing]:
    """The standing of each code of a codebook on a corpus, in its order, then of those `learnt` beside it.

    A code that counts the contributions of others below it is shown without those of the withheld ones, and marked.
    Raises AnalysisError when another version of the codebook was measured.
    """
    measure = _on(measures, corpus, plan.digest)
    names = [code.id for code in plan.codes]
    if measure is None:
        return dict.fromkeys((*names, *learnt), _UNMEASURED)
    known = measure.codes
    own = {code.id: known.get(code.id, _NEVER) for code in plan.codes if code.patterns or code.id in known}
    below: dict[str, list[str]] = {code.id: [] for code in plan.codes}
    for code in own:
        for ancestor in plan.ancestors(code):
            below[ancestor].append(code)
    labels = {code.id: code.label for code in plan.codes}
    found = {code: _counting(own.get(code), {labels[each]: own[each] for each in below[code]}) for code in names}
    return found | {code: known.get(code, _NEVER) for code in learnt if code not in found}


def _counting(own: Standing | None, below: Standings) -> Standing:
    """The standing of a code, of its own if it has patterns, that counts those below too, given by label."""
    missing = [label for label, standing in below.items() if not standing.shown]
    doubtful = [label for label, standing in below.items() if standing.verdict == MARKED]
    if own is None and len(missing) == len(below):
        return Standing(WITHHELD, "Retenu : tous ses sous-codes le sont.")
    if own is not None and not own.shown:
        return own
    reasons = [own.reason] if own is not None and own.reason else []
    if missing:
        reasons.append(f"Sans les contributions de sous-codes retenus : {', '.join(missing)}.")
    if doubtful:
        reasons.append(f"Comprend des sous-codes à lire avec prudence : {', '.join(doubtful)}.")
    return Standing(MARKED, " ".join(reasons)) if reasons else Standing(PUBLISHED)


def _on(measures: Sequence[Measure], corpus: str, codebook: str | None) -> Measure | None:
    measure = next((each for each in measures if each.corpus == corpus), None)
    if measure is not None and measure.codebook != codebook:
        raise AnalysisError(
            f"« {measure.name} » ne mesure pas ce plan de codification dans cette version : refaites l’échantillon "
            "(« sample --codebook ») et la mesure."
        )
    return measure
