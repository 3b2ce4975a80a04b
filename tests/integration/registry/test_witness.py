"""Witnesses run as the single file they are, in processes of their own, and refuse a fork and a rollback (AT-B.6)."""

import ast
import contextlib
import http.client
import secrets
import sqlite3
import sys
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consult.registry import notes, tree, witness
from tests.integration.registry import witnesses
from tests.integration.registry.witnesses import FILE, command, serving

ORIGIN = "consult.example/registry/ministere"


class Log:
    """A log of our own making, which can fork."""

    def __init__(self, leaves, key=None):
        self.leaves = [tree.leaf_hash(leaf) for leaf in leaves]
        self.key = key or notes.SigningKey(bytes(32), ORIGIN)

    def _read(self, level, index):
        return tree.complete_root(self.leaves[index << level : (index + 1) << level])

    def request(self, old, size, *, sign=True):
        """The body of add-checkpoint from `old` to `size`."""
        proof = tree.consistency_proof(self._read, old, size) if 0 < old < size else []
        text = notes.Checkpoint(ORIGIN, size, tree.root(self._read, size)).text
        head = "".join(f"{line}\n" for line in [f"old {old}", *(b64encode(each).decode() for each in proof)])
        stranger = notes.SigningKey(secrets.token_bytes(32), ORIGIN)
        return head.encode() + b"\n" + (self.key if sign else stranger).sign(text)


def entries(count, changed=None):
    return [b"entry %d" % number if number != changed else b"other" for number in range(count)]


def post(port, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/add-checkpoint", body)
    answer = connection.getresponse()
    found = answer.status, answer.read(), answer.getheader("Content-Type")
    connection.close()
    return found


def made(folder, name, log):
    return witnesses.made(folder, name, log.key.verifier)


@pytest.fixture
def log():
    return Log(entries(70))


@pytest.mark.slow
def test_two_witnesses_cosign_what_grows_and_refuse_a_fork_and_a_rollback(tmp_path, log):
    fork = Log(entries(70, changed=5))
    for name in ("w1.example", "w2.example"):
        key = made(tmp_path / name, name, log)
        with serving(tmp_path / name) as port:
            for old, size in ((0, 3), (3, 64), (64, 64), (64, 70)):
                status, line, _ = post(port, log.request(old, size))
                assert status == 200
                text, _ = notes.split(log.request(old, size).split(b"\n\n", 1)[1])
                assert notes.signers(text, [line], [key])
            assert post(port, log.request(70, 70))[0] == 200
            status, size, kind = post(port, fork.request(70, 70))
            assert (status, size, kind) == (409, b"70\n", "text/x.tlog.size")
            assert post(port, log.request(64, 69))[0] == 409  # a rollback
        with serving(tmp_path / name) as port:  # it remembers across restarts
            assert post(port, log.request(0, 64))[:2] == (409, b"70\n")
            longer = Log(entries(90, changed=5))
            assert post(port, longer.request(70, 90))[0] == 422
            assert post(port, Log(entries(90)).request(70, 90))[0] == 200


def test_a_witness_answers_as_the_specification_says(tmp_path, log):
    made(tmp_path / "w", "w.example", log)
    good = log.request(0, 8)
    with serving(tmp_path / "w") as port:
        assert post(port, log.request(0, 8, sign=False))[0] == 403
        assert post(port, good.replace(ORIGIN.encode(), b"elsewhere.example/log"))[0] == 404
        assert post(port, good.replace(b"old 0", b"old 9"))[0] == 400
        assert post(port, good.replace(b"old 0", b"old 00"))[0] == 400
        assert post(port, b"\xff" * 50)[0] == 400
        assert post(port, b"x" * (witness.MAX_BODY + 1))[0] == 413
        assert post(port, good.replace(b"old 0\n", b"old 0\n" + b64encode(bytes(32)) + b"\n"))[0] == 422
        empty = notes.Checkpoint(ORIGIN, 0, bytes(32)).text
        assert post(port, b"old 0\n\n" + log.key.sign(empty))[0] == 422  # the empty tree has one root
        assert post(port, good)[0] == 200


def test_many_requests_at_once_never_take_it_back(tmp_path, log):
    made(tmp_path / "w", "w.example", log)
    seen = witness.Witness(tmp_path / "w")
    seen.add_checkpoint(log.request(0, 10), 1)
    bodies = [log.request(10, size) for size in range(11, 40)]

    def add(body):
        try:
            return seen.add_checkpoint(body, 1)
        except witness.Refused as refusal:
            return refusal.status

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(add, bodies))
    assert sum(isinstance(each, str) for each in found) == 1
    assert set(found) - {409} == {each for each in found if isinstance(each, str)}


def test_a_witness_that_lost_its_memory_does_not_start(tmp_path, log):
    made(tmp_path / "w", "w.example", log)
    (tmp_path / "w" / "witness.db").unlink()
    done = command("key", tmp_path / "w")
    assert done.returncode == 1
    assert "ne doit plus signer" in done.stderr
    assert command("init", tmp_path / "w", "--name", "w.example").returncode == 1


def test_a_log_that_changes_its_key_is_refused_in_french(tmp_path, log):
    made(tmp_path / "w", "w.example", log)
    other = notes.SigningKey(bytes([1] * 32), ORIGIN)
    done = command("add", tmp_path / "w", other.verifier)
    assert done.returncode == 1
    assert "sous une autre clé" in done.stderr
    assert command("add", tmp_path / "w", "rien").returncode == 1


def test_its_signatures_are_those_of_an_independent_implementation():
    for size in (0, 1, 40, 300):
        seed, message = secrets.token_bytes(32), secrets.token_bytes(size)
        private = Ed25519PrivateKey.from_private_bytes(seed)
        assert witness.public_key(seed) == private.public_key().public_bytes_raw()
        assert witness.sign(seed, message) == private.sign(message)
        assert witness.verify(witness.public_key(seed), message, private.sign(message))
        assert not witness.verify(witness.public_key(seed), message + b"x", private.sign(message))
        broken = bytearray(private.sign(message))
        broken[size % 64] ^= 1
        assert not witness.verify(witness.public_key(seed), message, bytes(broken))


def test_the_file_needs_the_standard_library_alone():
    names = set()
    for node in ast.walk(ast.parse(FILE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(each.name.split(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    assert names <= sys.stdlib_module_names


def test_what_it_keeps_can_be_read_by_nobody_else(tmp_path, log):
    made(tmp_path / "w", "w.example", log)
    assert (tmp_path / "w").stat().st_mode & 0o077 == 0
    assert (tmp_path / "w" / "key").stat().st_mode & 0o077 == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "w" / "witness.db")) as database:
        assert database.execute("SELECT origin, size FROM log").fetchall() == [(ORIGIN, None)]
