"""The package of a closed consultation for libraries and archives: its open data, and all it takes to read and check
them without the platform, in one ZIP.

Personal data that texts may still hold are masked. The same state of the log gives the same bytes, whenever it is made.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
import zipfile
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

from sqlalchemy.orm import Session

from consult import traces
from consult.consultations import policy
from consult.consultations.labels import STATUSES, ground_label
from consult.consultations.models import Consultation
from consult.disclosure import K
from consult.errors import ConflictError
from consult.labels import number
from consult.opendata import dump, queries
from consult.protocols import Progress, PublicDataset, Row
from consult.registry import queries as registry
from consult.registry.publishing import SERVED
from consult.registry.store import CHECKPOINT, KEY, PROGRAMS, Store
from consult.settings import Settings

WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {  # where people write in their own words
    "contributions": ("title", "body", "reason"),
    "arguments": ("title", "body"),
    "answers": ("text", "other"),
}
NOT_OVER: Final = "La consultation n’est pas terminée : son dossier se fait une fois qu’elle est close."
NOT_SIGNED: Final = "Le registre public n’a pas encore signé tous les actes : réessayez dans une minute."
_PROGRAMS: Final = Path(__file__).parent.parent / "registry"


class Masking:
    """Masks the personal data that rows of texts seem to hold, and remembers what and where."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {}
        self.kinds: Counter[traces.Trace] = Counter()

    def __call__(self, table: str, row: Row) -> Row:
        """The row as it may be handed on."""
        changed = {}
        for column in WRITTEN.get(table, ()):
            text, found = traces.masked(row[column] or "")
            if found:
                changed[column] = text
                self.kinds.update(found)
        if changed:
            self.rows.setdefault(table, []).append(queries.key(row))
        return {**row, **changed}


def write(
    reading: Session,
    settings: Settings,
    datasets: Mapping[str, PublicDataset],
    consultation: Consultation,
    folder: Path,
    *,
    now: dt.datetime,
) -> Generator[Progress, None, dump.Written]:
    """Fill an existing empty folder with the files of the package; returns where the registry stood in what they show.

    Raises ConflictError before the consultation is over and before all its acts are signed.

    `reading` is a reading session of its own: what it has read so far is forgotten, all files show one state.
    """
    if policy.phase(consultation, now) is not policy.Phase.CLOSED:
        raise ConflictError(NOT_OVER)
    consultation_id, slug = consultation.id, consultation.slug
    at = registry.last_act_at(reading, consultation_id) or consultation.ends_at
    identity = queries.identity(reading, settings, consultation.organisation_id, consultation_id, at)
    reading.rollback()
    data, masking = folder / slug, Masking()
    data.mkdir()
    written = yield from dump.write_dump(reading, consultation_id, identity, datasets, data, edit=masking)
    (data / f"{slug}.zip").unlink()  # the package is the archive
    _put_log(reading, settings, consultation_id, identity.organisation, folder / "registre")
    manifest = json.loads((data / "manifest.json").read_text(encoding="utf-8"))
    _put_json(data / "manifest.json", manifest | {"masked": masking.rows})
    decisions = _decisions(reading, consultation_id, datasets)
    _put_json(folder / "moderation.json", decisions)
    notice = "\n".join(_notice(reading, consultation_id, datasets, manifest, masking, settings.public_url)) + "\n"
    (folder / "LISEZ-MOI.md").write_text(notice, encoding="utf-8")
    sums = [f"{_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in _files(folder)]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    return written


def archive(folder: Path, target: Path) -> None:
    """Put the files of a folder in a ZIP that holds no date of its making."""
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as opened:
        for path in _files(folder):
            member = zipfile.ZipInfo(path.relative_to(folder).as_posix())  # of 1 January 1980
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with path.open("rb") as source, opened.open(member, "w", force_zip64=True) as stream:
                while block := source.read(1 << 20):
                    stream.write(block)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _put_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _put_log(reading: Session, settings: Settings, consultation_id: uuid.UUID, organisation: str, folder: Path) -> None:
    """What is signed, and the programs that check it. Raises ConflictError when an act is not signed yet."""
    position = registry.position(reading)
    store = Store(settings.registry_path)
    held = {name: store.read(organisation, name) for name in (CHECKPOINT, KEY, PROGRAMS)}
    late = registry.pending_refs(reading, consultation_id) or registry.signed_size(reading) <= (position or 0)
    if late or not (held[CHECKPOINT] and held[KEY]):
        raise ConflictError(NOT_SIGNED)
    folder.mkdir()
    for name, content in held.items():
        if content is not None:
            (folder / name).write_bytes(content)
    for name in SERVED:
        (folder / name).write_bytes((_PROGRAMS / name).read_bytes())


def _decisions(reading: Session, consultation_id: uuid.UUID, datasets: Mapping[str, PublicDataset]) -> dict[str, Any]:
    """What was decided by those who moderate, in figures."""
    acts: Counter[str] = Counter()
    grounds: Counter[str] = Counter()
    delays: list[int] = []
    automated = 0
    for row in datasets["moderation"].rows(reading, consultation_id):
        acts[f"{row['act']} {row['target_type']}"] += 1
        grounds.update([row["ground"]] if row["ground"] else [])
        delays += [] if row["delay_seconds"] is None else [row["delay_seconds"]]
        automated += row["automated"]
    return {
        "decisions": dict(sorted(acts.items())),
        "grounds": {key: {"label": ground_label(key), "count": grounds[key]} for key in sorted(grounds)},
        "automated": automated,
        "median_delay_seconds": median(delays) if delays else None,
    }


# The notice ---------------------------------------------------------------------------------------------------------


def _notice(
    reading: Session,
    consultation_id: uuid.UUID,
    datasets: Mapping[str, PublicDataset],
    manifest: Mapping[str, Any],
    masking: Masking,
    site: str,
) -> Iterator[str]:
    questions = list(datasets["questions"].rows(reading, consultation_id))
    yield f"# {manifest['title']} : dossier de fin de mission"
    position = "avant la première entrée" if manifest["position"] is None else f"au n° {number(manifest['position'])}"
    yield from ("", f"État du registre public {position}. Dernier acte : {manifest['generated_at']} (UTC).", "")
    yield f"Source : {manifest['source']}. Licence Ouverte 2.0 (etalab-2.0)."
    yield from ("", "## Ce que contient le dossier", "")
    yield f"- `{manifest['consultation']}/` : les données, table par table, en NDJSON (qui fait foi), CSV et Parquet,"
    yield "  en classeurs XLSX et ODS ; leur schéma (`datapackage.json`) et leur dictionnaire (`dictionnaire.md`) ;"
    yield "- `moderation.json` : les décisions de modération, en chiffres ;"
    yield "- `registre/` : le dernier état signé du registre public, sa clé, et les programmes qui le vérifient ;"
    yield "- `SHA256SUMS` : l’empreinte de chaque fichier."
    yield from ("", "## Méthode d’anonymisation", "", "### Ce qui n’y figure pas", "")
    yield "- Aucun compte : ni pseudonyme, ni adresse électronique, ni date d’inscription, ni adresse du réseau."
    yield "- Aucun brouillon, ni rien de ce qui attendait la confirmation d’une adresse."
    yield from _withheld(reading, consultation_id, datasets)
    reserved = [each["wording"] for each in questions if each["visibility"] == "administration"]
    totals = [each["wording"] for each in questions if each["visibility"] == "aggregates"]
    yield from _listed("- Réponses réservées à l’administration, aux questions :", reserved)
    yield from ("", "### Ce qui y est généralisé", "")
    yield "- Les heures sont arrondies à l’heure pleine, et les réponses aux questionnaires ne portent que leur jour."
    yield "- Auteurs et votants portent, dans chaque étape, deux identifiants sans lien entre eux ; ils manquent une"
    yield "  fois détruite la clé dont ils étaient tirés, six mois après la fin de la consultation."
    yield from _listed(
        f"- Publiées en totaux seulement, par groupes de {K} personnes au moins, les questions :", totals
    )
    if totals:
        yield f"  Un total qui laisserait connaître, même par soustraction, moins de {K} personnes est omis."
    yield from ("", "### Textes relus par une machine", "")
    yield from _masked(masking)
    yield from ("", "## Vérifier", "", "Chaque fichier, sans réseau :", "", "    sha256sum -c SHA256SUMS", "")
    yield "Chaque ligne, par le registre public, tant qu’il est en ligne (donnez l’archive, ou le dossier où elle est"
    yield "ouverte) :"
    yield from ("", f"    python3 registre/verifier.py {site.rstrip('/')} --dump .", "")
    yield "Les textes masqués ne sont plus ceux dont le registre porte l’empreinte : le manifeste des données les nomme"
    yield "(`masked`), le vérificateur les compte sans les comparer, et compare tous les autres."


def _withheld(reading: Session, consultation_id: uuid.UUID, datasets: Mapping[str, PublicDataset]) -> Iterator[str]:
    """How many contents keep their row and not their text, by state."""
    states = Counter(
        row["status"]
        for name in ("contributions", "arguments")
        for row in datasets[name].rows(reading, consultation_id)
        if row["status"] != "published"
    )
    for status, label in STATUSES.items():
        if states[status.value]:
            yield f"- Le texte des contributions et arguments dans l’état « {label} » ({number(states[status.value])})."
    yield "- Les réponses masquées, retirées ou effacées : le registre public dit seul qu’il y en eut."


def _listed(lead: str, wordings: list[str]) -> Iterator[str]:
    if wordings:
        yield lead
        yield from (f"  - {each}" for each in wordings)


def _masked(masking: Masking) -> Iterator[str]:
    """What was found in the texts, and what such a reading is worth."""
    rows = sum(len(each) for each in masking.rows.values())
    yield "Titres, textes et réponses libres ont été relus par un programme, qui remplace ce qui ressemble à une donnée"
    yield f"personnelle par un mot entre crochets, comme « {traces.MASKS[traces.Trace.EMAIL]} »."
    yield f"Lignes changées : {number(rows)}."
    if rows:
        yield from ("", "| Remplacé | Nombre |", "|---|---|")
        yield from (
            f"| {traces.LABELS[each]} | {number(masking.kinds[each])} |" for each in traces.Trace if masking.kinds[each]
        )
    yield ""
    yield "Un programme ne voit pas tout : un nom sans civilité, un lieu ou un récit peuvent encore faire reconnaître"
    yield "quelqu’un. Signalez-le à l’administration, qui masquera le texte et refera le dossier. Un texte changé ici"
    yield "seulement se lit encore en entier sur le site et dans ses données ouvertes."
