"""Readers: the open dump of a consultation (directory or zip); tables and IRaMuTeQ's corpora by their own modules.

Everything is read once, in a stream, and digested while it is read, so that a run says exactly
which bytes it worked on.
"""

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np

from analysis.corpus import Corpus, Question, Questionnaire, Source, Variable, single
from analysis.errors import AnalysisError
from analysis.iramuteq import looks_like, read_corpus
from analysis.lines import parsed
from analysis.plurals import counted
from analysis.tables import MAX_CATEGORIES, read_table

DUMP_FORMAT = "consult-dump/1"
OPEN_KINDS = frozenset({"short_text", "long_text"})
SEVERAL = frozenset({"multiple", "matrix_multiple"})  # answers a person may give in a group
OTHER = "Autre (réponse libre)"
STATUS_LABELS = {
    "hidden": "masquée par la modération",
    "withdrawn": "retirée par son auteur",
    "pending": "en attente",
    "erased": "effacée",
    "test": "trace de test",
}
VOTE_LABELS = {"for": "D’accord", "mixed": "Mitigé", "against": "Pas d’accord"}
VOTE_ORDER = (*VOTE_LABELS.values(), "Partagé")
WRITTEN = ("proposals", "bill")  # the kinds of steps where citizens write contributions
SUBMITTED = ("article", "question")  # the kinds of contributions that the administration writes
SIDE_LABELS = {"for": "Pour", "against": "Contre"}

Row = dict[str, Any]


def read(path: Path) -> Source:
    """Read a dump directory, a zip of it, an IRaMuTeQ corpus, or a table (CSV, XLSX, Parquet: `id`, `text`, variables).

    Raises AnalysisError, naming the file and line, when the input cannot be trusted or understood.
    """
    if not path.exists():
        raise AnalysisError(f"Le fichier ou dossier « {path} » n’existe pas : vérifiez le chemin.")
    if path.suffix.lower() in {".xlsx", ".parquet"}:
        return read_table(path)
    if path.is_dir() or zipfile.is_zipfile(path):
        return _read_dump(path)
    return read_corpus(path) if looks_like(path) else read_table(path)


def restricted(source: Source, corpora: tuple[str, ...]) -> Source:
    """The source with these corpora only, all of them when none is named. Raises AnalysisError if one is unknown."""
    if not corpora:
        return source
    known = {corpus.key: corpus for corpus in source.corpora}
    for key in corpora:
        if key not in known:
            raise AnalysisError(f"Le corpus « {key} » n’existe pas ; au choix : {', '.join(known) or 'aucun'}.")
    return replace(source, corpora=tuple(known[key] for key in corpora))


class _Files:
    """Opens the files of a dump, directory or zip alike, and digests what is read."""

    def __init__(self, path: Path) -> None:
        self.digests: dict[str, str] = {}
        self._path = path
        self._zip = None if path.is_dir() else zipfile.ZipFile(path)
        self._prefix = ""
        if self._zip:
            found = min((n for n in self._zip.namelist() if Path(n).name == "manifest.json"), key=len, default="")
            self._prefix = found.removesuffix("manifest.json")

    def close(self) -> None:
        if self._zip:
            self._zip.close()

    def _open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        try:
            if self._zip:
                return cast("AbstractContextManager[IO[bytes]]", self._zip.open(self._prefix + name))
            return (self._path / name).open("rb")
        except (KeyError, FileNotFoundError):
            raise AnalysisError(
                f"« {name} » manque dans le jeu ouvert « {self._path.name} » : refaites l’export."
            ) from None

    def manifest(self) -> Row:
        with self._open("manifest.json") as file:
            raw = file.read()
        self.digests["manifest.json"] = hashlib.sha256(raw).hexdigest()
        try:
            manifest = json.loads(raw)
        except ValueError:
            manifest = None
        if not isinstance(manifest, dict) or manifest.get("format") != DUMP_FORMAT:
            raise AnalysisError(
                f"« manifest.json » n’annonce pas le format « {DUMP_FORMAT} » : donnez un jeu ouvert de la plateforme."
            )
        return manifest

    def rows(self, name: str) -> Iterator[Row]:
        """Rows of an NDJSON file, in order."""
        digest = hashlib.sha256()
        with self._open(name) as file:
            for number, line in enumerate(file, start=1):
                digest.update(line)
                if line.isspace():
                    continue
                try:
                    row = parsed(line)
                except ValueError:
                    row = None
                if not isinstance(row, dict):
                    raise AnalysisError(f"« {name} », ligne {number} : ce n’est pas un objet JSON valide.")
                yield row
        self.digests[name] = digest.hexdigest()


def _read_dump(path: Path) -> Source:
    files = _Files(path)
    try:
        manifest = files.manifest()
        consultation = next(iter(list(files.rows("consultation.ndjson"))), {})
        steps = sorted(files.rows("steps.ndjson"), key=lambda step: (step["position"], step["id"]))
        themes = {theme["id"]: theme for theme in files.rows("themes.ndjson")}
        corpora = [*_contributions(files, steps, themes), *_arguments(files, steps)]
        questionnaires, answers, notices = _questionnaires(files, steps)
    except KeyError as missing:
        raise AnalysisError(f"La colonne {missing} manque dans le jeu ouvert : refaites l’export.") from None
    finally:
        files.close()
    for entry in manifest.get("files", []):
        if entry["name"] in files.digests and files.digests[entry["name"]] != entry["sha256"]:
            raise AnalysisError(
                f"« {entry['name']} » ne correspond pas à l’empreinte du manifeste : le fichier a été modifié, "
                "téléchargez de nouveau le jeu ouvert."
            )
    order = {step["slug"]: rank for rank, step in enumerate(steps)}
    found = sorted([*corpora, *answers], key=lambda corpus: order[corpus.key.partition(":")[0]])
    return Source(
        slug=manifest["consultation"],
        title=consultation.get("title") or manifest["title"],
        corpora=tuple(found),
        questionnaires=tuple(questionnaires),
        digests=files.digests,
        position=manifest.get("position"),
        origin=manifest.get("source"),
        notices=tuple(notices),
    )


def set_apart(row: Row) -> str | None:
    """Why the text of a row is not read, in French; None when it is."""
    status = "test" if row["origin"] == "test" else row["status"]
    return None if status == "published" else STATUS_LABELS.get(status, f"état « {status} »")


def _dominant(row: Row, prefix: str) -> str | None:
    votes = [(row[f"{prefix}votes_{value}"] or 0, label) for value, label in VOTE_LABELS.items()]
    best = max(votes)[0]
    if not best:
        return None
    winners = [label for count, label in votes if count == best]
    return winners[0] if len(winners) == 1 else "Partagé"


def _contributions(files: _Files, steps: list[Row], themes: dict[str, Row]) -> Iterator[Corpus]:
    kept: dict[str, list[Row]] = {step["id"]: [] for step in steps if step["kind"] in WRITTEN}
    apart: dict[str, Counter[str]] = {step: Counter() for step in kept}
    for row in files.rows("contributions.ndjson"):
        if row.get("kind") in SUBMITTED:
            continue
        if row["step"] not in kept:
            raise AnalysisError(f"La contribution « {row['id']} » cite une étape inconnue : « {row['step']} ».")
        reason = set_apart(row)
        if reason:
            apart[row["step"]][reason] += 1
        else:
            kept[row["step"]].append(row)
    for step in steps:
        if step["id"] not in kept:
            continue
        rows = kept[step["id"]]
        order = sorted((t for t in themes.values() if t["step"] == step["id"]), key=lambda t: (t["position"], t["id"]))
        labels = {theme["id"]: theme["title"] for theme in order}
        variables = [
            single("theme", "Thème", [labels.get(row["theme"]) for row in rows], list(labels.values())),
            single("votes", "Vote dominant (votes en ligne)", [_dominant(row, "") for row in rows], VOTE_ORDER),
            single("imported_votes", "Vote dominant (importés)", [_dominant(r, "imported_") for r in rows], VOTE_ORDER),
        ]
        yield Corpus(
            key=step["slug"],
            title=step["title"],
            unit="contribution",
            ids=tuple(str(row["id"]) for row in rows),
            # Of a version of an article, what its author says of it: its body is that of the bill, but for some words.
            texts=tuple(_joined(row["title"], row.get("reason") or row["body"]) for row in rows),
            variables=tuple(variable for variable in variables if variable.members.any()),
            set_apart=dict(sorted(apart[step["id"]].items())),
            **_origins(rows),
        )


def _origins(rows: list[Row]) -> dict[str, Any]:
    """Authors and dates as dumps since they carry them give them."""
    return {
        "authors": tuple(row.get("author") for row in rows),
        "dates": tuple(row.get("created_at") for row in rows),
    }


def _joined(title: str | None, body: str | None) -> str:
    return "\n".join(part for part in (title, body) if part)


def _arguments(files: _Files, steps: list[Row]) -> Iterator[Corpus]:
    kept: dict[str, list[Row]] = {}
    apart: dict[str, Counter[str]] = {}
    step_of = {row["id"]: row["step"] for row in files.rows("contributions.ndjson")}
    for row in files.rows("arguments.ndjson"):
        step = step_of.get(row["contribution"])
        if step is None:
            raise AnalysisError(f"L’argument « {row['id']} » cite une contribution inconnue.")
        reason = set_apart(row)
        if reason:
            apart.setdefault(step, Counter())[reason] += 1
        else:
            kept.setdefault(step, []).append(row)
    for step in steps:
        rows = kept.get(step["id"], [])
        if not rows and step["id"] not in apart:
            continue
        yield Corpus(
            key=f"{step['slug']}:arguments",
            title=f"{step['title']} – arguments",
            unit="argument",
            ids=tuple(str(row["id"]) for row in rows),
            texts=tuple(_joined(row["title"], row["body"]) for row in rows),
            variables=(
                single("side", "Position", [SIDE_LABELS[row["side"]] for row in rows], list(SIDE_LABELS.values())),
            ),
            set_apart=dict(sorted(apart.get(step["id"], Counter()).items())),
            **_origins(rows),
        )


class _Answer(NamedTuple):
    reply: str
    text: str | None
    options: list[str]
    other: str | None


@dataclass
class _Replies:
    """The replies of one questionnaire: rank of each, and the test ones, which are left out."""

    ranks: dict[str, int] = field(default_factory=dict)
    tests: set[str] = field(default_factory=set)

    def rank(self, answer: _Answer) -> int:
        try:
            return self.ranks[answer.reply]
        except KeyError:
            raise AnalysisError(f"« answers.ndjson » cite une réponse inconnue : « {answer.reply} ».") from None

    def kept(self, answers: list[_Answer]) -> list[_Answer]:
        return [answer for answer in answers if answer.reply not in self.tests]


def _read_replies(files: _Files) -> dict[str, _Replies]:
    steps: dict[str, _Replies] = {}
    for row in files.rows("replies.ndjson"):
        replies = steps.setdefault(row["step"], _Replies())
        if row["origin"] == "test":
            replies.tests.add(row["id"])
        else:
            replies.ranks[row["id"]] = len(replies.ranks)
    return steps


def _questionnaires(files: _Files, steps: list[Row]) -> tuple[list[Questionnaire], list[Corpus], list[str]]:
    questions: dict[str, list[Row]] = {}
    for row in sorted(files.rows("questions.ndjson"), key=lambda row: (row["position"], row["id"])):
        questions.setdefault(row["step"], []).append(row)
    replies = _read_replies(files)
    answers: dict[str, list[_Answer]] = {}
    for row in files.rows("answers.ndjson"):
        answer = _Answer(row["reply"], row["text"], row["options"] or [], row["other"])
        answers.setdefault(row["question"], []).append(answer)
    found: list[Questionnaire] = []
    corpora: list[Corpus] = []
    notices: list[str] = []
    for step in steps:
        if step["id"] not in questions:
            continue
        theirs = replies.get(step["id"], _Replies())
        if theirs.tests:
            tests = counted(len(theirs.tests), "réponse de test écartée", "réponses de test écartées")
            notices.append(f"{step['title']} : {tests}.")
        shown = [question for question in questions[step["id"]] if question["visibility"] == "rows"]
        closed = [
            _closed(question, group, theirs.kept(answers.get(question["id"], [])), theirs)
            for question in shown
            for group in _groups(question)
        ]
        withheld = tuple(q["wording"] for q in questions[step["id"]] if q["visibility"] != "rows")
        found.append(Questionnaire(step["slug"], step["title"], len(theirs.ranks), tuple(closed), withheld))
        corpora += [
            _open(step, question, theirs.kept(answers.get(question["id"], [])), theirs, closed)
            for question in shown
            if question["kind"] in OPEN_KINDS
        ]
    return found, corpora, notices


def _groups(question: Row) -> dict[str, list[Row]]:
    """What is counted apart of a closed question: a line of a grid, the ranks of an option, or all of its options.

    The dumps of the first version told the options alone.
    """
    found: dict[str, list[Row]] = {}
    known: list[Row] = [] if question["kind"] in OPEN_KINDS else question["options"]
    for cell in question.get("cells", known):
        found.setdefault(cell.get("group", ""), []).append(cell)
    return found


def _closed(question: Row, group: str, answers: list[_Answer], replies: _Replies) -> Variable:
    groups = _groups(question)
    labels = {str(cell["id"]): str(cell["label"]) for cell in groups[group]}
    elsewhere = {str(cell["id"]) for cells in groups.values() for cell in cells} - labels.keys()
    columns = {option: column for column, option in enumerate(labels)}
    members = np.zeros((len(replies.ranks), len(labels) + 1), dtype=np.bool_)
    for answer in answers:
        rank = replies.rank(answer)
        for option in answer.options:
            if option in elsewhere:
                continue
            if option not in columns:
                raise AnalysisError(f"Question « {question['wording']} » : option inconnue « {option} ».")
            members[rank, columns[option]] = True
        if answer.other:
            members[rank, -1] = True
    categories = (*labels.values(), OTHER)
    if not members[:, -1].any():
        categories, members = categories[:-1], members[:, :-1]
    name, wording = str(question["id"]), str(question["wording"])
    if elsewhere:  # one group among several: told apart by its first cell
        name, wording = f"{name}/{next(iter(labels))}", f"{wording} – {group}"
    asked = Question(str(question["id"]), str(question["wording"]), str(question["kind"]))
    return Variable(name, wording, categories, members, asked.kind in SEVERAL, asked, group)


def _open(step: Row, question: Row, answers: list[_Answer], replies: _Replies, closed: list[Variable]) -> Corpus:
    ranks = np.array([replies.rank(answer) for answer in answers], dtype=np.int64)
    variables = (variable.take(ranks) for variable in closed if len(variable.categories) <= MAX_CATEGORIES)
    return Corpus(
        key=f"{step['slug']}:q{question['position']}",
        title=question["wording"],
        unit="reply",
        ids=tuple(answer.reply for answer in answers),
        texts=tuple(answer.text or "" for answer in answers),
        variables=tuple(variable for variable in variables if variable.members.any()),
        asked=len(replies.ranks),
    )
