"""The codebook (« plan de codification »): hierarchical codes, checked, digested, approved.

A YAML file:

    title: Plan de codification
    version: "1"
    groups: {baisser: "baisser OU réduire OU diminuer"}
    codes:
      - id: tva
        label: TVA
        parent: impots            # optional
        definition: La contribution parle de la TVA.
        inclusion: TVA en général, taux, produits de première nécessité.
        exclusion: Les autres taxes.
        patterns: ['tva', '@baisser PUIS/6 taxe']
        positive_examples: ['Baisser la TVA.']
        negative_examples: ['Supprimer la taxe foncière.']
    approvals:
      - {role: ditp, by: Nom, on: 2026-03-02, digest: …}
      - {role: administration, by: Nom, on: 2026-03-02, digest: …}

An approval holds for the very content whose digest it names (`python -m analysis describe --codebook FILE` prints it).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from analysis.coding.patterns import Node, parse
from analysis.errors import AnalysisError, file_fault
from analysis.languages import FRENCH, Language, language
from analysis.lines import whole

APPROVERS = ("ditp", "administration")
CODE_KEYS = (
    *("id", "label", "parent", "definition", "inclusion", "exclusion"),
    *("patterns", "positive_examples", "negative_examples"),
)
_PLAN_KEYS = ("title", "version", "language", "groups", "codes", "approvals")


@dataclass(frozen=True)
class Code:
    """One code; `nodes` are its patterns, parsed, in the same order. A parent may have none of its own."""

    id: str
    label: str
    parent: str | None
    definition: str
    inclusion: str
    exclusion: str
    patterns: tuple[str, ...]
    positive_examples: tuple[str, ...]
    negative_examples: tuple[str, ...]
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Approval:
    """Who approved, for whom, and which content (by digest)."""

    role: str
    by: str
    on: str
    digest: str | None


@dataclass(frozen=True)
class Codebook:
    """A checked codebook; `digest` covers all of its content but the approvals and what is left empty."""

    title: str
    version: str
    codes: tuple[Code, ...]
    approvals: tuple[Approval, ...]
    digest: str
    groups: tuple[tuple[str, str], ...] = ()
    language: str = FRENCH

    def check_language(self, code: str) -> None:
        """Raises AnalysisError when its patterns are not written in the language that is read."""
        if code != self.language:
            raise AnalysisError(
                f"Le plan de codification est en «\u202f{self.language}\u202f» et les contributions sont lues en "
                f"«\u202f{code}\u202f»\u00a0: accordez «\u202flanguage\u202f» du plan et l’option --language."
            )

    @property
    def missing_approvals(self) -> tuple[str, ...]:
        """The approvers, among `ditp` and `administration`, who have not approved this very content."""
        given = {approval.role for approval in self.approvals if approval.digest == self.digest}
        return tuple(role for role in APPROVERS if role not in given)

    def ancestors(self, code: str) -> Iterator[str]:
        """The parents of a code, nearest first."""
        parents = {item.id: item.parent for item in self.codes}
        parent = parents[code]
        while parent:
            yield parent
            parent = parents[parent]


def load(path: Path) -> Codebook:
    """Read and check a codebook. Raises AnalysisError naming the code at fault and the remedy."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AnalysisError(f"Plan de codification : {file_fault(error)}") from None
    except UnicodeDecodeError as error:
        raise AnalysisError(f"Le plan de codification « {path.name} » n’est pas un texte en UTF-8.") from error


def read(source: str) -> Codebook:
    """Check a codebook written in YAML. Raises AnalysisError naming the line or the code at fault and the remedy."""
    try:
        raw = yaml.safe_load(source)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # an impossible date; brackets without end
        mark = getattr(error, "problem_mark", None)
        where = f", ligne {mark.line + 1}" if mark else ""
        raise AnalysisError(
            f"Ce plan de codification n’est pas un YAML valide{where} : vérifiez les retraits et les guillemets, et "
            "mettez les dates entre guillemets."
        ) from error
    return from_mapping(raw)


def from_mapping(raw: Any) -> Codebook:
    """Check a codebook given as plain data. Raises AnalysisError naming the code at fault and the remedy."""
    if not isinstance(raw, dict) or not isinstance(raw.get("codes"), list) or not raw["codes"]:
        raise AnalysisError("Plan de codification : la liste « codes » manque ou est vide ; ajoutez au moins un code.")
    _check_keys(raw, _PLAN_KEYS, "Plan de codification")
    groups = raw.get("groups") or {}
    if not isinstance(groups, dict):
        raise AnalysisError("Plan de codification : « groups » doit associer un motif à chaque nom de groupe.")
    version = _text(raw, "version", "Plan de codification")
    if not version:
        raise AnalysisError('Plan de codification : « version » manque ; donnez-en une, par exemple "1".')
    patterns_of = {whole(str(name)): whole(str(pattern)) for name, pattern in groups.items()}
    read = language(str(raw.get("language") or FRENCH))
    codes = tuple(_code(item, patterns_of, read) for item in raw["codes"])
    _check_hierarchy(codes)
    _check_usable(codes)
    found = Codebook(
        title=_text(raw, "title", "Plan de codification") or "Plan de codification",
        version=version,
        codes=codes,
        approvals=tuple(_approval(item) for item in raw.get("approvals") or []),
        digest="",
        groups=tuple(patterns_of.items()),
        language=read.code,
    )
    return replace(found, digest=_digest(content(found)))


def content(codebook: Codebook) -> dict[str, Any]:
    """What approvals bear on, as plain data that `from_mapping` reads: what is empty is left out."""
    found: dict[str, Any] = {"title": codebook.title, "version": codebook.version}
    if codebook.language != FRENCH:
        found["language"] = codebook.language
    if codebook.groups:
        found["groups"] = dict(codebook.groups)
    found["codes"] = [
        {key: list(value) if isinstance(value, tuple) else value for key in CODE_KEYS if (value := getattr(code, key))}
        for code in codebook.codes
    ]
    return found


def _digest(found: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(found, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _check_keys(raw: dict[Any, Any], known: Iterable[str], where: str) -> None:
    """Raises AnalysisError for a key that would be left unread: it may be a known one badly written."""
    strange = next((key for key in raw if key not in known), None)
    if strange is not None:
        raise AnalysisError(f"{where} : la clé « {str(strange)[:40]} » n’existe pas ; au choix : {', '.join(known)}.")


def _text(raw: dict[str, Any], key: str, where: str) -> str:
    value = raw.get(key)
    if isinstance(value, list | dict):
        raise AnalysisError(f"{where} : « {key} » doit être un texte ; mettez-le entre guillemets.")
    return "" if value is None else whole(str(value))


def _texts(raw: dict[str, Any], code: str, key: str) -> tuple[str, ...]:
    values = raw.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str | int | float) for value in values):
        raise AnalysisError(f"Code « {code} » : « {key} » doit être une liste de textes ; mettez-les entre guillemets.")
    return tuple(whole(str(value)) for value in values)


def _code(raw: Any, groups: dict[str, str], read: Language) -> Code:
    if not isinstance(raw, dict) or not raw.get("id"):
        raise AnalysisError(f"Plan de codification : un code n’a pas d’« id » ({str(raw)[:60]}).")
    code = whole(str(raw["id"]))
    where = f"Code « {code} »"
    _check_keys(raw, CODE_KEYS, where)
    texts = {key: _text(raw, key, where) for key in ("label", "parent", "definition", "inclusion", "exclusion")}
    patterns = _texts(raw, code, "patterns")
    try:
        nodes = tuple(parse(pattern, groups, read) for pattern in patterns)
    except AnalysisError as error:
        raise AnalysisError(f"Code « {code} », {error}") from None
    return Code(
        id=code,
        label=texts["label"] or code,
        parent=texts["parent"] or None,
        definition=texts["definition"],
        inclusion=texts["inclusion"],
        exclusion=texts["exclusion"],
        patterns=patterns,
        positive_examples=_texts(raw, code, "positive_examples"),
        negative_examples=_texts(raw, code, "negative_examples"),
        nodes=nodes,
    )


def _approval(raw: Any) -> Approval:
    if not isinstance(raw, dict) or raw.get("role") not in APPROVERS or not raw.get("by"):
        raise AnalysisError(
            f"Approbation incomprise ({str(raw)[:60]}) : donnez « role » ({' ou '.join(APPROVERS)}), « by » et « on »."
        )
    digest = str(raw["digest"]) if raw.get("digest") else None
    return Approval(str(raw["role"]), str(raw["by"]), str(raw.get("on") or ""), digest)


def _check_hierarchy(codes: tuple[Code, ...]) -> None:
    for identifier, count in Counter(code.id for code in codes).items():
        if count > 1:
            raise AnalysisError(
                f"Code « {identifier} » : il est défini {count} fois ; donnez un « id » différent à chacun."
            )
    parents = {code.id: code.parent for code in codes}
    for code in codes:
        if code.parent and code.parent not in parents:
            raise AnalysisError(
                f"Code « {code.id} » : son parent « {code.parent} » n’existe pas ; ajoutez-le ou corrigez « parent »."
            )
        trail = [code.id]
        while (parent := parents[trail[-1]]) is not None:
            if parent in trail:
                loop = " → ".join([*trail[trail.index(parent) :], parent])
                raise AnalysisError(f"Code « {code.id} » : il est son propre ancêtre ({loop}) ; retirez un « parent ».")
            trail.append(parent)


def _check_usable(codes: tuple[Code, ...]) -> None:
    parents = {code.parent for code in codes}
    for code in codes:
        if not code.patterns and code.id not in parents:
            raise AnalysisError(f"Code « {code.id} » : aucun motif ; ajoutez « patterns » ou retirez ce code.")
        if code.patterns and not code.positive_examples:
            raise AnalysisError(
                f"Code « {code.id} » : aucun exemple ; ajoutez dans « positive_examples » un texte qu’il doit recevoir."
            )
