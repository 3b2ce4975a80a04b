"""What a visitor whom nobody knows gets of a site: by pages, files and programs, each answer as a named document."""

import email
import email.policy
import io
import json
import re
import zipfile
from collections import deque
from collections.abc import Iterator
from urllib.parse import urldefrag, urljoin

import pyarrow.parquet

from consult.mail.jobs import mail_folder
from consult.opendata.envelopes import ROWS
from consult.opendata.queries import key
from tests.integration.visibility.square import Square

Document = tuple[str, str]
_LINK = re.compile(r'<a [^>]*href="([^"]+)"')
_ELSEWHERE = ("/static/", "/aide/", "/donnees-ouvertes/", "/catalog.", "/connexion", "/inscription", "/registry/")


class Replica:
    """A copy kept by the feed of changes, from the cursor where it stopped; all that was ever told is kept aside."""

    def __init__(self, square: Square) -> None:
        self._square, self._cursor, self.rows = square, "", {}

    def follow(self) -> list[Document]:
        """Apply what is new; gives it, and what the copy holds afterwards."""
        told = []
        while True:
            page = _json(self._square, f"changes?limit=7&cursor={self._cursor}")
            self._cursor = page["next"]
            for change in page["data"]:
                told.append((f"change {change['id']}", json.dumps(change, ensure_ascii=False)))
                if change["action"] == "put":
                    self.rows[change["dataset"], change["id"]] = change["row"]
                else:
                    self.rows.pop((change["dataset"], change["id"]), None)
            if not page["more"]:
                kept = [(" ".join(name), json.dumps(row, ensure_ascii=False)) for name, row in self.rows.items()]
                return told + kept

    def lists(self) -> dict[str, dict[str, object]]:
        """What the copy says of each list, by id."""
        found: dict[str, dict[str, object]] = {}
        for (dataset, item), row in self.rows.items():
            found.setdefault(dataset, {})[item] = row
        return found


def _json(square: Square, path: str):
    reply = square.visitor.get(f"/api/v1/consultations/{square.open.slug}/{path}")
    assert reply.status_code == 200, (path, reply.text)
    return reply.get_json()


def status(square: Square, path: str) -> int:
    """What a visitor is answered at an address."""
    with square.visitor.get(path) as reply:
        return reply.status_code


def lists(square: Square) -> dict[str, dict[str, object]]:
    """The rows of each list of the API, by id, read by small pages."""
    found: dict[str, dict[str, object]] = {}
    for name in ROWS:
        cursor = ""
        while cursor is not None:
            page = _json(square, f"{name}?limit=5&cursor={cursor}")
            found.setdefault(name, {}).update({key(row): row for row in page["data"]})
            cursor = page["next"]
    return found


def api(square: Square) -> Iterator[Document]:
    """Every row of every list, and what is not a list."""
    for name, rows in lists(square).items():
        yield from ((f"{name} {item}", json.dumps(row, ensure_ascii=False)) for item, row in rows.items())
    for path in ("", "/questionnaires", "/exports", "/results"):
        yield path, square.visitor.get(f"/api/v1/consultations/{square.open.slug}{path}").text
    yield "consultations", square.visitor.get("/api/v1/consultations").text


def pages(square: Square) -> Iterator[Document]:
    """Every page that links lead to from the home page, and the page and history of each content."""
    addresses = [each.address for each in square.contents]
    addresses += [f"{each.address}/versions" for each in square.contents if each.type == "proposal"]
    addresses += [f"/arguments/{each.id}/versions" for each in square.contents if each.type == "argument"]
    waiting, known = deque(["/", "/sitemap.xml", *(urldefrag(each)[0] for each in addresses)]), set()
    while waiting:
        path = waiting.popleft()
        if path in known or path.startswith(_ELSEWHERE):
            continue
        known.add(path)
        with square.visitor.get(path) as reply:
            assert reply.status_code in {200, 303, 404, 410}, (path, reply.status_code)
            text = reply.text
        yield path, text
        links = (urljoin(path, each.replace("&amp;", "&")) for each in _LINK.findall(text))
        waiting += [urldefrag(each)[0] for each in links if each.startswith("/")]


def search(square: Square) -> Iterator[Document]:
    """What is found by a word of each content: the word itself, which the page repeats, is no finding."""
    for content in square.contents:
        word = content.words[-1]
        for step in (square.step, square.asked):
            path = f"/consultations/{square.open.slug}/{step.slug}?q={word}"
            yield f"found by {word}", square.visitor.get(path).text.replace(word, "")


def dump(square: Square) -> Iterator[Document]:
    """Every row, sheet and text of every file of the dump of the consultation and of that of the organisation."""
    exported = _json(square, "exports")["data"]
    assert exported, "no dump is served"
    names = [f"/donnees-ouvertes/{square.open.slug}/{each['name']}" for each in exported[0]["files"]]
    whole = _LINK.findall(square.visitor.get("/donnees-ouvertes").text)
    names += [each for each in whole if re.fullmatch(r"/donnees-ouvertes/[^/]+\.\w+", each)]
    assert len(names) > len(exported[0]["files"]), "no whole dump is served"
    for name in names:
        with square.visitor.get(name) as reply:
            assert reply.status_code == 200, name
            yield from _unpacked(name, reply.data)


def _unpacked(name: str, content: bytes) -> Iterator[Document]:
    if zipfile.is_zipfile(io.BytesIO(content)):  # archives and workbooks
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            for member in opened.namelist():
                yield from _unpacked(f"{name} {member}", opened.read(member))
    elif name.endswith(".parquet"):
        for row in pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist():
            yield name, json.dumps(row, ensure_ascii=False, default=str)
    else:
        yield from ((name, line) for line in re.split(r"\n|</row>|</table:table-row>", content.decode()))


def log(square: Square) -> Iterator[Document]:
    """The files of the log, and what its entries commit to."""
    base = f"/registry/{square.organisation.slug}"
    for path in ("checkpoint", "key", "programs", "census", "openings/000"):
        yield from ((path, line) for line in square.visitor.get(f"{base}/{path}").text.splitlines())
    folder = square.settings.registry_path / square.organisation.slug
    tiles = [each.relative_to(folder).as_posix() for each in folder.glob("tile/**/*") if each.is_file()]
    assert tiles
    for path in tiles:
        reply = square.visitor.get(f"{base}/{path}")
        assert reply.status_code == 200
        yield path, reply.data.decode("latin-1")


def openings(square: Square) -> Iterator[dict[str, object]]:
    """What each entry of the log commits to, where it may be read."""
    lines = square.visitor.get(f"/registry/{square.organisation.slug}/openings/000").text.splitlines()
    return (each for each in map(json.loads, lines) if "salt" in each)


def catalogue(square: Square) -> Iterator[Document]:
    """What describes the data to other sites, and pages to search engines."""
    for path in ("/catalog.jsonld", "/catalog.ttl", "/catalog.rdf", "/sitemap.xml", "/robots.txt"):
        yield path, square.visitor.get(path).text


def mail(square: Square) -> Iterator[Document]:
    """Every mail sent, whoever receives it."""
    for path in mail_folder(square.settings).glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        parts = (each.get_content() for each in message.walk() if not each.is_multipart())
        yield str(message["To"]), "\n".join([str(message["Subject"]), *parts])
