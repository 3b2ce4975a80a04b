"""Témoin d’un registre public : il cosigne les états du registre qui prolongent ceux qu’il a déjà vus, et eux seuls.

Un seul fichier, sans autre dépendance que Python 3.9 ou plus : une association peut le lire, puis le faire tourner.

    python3 witness.py init  DOSSIER --name temoin.exemple.fr
    python3 witness.py add   DOSSIER 'consult.exemple.fr/registry/ministere+1a2b3c4d+AbCd…'
    python3 witness.py serve DOSSIER --port 8900

`init` crée la clé et affiche la clé publique, à confier à qui tient le registre ; `add` fait suivre un registre, nommé
par sa clé (son adresse se termine par `/key`) ; `serve` répond au protocole C2SP tlog-witness sur `/add-checkpoint`. Le
dossier est la mémoire du témoin : s’il est perdu, ne le recréez pas sous le même nom, créez un témoin nouveau.
"""

# Over 400 lines: this file stands alone, apart from the platform whose log it watches, for a stranger to read from
# top to bottom. It imports nothing of the platform and was written apart from it.

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import http.server
import os
import re
import secrets
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

MAX_BODY = 64 * 1024
MAX_PROOF = 63
EMPTY_ROOT = hashlib.sha256(b"").digest()
LOG_KEY, WITNESS_KEY = 1, 4
KEY_BYTES = HASH_BYTES = 32
SIGNATURE_BYTES = 64
CHECKPOINT_LINES = 3
SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
NAME = re.compile(r"[^\s+]+")


class Refused(Exception):  # noqa: N818  # what a witness answers, with its HTTP status
    """A request that gets no cosignature; the message is in French, for the journal."""

    def __init__(self, status: int, message: str, size: int | None = None) -> None:
        super().__init__(message)
        self.status, self.size = status, size


# Ed25519 (RFC 8032): edwards25519 in extended coordinates, after the appendix of the RFC ----------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:
    left, right = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    cross, double = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = right - left, double - cross, double + cross, right + left
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(scalar: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point, scalar = _add(point, point), scalar >> 1
    return result


def _same(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def _point(raw: bytes) -> Point | None:
    """The point that 32 bytes stand for, or None."""
    y, sign = int.from_bytes(raw, "little") & (2**255 - 1), raw[31] >> 7
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def _bytes(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = _point(_BASE_Y.to_bytes(32, "little")) or (0, 1, 1, 0)  # the second is for type checkers: the first exists


def _expanded(seed: bytes) -> tuple[int, bytes]:
    digest = hashlib.sha512(seed).digest()
    return int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254, digest[32:]


def _challenge(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % ORDER


def public_key(seed: bytes) -> bytes:
    """The 32 bytes of the public key of a 32-byte seed."""
    return _bytes(_times(_expanded(seed)[0], BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64 bytes of the signature of a message."""
    scalar, prefix = _expanded(seed)
    nonce = _challenge(prefix, message)
    commitment = _bytes(_times(nonce, BASE))
    answer = (nonce + _challenge(commitment, public_key(seed), message) * scalar) % ORDER
    return commitment + answer.to_bytes(32, "little")


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature of the message is of that key."""
    if len(public) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    key, commitment, answer = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or answer >= ORDER:
        return False
    expected = _add(commitment, _times(_challenge(signature[:32], public, message), key))
    return _same(_times(answer, BASE), expected)


# Signed notes, checkpoints, consistency (C2SP, RFC 6962) ------------------------------------------------------------


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes that name a key in a signature."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def verifier_key(name: str, kind: int, public: bytes) -> str:
    """The line that gives a public key to whoever verifies."""
    return f"{name}+{key_id(name, kind, public).hex()}+{base64.b64encode(bytes([kind]) + public).decode()}"


def read_verifier_key(line: str) -> tuple[str, bytes]:
    """Name and public key of a log. Raises ValueError."""
    name, _, rest = line.strip().partition("+")
    identifier, _, encoded = rest.partition("+")
    raw = unbase64(encoded)
    if (
        not NAME.fullmatch(name)
        or len(raw) != 1 + KEY_BYTES
        or raw[0] != LOG_KEY
        or key_id(name, *_split(raw)).hex() != identifier
    ):
        raise ValueError("ce n’est pas la clé d’un registre : recopiez la ligne que donne son adresse « …/key »")
    return name, raw[1:]


def _split(raw: bytes) -> tuple[int, bytes]:
    return raw[0], raw[1:]


def unbase64(text: str) -> bytes:
    """Strict base64. Raises ValueError."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("base64 non canonique")
    return raw


def read_request(body: bytes) -> tuple[int, list[bytes], bytes, list[str]]:
    """Old size, proof, text of the checkpoint and lines of signature. Raises ValueError."""
    head, blank, note = body.decode().partition("\n\n")
    first, *proof = head.split("\n")
    text, other, signatures = note.rpartition("\n\n")
    if (
        not blank
        or not other
        or not first.startswith("old ")
        or not SIZE.fullmatch(first[4:])
        or len(proof) > MAX_PROOF
    ):
        raise ValueError("requête mal formée")
    hashes = [unbase64(line) for line in proof]
    if any(len(each) != HASH_BYTES for each in hashes) or not signatures.endswith("\n"):
        raise ValueError("preuve ou signatures mal formées")
    return int(first[4:]), hashes, text.encode() + b"\n", signatures.rstrip("\n").split("\n")


def read_checkpoint(text: bytes) -> tuple[str, int, bytes]:
    """Origin, size and root; extension lines are signed but ignored. Raises ValueError."""
    lines = text.decode().split("\n")
    if len(lines) <= CHECKPOINT_LINES or lines[-1] or not all(lines[:-1]) or not SIZE.fullmatch(lines[1]):
        raise ValueError("état mal formé")
    root = unbase64(lines[2])
    if len(root) != HASH_BYTES:
        raise ValueError("racine mal formée")
    return lines[0], int(lines[1]), root


def signed_by(name: str, public: bytes, text: bytes, lines: Sequence[str]) -> bool:
    """Whether one of the lines is a good signature of that log; lines of other keys are passed over."""
    wanted = key_id(name, LOG_KEY, public)
    for line in lines:
        dash, _, rest = line.partition(" ")
        who, _, encoded = rest.partition(" ")
        if dash != "\u2014" or who != name:
            continue
        with contextlib.suppress(ValueError):
            raw = unbase64(encoded)
            if raw[:4] == wanted and verify(public, text, raw[4:]):
                return True
    return False


def prolongs(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if old in (0, new):
        return not proof and (old_root == new_root or 0 == old < new)
    if not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if not last:
            return False
        if node & 1 or node == last:
            before, after = _node(sibling, before), _node(sibling, after)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            after = _node(after, sibling)
        node, last = node >> 1, last >> 1
    return not last and before == old_root and after == new_root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


# What the witness remembers -----------------------------------------------------------------------------------------


class Witness:
    """The last state cosigned of each log, kept in a database that survives any stop."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "key").is_file() or not (folder / "witness.db").is_file():
            raise ValueError(
                f"« {folder} » n’est pas le dossier complet d’un témoin. S’il en manque une partie, "
                "ce témoin ne doit plus signer : créez-en un autre, sous un autre nom."
            )
        self.name, encoded = (folder / "key").read_text(encoding="utf-8").split()
        self._seed = unbase64(encoded)
        self._path = folder / "witness.db"

    @staticmethod
    def create(folder: Path, name: str) -> Witness:
        """A new witness, in a folder that does not exist yet. Raises ValueError."""
        if not NAME.fullmatch(name):
            raise ValueError("le nom du témoin est une adresse sans espace ni « + », comme temoin.exemple.fr")
        try:
            folder.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            raise ValueError(f"« {folder} » existe déjà : choisissez un dossier nouveau") from None
        with sqlite3.connect(folder / "witness.db") as database:
            database.execute("CREATE TABLE log (origin TEXT PRIMARY KEY, key BLOB NOT NULL, size INTEGER, root BLOB)")
        database.close()
        handle = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(f"{name} {base64.b64encode(secrets.token_bytes(32)).decode()}\n")
        return Witness(folder)

    @property
    def verifier_key(self) -> str:
        """What whoever trusts this witness must know."""
        return verifier_key(self.name, WITNESS_KEY, public_key(self._seed))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The check and the change of what is remembered are one: nobody else writes between them."""
        database = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous=FULL")
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")
        finally:
            database.close()  # what was not committed is undone

    def follow(self, line: str) -> str:
        """Follow a log, by its verifier key; returns its origin. Raises ValueError."""
        origin, public = read_verifier_key(line)
        with self._writing() as database:
            known = database.execute("SELECT key FROM log WHERE origin = ?", (origin,)).fetchone()
            if known and known[0] != public:
                raise ValueError(f"« {origin} » est déjà suivi sous une autre clé : ce changement doit être expliqué")
            database.execute("INSERT OR IGNORE INTO log VALUES (?, ?, NULL, NULL)", (origin, public))
        return origin

    def add_checkpoint(self, body: bytes, now: int) -> str:
        """The cosignature of a checkpoint that prolongs the last one cosigned. Raises Refused."""
        try:
            old, proof, text, lines = read_request(body)
            origin, size, root = read_checkpoint(text)
        except ValueError as error:
            raise Refused(400, str(error)) from None
        with self._writing() as database:
            log = database.execute("SELECT key, size, root FROM log WHERE origin = ?", (origin,)).fetchone()
            if log is None:
                raise Refused(404, f"registre inconnu : {origin}")
            if not signed_by(origin, log[0], text, lines):
                raise Refused(403, f"état que {origin} n’a pas signé")
            self._check(old, size, root, proof, seen=log[1] or 0, seen_root=log[2] or EMPTY_ROOT)
            database.execute("UPDATE log SET size = ?, root = ? WHERE origin = ?", (size, root, origin))
        signature = sign(self._seed, b"cosignature/v1\ntime %d\n" % now + text)
        raw = key_id(self.name, WITNESS_KEY, public_key(self._seed)) + now.to_bytes(8, "big") + signature
        return f"\u2014 {self.name} {base64.b64encode(raw).decode()}\n"

    @staticmethod
    def _check(old: int, size: int, root: bytes, proof: Sequence[bytes], *, seen: int, seen_root: bytes) -> None:
        if old > size:
            raise Refused(400, "l’ancienne taille dépasse la nouvelle")
        if old != seen:
            raise Refused(409, f"le dernier état cosigné compte {seen} entrées, et non {old}", seen)
        if old == size and seen and root != seen_root:
            raise Refused(409, f"DEUX ÉTATS DIFFÉRENTS DE {size} ENTRÉES : le registre a bifurqué", seen)
        if not prolongs(seen, seen_root, size, root, proof):
            raise Refused(422, "cet état ne prolonge pas le dernier cosigné : entrées changées, ôtées ou réordonnées")


# The web server and the commands ------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    """`POST …/add-checkpoint`; `GET …/key` gives the witness's public key."""

    witness: Witness
    protocol_version = "HTTP/1.1"
    timeout = 20

    def do_GET(self) -> None:
        if self.path.rsplit("/", 1)[-1] == "key":
            self._answer(200, self.witness.verifier_key + "\n")
        else:
            self._answer(404, "Ce témoin répond à POST /add-checkpoint et à GET /key.\n")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._answer(413 if length.isdecimal() else 411, "Longueur absente ou trop grande.\n")
            return
        body = self.rfile.read(int(length))
        if self.path.rsplit("/", 1)[-1] != "add-checkpoint":
            self._answer(404, "Ce témoin répond à POST /add-checkpoint.\n")
            return
        try:
            self._answer(200, self.witness.add_checkpoint(body, int(time.time())))
        except Refused as refusal:
            self.log_message("refus %s : %s", refusal.status, refusal)
            if refusal.size is None:
                self._answer(refusal.status, f"{refusal}\n")
            else:
                self._answer(refusal.status, f"{refusal.size}\n", "text/x.tlog.size")

    def _answer(self, status: int, text: str, content_type: str = "text/plain; charset=utf-8") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def server(witness: Witness, host: str, port: int) -> http.server.ThreadingHTTPServer:
    """A server of that witness, ready for `serve_forever`; port 0 takes a free one."""
    handler = type("BoundHandler", (Handler,), {"witness": witness})
    return http.server.ThreadingHTTPServer((host, port), handler)


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
    """Exit code 0: done; 1: refused, in one line; 2: wrong use."""
    parser = Parser(prog="witness.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in (
        ("init", "créer la clé et la mémoire du témoin"),
        ("add", "suivre un registre de plus"),
        ("key", "afficher la clé publique"),
        ("serve", "cosigner ce qui est demandé"),
    ):
        command = commands.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:])
        command.add_argument("folder", type=Path, metavar="DOSSIER", help="dossier du témoin")
        if name == "init":
            command.add_argument("--name", required=True, help="nom du témoin : une adresse, comme temoin.exemple.fr")
        if name == "add":
            command.add_argument(
                "log",
                nargs="+",
                metavar="REGISTRE",
                help="clé du registre à suivre, telle que la donne son adresse …/key",
            )
        if name == "serve":
            command.add_argument("--host", default="127.0.0.1", help="adresse d’écoute (127.0.0.1)")
            command.add_argument("--port", type=int, default=8900, help="port d’écoute (8900)")
    options = parser.parse_args(arguments)
    try:
        return _run(options)
    except (ValueError, OSError) as error:
        print(f"Refusé : {error}.", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    if options.command == "init":
        print(Witness.create(options.folder, options.name).verifier_key)
        return 0
    witness = Witness(options.folder)
    if options.command == "key":
        print(witness.verifier_key)
    elif options.command == "add":
        for line in options.log:
            print(f"Registre suivi : {witness.follow(line)}")
    else:
        with server(witness, options.host, options.port) as serving:
            print(f"Témoin {witness.name} sur http://{options.host}:{serving.server_port}/add-checkpoint", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                serving.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
