"""The application log holds no personal data; the security journal is apart, closed, dated, and erased in time."""

import datetime as dt
import json
import logging
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import time_machine

from consult import logs, serving
from consult.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=str(tmp_path), log_file=str(tmp_path / "application.jsonl"))


@pytest.fixture
def application(settings, tmp_path):
    """The lines of the application log so far."""
    root, warnings = logging.getLogger(), logging.getLogger("py.warnings")
    before, level = list(root.handlers), root.level
    root.handlers[:] = []
    logs.configure(settings)
    yield lambda: [json.loads(line) for line in (tmp_path / "application.jsonl").read_text().splitlines()]
    for logger in (root, logging.getLogger(logs.SECURITY_LOGGER), warnings):
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
    logging.captureWarnings(capture=False)
    root.handlers[:] = before
    root.setLevel(level)


def journal(tmp_path):
    return sorted((tmp_path / "security").iterdir())


def test_a_line_is_json_with_listed_fields_only(application):
    logging.getLogger("consult.test").info(
        "job done", extra={"job": "j1", "pseudonym": "Zoé", "email": "zoe@example.fr", "status": 200}
    )
    (line,) = application()
    assert line.pop("time").endswith("+00:00")
    expected = {"level": "info", "logger": "consult.test", "message": "job done", "job": "j1", "status": 200}
    assert line == expected


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("mail to zoe.durand+x@mairie.example.fr refused", "mail to [courriel] refused"),
        ("from <zoe@example.fr>, 192.0.2.7:443", "from <[courriel]>, [adresse]:443"),
        ("peer 2001:db8::8a2e:370:7334.", "peer [adresse]."),
        ("peer ::1 and ::ffff:192.0.2.1", "peer [adresse] and [adresse]"),
        ("at 12:34:56, ratio 3:4:5, version 1.2.3", "at 12:34:56, ratio 3:4:5, version 1.2.3"),
        ("Key (email)=(zoe@example.fr) already exists", "Key (email)=([courriel]) already exists"),
    ],
)
def test_addresses_are_replaced_in_every_text(application, written, kept):
    logging.getLogger("consult.test").warning("%s", written, extra={"route": written})
    (line,) = application()
    assert (line["message"], line["route"]) == (kept, kept)


def test_an_exception_tells_its_class_and_places_but_none_of_its_words(application):
    def inner():
        raise ValueError("Zoé Durand, 3 rue des Lilas")

    try:
        try:
            inner()
        except ValueError as error:
            raise RuntimeError("Zoé") from error
    except RuntimeError:
        logging.getLogger("consult.test").exception("failed")
    (line,) = application()
    first, cause = line["error"]
    assert first.startswith("builtins.RuntimeError: test_logs.py:")
    assert cause.startswith("builtins.ValueError: test_logs.py:")
    assert "inner" in cause
    assert "Zoé" not in json.dumps(line, ensure_ascii=False)


def test_nobody_forges_a_line(application):
    logging.getLogger("consult.test").info("a\n%s", '{"level": "critical"}')
    logs.security_event("login.failed", account="x\n{}", address="192.0.2.7")
    assert [line["level"] for line in application()] == ["info"]


def test_security_events_have_their_own_closed_file_and_never_reach_the_application_log(application, tmp_path):
    with time_machine.travel(dt.datetime(2026, 3, 2, 9, 41, tzinfo=dt.UTC), tick=False):
        logs.security_event("login.failed", account="c0ffee", address="192.0.2.7", attempts=3)
    (file,) = journal(tmp_path)
    assert file.name == "security-2026-03-02.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {
        "time": "2026-03-02T09:41:00.000+00:00",
        "event": "login.failed",
        "account": "c0ffee",
        "address": "192.0.2.7",
        "attempts": 3,
    }
    assert application() == []


def test_each_day_has_its_file_and_those_past_a_year_are_erased(application, tmp_path):
    """AT-6.6: logs older than 365 days are deleted."""
    (tmp_path / "security").mkdir()
    (tmp_path / "security" / "notes.txt").touch()
    for day in ("2025-02-28", "2025-03-01", "2025-03-02", "2025-03-03"):
        (tmp_path / "security" / f"security-{day}.jsonl").touch()
    for day in (1, 2):
        with time_machine.travel(dt.datetime(2026, 3, day, 23, 59, tzinfo=dt.UTC)):
            logs.security_event("login")
    assert [file.name for file in journal(tmp_path)] == [
        "notes.txt",
        "security-2025-03-02.jsonl",
        "security-2025-03-03.jsonl",
        "security-2026-03-01.jsonl",
        "security-2026-03-02.jsonl",
    ]


@pytest.mark.slow
def test_several_processes_write_whole_lines_to_the_same_file(tmp_path):
    program = (
        "from consult import logs; from consult.settings import Settings\n"
        "logs.configure(Settings.from_env())\n"
        "for number in range(200): logs.security_event('login', account='x' * 300, attempt=number)"
    )
    environment = os.environ | {"CONSULT_DATA_DIR": str(tmp_path)}
    processes = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    lines = [json.loads(line) for file in journal(tmp_path) for line in file.read_text().splitlines()]
    assert len(lines) == 600
    assert {len(line["account"]) for line in lines} == {300}


DEPLOY = Path(__file__).parents[2] / "deploy"


def test_the_reverse_proxy_logs_nothing_by_which_a_form_could_be_told_from_another():
    """The size of a page, or the time it took, tells what was typed in it: of an anonymous reply, whose it is."""
    directives = re.sub(r"#.*", "", (DEPLOY / "nginx/consult.conf").read_text())
    formats = dict(re.findall(r"log_format\s+(\w+)\s+([^;]*);", directives))
    assert {name: set(re.findall(r"\$\w+", words)) for name, words in formats.items()} == {
        "consult": {"$time_iso8601", "$request_method", "$uri", "$status"}
    }
    servers = directives.split("server {")[1:]
    used = [re.search(r"access_log\s+([^;]+);", server).group(1).split() for server in servers]
    assert {words[1] if words != ["off"] else "off" for words in used} == {"off", "consult"}
    assert len(re.findall(r"access_log", directives)) == len(servers)
    # Below, a line tells the connection of whoever sent more than a buffer holds.
    assert re.findall(r"error_log\s+\S+\s+(\w+);", directives) == ["error"]


def test_the_web_server_keeps_no_access_log(settings):
    started = [" ".join(serving.web_command(settings)), (DEPLOY / "compose.yaml").read_text()]
    started += [path.read_text() for path in (DEPLOY / "systemd").iterdir()]
    assert not [words for words in started if "access-log" in words or "GUNICORN_CMD_ARGS" in words]
