"""A signed log of many votes and the open dump that shows them, made of bytes alone: what a third party verifies."""

import base64
import datetime as dt
import hashlib
import json
import random
import uuid
from pathlib import Path

from consult.registry import entries, notes, publishing
from consult.registry.edge import Edge
from consult.registry.models import EntryKind
from consult.registry.service import commitment
from consult.registry.store import CHECKPOINT, KEY
from consult.registry.tiles import WIDTH, index_path
from consult.registry.verifier import canonical

SLUG = "consultation"
AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HOUR, END = "2026-03-02T09:00:00Z", "2026-03-12T09:00:00Z"
PER_CONTENT = 100  # votes on each content
VALUES = ("for", "mixed", "against")


class Made:
    """A folder that a third party could have downloaded: one consultation, `votes` votes; deterministic."""

    def __init__(self, folder: Path, votes: int) -> None:
        self.folder, self.votes = folder, votes
        self._chance = random.Random(7)
        self._edge, self._entries, self._openings = Edge(), [], []
        self._log = folder / "registry/agence"
        self.consultation, self.step = self._id(), self._id()
        for path in (self._log / "openings", folder / SLUG):
            path.mkdir(parents=True)
        self._write()

    def _id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128)))

    def _append(self, kind: EntryKind, content: dict) -> None:
        salt, ref = self._chance.randbytes(32), self._chance.randbytes(16).hex()
        self._entries.append(entries.encode(AT, commitment(salt, content), uuid.UUID(self.consultation), kind, ref))
        position = self._edge.size + len(self._entries) - 1
        self._openings.append(json.dumps({"position": position, "ref": ref, "salt": salt.hex(), "content": content}))
        if len(self._entries) == WIDTH:
            self._flush()

    def _flush(self) -> None:
        index = self._edge.size // WIDTH
        for tile, content in self._edge.extend(self._entries).items():
            path = self._log / tile.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        path = self._log / "openings" / index_path(index)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(self._openings) + "\n", encoding="utf-8")
        self._entries, self._openings = [], []

    def _write(self) -> None:
        dates = {"opens_at": HOUR, "closes_at": END}
        rules = {"steps": [{"id": self.step, **dates, "rules": {}}], **dates}
        digest = hashlib.sha256(canonical(rules).encode()).hexdigest()
        self._append(EntryKind.RULES, {"rules": rules, "digest": digest})
        self._append(EntryKind.OPENED, {"consultation": self.consultation})
        contents = [self._id() for _ in range(self.votes // PER_CONTENT)]
        dump = self.folder / SLUG
        with (dump / "contributions.ndjson").open("w", encoding="utf-8") as rows:
            tallies = {each: dict.fromkeys(VALUES, 0) for each in contents}
            self._contents(contents)
            self._votes(contents, tallies)
            for each in contents:
                rows.write(json.dumps(self._row(each, tallies[each])) + "\n")
        if self._entries:
            self._flush()
        for name, row in (
            ("consultation", {"id": self.consultation, "slug": SLUG}),
            ("steps", {"id": self.step, "slug": "etape", **dates}),
        ):
            (dump / f"{name}.ndjson").write_text(json.dumps(row) + "\n")
        manifest = {"consultation": SLUG, "organisation": "agence", "position": self._edge.size, "pending": []}
        (dump / "manifest.json").write_text(json.dumps(manifest))
        (self.folder / "registry/index.json").write_text(json.dumps([{"organisation": "agence"}]))
        key = notes.SigningKey(bytes(32), "consultations.example/registry/agence")
        checkpoint = notes.Checkpoint(key.verifier.name, self._edge.size, self._edge.root())
        (self._log / CHECKPOINT).write_bytes(key.sign(checkpoint.text))
        (self._log / KEY).write_bytes(publishing.key_line(key.verifier))

    def _contents(self, contents: list[str]) -> None:
        for each in contents:
            content = {
                "step": self.step, "contribution": each, "version": 1, "theme": None, "author": each[:8] * 4,
                "text_sha256": hashlib.sha256(canonical(_text(each)).encode()).hexdigest(), "created_at": HOUR,
            }  # fmt: skip
            self._append(EntryKind.CONTRIBUTION, content)

    def _votes(self, contents: list[str], tallies: dict[str, dict[str, int]]) -> None:
        voters = [self._chance.randbytes(16).hex() for _ in range(PER_CONTENT * 50)]
        with (self.folder / SLUG / "votes.ndjson").open("w", encoding="utf-8") as rows:
            for target in contents:
                for voter in self._chance.sample(voters, PER_CONTENT):
                    value = self._chance.choice(VALUES)
                    tallies[target][value] += 1
                    content = {"step": self.step, "contribution": target, "version": 1, "value": value, "voter": voter}
                    self._append(EntryKind.VOTE_CAST, content)
                    row = {
                        "id": self._id(), "step": self.step, "target": target, "target_type": "contribution",
                        "value": value, "voter": voter, "origin": "live", "cast_at": HOUR,
                    }  # fmt: skip
                    rows.write(json.dumps(row) + "\n")

    def _row(self, identifier: str, tally: dict[str, int]) -> dict:
        counts = {f"votes_{value}": count for value, count in tally.items()}
        known = {"id": identifier, "status": "published", "created_at": HOUR, "theme": None}
        return known | _text(identifier) | counts

    def hash_all(self) -> int:
        """Hash every byte that a verification reads, file by file; returns how many."""
        total = 0
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                hashlib.sha256(data).digest()
                total += len(data)
        return total


def _text(identifier: str) -> dict[str, str]:
    return {"title": f"Proposition {identifier}", "body": base64.b64encode(identifier.encode()).decode() * 10}
