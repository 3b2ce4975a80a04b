"""Vérificateur d’un registre public de consultation. Un seul fichier, sans autre dépendance que Python 3.10 ou plus.

    python3 verifier.py https://consult.exemple.fr           tout vérifier en ligne
    python3 verifier.py dossier-telecharge                   tout vérifier hors ligne
    python3 verifier.py https://consult.exemple.fr --dump essai.zip   vérifier un export par le registre en ligne
    python3 verifier.py recu.tlog-proof --key CLÉ            vérifier un récépissé
    python3 verifier.py programs --key CLÉ                   vérifier les programmes téléchargés à côté

Il relit toutes les entrées du registre, contrôle signatures, témoins et continuité depuis le dernier passage
(--state), rouvre chaque engagement, recompte chaque total à la position où il est affiché, et compare avec l’API et les
pages. Il se fie à la clé donnée par --key ; sans elle, à celle que sert le site, et le dit. Code de sortie : 0 rien à
signaler, 1 fraude nommée, 2 vérification impossible.
"""

# Over 400 lines: one file that a stranger reads from top to bottom and runs anywhere. It imports nothing of the
# platform and was written apart from it, after deploy/decisions/0006-registry-protocol.md and the specifications.

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import html
import itertools
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

DOMAIN = b"consult/v1\n"
WIDTH = 256
PROGRAMS = b"consult/programs/v1\n"
LOG_KEY, WITNESS_KEY = 1, 4
SAFE_INTEGER = 2**53 - 1
VALUES = ("for", "mixed", "against")
COUNTS = ("points", "ballots", "first_choices")  # of a contribution, where people vote by ballot
MASK = re.compile(r"\[[^\[\]]{2,40} masquée?\]")  # in the place of a personal datum, in the package for libraries
FIELDS = {"at", "commitment", "consultation", "kind", "ref", "v"}
REMOVED = {"withdrawn": "withdrawn", "erased": "erased", "reworded": "hidden", "import_undone": "erased"}

FRAUDS = {
    "deletion": "Entrée supprimée",
    "edit": "Contenu modifié",
    "reorder": "Entrées réordonnées",
    "backdating": "Acte antidaté",
    "duplicate": "Acte compté deux fois",
    "injection": "Acte sans entrée au registre",
    "hidden": "Contenu retiré sans trace publique",
    "ballot": "Bulletin contraire aux règles figées",
    "count": "Total affiché différent du recomptage",
    "fork": "Registre bifurqué ou réécrit",
    "rollback": "Ancien état resservi",
    "rules": "Règles changées en cours de route",
    "label": "Libellé de réponse changé ou échangé",
    "signature": "Signature ou témoin en défaut",
}
LIMITS = (
    "Le registre prouve que rien n’a été changé, ôté ni ajouté après coup.",
    "Il ne prouve ni que deux votants sont deux personnes, ni qu’aucun acte n’a été refusé avant d’y entrer.",
    "Sous un identifiant d’étape, on ne vote qu’une fois par contenu ; qui a deux comptes a deux identifiants.",
    "Sans l’état d’un passage précédent (--state) ni témoin (--witness), un registre entier refait ne se voit pas.",
    "Une ligne de vote affichée peut porter une autre heure que son entrée : seuls le votant et le sens sont comparés.",
    "Les heures sont arrondies : l’ordre à l’intérieur d’une heure est celui du registre.",
    "Ce qui fut effacé à la demande d’une personne ne peut plus être relu : le nombre en est donné ci-dessus.",
)


class Impossible(Exception):  # noqa: N818  # says what happened, in French
    """The verification cannot be made; nothing is said of the log."""


# Ed25519 (RFC 8032), for verifying alone ---------------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]


def _plus(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    return ((b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P)


def _scaled(number: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    for bit in f"{number:b}":
        total = _plus(total, total)
        if bit == "1":
            total = _plus(total, point)
    return total


def _decoded(raw: bytes) -> Point | None:
    number = int.from_bytes(raw, "little")
    y, odd = number & (2**255 - 1), number >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (odd and x == 0):
        return None
    return (x if x & 1 == odd else P - x, y, 1, (x if x & 1 == odd else P - x) * y % P)


BASE = _decoded((4 * pow(5, -1, P) % P).to_bytes(32, "little")) or (0, 1, 1, 0)


def signature_is_good(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this Ed25519 signature of the message is of that key."""
    if len(public) != 32 or len(signature) != 64:  # noqa: PLR2004  # RFC 8032: sizes of a key and of a signature
        return False
    key, commitment, answer = _decoded(public), _decoded(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or answer >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = _scaled(answer, BASE), _plus(commitment, _scaled(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# Signed notes and checkpoints (C2SP) -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A public key, of a log or of a witness."""

    name: str
    kind: int
    public: bytes

    @staticmethod
    def read(line: str) -> Key:
        """From `<name>+<id>+<base64>`. Raises Impossible."""
        parts = line.strip().split("+", 2)
        raw = _unbase64(parts[2]) if len(parts) == 3 else b""  # noqa: PLR2004  # name, id, key
        if len(raw) != 33 or raw[0] not in (LOG_KEY, WITNESS_KEY):  # noqa: PLR2004  # one byte of kind, then the key
            raise Impossible(f"« {line.strip()[:60]} » n’est pas une clé de registre ou de témoin")
        key = Key(parts[0], raw[0], raw[1:])
        if key.id.hex() != parts[1]:
            raise Impossible(f"la clé de « {parts[0]} » est mal recopiée")
        return key

    @property
    def id(self) -> bytes:
        """The four bytes that name it in a signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def signed(self, text: bytes, lines: Iterable[str]) -> bool:
        """Whether one of the lines is its good signature of the text."""
        return self.signed_at(text, lines) is not None

    def signed_at(self, text: bytes, lines: Iterable[str]) -> int | None:
        """The second at which a witness says it signed, 0 for a log; None when no line is its good signature."""
        for line in lines:
            dash, name, encoded = [*line.split(" "), "", ""][:3]
            raw = _unbase64(encoded)
            if dash != "\u2014" or name != self.name or raw[:4] != self.id:
                continue
            signature, message, second = raw[4:], text, 0
            if self.kind == WITNESS_KEY:
                second = int.from_bytes(signature[:8], "big")
                message = b"cosignature/v1\ntime %d\n" % second + text
                signature = signature[8:]
            if signature_is_good(self.public, message, signature):
                return second
        return None


@dataclass(frozen=True)
class Checkpoint:
    """A signed state of a log."""

    origin: str
    size: int
    root: bytes
    text: bytes
    lines: list[str]

    @staticmethod
    def read(note: bytes) -> Checkpoint:
        """Raises Impossible."""
        text, _, signatures = note.decode("utf-8", "replace").rpartition("\n\n")
        head = text.split("\n")
        if len(head) != 3 or not re.fullmatch(r"0|[1-9][0-9]{0,17}", head[1]) or len(_unbase64(head[2])) != 32:  # noqa: PLR2004  # three lines; SHA-256
            raise Impossible("l’état signé du registre est illisible")
        return Checkpoint(head[0], int(head[1]), _unbase64(head[2]), text.encode() + b"\n", signatures.splitlines())


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


# The Merkle tree (RFC 6962) ----------------------------------------------------------------------------------------


def leaf(data: bytes) -> bytes:
    """Hash of an entry."""
    return hashlib.sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A growing tree: its complete subtrees, from the widest."""

    def __init__(self) -> None:
        self.size = 0
        self.parts: list[bytes] = []

    def add(self, digest: bytes) -> None:
        """Append the hash of a leaf."""
        size = self.size
        while size & 1:
            digest, size = node(self.parts.pop(), digest), size >> 1
        self.parts.append(digest)
        self.size += 1

    @property
    def root(self) -> bytes:
        """Root at the present size."""
        if not self.parts:
            return hashlib.sha256(b"").digest()
        digest = self.parts[-1]
        for part in self.parts[-2::-1]:
            digest = node(part, digest)
        return digest


def leads_to(digest: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the inclusion proof leads from leaf `index` to the root at `size` (RFC 9162, 2.1.3.2)."""
    place, last = index, size - 1
    for other in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            digest = node(other, digest)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            digest = node(digest, other)
        place, last = place >> 1, last >> 1
    return 0 <= index < size and last == 0 and digest == root


# Canonical JSON (RFC 8785) and commitments -------------------------------------------------------------------------


def canonical(value: Any) -> str:
    """RFC 8785 form. Raises ValueError for what has none."""
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(each)}" for name, each in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int) and abs(value) <= SAFE_INTEGER:
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    raise ValueError("valeur sans forme canonique")


def _number(value: float) -> str:
    """A number as ECMAScript writes it, from Python's shortest digits."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  # not a number differs from itself
        raise ValueError("nombre sans forme canonique")
    if value == int(value) and abs(value) < 1e21:  # noqa: PLR2004  # ECMAScript: no exponent below 1e21
        return str(int(value))
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return mantissa
    power = int(exponent)
    if -7 < power < 0:  # noqa: PLR2004  # ECMAScript: no exponent from 1e-6 on
        sign, digits = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
        return f"{sign}0.{'0' * (-power - 1)}{digits.replace('.', '')}"
    return f"{mantissa.removesuffix('.0')}e{'+' if power > 0 else ''}{power}"


def commitment(salt: bytes, content: Any) -> str:
    """What an entry publishes of a content."""
    return hashlib.sha256(DOMAIN + salt + canonical(content).encode()).hexdigest()


# Where the data come from ------------------------------------------------------------------------------------------

Cut = tuple[int, set[str]]  # a position, and the refs of entries that came after it and are shown all the same

NOWHERE = -1  # where figures stand before the first entry


def _standing(told: dict[str, Any]) -> int:
    return NOWHERE if told["position"] is None else int(told["position"])


class Site:
    """A site, read over HTTP."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self.home = ""  # where the pages and the API of one organisation begin

    def settle(self, organisation: str, *, alone: bool) -> None:
        """Read from now on what that organisation shows; where several are served, each has its own address."""
        self.home = "" if alone else f"o/{organisation}/"
        if not alone and self.get(f"{self.home}api/v1/consultations?limit=1") is None:
            self.home = ""  # the one that is served at the root

    def get(self, path: str) -> bytes | None:
        """The bytes at a path of the site; None when there is nothing. Raises Impossible."""
        request = urllib.request.Request(f"{self.address}/{path}", headers={"User-Agent": "consult-verifier/1"})  # noqa: S310  # the address is the user's
        for attempt in range(4):
            try:
                with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310  # the address is the user's
                    return bytes(reply.read())
            except urllib.error.HTTPError as error:
                if error.code in (404, 410):
                    return None
                if error.code not in (429, 503):
                    raise Impossible(f"{self.address}/{path} répond {error.code}") from None
                time.sleep(min(30.0, float(error.headers.get("Retry-After") or 2**attempt)))
            except (OSError, ValueError) as error:
                if attempt == 3:  # noqa: PLR2004  # the last of the range above
                    raise Impossible(f"{self.address}/{path} est injoignable ({error})") from None
                time.sleep(2**attempt)
        raise Impossible(f"{self.address}/{path} ne répond pas")

    def masked(self, slug: str) -> dict[str, set[str]]:
        """A site shows every text as it was written."""
        del slug
        return {}

    def consultations(self) -> Iterator[dict[str, Any]]:
        """Every public consultation."""
        for rows, _ in self._pages(f"{self.home}api/v1/consultations"):
            yield from rows

    def rows(self, slug: str, name: str) -> Iterator[tuple[list[dict[str, Any]], int]]:
        """Pages of public rows of a consultation, each with the position at which it stands."""
        yield from self._pages(f"{self.home}api/v1/consultations/{slug}/{name}")

    def _pages(self, path: str) -> Iterator[tuple[list[dict[str, Any]], int]]:
        cursor: str | None = ""
        while cursor is not None:
            raw = self.get(f"{path}?limit=500&cursor={urllib.parse.quote(cursor)}")
            if raw is None:
                return
            page = json.loads(raw)
            yield page["data"], _standing(page)
            cursor = page.get("next")

    def page_figures(self, path: str) -> tuple[int, dict[str, int]] | None:
        """Position and figures that a page shows; None when the page shows none."""
        raw = self.get(self.home + path)
        text = raw.decode("utf-8", "replace") if raw else ""
        position = re.search(r'data-position="(\d+)"', text)
        if position is None:
            return None
        return int(position[1]), {
            name: int(count) for name, count in re.findall(r'data-figure="(\w+)" data-count="(\d+)"', text)
        }


class Folder:
    """A folder: the site's `registry/` tree, and one folder per consultation with its open dump.

    Or dumps alone, in a folder or in an archive, to be verified by the log of a site.
    """

    def __init__(self, path: Path | zipfile.Path) -> None:
        self.path = path
        alone = (path / "consultation.ndjson").is_file()
        inside: list[Path | zipfile.Path] = [path] if alone else [*path.iterdir()]
        found = [each for each in inside if each.is_dir() and (each / "consultation.ndjson").is_file()]
        self.dumps: dict[str, Path | zipfile.Path] = {}
        for folder in sorted(found, key=lambda each: each.name):
            if not (folder / "manifest.json").is_file():
                raise Impossible(f"le dossier « {folder.name} » n’a pas de manifest.json")
            self.dumps[json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["consultation"]] = folder
        if "" in self.dumps:
            raise Impossible("un export de toutes les consultations ne se vérifie pas : donnez celui d’une seule")

    def get(self, path: str) -> bytes | None:
        """The bytes of a file; None when there is none."""
        file = self.path / (path + "index.json" if path.endswith("/") else path)
        return file.read_bytes() if file.is_file() else None

    def settle(self, organisation: str, *, alone: bool) -> None:
        """A folder holds the dumps of one organisation. Raises Impossible."""
        if not alone:
            raise Impossible(f"un dossier se vérifie registre par registre ; retirez les autres que {organisation}")

    def consultations(self) -> Iterator[dict[str, Any]]:
        """Every consultation whose dump is there."""
        for folder in self.dumps.values():
            yield json.loads((folder / "consultation.ndjson").read_text(encoding="utf-8"))

    def manifest(self, slug: str) -> dict[str, Any]:
        """What says which files there are, their digests, and their position."""
        return dict(json.loads((self.dumps[slug] / "manifest.json").read_text(encoding="utf-8")))

    def organisations(self) -> set[str]:
        """Whose dumps these are."""
        return {self.manifest(slug)["organisation"] for slug in self.dumps}

    def cuts(self) -> dict[str, Cut]:
        """For each consultation, the entries that its rows show: up to a position, and those that had none yet."""
        told = {each["id"]: self.manifest(each["slug"]) for each in self.consultations()}
        return {
            key: (-1 if manifest["position"] is None else int(manifest["position"]), set(manifest.get("pending", ())))
            for key, manifest in told.items()
        }

    def rows(self, slug: str, name: str) -> Iterator[tuple[list[dict[str, Any]], int]]:
        """All rows of a file, and the position of the dump."""
        if name == "questionnaires":
            questions = [row for rows, _ in self.rows(slug, "questions") for row in rows]
            yield [{"questions": questions}], 0
            return
        file = self.dumps[slug] / f"{name}.ndjson"
        if file.is_file():
            with file.open(encoding="utf-8") as lines:
                position = _standing(self.manifest(slug))
                while chunk := [json.loads(line) for line in itertools.islice(lines, 500)]:
                    yield chunk, position

    def masked(self, slug: str) -> dict[str, set[str]]:
        """The rows of each file, by id, in whose texts something was masked: they are not those that were written."""
        return {name: set(rows) for name, rows in self.manifest(slug).get("masked", {}).items()}

    def page_figures(self, path: str) -> None:
        """A folder has no pages."""
        del path


def dump_at(path: Path) -> Folder:
    """Dumps, in a folder or in an archive. Raises Impossible."""
    if not path.exists():
        raise Impossible(f"« {path} » n’existe pas")
    found = Folder(path) if path.is_dir() else Folder(zipfile.Path(path))
    if not found.dumps:
        raise Impossible(f"« {path} » ne contient aucun export")
    return found


# What is found -----------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """Everything found in one log."""

    origin: str = ""
    size: int = 0
    root: str = ""
    frauds: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def fraud(self, name: str, message: str) -> None:
        """Name a fraud; the hundred first of each kind are told, all are counted."""
        self.counts[f"fraudes : {FRAUDS[name]}"] += 1
        if self.counts[f"fraudes : {FRAUDS[name]}"] <= 100:  # noqa: PLR2004  # a report must stay readable
            self.frauds.append({"fraud": name, "label": FRAUDS[name], "message": message})

    def pass_over(self, masked: int) -> None:
        """Say how many texts could not be compared."""
        if masked:
            self.counts["textes masqués, non comparés"] += masked


# The state that the entries give, replayed one by one --------------------------------------------------------------


@dataclass
class Content:
    """A contribution, an argument or a reply, as the entries tell it."""

    kind: str
    consultation: str | None
    facts: dict[str, Any] = field(default_factory=dict)  # empty once its openings are withheld or destroyed
    state: str = "published"


Figures = tuple[str, tuple[int, ...]]  # a content, and its totals


class Replay:
    """What the entries amount to, position after position; keeps little of each vote."""

    def __init__(
        self, report: Report, watched: dict[int, set[Figures]], cuts: dict[str, Cut], census: dict[str, Any]
    ) -> None:
        self.report = report
        self.census = census  # what the site says became of all that was submitted, and at which position
        self.cuts = cuts  # consultation -> the entries that its rows show; the later ones amount to nothing here
        self.watched = watched  # position -> figures displayed at that position
        self.contents: dict[str, Content] = {}
        # Of a contribution, the counts of VALUES, then of COUNTS; of a step, its ballots.
        self.totals: dict[str, list[int]] = defaultdict(lambda: [0] * len((*VALUES, *COUNTS)))
        self.votes: dict[bytes, int] = {}  # digest of voter and content -> place of the value
        self.ballots: dict[bytes, int] = {}  # digest of voter and step -> short digest of what it gives
        self.rules: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
        self.opened: dict[str, int] = {}
        self.sealed: set[str] = set()
        self.acts: dict[tuple[str | None, str], int] = defaultdict(int)  # consultation and kind -> entries
        self.brought: dict[str | None, int] = defaultdict(int)  # consultation -> replies that came by batches
        self.invited: dict[str, int] = defaultdict(int)  # step -> invitations issued and not revoked
        self.gone: dict[tuple[str | None, str], int] = defaultdict(int)  # those of `acts` whose opening is lost
        self.missed: list[tuple[str, tuple[int, ...], int, tuple[int, ...]]] = []  # content, shown, position, counted
        self.erased: dict[str, int] = {}  # content -> position of the last erasure of a vote on it
        self.standing: dict[str | None, int] = defaultdict(int)  # consultation -> votes that stand
        self.cast: dict[str | None, int] = defaultdict(int)  # consultation -> ballots that stand
        self.refs: set[int] = set()
        self.destroyed: dict[str, int] = {}  # ref of an opening -> position
        self.withheld: dict[str, int] = {}
        self.buried: set[str] = set()  # refs that a tombstone names
        self.covered: set[str] = set()  # refs that a standing decision withholds
        self.lost = 0  # openings that a restore did not find, and how many the log says that it did not
        self.told = 0
        self.latest = ""
        self.late = ""
        self.compare(NOWHERE)

    def step(self, position: int, entry: dict[str, Any], opening: dict[str, Any]) -> None:
        """Take one entry and its opening, then compare with it the figures displayed at this very position."""
        place = f"entrée n° {position}"
        ref = int(entry["ref"], 16)
        if ref in self.refs:
            self.report.fraud("duplicate", f"{place} : la référence {entry['ref']} est déjà celle d’une autre entrée")
        self.refs.add(ref)
        if entry["at"] < self.late:
            self.report.fraud("backdating", f"{place} : datée de {entry['at']}, après des entrées de {self.latest}")
        if entry["at"] > self.latest:
            self.latest, self.late = entry["at"], _hour_before(entry["at"])
        self.report.counts[f"entrées : {entry['kind']}"] += 1
        content = self._opened(place, position, entry, opening)
        if content is not None and self._is_shown(position, entry):
            self._take(place, position, entry, content)
        elif content is not None:
            self._take_later(entry["kind"], content)
        self.acts[entry["consultation"], entry["kind"]] += 1
        if entry["kind"] == "replies" and content is not None:
            self.brought[entry["consultation"]] += len(content["replies"])
        self.compare(position)

    def _opened(
        self, place: str, position: int, entry: dict[str, Any], opening: dict[str, Any]
    ) -> dict[str, Any] | None:
        if opening.get("ref") != entry["ref"] or opening.get("position") != position:
            self.report.fraud("reorder", f"{place} : l’ouverture servie est celle d’une autre entrée")
            return None
        state = opening.get("state")
        if state == "withheld":
            self.withheld[entry["ref"]] = position
        elif state in ("destroyed", "lost"):
            if state == "destroyed":
                self.destroyed[entry["ref"]] = position
            else:
                self.lost += 1
                self.gone[entry["consultation"], entry["kind"]] += 1
            self.report.counts[f"ouvertures : {state}"] += 1
        elif commitment(bytes.fromhex(opening["salt"]), opening["content"]) != entry["commitment"]:
            self.report.fraud("edit", f"{place} : le contenu servi n’est pas celui qui fut engagé")
        else:
            return dict(opening["content"])
        return None

    def _take(self, place: str, position: int, entry: dict[str, Any], content: dict[str, Any]) -> None:
        kind = entry["kind"]
        if kind in ACTS:
            self._check_time(place, entry, content)
        if kind in VOTES and "choices" in content:
            self._ballot(place, entry, content)
        elif kind in VOTES:
            self._vote(place, entry, content)
        elif kind in ACTS or kind in SAID:
            self._text(place, entry, content)
        elif kind == "replies":
            self._batch(place, entry, content)
        elif kind in ("moderation", "moderation.withheld", "moderation.reversed"):
            self._moderate(entry, content)
        elif kind == "tombstone":
            self._bury(place, position, entry["consultation"], content)
        elif kind == "incident":
            self.told += content["lost"] if content["what"] == "restore" else 0
        elif kind in ("rules", "opened", "sealed", "content"):
            self._govern(place, position, entry, content)

    def _is_shown(self, position: int, entry: dict[str, Any]) -> bool:
        """Whether the rows compared, when they are those of a dump, were to show it already."""
        cut = self.cuts.get(entry["consultation"])
        return cut is None or position <= cut[0] or entry["ref"] in cut[1]

    def _take_later(self, kind: str, content: dict[str, Any]) -> None:
        """An entry that came after the rows compared: what it withholds or destroys is accounted for, no more."""
        self.report.counts["entrées postérieures aux fichiers"] += 1
        if kind == "tombstone":
            self.buried.update(content["entries"])
        elif kind in ("moderation", "moderation.withheld") and content["act"] in WITHHOLDING:
            self.covered.update(content["entries"])
        elif kind == "moderation.reversed":
            self.covered.difference_update(content["entries"])

    def _check_time(self, place: str, entry: dict[str, Any], content: dict[str, Any]) -> None:
        """What an import brings, which has no author, may come before the opening and after the end."""
        if entry["kind"] not in VOTES and content.get("author") is None:
            return
        if entry["consultation"] not in self.opened:
            self.report.fraud("rules", f"{place} : acte antérieur à l’ouverture de sa consultation")
        if entry["consultation"] in self.sealed:
            self.report.fraud("backdating", f"{place} : acte d’une consultation déjà scellée")

    def _govern(self, place: str, position: int, entry: dict[str, Any], content: dict[str, Any]) -> None:
        consultation = entry["consultation"]
        if entry["kind"] == "rules":
            self._rules(place, position, consultation, content)
        elif entry["kind"] == "sealed":
            self._seal(place, consultation, content)
        elif entry["kind"] == "content":
            self._invite(content)
        else:
            if not self.rules[consultation]:
                self.report.fraud("rules", f"{place} : consultation ouverte sans règles figées")
            self.opened[consultation] = position

    def _invite(self, content: dict[str, Any]) -> None:
        """Invitations issued, or revoked; nothing for what else changes in a consultation."""
        if "invitations" in content:
            self.invited[content["step"]] += content["invitations"]
            self.report.counts["envois et révocations d’invitations"] += 1

    def _bury(self, place: str, position: int, consultation: str | None, content: dict[str, Any]) -> None:
        for ref in content["entries"]:
            if ref in self.buried:
                self.report.fraud("duplicate", f"{place} : {ref} est déjà dans une autre pierre tombale")
        self.buried.update(content["entries"])
        if content.get("type") == "vote":
            self.report.counts["votes effacés"] += 1
            # Of a ballot, the step that counts it and the texts to which it gave points.
            several = [content["step"], *content["contributions"]] if "contributions" in content else None
            self.erased |= dict.fromkeys(several or [_about(content)], position)
            return
        target = _about(content)
        self._end(target, content, REMOVED[content["ground"]], consultation)
        self.contents[target].facts = {"version": content["version"]}

    def _seal(self, place: str, consultation: str, content: dict[str, Any]) -> None:
        for kind in sorted(ACTS | {"replies"}):
            counted, told = self.acts[consultation, kind], content["entries"].get(kind, 0)
            if counted != told:
                self.report.fraud("deletion", f"{place} : le scellé compte {told} {kind} ; le registre en a {counted}")
        self.sealed.add(consultation)

    def _vote(self, place: str, entry: dict[str, Any], content: dict[str, Any]) -> None:
        target, value, kind = _about(content), VALUES.index(content["value"]), entry["kind"]
        key = vote_key(content["voter"], target)
        before = self.votes.get(key)
        refused = {
            "vote.cast": before is not None,
            "vote.changed": before is None,
            "vote.withdrawn": before != value,
        }[kind]
        if refused:
            self.report.fraud("duplicate", f"{place} : {kind} de {content['voter']} sur {target} ne suit pas son vote")
            return
        if before is not None:
            self.totals[target][before] -= 1
            self.standing[entry["consultation"]] -= 1
        if kind == "vote.withdrawn":
            del self.votes[key]
        else:
            self.votes[key] = value
            self.totals[target][value] += 1
            self.standing[entry["consultation"]] += 1

    def _ballot(self, place: str, entry: dict[str, Any], content: dict[str, Any]) -> None:
        """A ballot, of which a voter has one in a step: it says what it gives, and what it gave before."""
        step, kind, given = content["step"], entry["kind"], content["choices"]
        former = given if kind == "vote.withdrawn" else content.get("former", {})
        key = vote_key(content["voter"], step)
        held = self.ballots.get(key)
        if (kind == "vote.cast") != (not former) or held != (ballot_digest(former) if former else None):
            self.report.fraud("duplicate", f"{place} : {kind} de {content['voter']} ne suit pas son bulletin")
            return
        fault = self._ballot_fault(entry["consultation"], step, given)
        if fault:
            self.report.fraud("ballot", f"{place} : bulletin de {content['voter']}, {fault}")
            return
        first = self._first_place(entry["consultation"], step)
        now = {} if kind == "vote.withdrawn" else given
        for sign, choices in ((-1, former), (1, now)):
            for text, points in choices.items():
                counted = self.totals[text]
                counted[3] += sign * points
                counted[4] += sign
                counted[5] += sign * (points == first)
        self.ballots.pop(key, None)
        if now:
            self.ballots[key] = ballot_digest(now)
        change = bool(now) - bool(former)
        self.totals[step][0] += change
        self.cast[entry["consultation"]] += change

    def _ballot_rule(self, consultation: str | None, step: str) -> dict[str, Any]:
        """What the frozen rules say of the ballots of a step; nothing when they cannot be read any more."""
        versions = self.rules.get(str(consultation), [])
        steps = versions[-1][1]["steps"] if versions else []
        return next((dict(each["rules"].get("ballot", {})) for each in steps if each["id"] == step), {})

    def _first_place(self, consultation: str | None, step: str) -> int:
        """The points of the first of a ranking; 0 where people spread points."""
        rule = self._ballot_rule(consultation, step)
        return int(rule["points"]) if rule.get("vote") == "ranking" else 0

    def _ballot_fault(self, consultation: str | None, step: str, choices: dict[str, int]) -> str:
        """How a ballot breaks the frozen rules of its step; nothing when it does not."""
        rule = self._ballot_rule(consultation, step)
        given = sorted(choices.values(), reverse=True)
        if not self.rules.get(str(consultation)):
            return ""
        if not rule:
            return "dans une étape qui n’en prend pas"
        if not given or min(given) < 1 or max(given) > rule["most"]:
            return f"points par proposition hors de 1 à {rule['most']}"
        if rule["vote"] == "ranking":
            expected = list(range(rule["points"], rule["points"] - len(given), -1))
            return "" if given == expected else "classement dont les places ne se suivent pas"
        return "" if sum(given) <= rule["points"] else f"{sum(given)} points donnés sur {rule['points']}"

    def _text(self, place: str, entry: dict[str, Any], content: dict[str, Any]) -> None:
        target = _about(content)
        known = self.contents.get(target)
        if entry["kind"] != "edit" and known is not None:
            self.report.fraud("duplicate", f"{place} : {target} est déjà dans le registre")
        elif entry["kind"] != "edit":
            kind = "contribution" if entry["kind"] == "version" else content.get("type") or entry["kind"]
            self.contents[target] = Content(kind, entry["consultation"], content)
        elif known is None or content["version"] != known.facts.get("version", 0) + 1:
            self.report.fraud(
                "deletion", f"{place} : {target} passe à la version {content['version']} sans la précédente"
            )
        else:
            known.facts, known.state = {**known.facts, **content}, "published"

    def _batch(self, place: str, entry: dict[str, Any], content: dict[str, Any]) -> None:
        """Anonymous replies that came out together: each is committed to by itself."""
        if entry["consultation"] not in self.opened:
            self.report.fraud("rules", f"{place} : lot antérieur à l’ouverture de sa consultation")
        if entry["consultation"] in self.sealed:
            self.report.fraud("backdating", f"{place} : lot d’une consultation déjà scellée")
        if content["count"] != len(content["replies"]):
            said = f"{place} : le lot annonce {content['count']} réponses et en engage {len(content['replies'])}"
            self.report.fraud("count", said)
        for reply, promised in content["replies"].items():
            if reply in self.contents:
                self.report.fraud("duplicate", f"{place} : {reply} est déjà dans le registre")
                continue
            facts = {"version": 1, "batch": entry["ref"], "salted": promised}
            facts |= {"step": content["step"], "received_on": content["day"]}
            self.contents[reply] = Content("reply", entry["consultation"], facts)
        self.report.counts["réponses anonymes"] += len(content["replies"])

    def _moderate(self, entry: dict[str, Any], content: dict[str, Any]) -> None:
        target = content["item"]
        if entry["kind"] == "moderation.reversed":
            self.covered.difference_update(content["entries"])
            self._end(target, content, "published", entry["consultation"])
        elif content["act"] in WITHHOLDING:
            self.covered.update(content["entries"])
            self._end(target, content, "hidden", entry["consultation"])

    def _end(self, target: str, content: dict[str, Any], state: str, consultation: str | None) -> None:
        """Give a content its state; one whose openings are closed was not known yet."""
        named = content.get("type") or next(name for name in ABOUT if name in content)
        kind = "contribution" if named == "proposal" else named
        self.contents.setdefault(target, Content(kind, consultation)).state = state

    def _rules(self, place: str, position: int, consultation: str, content: dict[str, Any]) -> None:
        rules = content["rules"]
        if hashlib.sha256(canonical(rules).encode()).hexdigest() != content["digest"]:
            self.report.fraud("rules", f"{place} : l’empreinte des règles n’est pas celle des règles")
        versions = self.rules[consultation]
        if consultation in self.opened and versions and not _extends(versions[-1][1], rules):
            self.report.fraud(
                "rules", f"{place} : règles changées après l’ouverture, autrement que par une date de fin reculée"
            )
        versions.append((position, rules))
        for text in (each for step in rules["steps"] for each in step["rules"].get("texts", ())):
            # What the administration submits has no entry of its own, and never changes.
            self.contents.setdefault(text["id"], Content("contribution", consultation, text))
        self.sealed.discard(consultation)  # an end moved later is sealed again

    def compare(self, position: int) -> None:
        """Compare what was displayed at that position with what the entries up to it amount to."""
        if self.census and self.census["position"] == position:
            acts = {key: count - self.gone.get(key, 0) for key, count in self.acts.items()}
            compare_census(self.census["lines"], acts, self.brought, self.report)
        for target, shown in self.watched.pop(position, ()):
            self.report.counts["totaux recomptés"] += 1
            counted = tuple(self.totals[target][: len(shown)])
            if counted != shown:
                self.missed.append((target, shown, position, counted))

    def finish(self) -> None:
        """What can be said only once all entries are known."""
        for position in sorted(self.watched):
            self.report.notes.append(
                f"Totaux affichés à l’état n° {position}, que l’état signé n’atteint pas encore : non vérifiés."
            )
        for target, shown, position, counted in self.missed:
            said = f"{target} affiche {shown} à l’état n° {position} ; le recomptage donne {counted}"
            if self.erased.get(target, NOWHERE) > position:
                self.report.notes.append(f"{said} : un vote y a été effacé entre-temps. Relancez la vérification.")
            else:
                self.report.fraud("count", said)
        self._tell_lost()
        for ref, position in self.destroyed.items():
            if ref not in self.buried:
                self.report.fraud("hidden", f"entrée n° {position} : ouverture effacée sans trace publique")
        for ref, position in self.withheld.items():
            if ref not in self.covered:
                self.report.fraud("hidden", f"entrée n° {position} : ouverture retenue sans décision publique")

    def _tell_lost(self) -> None:
        """Say what cannot be proved any more because a restore lost openings, as long as the log announced them."""
        if self.lost > self.told:
            self.report.fraud("hidden", f"{self.lost} ouvertures dites perdues ; le registre en annonce {self.told}")
        elif self.lost:
            self.report.notes.append(
                f"{self.lost} ouverture(s) perdue(s) par une restauration, que le registre annonce : "
                "ce qu’elles disaient ne se vérifie plus."
            )
        for (consultation, kind), count in self.gone.items():
            if kind in {*SUBMITTED_BY.values(), "replies"}:
                self.report.notes.append(
                    f"Perdu dans {consultation} : {count} {kind}. Les comptes publiés ne les comptent pas ; rien ne "
                    "prouve ce que ces actes disaient ni ce qu’ils étaient devenus."
                )


TOMBSTONES = ("contributions", "arguments")  # shown without their text once hidden; a reply is only counted
WITHHOLDING = {"hide", "reword"}  # acts of moderation that keep a text from the public
VOTES = {"vote.cast", "vote.changed", "vote.withdrawn"}
ACTS = {"contribution", "version", "argument", "edit"} | VOTES


SAID = {"answer", "commitment", "case"}  # what the administration says, before or after a consultation is sealed


ABOUT = ("reply", "argument", "contribution", "answer", "commitment", "case")


def vote_key(voter: str, target: str) -> bytes:
    """A short name of one voter's vote on one content."""
    return hashlib.sha256(f"{voter}|{target}".encode()).digest()[:16]


def ballot_digest(choices: dict[str, int]) -> int:
    """A short name of what a ballot gives."""
    return int.from_bytes(hashlib.sha256(canonical(choices).encode()).digest()[:8], "big")


def _about(content: dict[str, Any]) -> str:
    for name in ABOUT:
        if name in content:
            return str(content[name])
    raise Impossible("une entrée ne dit pas sur quel contenu elle porte")


def _hour_before(instant: str) -> str:
    before = _instant(instant) - timedelta(hours=1)
    return before.strftime("%Y-%m-%dT%H:%M:%SZ")


def _extends(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether the rules differ by later ends alone."""

    def parts(rules: dict[str, Any]) -> tuple[str, list[str]]:
        steps = [{name: value for name, value in step.items() if name != "closes_at"} for step in rules["steps"]]
        rest = {**rules, "steps": steps, "closes_at": ""}
        return canonical(rest), [rules["closes_at"], *(step["closes_at"] for step in rules["steps"])]

    (same, ends), (other, later) = parts(old), parts(new)
    return same == other and all(_instant(one) <= _instant(two) for one, two in zip(ends, later, strict=True))


# Reading the log ---------------------------------------------------------------------------------------------------


def path_of(index: int, width: int) -> str:
    """Where C2SP tlog-tiles puts tile or bundle `index` of that width."""
    digits = f"{index:03d}"
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]]) + ("" if width == WIDTH else f".p/{width}")


def fetch(source: Site | Folder, path: str) -> bytes:
    """What must be there. Raises Impossible."""
    raw = source.get(path)
    if raw is None:
        raise Impossible(f"« {path} » manque")
    return raw


def bundles(source: Site | Folder, prefix: str, size: int) -> Iterator[tuple[int, list[bytes], list[bytes]]]:
    """First position, entries and published leaf hashes of each bundle; a full tile may stand for a partial one."""
    for index in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - index * WIDTH)
        raw = source.get(f"{prefix}/tile/entries/{path_of(index, width)}")
        raw = raw if raw is not None else fetch(source, f"{prefix}/tile/entries/{path_of(index, WIDTH)}")
        tile = source.get(f"{prefix}/tile/0/{path_of(index, width)}")
        tile = tile if tile is not None else fetch(source, f"{prefix}/tile/0/{path_of(index, WIDTH)}")
        at = 0
        entries: list[bytes] = []
        while at < len(raw) and len(entries) < width:
            length = int.from_bytes(raw[at : at + 2], "big")
            entries.append(raw[at + 2 : at + 2 + length])
            at += 2 + length
        yield index * WIDTH, entries, [tile[at : at + 32] for at in range(0, 32 * width, 32)]


def compare_bundle(report: Report, start: int, entries: list[bytes], published: list[bytes]) -> None:
    """Name what differs between the entries served and the leaves of the tree that was signed."""
    hashes = [leaf(entry) for entry in entries]
    if hashes == published:
        return
    where = f"entrées n° {start} à {start + len(published) - 1}"
    if sorted(hashes) == sorted(published):
        report.fraud("reorder", f"{where} : les mêmes, dans un autre ordre que celui qui fut signé")
    elif len(set(hashes)) < len(hashes):
        report.fraud("duplicate", f"{where} : une entrée y figure deux fois")
    elif set(hashes) < set(published):
        report.fraud(
            "deletion", f"{where} : {len(set(published) - set(hashes))} entrée(s) signée(s) ne sont plus servies"
        )
    else:
        first = next(
            (n for n, (one, two) in enumerate(zip(hashes, published, strict=False)) if one != two), len(published)
        )
        report.fraud("edit", f"entrée n° {start + first} : elle n’est pas celle qui fut signée")


def read_entry(raw: bytes) -> dict[str, Any] | None:
    """The entry, when it is one in its only form."""
    with contextlib.suppress(ValueError):
        entry = json.loads(raw)
        if isinstance(entry, dict) and set(entry) == FIELDS and canonical(entry).encode() == raw:
            return entry
    return None


Seen = tuple[int, str, str]  # size, root in hexadecimal, and of whom or when


def compare_roots(tree: Tree, seen: list[Seen], report: Report) -> None:
    """Name a fork when the entries up to here are not those of a state seen before."""
    for size, root, whose in seen:
        if tree.size == size and tree.root.hex() != root:
            report.fraud("fork", f"les {size} premières entrées ne sont pas celles {whose}")


def read_log(
    source: Site | Folder, prefix: str, checkpoint: Checkpoint, replay: Replay, report: Report, seen: list[Seen]
) -> None:
    """Read every entry with its opening; compare roots with the state signed and with states seen before."""
    tree = Tree()
    for start, entries, published in bundles(source, prefix, checkpoint.size):
        compare_bundle(report, start, entries, published)
        lines = fetch(source, f"{prefix}/openings/{path_of(start // WIDTH, WIDTH)}").splitlines()
        for offset, raw in enumerate(entries):
            compare_roots(tree, seen, report)
            tree.add(leaf(raw))
            entry = read_entry(raw)
            if entry is None:
                report.fraud("edit", f"entrée n° {start + offset} : illisible ou mal formée")
            elif offset >= len(lines):
                report.fraud("hidden", f"entrée n° {start + offset} : ni ouverture, ni raison de son absence")
            else:
                replay.step(start + offset, entry, json.loads(lines[offset]))
    compare_roots(tree, seen, report)
    if tree.size != checkpoint.size or tree.root != checkpoint.root:
        report.fraud("fork", "les entrées servies ne donnent pas la racine signée")
    replay.compare(tree.size)
    replay.finish()


# Comparing what is displayed ---------------------------------------------------------------------------------------

Rows = dict[str, dict[str, dict[str, Any]]]  # dataset -> id -> row


class Votes:
    """The votes displayed of a consultation, in little more than a hundred bytes each."""

    def __init__(self) -> None:
        self.held: dict[bytes, int] = {}  # short name of the vote -> its row's id and the place of its value
        self.twice: list[str] = []
        self.unlinked: set[int] = set()  # all of them, once the link was destroyed at the end of the appeal period

    def add(self, row: dict[str, Any]) -> None:
        """Take a row; the same one may come twice, from two pages."""
        identifier = uuid.UUID(row["id"]).int
        if row["voter"] is None:
            self.unlinked.add(identifier)
            return
        key = vote_key(row["voter"], row["target"])
        if key in self.held and self.held[key] >> 2 != identifier:
            self.twice.append(row["id"])
        self.held[key] = identifier << 2 | (VALUES.index(row["value"]) if row["value"] in VALUES else len(VALUES))

    def differences(self, replay: Replay, consultation: str) -> Iterator[tuple[str, str, str]]:
        """Fraud, row and message for each vote that is not what the entries say."""
        if self.unlinked and self.held:
            yield "injection", "votes", f"{len(self.unlinked)} vote(s) sans votant, parmi d’autres qui en ont un"
        for row in self.twice:
            yield "duplicate", row, f"vote {row} : ce votant en a déjà un autre sur le même contenu"
        for key, held in self.held.items():
            if replay.votes.get(key) != held & 3:
                row = str(uuid.UUID(int=held >> 2))
                yield "injection", row, f"vote {row} : le registre ne le connaît pas, ou dans un autre sens"
        missing = replay.standing[consultation] - len(self.held) - len(self.unlinked)
        if missing > 0:
            yield "deletion", "votes", f"{missing} vote(s) du registre ne sont plus affichés"


class Ballots:
    """The ballots displayed of a consultation, each by its digest."""

    def __init__(self) -> None:
        self.held: dict[bytes, tuple[str, int]] = {}  # short name of voter and step -> row and what it gives
        self.twice: list[str] = []
        self.unlinked: set[str] = set()  # all of them, once the link was destroyed at the end of the appeal period

    def add(self, row: dict[str, Any]) -> None:
        """Take a row; the same one may come twice, from two pages."""
        if row["voter"] is None:
            self.unlinked.add(row["id"])
            return
        key = vote_key(row["voter"], row["step"])
        if self.held.get(key, (row["id"],))[0] != row["id"]:
            self.twice.append(row["id"])
        given = {choice["contribution"]: choice["points"] for choice in row["choices"]}
        self.held[key] = row["id"], ballot_digest(given)

    def differences(self, replay: Replay, consultation: str) -> Iterator[tuple[str, str, str]]:
        """Fraud, row and message for each ballot that is not what the entries say."""
        if self.unlinked and self.held:
            yield "injection", "ballots", f"{len(self.unlinked)} bulletin(s) sans votant, parmi d’autres qui en ont un"
        for row in self.twice:
            yield "duplicate", row, f"bulletin {row} : ce votant en a déjà un autre dans la même étape"
        for key, (row, digest) in self.held.items():
            if replay.ballots.get(key) != digest:
                yield "injection", row, f"bulletin {row} : le registre ne le connaît pas, ou avec d’autres points"
        missing = replay.cast[consultation] - len(self.held) - len(self.unlinked)
        if missing > 0:
            yield "deletion", "ballots", f"{missing} bulletin(s) du registre ne sont plus affichés"


@dataclass
class Displayed:
    """What API or dump shows of one consultation."""

    consultation: dict[str, Any]
    rows: Rows
    votes: Votes
    ballots: Ballots
    questions: list[dict[str, Any]]
    positions: dict[str, int]  # content -> position at which its figures stand
    masked: int  # texts that were masked: nothing is said of them

    @staticmethod
    def read(source: Site | Folder, consultation: dict[str, Any]) -> Displayed:
        """Every public row."""
        slug = consultation["slug"]
        masked = source.masked(slug)
        found: Rows = {}
        positions: dict[str, int] = {}
        votes, ballots = Votes(), Ballots()
        for name, into in (("votes", votes), ("ballots", ballots)):
            for rows, _ in source.rows(slug, name):
                for row in rows:
                    into.add(row)
        for name in ("steps", "contributions", "arguments", "replies", "official_answers", "commitments"):
            kept: dict[str, dict[str, Any]] = {}
            for rows, position in source.rows(slug, name):
                kept.update((row["id"], _light(name, row, masked.get(name, ()))) for row in rows)
                positions.update((row["id"], position) for row in rows if name in ("contributions", "arguments"))
            found[name] = kept
        answers: dict[str, dict[str, Any]] = defaultdict(dict)
        for rows, _ in source.rows(slug, "answers"):
            for row in rows:
                answers[row["reply"]][row["question"]] = {name: row[name] for name in ("text", "options", "other")}
        for reply, row in found["replies"].items():
            said = answers.get(reply, {})
            row["masked"] = any(f"{reply}:{key}" in masked.get("answers", ()) and _masks(said[key]) for key in said)
            row["sha256"] = sha256(said)
            if row.get("salt"):
                row["commitment"] = commitment(bytes.fromhex(row["salt"]), said)
        questions = [
            each for rows, _ in source.rows(slug, "questionnaires") for row in rows for each in row["questions"]
        ]
        hidden = sum(bool(row.get("masked")) for rows in found.values() for row in rows.values())
        return Displayed(consultation, found, votes, ballots, questions, positions, hidden)

    def figures(self) -> Iterator[tuple[int, str, tuple[int, ...]]]:
        """Position, content and totals displayed."""
        for name, values, more in (("contributions", VALUES, COUNTS), ("arguments", VALUES[:1], ())):
            for identifier, row in self.rows[name].items():
                shown = (*(row[f"votes_{value}"] for value in values), *(row[count] for count in more))
                yield self.positions[identifier], identifier, shown


def sha256(value: Any) -> str:
    """Digest of the canonical form."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


ENGAGED = {  # columns whose digest the entries hold
    "contributions": ("title", "body"),
    "arguments": ("title", "body"),
    "official_answers": ("target_type", "target", "outcome", "authority", "body"),
    "commitments": ("title", "body", "owner", "stage", "due_on", "link", "answers", "contributions", "updates"),
}


VERSION = ("reason", "sources")  # and of a version of an article


def _light(name: str, row: dict[str, Any], masked: Collection[str]) -> dict[str, Any]:
    """A row without its text, which only its digest replaces: a million of them must fit in memory.

    One that is said to be `masked`, and is, has not the text that was engaged.
    """
    if name in ENGAGED and row["status"] == "published":
        engaged = (*ENGAGED[name], *(VERSION if row.get("kind") == "version" else ()))
        digest = sha256({column: row[column] for column in engaged})
        row = {**row, "sha256": digest, "masked": row["id"] in masked and _masks(row)}
    return {key: value for key, value in row.items() if key not in ("title", "body", "summary", "reason", "sources")}


def _masks(row: dict[str, Any]) -> bool:
    """Whether a text of a row holds a mask."""
    return any(isinstance(value, str) and MASK.search(value) is not None for value in row.values())


def compare_rows(shown: Displayed, replay: Replay) -> list[tuple[str, str, str]]:
    """Fraud, row and message for each row that is not what the entries say."""
    identifier = shown.consultation["id"]
    found: list[tuple[str, str, str]] = []
    kinds = {
        "contributions": "contribution",
        "arguments": "argument",
        "replies": "reply",
        "official_answers": "answer",
        "commitments": "commitment",
    }
    for name, kind in kinds.items():
        for row_id, row in shown.rows[name].items():
            found += [
                (fraud, row_id, message) for fraud, message in _differences(kind, row, replay.contents.get(row_id))
            ]
        for content_id, content in replay.contents.items():
            if content.consultation != identifier or content.kind != kind or content_id in shown.rows[name]:
                continue
            if content.state == "published":
                found.append(("deletion", content_id, f"{kind} {content_id} est au registre et n’est plus affichée"))
            elif content.state == "hidden" and name in TOMBSTONES:
                found.append(("hidden", content_id, f"{kind} {content_id} est masquée sans que rien ne le montre"))
    found += shown.votes.differences(replay, identifier)
    return [*found, *shown.ballots.differences(replay, identifier)]


def _differences(kind: str, row: dict[str, Any], content: Content | None) -> Iterator[tuple[str, str]]:
    status = row.get("status", "published")
    if content is None:
        yield "injection", f"{kind} {row['id']} est affichée sans entrée au registre"
        return
    if status != content.state:
        name = "edit" if status == "published" else "hidden"
        yield name, f"{kind} {row['id']} est affichée « {status} » ; le registre la dit « {content.state} »"
        return
    digest = content.facts.get("text_sha256") or content.facts.get("answers_sha256")
    if digest is None and "salted" in content.facts:  # anonymous, as its batch brought it
        digest, row = content.facts["salted"], {**row, "sha256": row.get("commitment")}
    if status == "published" and row["sha256"] != digest and not row["masked"]:
        yield "edit", f"{kind} {row['id']} : le texte affiché n’est pas celui qui fut engagé"
    dates = ("created_at", "published_at", "received_on")
    same = (*dates, "version", "theme", "departement", "article", "rewrites", "side", "batch")
    told = (*((name, name) for name in same), ("contribution", "on"))
    for mine, theirs in told:
        if status == "published" and theirs in content.facts and mine in row and row[mine] != content.facts[theirs]:
            name = "backdating" if mine in dates else "edit"
            yield name, f"{kind} {row['id']} : « {mine} » vaut {row.get(mine)}, le registre dit {content.facts[theirs]}"


def compare_rules(shown: Displayed, replay: Replay, report: Report) -> None:
    """Compare steps, questions and options displayed with the rules frozen last."""
    versions = replay.rules.get(shown.consultation["id"])
    if not versions:
        report.fraud("rules", f"« {shown.consultation['slug']} » est affichée sans règles au registre")
        return
    steps = {step["id"]: step for step in versions[-1][1]["steps"]}
    for row in shown.rows["steps"].values():
        step = steps.get(row["id"])
        dates = step and all(_instant(row[name]) == _instant(step[name]) for name in ("opens_at", "closes_at"))
        if not dates:
            report.fraud("rules", f"étape « {row['slug']} » : dates affichées autres que celles des règles figées")
    for row in shown.rows["replies"].values():
        access = steps.get(row["step"], {}).get("settings", {}).get("access", "accounts")
        if row["origin"] == "live" and row.get("access", access) != access:
            report.fraud(
                "rules", f"réponse {row['id']} : dite venue par « {row['access']} » ; les règles : « {access} »"
            )
    compare_invitations(shown, steps, replay, report)
    frozen = {each["id"]: each for step in steps.values() for each in step["rules"].get("questions", ())}
    for question in shown.questions:
        rule = frozen.get(question["id"])
        if rule is None or any(question[name] != rule[name] for name in ("wording", "kind", "required", "visibility")):
            report.fraud("rules", f"question {question['id']} : autre que celle des règles figées")
        elif question["options"] != rule["options"]:
            report.fraud("label", f"question {question['id']} : réponses proposées autres que celles des règles figées")
        elif question.get("pictures", []) != rule.get("pictures", []):
            report.fraud("label", f"question {question['id']} : images autres que celles des règles figées")


def compare_invitations(shown: Displayed, steps: dict[str, Any], replay: Replay, report: Report) -> None:
    """Compare, where an invitation is asked for, the replies displayed with the invitations that the log says."""
    replied: dict[str, int] = defaultdict(int)
    for row in shown.rows["replies"].values():
        replied[row["step"]] += row["origin"] == "live"
    for step, rules in steps.items():
        if rules["settings"].get("access") != "invitations":
            continue
        report.counts["réponses sur invitation"] += replied[step]
        if replied[step] > replay.invited[step]:
            said = f"étape {step} : {replied[step]} réponses pour {replay.invited[step]} invitations au registre"
            report.fraud("count", said)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # noqa: FURB162  # Python 3.10 reads no Z


# The kind of the entries by which each type of act is submitted: a reply is logged as a contribution is.
SUBMITTED_BY = {
    "proposal": "contribution",
    "reply": "contribution",
    "version": "version",
    "argument": "argument",
    "vote": "vote.cast",
}


def compare_census(
    lines: list[dict[str, Any]],
    acts: dict[tuple[str | None, str], int],
    brought: dict[str | None, int],
    report: Report,
) -> None:
    """Compare what the site says was submitted, and what became of it, with the entries up to its position.

    `acts` leaves out those that a restore lost: the site, which lost their rows too, counts them nowhere.
    """
    told: dict[tuple[str, str], int] = defaultdict(int)
    for line in lines:
        report.counts["lignes de comptes recomptées"] += 1
        told[line["consultation"], SUBMITTED_BY[line["type"]]] += line["logged"]
        ends = sum(line[end] for end in ("published", "hidden", "withdrawn", "erased", "undone"))
        if line["logged"] != ends:
            what = f"{line['type']} ({line['origin']}) de {line['consultation']}"
            report.fraud(
                "deletion" if ends < line["logged"] else "injection",
                f"{what} : {line['logged']} actes déposés, {ends} publiés, masqués, retirés, effacés ou annulés",
            )
    for consultation, kind in sorted(told):
        counted = acts.get((consultation, kind), 0) + (brought[consultation] if kind == SUBMITTED_BY["reply"] else 0)
        if counted != told[consultation, kind]:
            report.fraud(
                "deletion" if told[consultation, kind] < counted else "injection",
                f"les comptes publiés disent {told[consultation, kind]} {kind} dans {consultation} ; "
                f"le registre en porte {counted}",
            )


def page_figures(source: Site | Folder, shown: Displayed, most: int) -> Iterator[tuple[int, str, tuple[int, ...]]]:
    """Position, content and totals that pages show: of some contributions, and of the steps that take ballots."""
    for step, row in shown.rows["steps"].items() if most > 0 else ():
        found = source.page_figures(f"consultations/{shown.consultation['slug']}/{row['slug']}")
        if found is not None and "cast" in found[1]:
            yield found[0], step, (found[1]["cast"],)
    rows = shown.rows["contributions"]
    contents = [each for each in rows if rows[each]["status"] == "published"]
    for identifier in contents[:: max(1, len(contents) // most)][:most] if most > 0 else ():
        found = source.page_figures(f"contributions/{identifier}")
        if found is not None:
            position, figures = found
            yield position, identifier, tuple(figures.get(name, 0) for name in (*VALUES, *COUNTS))


# The whole ---------------------------------------------------------------------------------------------------------


def check_signatures(checkpoint: Checkpoint, key: Key, trusted: Sequence[Key], report: Report) -> Key:
    """The log's signature, under the key trusted; returns that key."""
    known = [each for each in trusted if each.name == checkpoint.origin]
    if known and key not in known:
        report.fraud(
            "signature", f"le site donne pour {checkpoint.origin} une autre clé que celle à laquelle vous vous fiez"
        )
    believed = (known or [key])[0]
    if not believed.signed(checkpoint.text, checkpoint.lines):
        report.fraud("signature", "l’état servi n’est pas signé par la clé du registre")
    if not known:
        report.notes.append(
            "La clé du registre vient du site lui-même : comparez-la à celle que publie l’administration."
        )
    return believed


def check_witness(
    witness: Key, believed: Key, checkpoint: Checkpoint, last: bytes | None, report: Report
) -> Checkpoint | None:
    """The state that a witness cosigned: the one served, or `last`, a former one, which it must prolong."""
    states = [checkpoint, *([Checkpoint.read(last)] if last else [])]
    seen = next((each for each in states if witness.signed_at(each.text, each.lines) is not None), None)
    if seen is None or seen.origin != checkpoint.origin or not believed.signed(seen.text, seen.lines):
        report.fraud("signature", f"le témoin {witness.name} n’a pas cosigné cet état")
        return None
    report.counts["témoins"] += 1
    if seen.size < checkpoint.size:
        at = datetime.fromtimestamp(witness.signed_at(seen.text, seen.lines) or 0).astimezone()
        report.notes.append(
            f"Le témoin {witness.name} a cosigné l’état n° {seen.size} le {at:%d/%m/%Y à %H:%M} ; il n’a pas encore "
            f"vu les {checkpoint.size - seen.size} entrées suivantes."
        )
    return seen


def read_state(
    source: Site | Folder, prefix: str, options: argparse.Namespace, report: Report
) -> tuple[Checkpoint, list[Seen]]:
    """The state served, and those that witnesses cosigned, which were read before it. Raises Impossible."""
    key = Key.read(fetch(source, f"{prefix}/key").decode())
    cosigned = [source.get(f"{prefix}/cosigned/{witness.id.hex()}") for witness in options.witnesses]
    checkpoint = Checkpoint.read(fetch(source, f"{prefix}/checkpoint"))
    report.origin, report.size, report.root = checkpoint.origin, checkpoint.size, checkpoint.root.hex()
    believed = check_signatures(checkpoint, key, options.keys, report)
    known: list[Seen] = []
    for witness, last in zip(options.witnesses, cosigned, strict=True):
        held = check_witness(witness, believed, checkpoint, last, report)
        if held is None:
            continue
        known.append((held.size, held.root.hex(), f"que le témoin {witness.name} a cosignées"))
        if held.size > checkpoint.size:
            report.fraud(
                "rollback",
                f"l’état servi compte {checkpoint.size} entrées ; {witness.name} en a cosigné {held.size}",
            )
    return checkpoint, known


def verify_log(
    source: Site | Folder, log: dict[str, Any], options: argparse.Namespace, state: dict[str, Any]
) -> Report:
    """Everything about one log. Raises Impossible."""
    prefix, report = f"registry/{log['organisation']}", Report()
    rows: Site | Folder = options.dump or source
    shown = [Displayed.read(rows, each) for each in rows.consultations()]
    watched: dict[int, set[Figures]] = defaultdict(set)
    census = source.get(f"{prefix}/census")
    for each in shown:
        for position, content, figures in each.figures():
            watched[position].add((content, figures))
        for position, content, figures in page_figures(rows, each, options.pages):
            report.counts["pages lues"] += 1
            watched[position].add((content, figures))
    if isinstance(source, Site):
        time.sleep(options.wait)  # what was just displayed has its place by then
    checkpoint, known = read_state(source, prefix, options, report)
    saved = state.get(checkpoint.origin, {})
    if saved:
        if checkpoint.size < saved["size"]:
            report.fraud(
                "rollback",
                f"l’état servi compte {checkpoint.size} entrées ; le {saved['seen']}, il en comptait {saved['size']}",
            )
        known.append((saved["size"], saved["root"], f"du {saved['seen']}"))
    cuts = rows.cuts() if isinstance(rows, Folder) else {}
    replay = Replay(report, watched, cuts, json.loads(census) if census else {})
    read_log(source, prefix, checkpoint, replay, report, known)
    for each in shown:
        compare_rules(each, replay, report)
        for fraud, _, message in compare_rows(each, replay):
            report.fraud(fraud, message)
        report.pass_over(each.masked)
    if not report.frauds:
        seen = datetime.now().astimezone().strftime("%d/%m/%Y à %H:%M")
        state[checkpoint.origin] = {"size": checkpoint.size, "root": report.root, "seen": seen}
    return report


def verify_twice(
    source: Site | Folder, log: dict[str, Any], options: argparse.Namespace, state: dict[str, Any]
) -> Report:
    """`verify_log`, once more when it names something on a site: an act may have come between two of its readings."""
    report = verify_log(source, log, options, state)
    return verify_log(source, log, options, state) if report.frauds and isinstance(source, Site) else report


@dataclass(frozen=True)
class Receipt:
    """A `.tlog-proof` file: an entry with its opening, and the way from it to a signed state."""

    index: int
    entry: dict[str, Any]
    salt: bytes
    content: Any
    proof: list[bytes]
    checkpoint: Checkpoint

    @staticmethod
    def read(raw: bytes) -> Receipt:
        """Raises Impossible, or what Python raises for data of another shape."""
        head, _, note = raw.decode("utf-8", "replace").partition("\n\n")
        lines = head.split("\n")
        extra, index = "", ""
        if lines[0] == "c2sp.org/tlog-proof@v1" and len(lines) > 1:
            extra = lines.pop(1)[6:] if lines[1].startswith("extra ") else ""
            index = lines.pop(1)[6:] if len(lines) > 1 and lines[1].startswith("index ") else ""
        if not index.isdecimal() or not extra:
            raise Impossible("ce fichier n’est pas un récépissé")
        held, proof = json.loads(_unbase64(extra)), [_unbase64(line) for line in lines[1:]]
        entry = read_entry(canonical(held["entry"]).encode())
        if entry is None:
            raise Impossible("ce récépissé ne porte pas une entrée du registre")
        canonical(held["content"]).encode()
        return Receipt(
            int(index), entry, bytes.fromhex(held["salt"]), held["content"], proof, Checkpoint.read(note.encode())
        )

    @property
    def leaf(self) -> bytes:
        """Hash of its entry."""
        return leaf(canonical(self.entry).encode())


def check_receipt(receipt: Receipt, keys: Sequence[Key], witnesses: Sequence[Key]) -> Report:
    """Whether a receipt proves what it says, under keys that one trusts already."""
    checkpoint, report = receipt.checkpoint, Report()
    report.origin, report.size, report.root = checkpoint.origin, checkpoint.size, checkpoint.root.hex()
    believed = check_signatures(checkpoint, keys[0], keys, report)
    for witness in witnesses:
        check_witness(witness, believed, checkpoint, None, report)
    if not leads_to(receipt.leaf, receipt.index, checkpoint.size, receipt.proof, checkpoint.root):
        report.fraud("edit", "la preuve ne mène pas de cette entrée à l’état signé")
    if commitment(receipt.salt, receipt.content) != receipt.entry["commitment"]:
        report.fraud("edit", "le contenu du récépissé n’est pas celui de l’entrée")
    said = json.dumps(receipt.content, ensure_ascii=False)
    report.notes.append(f"Entrée n° {receipt.index} : {receipt.entry['kind']}, {said}")
    return report


def verify_receipt(raw: bytes, keys: Sequence[Key], witnesses: Sequence[Key]) -> Report:
    """A `.tlog-proof` file, offline. Raises Impossible."""
    receipt = Receipt.read(raw)
    if not keys:
        raise Impossible("donnez la clé du registre par --key, telle que la publie l’administration")
    return check_receipt(receipt, keys, witnesses)


def verify_programs(raw: bytes, folder: Path, keys: Sequence[Key]) -> Report:
    """The programs beside a `programs` file, offline: whether they are those that the key signed. Raises Impossible."""
    text, _, signatures = raw.decode("utf-8", "replace").rpartition("\n\n")
    report, signed = Report(), text.encode() + b"\n"
    if not keys:
        raise Impossible("donnez la clé du registre par --key, telle que la publie l’administration")
    report.origin = keys[0].name
    if not any(key.signed(signed, signatures.splitlines()) for key in keys):
        report.fraud("signature", "cette liste de programmes n’est pas signée par la clé du registre")
        return report
    for name, digest in (line.split(" ") for line in text.split("\n")[1:]):
        file = folder / Path(name).name
        if not file.is_file():
            report.notes.append(f"{name} n’est pas à côté de cette liste : non vérifié.")
        elif hashlib.sha256(file.read_bytes()).hexdigest() == digest:
            report.counts["programmes conformes"] += 1
        else:
            report.fraud("edit", f"{name} n’est pas le programme que la clé du registre a signé")
    if not report.counts and not report.frauds:
        raise Impossible("aucun programme de cette liste n’est à côté d’elle")
    return report


def logs_of(source: Site | Folder) -> list[dict[str, Any]]:
    """The logs that are there. Raises Impossible."""
    found = json.loads(fetch(source, "registry/"))
    if not found:
        raise Impossible("aucun registre n’est publié là")
    return list(found)


def as_text(reports: Sequence[Report]) -> str:
    """What a person reads."""
    lines: list[str] = []
    for report in reports:
        lines += [f"Registre {report.origin}, état n° {report.size}, racine {report.root}"]
        lines += [f"  {name} : {count}" for name, count in sorted(report.counts.items())]
        lines += [f"  À savoir : {note}" for note in report.notes]
        lines += [f"  FRAUDE – {each['label']} : {each['message']}" for each in report.frauds]
        lines += ["  Rien à signaler." if not report.frauds else f"  {len(report.frauds)} anomalie(s) nommée(s)."]
    return "\n".join([*lines, "Ce que ceci ne prouve pas :", *(f"  - {limit}" for limit in LIMITS)]) + "\n"


def as_html(reports: Sequence[Report]) -> str:
    """The same, as a page."""
    parts = ["<!doctype html><html lang=fr><meta charset=utf-8><title>Vérification du registre</title>"]
    parts.append(
        "<style>body{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto}code{word-break:break-all}</style>"
    )
    parts.append("<h1>Vérification du registre public</h1>")
    for report in reports:
        verdict = "Rien à signaler" if not report.frauds else f"{len(report.frauds)} anomalie(s)"
        parts.append(f"<h2>{html.escape(report.origin)} : {verdict}</h2>")
        parts.append(f"<p>État n° {report.size}, racine <code>{report.root}</code></p>")
        if report.frauds:
            parts.append("<ul>")
            parts += [
                f"<li><strong>{html.escape(each['label'])}</strong> : {html.escape(each['message'])}</li>"
                for each in report.frauds
            ]
            parts.append("</ul>")
        parts.append("<table><caption>Ce qui a été lu</caption>")
        parts += [
            f"<tr><th scope=row>{html.escape(name)}</th><td>{count}</td></tr>"
            for name, count in sorted(report.counts.items())
        ]
        parts.append("</table>")
        parts += [f"<p>{html.escape(note)}</p>" for note in report.notes]
    parts.append("<h2>Ce que ceci ne prouve pas</h2><ul>")
    parts += [f"<li>{html.escape(limit)}</li>" for limit in LIMITS]
    return "\n".join([*parts, "</ul></html>\n"])


def verify(options: argparse.Namespace) -> list[Report]:
    """Every log of a source, or one receipt. Raises Impossible."""
    path = Path(options.source)
    if path.is_file():
        raw = path.read_bytes()
        if raw.startswith(PROGRAMS):
            return [verify_programs(raw, path.parent, options.keys)]
        return [verify_receipt(raw, options.keys, options.witnesses)]
    source: Site | Folder = Folder(path) if path.is_dir() else Site(options.source)
    if isinstance(source, Site) and not options.source.startswith(("http://", "https://")):
        raise Impossible(f"« {options.source} » n’est ni un dossier, ni un récépissé, ni une adresse")
    state = json.loads(options.state.read_text(encoding="utf-8")) if options.state and options.state.is_file() else {}
    logs, reports = logs_of(source), []
    strangers = (options.dump.organisations() if options.dump else set()) - {log["organisation"] for log in logs}
    if strangers:
        raise Impossible(f"aucun registre de ce site n’est celui de l’export ({', '.join(sorted(strangers))})")
    for log in logs:
        if options.dump and log["organisation"] not in options.dump.organisations():
            continue
        source.settle(log["organisation"], alone=len(logs) == 1)
        reports.append(verify_twice(source, log, options, state))
    if options.state:
        options.state.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    return reports


class Parser(argparse.ArgumentParser):
    """Argparse, in French."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=_Help, add_help=False)
        self._positionals.title, self._optionals.title = "arguments ", "options "
        self.add_argument("-h", "--help", action="help", help="afficher cette aide")

    def error(self, message: str) -> NoReturn:  # noqa: ARG002  # in English
        """Leave with exit code 2, with a word in French."""
        self.exit(2, f"Commande mal écrite. Aide : python3 {self.prog} --help\n")


class _Help(argparse.RawTextHelpFormatter):
    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "Usage : " if prefix is None else prefix)

    def _get_default_metavar_for_optional(self, action: argparse.Action) -> str:
        return "NOMBRE" if action.type in {int, float} else "VALEUR"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: nothing to report; 1: frauds are named; 2: nothing could be verified."""
    parser = Parser(prog="verifier.py", description=__doc__)
    parser.add_argument("source", help="adresse du site, dossier téléchargé ou récépissé")
    parser.add_argument("--key", dest="keys", action="append", default=[], help="clé de registre à laquelle se fier")
    parser.add_argument("--witness", dest="witnesses", action="append", default=[], help="clé d’un témoin exigé")
    parser.add_argument("--dump", type=Path, help="export à vérifier par le registre, au lieu de ce que le site montre")
    parser.add_argument(
        "--state", type=Path, help="fichier où garder le dernier état vu, pour le comparer la fois suivante"
    )
    parser.add_argument("--json", type=Path, help="rapport en JSON")
    parser.add_argument("--html", type=Path, help="rapport en HTML")
    parser.add_argument("--pages", type=int, default=20, help="nombre de pages dont comparer les totaux (20)")
    parser.add_argument("--wait", type=float, default=5, help="secondes laissées aux derniers actes (5)")
    options = parser.parse_args(arguments)
    try:
        options.dump = options.dump and dump_at(options.dump)
        options.keys = [Key.read(line) for line in options.keys]
        options.witnesses = [Key.read(line) for line in options.witnesses]
        reports = verify(options)
    except (Impossible, OSError, ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        print(f"Vérification impossible : {error}.", file=sys.stderr)
        return 2
    if options.json:
        text = json.dumps([vars(report) for report in reports], ensure_ascii=False, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.html:
        options.html.write_text(as_html(reports), encoding="utf-8")
    print(as_text(reports), end="")
    return 1 if any(report.frauds for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
