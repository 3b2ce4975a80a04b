"""The log asks its witnesses, real processes over real HTTP, and waits for none of them (AT-B.6, AT-20.2)."""

import contextlib
import http.server
import logging
import shutil
import socket
import threading
import time
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consult.registry import cosigning, notes, tree
from consult.registry.cosigning import Witness
from consult.registry.models import EntryKind
from consult.registry.store import Store
from consult.settings import Settings, UnsafeSettingsError
from tests.integration.registry.scene import publish_log, verify
from tests.integration.registry.witnesses import command, made, serving
from tests.registers import HOST, SEED, Published, act, sequencer, tamper
from tests.servers import free_port, wait_until

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`

LOG = notes.SigningKey(SEED, f"{HOST}/registry/agence").verifier
ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def watchers(tmp_path):
    """Two witnesses that follow the log, and the context in which each serves."""
    found = []
    for name in ("un.example", "deux.example"):
        key, port = made(tmp_path / name, name, LOG), free_port()
        witness = Witness(f"http://127.0.0.1:{port}", key)
        found.append((witness, lambda folder=tmp_path / name, port=port: serving(folder, port)))
    return found


def cosigners(folder, store="first"):
    """Who cosigned the state that is served, each cosignature verified."""
    note = (folder / store / "agence/checkpoint").read_bytes()
    text, lines = notes.split(note)
    keys = [notes.VerifierKey.parse(command("key", folder / name).stdout) for name in ("un.example", "deux.example")]
    return {key.name for key in notes.signers(text, lines, keys)}


def test_what_is_published_gets_every_cosignature_and_goes_on_without_a_witness(
    database, organisation_id, now, tmp_path, watchers
):
    (first, start_first), (second, start_second) = watchers
    working = sequencer(database, tmp_path, witnesses=(first, second))
    with start_second():
        with start_first():
            act(database, organisation_id, now, count=300)
            working.run_until_settled()
            assert cosigners(tmp_path) == cosigners(tmp_path, "second") == {"un.example", "deux.example"}
        # One is killed: publication goes on, and the other cosigns.
        act(database, organisation_id, now, count=5)
        working.run_until_settled()
        assert Published(tmp_path / "first").checkpoint.size == 305
        assert cosigners(tmp_path) == {"deux.example"}
    store = Store(tmp_path / "first")
    assert cosigning.cosigned(store, "agence", LOG, first.key).checkpoint.size == 300
    assert cosigning.cosigned(store, "agence", LOG, second.key).checkpoint.size == 305
    # Both are back, and another sequencer takes over: it learns from the files where each stands.
    with start_first(), start_second():
        act(database, organisation_id, now, count=300)
        again = sequencer(database, tmp_path, witnesses=(first, second))
        again.run_until_settled()
        assert cosigners(tmp_path) == {"un.example", "deux.example"}
        # What the files forgot, the witness tells (409), and it is asked again from there.
        shutil.rmtree(tmp_path / "first/agence/cosigned")
        act(database, organisation_id, now)
        sequencer(database, tmp_path, witnesses=(first, second)).run_until_settled()
        assert cosigners(tmp_path) == {"un.example", "deux.example"}
    assert len(notes.split(Published(tmp_path / "first").note)[1]) == 3


@ONE
@pytest.mark.parametrize("history", ["forked", "rolled back"])
def test_a_witness_refuses_a_log_that_was_made_anew(
    database, organisation_id, now, tmp_path, watchers, caplog, history
):
    (first, start), _ = watchers
    with start():
        act(database, organisation_id, now, count=20)
        sequencer(database, tmp_path, witnesses=(first,)).run_until_settled()
        assert cosigners(tmp_path) == {"un.example"}
        for store in ("first", "second"):
            shutil.rmtree(tmp_path / store)
        tamper(
            database,
            "UPDATE registry_log SET size = 0, signed_size = 0, signed_root = NULL",
            "UPDATE registry_entry SET position = NULL",
            "UPDATE registry_entry SET commitment = zeroblob(32) WHERE id = 3"
            if history == "forked"
            else "DELETE FROM registry_entry WHERE id > 12",
        )
        with caplog.at_level(logging.WARNING):
            sequencer(database, tmp_path, witnesses=(first,)).run_until_settled()
    assert Published(tmp_path / "first").checkpoint.size == (20 if history == "forked" else 12)
    assert cosigners(tmp_path) == set()
    (record,) = [each for each in caplog.records if each.message == "no cosignature"]
    assert ("un autre état de 20" if history == "forked" else "a cosigné 20 entrées, plus que les 12") in record.why


@contextlib.contextmanager
def answering(reply):
    """A stranger that answers `reply(body)`: status, headers, body; gives its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, body = reply(asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Liar:
    """A witness whose key we hold, so that it can sign whatever it likes."""

    def __init__(self):
        self.private = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
        public = self.private.public_key().public_bytes_raw()
        self.key = notes.VerifierKey("menteur.example", public, notes.WITNESS_KEY)

    def line(self, text, second, key=None):
        signature = self.private.sign(b"cosignature/v1\ntime %d\n" % second + text)
        return notes.signature_line(key or self.key, second.to_bytes(8, "big") + signature)


def text_of(body):
    return notes.split(body.split(b"\n\n", 1)[1])[0]


LIAR, NOW = Liar(), int(time.time())
LIES = {
    "another state": lambda text: (200, {}, LIAR.line(text.replace(b"agence", b"autre"), NOW)),
    "a date to come": lambda text: (200, {}, LIAR.line(text, NOW + 86_400)),
    "a date beyond calendars": lambda text: (200, {}, LIAR.line(text, 2**63)),
    "another name": lambda text: (200, {}, LIAR.line(text, NOW, replace(LIAR.key, name=LOG.name))),
    "another key": lambda text: (200, {}, LIAR.line(text, NOW, replace(LIAR.key, public=b"\x01" * 32))),
    "no line": lambda text: (200, {}, b""),
    "no text": lambda text: (200, {}, b"\xff\x00" * 3_000),
    "a page": lambda text: (200, {}, b"<html>" + b"x" * 100_000),
    "an impossible size": lambda text: (409, {}, b"9" * 40),
    "no size": lambda text: (409, {}, b"douze"),
    "a larger size": lambda text: (409, {}, b"4000"),
    "the same size always": lambda text: (409, {}, b"2"),
    "a redirection": lambda text: (307, {"Location": "http://127.0.0.1:1/"}, b""),
    "an error": lambda text: (500, {}, b"?"),
}


@ONE
@pytest.mark.parametrize("lie", LIES)
def test_what_a_lying_witness_says_never_enters(database, organisation_id, now, tmp_path, lie):
    act(database, organisation_id, now, count=3)
    with answering(lambda body: LIES[lie](text_of(body))) as address:
        sequencer(database, tmp_path, witnesses=(Witness(address, LIAR.key),)).run_until_settled()
    note = Published(tmp_path / "first").note
    assert len(notes.split(note)[1]) == 1
    assert not (tmp_path / "first/agence/cosigned").exists()
    honest = lambda body: (200, {}, b"\n".join([LIAR.line(text_of(body), NOW), b""]))  # noqa: E731  # beside the lies
    with answering(honest) as address:
        sequencer(database, tmp_path, witnesses=(Witness(address, LIAR.key),)).run_until_settled()
    assert len(notes.split(Published(tmp_path / "first").note)[1]) == 2


def test_a_witness_that_hangs_delays_neither_the_log_nor_the_other(database, organisation_id, now, tmp_path, watchers):
    (first, start), _ = watchers
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as deaf, start():
        hung = Witness(f"http://127.0.0.1:{deaf.getsockname()[1]}", LIAR.key)
        working = sequencer(database, tmp_path, witnesses=(hung, first))
        thread = threading.Thread(target=working.run_forever, args=[stop])
        thread.start()
        try:
            for size in (3, 6, 9):
                act(database, organisation_id, now, count=3)
                file, begun = tmp_path / "first/agence/checkpoint", time.monotonic()
                wait_until(lambda file=file, size=size: file.exists() and b"\n%d\n" % size in file.read_bytes())
                assert time.monotonic() - begun < cosigning.TIMEOUT_SECONDS / 2
            wait_until(lambda: cosigners(tmp_path) == {"un.example"}, what="the cosignature of the other")
        finally:
            stop.set()
            thread.join(20)
    assert not thread.is_alive()


@ONE
def test_a_state_that_was_followed_by_another_is_not_served_again(database, organisation_id, now, tmp_path):
    """A cosignature that comes too late is kept beside, not put in the place of a newer state."""
    working = sequencer(database, tmp_path)
    late = []

    def slow(body):
        act(database, organisation_id, now)
        late.append(working.run_once())
        return 200, {}, LIAR.line(text_of(body), NOW)

    act(database, organisation_id, now, count=2)
    working.run_until_settled()
    with answering(slow) as address:
        sequencer(database, tmp_path, witnesses=(Witness(address, LIAR.key),)).run_until_settled()
    assert late
    assert Published(tmp_path / "first").checkpoint.size == Published(tmp_path / "second").checkpoint.size == 3
    assert len(notes.split(Published(tmp_path / "first").note)[1]) == 1
    assert cosigning.cosigned(Store(tmp_path / "first"), "agence", LOG, LIAR.key).checkpoint.size == 2


# Settings, pages, commands ------------------------------------------------------------------------------------------


def test_witnesses_are_given_by_address_and_key():
    wanted = f"https://un.example/temoin/ {LIAR.key}"
    (found,) = cosigning.configured(Settings(registry_witnesses=f" {wanted} ,"))
    assert (found.address, found.key) == ("https://un.example/temoin", LIAR.key)
    assert cosigning.configured(Settings()) == ()


@pytest.mark.parametrize(
    "value",
    [
        "https://un.example",
        str(LIAR.key),
        f"file:///etc/passwd {LIAR.key}",
        f"https:// {LIAR.key}",
        f"https://un.example {LOG}",
        f"https://un.example {LIAR.key}".replace("menteur", "autre"),
        f"https://un.example {LIAR.key}, https://deux.example {LIAR.key}",
    ],
)
def test_a_witness_written_wrongly_is_refused_in_french(value):
    with pytest.raises(UnsafeSettingsError, match="CONSULT_REGISTRY_WITNESSES"):
        cosigning.configured(Settings(registry_witnesses=value))


@ONE
def test_the_page_of_the_logs_shows_each_witness_and_its_last_cosignature(
    app, monkeypatch, settings, database, organisation_id, now, tmp_path, watchers
):
    (first, start), (second, _) = watchers
    act(database, organisation_id, now, count=7)
    with start():
        sequencer(database, tmp_path, witnesses=(first, second)).run_until_settled()
    shutil.copytree(tmp_path / "first", settings.registry_path)
    monkeypatch.setitem(app.extensions, "witnesses", (first, second))
    client = app.test_client()
    page = client.get("/registry/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.mimetype, page.headers["Vary"]) == (200, "text/html", "Accept, Cookie")
    said = page.get_data(as_text=True)
    assert "un.example" in said
    assert f"/registry/agence/cosigned/{first.key.id.hex()}" in said
    assert "Rien de cosigné à ce jour" in said
    assert client.get("/registry/").json[0]["organisation"] == "agence"
    given = client.get(f"/registry/agence/cosigned/{first.key.id.hex()}")
    assert notes.open_checkpoint(given.data, LOG).size == 7
    for hostile in ("../key", "..%2fkey", "ABCDEF01", "1234567", "123456789", second.key.id.hex(), "%00"):
        assert client.get(f"/registry/agence/cosigned/{hostile}").status_code == 404, hostile


def test_consult_witness_runs_the_single_file(tmp_path, capfd):
    from consult.cli import cli

    assert cli.main(["witness", "init", str(tmp_path / "w"), "--name", "w.example"], standalone_mode=False) == 0
    key = notes.VerifierKey.parse(capfd.readouterr().out)
    assert (key.name, key.type) == ("w.example", notes.WITNESS_KEY)
    assert cli.main(["witness", "init", str(tmp_path / "w"), "--name", "w.example"], standalone_mode=False) == 1
    with pytest.raises(SystemExit):
        cli.main(["witness", "--help"], standalone_mode=False)
    assert "witness.py serve DOSSIER" in capfd.readouterr().out


# The verifier -------------------------------------------------------------------------------------------------------


@ONE
class TestVerifier:
    @pytest.fixture
    def site(self, database, organisation_id, now, tmp_path, watchers):
        """A log of 20 entries, signed at 5, 12 and 20, of which one witness has cosigned 12, the other nothing."""
        (first, start), (second, _) = watchers
        act(database, organisation_id, now, count=5, kind=EntryKind.RELEASE)
        sequencer(database, tmp_path).run_until_settled()
        act(database, organisation_id, now, count=7, kind=EntryKind.RELEASE)
        with start():
            sequencer(database, tmp_path, witnesses=(first,)).run_until_settled()
        act(database, organisation_id, now, count=8, kind=EntryKind.RELEASE)
        sequencer(database, tmp_path).run_until_settled()
        publish_log(database, tmp_path, tmp_path / "site")
        return tmp_path / "site", first.key, second.key

    def test_a_witness_that_has_not_seen_the_last_entries_is_told(self, site, tmp_path):
        folder, first, second = site
        code, frauds, said = verify(folder, tmp_path, "--witness", first)
        assert (code, frauds) == (0, []), said
        assert "un.example a cosigné l’état n° 12" in said
        assert "les 8 entrées suivantes" in said
        code, frauds, _ = verify(folder, tmp_path, "--witness", second)
        assert (code, [each["fraud"] for each in frauds]) == (1, ["signature"])

    def test_a_log_that_is_not_the_one_a_witness_saw_is_a_fork(self, site, database, tmp_path):
        folder, first, _ = site
        kept = (folder / "registry/agence/cosigned").rename(tmp_path / "kept")
        for store in ("first", "second"):
            shutil.rmtree(tmp_path / store)
        tamper(
            database,
            "UPDATE registry_log SET size = 0, signed_size = 0, signed_root = NULL",
            "UPDATE registry_entry SET position = NULL",
            "UPDATE registry_entry SET recorded_at = '2026-03-02 08:00:00.000000' WHERE id = 3",
        )
        sequencer(database, tmp_path).run_until_settled()
        shutil.rmtree(folder)
        publish_log(database, tmp_path, folder)
        assert verify(folder, tmp_path)[0] == 0
        shutil.copytree(kept, folder / "registry/agence/cosigned")
        code, frauds, _ = verify(folder, tmp_path, "--witness", first)
        assert (code, [each["fraud"] for each in frauds]) == (1, ["fork"])

    def test_a_state_older_than_the_one_cosigned_is_a_rollback(self, site, tmp_path):
        folder, first, _ = site
        old = (folder / "registry/agence/cosigned" / first.id.hex()).read_bytes()
        (folder / "registry/agence/checkpoint").write_bytes(old)
        assert verify(folder, tmp_path, "--witness", first)[0] == 0  # an older state, whole
        root = tree.Frontier(Published(tmp_path / "first").leaves[:5]).root()
        shorter = notes.Checkpoint(LOG.name, 5, root)
        (folder / "registry/agence/checkpoint").write_bytes(notes.SigningKey(SEED, LOG.name).sign(shorter.text))
        code, frauds, _ = verify(folder, tmp_path, "--witness", first)
        assert (code, [each["fraud"] for each in frauds]) == (1, ["rollback"])
