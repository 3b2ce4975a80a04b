"""Codebooks as files that people exchange: YAML and XLSX, both ways, with the same content and the same digest.

The workbook has one sheet a kind of line, so that a cell never holds a list: « Plan », « Groupes », « Codes »,
« Motifs », « Exemples », « Approbations ».
"""

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
import yaml

from analysis.coding.codebook import Codebook, content, from_mapping, load
from analysis.confined import confined
from analysis.errors import AnalysisError

CODE_COLUMNS = ("id", "label", "parent", "definition", "inclusion", "exclusion")
SIGNS = {"positif": "positive_examples", "négatif": "negative_examples"}
SHEETS = {
    "Plan": ("title", "version", "language"),
    "Groupes": ("groupe", "motif"),
    "Codes": CODE_COLUMNS,
    "Motifs": ("code", "motif"),
    "Exemples": ("code", "sens", "texte"),
    "Approbations": ("role", "by", "on", "digest"),
}
_NEEDED = {"Plan": 2}  # columns without which a sheet is not read; all of the others by default
_MOST_ROWS = 100_000
_LONGEST_CELL = 32_767  # what a cell of a workbook can hold

Rows = dict[str, list[tuple[str, ...]]]


def to_mapping(codebook: Codebook) -> dict[str, Any]:
    """Plain data, as `from_mapping` reads it, approvals included."""
    approvals = [
        {key: value for key in SHEETS["Approbations"] if (value := getattr(approval, key))}
        for approval in codebook.approvals
    ]
    return {**content(codebook), **({"approvals": approvals} if approvals else {})}


def to_yaml(codebook: Codebook) -> str:
    """The codebook in YAML."""
    return yaml.safe_dump(to_mapping(codebook), allow_unicode=True, sort_keys=False, width=1_000)


def write_xlsx(codebook: Codebook, path: Path) -> None:
    """Write the codebook as a workbook; patterns that begin with « = » stay text.

    Raises AnalysisError when an example is longer than a cell can hold: nothing is cut in silence.
    """
    rows = _rows(codebook)
    for sheet, lines in rows.items():
        for line in lines:
            if any(len(value) > _LONGEST_CELL for value in line):
                raise AnalysisError(
                    f"Feuille « {sheet} » : « {line[0]} » a un texte de plus de {_LONGEST_CELL} caractères, qu’un "
                    "classeur ne peut pas contenir ; gardez le plan en YAML."
                )
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)})  # the same plan, the same file
        bold = book.add_format({"bold": True})
        for sheet, header in SHEETS.items():
            made = book.add_worksheet(sheet)
            made.freeze_panes(1, 0)
            made.set_column(0, len(header) - 1, 28)
            for column, name in enumerate(header):
                made.write_string(0, column, name, bold)
            for number, line in enumerate(rows[sheet], start=1):
                for column, value in enumerate(line):
                    made.write_string(number, column, value)


def _rows(codebook: Codebook) -> Rows:
    return {
        "Plan": [(codebook.title, codebook.version, codebook.language)],
        "Groupes": list(codebook.groups),
        "Codes": [tuple(str(getattr(code, key) or "") for key in CODE_COLUMNS) for code in codebook.codes],
        "Motifs": [(code.id, pattern) for code in codebook.codes for pattern in code.patterns],
        "Exemples": [
            (code.id, sign, text)
            for code in codebook.codes
            for sign, key in SIGNS.items()
            for text in getattr(code, key)
        ],
        "Approbations": [(a.role, a.by, a.on, a.digest or "") for a in codebook.approvals],
    }


def load_xlsx(path: Path) -> Codebook:
    """Read a workbook written by `write_xlsx` or by hand. Raises AnalysisError naming the sheet and line at fault."""
    if not path.exists():
        raise AnalysisError(f"Le plan de codification « {path} » n’existe pas : vérifiez le chemin.")
    return from_rows(confined(sheet_rows, path))


def from_rows(rows: Rows) -> Codebook:
    """A codebook from the rows of its sheets, headers left out. Raises AnalysisError naming sheet and line."""
    codes: dict[str, dict[str, Any]] = {}
    for line, values in enumerate(rows["Codes"], start=2):
        code = {key: value for key, value in zip(CODE_COLUMNS, values, strict=True) if value}
        if "id" not in code:
            raise AnalysisError(f"Feuille « Codes », ligne {line} : un code n’a pas d’« id ».")
        if code["id"] in codes:
            raise AnalysisError(f"Feuille « Codes », ligne {line} : le code « {code['id']} » est défini deux fois.")
        codes[code["id"]] = code
    for line, (code_id, pattern) in enumerate(rows["Motifs"], start=2):
        _of(codes, code_id, "Motifs", line).setdefault("patterns", []).append(pattern)
    for line, (code_id, sign, text) in enumerate(rows["Exemples"], start=2):
        if sign.lower() not in SIGNS:
            raise AnalysisError(f"Feuille « Exemples », ligne {line} : « {sign} » n’est ni « positif » ni « négatif ».")
        _of(codes, code_id, "Exemples", line).setdefault(SIGNS[sign.lower()], []).append(text)
    plan: dict[str, Any] = {
        key: value for key, value in zip(SHEETS["Plan"], [*rows["Plan"], ("",) * 3][0], strict=True) if value
    }
    if rows["Groupes"]:
        plan["groups"] = {name: pattern for name, pattern in rows["Groupes"]}  # noqa: C416 -- says what a row is
    plan["codes"] = list(codes.values())
    plan["approvals"] = [
        {key: value for key, value in zip(SHEETS["Approbations"], line, strict=True) if value}
        for line in rows["Approbations"]
    ]
    return from_mapping(plan)


def _of(codes: dict[str, dict[str, Any]], code: str, sheet: str, line: int) -> dict[str, Any]:
    if code not in codes:
        raise AnalysisError(f"Feuille « {sheet} », ligne {line} : le code « {code} » n’est pas dans « Codes ».")
    return codes[code]


def sheet_rows(path: Path) -> Rows:
    """The rows of each sheet, without their header. Raises AnalysisError naming the sheet at fault."""
    try:
        book = openpyxl.load_workbook(path, read_only=True)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise AnalysisError(f"« {path.name} » n’est pas un classeur XLSX lisible.") from error
    found: Rows = {}
    try:
        for sheet, header in SHEETS.items():
            if sheet not in book.sheetnames:
                if sheet in {"Plan", "Codes"}:
                    raise AnalysisError(f"« {path.name} » : la feuille « {sheet} » manque.")
                found[sheet] = []
                continue
            lines = book[sheet].iter_rows(max_row=_MOST_ROWS + 1, max_col=len(header), values_only=True)
            rows = [tuple(_text(value) for value in line) for line in lines]
            if len(rows) > _MOST_ROWS:
                raise AnalysisError(f"« {path.name} », feuille « {sheet} » : plus de {_MOST_ROWS} lignes.")
            if not rows or tuple(name for name in rows[0] if name) not in {header, header[: _NEEDED.get(sheet)]}:
                raise AnalysisError(
                    f"« {path.name} », feuille « {sheet} » : la première ligne doit être {', '.join(header)}."
                )
            found[sheet] = [line for line in rows[1:] if any(line)]
    finally:
        book.close()
    return found


def _text(value: Any) -> str:
    """A cell as text: 2 is « 2 », a date its day."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value.date()) if hasattr(value, "date") else str(value)


def load_any(path: Path) -> Codebook:
    """Read a codebook in YAML or XLSX, by the ending of its name."""
    return load_xlsx(path) if path.suffix.lower() == ".xlsx" else load(path)


def write_any(codebook: Codebook, path: Path) -> None:
    """Write a codebook in YAML or XLSX, by the ending of its name."""
    if path.suffix.lower() == ".xlsx":
        write_xlsx(codebook, path)
    else:
        path.write_text(to_yaml(codebook), encoding="utf-8")
