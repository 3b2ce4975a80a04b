"""The security journal is read by the holder of the private key, who is told of what is missing, and by nobody else."""

import base64
import json
import logging
import os
import stat

import pytest

from consult import logs
from consult.errors import InvalidError
from consult.journal import Reader, Sealer, new_pair, public_key


@pytest.fixture
def pair(tmp_path):
    """A private key's file, and the setting."""
    path = tmp_path / "journal.pem"
    return path, new_pair(path)


@pytest.fixture
def journal(tmp_path, pair):
    """A logger that writes to sealed files, and those files."""
    handler = logs.DailyFileHandler(tmp_path / "log" / "security.jsonl", keep_days=365, reader=public_key(pair[1]))
    logger = logging.getLogger("tests.journal")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, lambda: sorted((tmp_path / "log").iterdir())
    logger.removeHandler(handler)
    handler.close()


def write(logger, *events):
    for event in events:
        logger.info(event, extra={"fields": {"address": "192.0.2.7", "account": "c0ffee"}})


def read(pair, file):
    reader = Reader(pair[0].read_bytes())
    return [json.loads(line)["event"] for line in reader.read(file.read_text().splitlines())], reader


def test_what_is_on_disk_says_nothing_and_its_reader_reads_it_whole(journal, pair):
    logger, files = journal
    write(logger, "sign_in", "vote")
    (file,) = files()
    held = file.read_text()
    assert not any(word in held for word in ("192.0.2.7", "c0ffee", "sign_in", "address"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    events, reader = read(pair, file)
    assert events == ["sign_in", "vote"]
    assert (reader.unreadable, reader.missing) == (0, 0)


def test_another_key_reads_nothing_and_says_so(journal, pair, tmp_path):
    logger, files = journal
    write(logger, "sign_in", "vote")
    other = tmp_path / "other.pem"
    new_pair(other)
    events, reader = read((other, ""), files()[0])
    assert (events, reader.unreadable) == ([], 2)


def test_lines_moved_altered_or_missing_are_told(journal, pair):
    logger, files = journal
    write(logger, *"abcde")
    lines = files()[0].read_text().splitlines()
    reader = Reader(pair[0].read_bytes())
    cut = [lines[0], lines[1], *lines[3:]]
    assert [json.loads(line)["event"] for line in reader.read(cut)] == ["a", "c", "d", "e"]
    assert (reader.missing, reader.unreadable) == (1, 0)
    renumbered = lines[2].replace('"line": 1', '"line": 7')
    broken = [lines[0], renumbered, lines[1][:60], "[1]", '{"writer": "x", "line": 0, "sealed": "AA=="}']
    reader = Reader(pair[0].read_bytes())
    assert list(reader.read(broken)) == []
    assert reader.unreadable == 4


def test_a_forked_process_writes_with_a_key_of_its_own(journal, pair):
    """Two processes under one key and one count would seal two lines alike, which opens both."""
    logger, files = journal
    write(logger, "before")
    child = os.fork()
    if child == 0:
        write(logger, "child", "child")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    write(logger, "after")
    lines = [json.loads(line) for line in files()[0].read_text().splitlines()]
    assert len({line["writer"] for line in lines}) == 2
    assert len({(line["writer"], line["line"]) for line in lines if "line" in line}) == 4
    events, reader = read(pair, files()[0])
    assert sorted(events) == ["after", "before", "child", "child"]
    assert (reader.missing, reader.unreadable) == (0, 0)


def test_lines_from_before_there_was_a_key_are_read_too(pair):
    clear = '{"time": "2026-03-02", "event": "vote"}'
    sealer = Sealer(public_key(pair[1]))
    reader = Reader(pair[0].read_bytes())
    assert list(reader.read([clear, sealer.opening, sealer.seal("{}"), ""])) == [clear, "{}"]


def test_the_private_key_is_written_once_and_closed(pair, tmp_path):
    path, setting = pair
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert setting.encode() not in path.read_bytes()
    with pytest.raises(FileExistsError):
        new_pair(path)
    for wrong in (b"", b"-----BEGIN", setting.encode()):
        with pytest.raises(InvalidError, match="clé privée du journal"):
            Reader(wrong)


@pytest.mark.parametrize("wrong", ["é", "AAAA", "x" * 44, base64.b64encode(bytes(32)).decode()])
def test_a_public_key_that_protects_nothing_is_refused(wrong):
    with pytest.raises(ValueError):
        public_key(wrong)
