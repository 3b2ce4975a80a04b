"""The page of reference: what the specification says, found by a word, with commands that run."""

import datetime as dt
import json
import re
import shlex
import shutil
import subprocess

import pytest

from consult.opendata import api, envelopes, examples
from tests import factories
from tests.conftest import missing

# Many pages and processes: `make check` leaves it to `make test`.
pytestmark = [pytest.mark.slow, pytest.mark.sqlite_first]

PAGE = "/aide/api/reference"


def commands(text) -> list[str]:
    return [each.replace("&#39;", "'") for each in re.findall(r"<code>(curl .*?)</code>", text)]


def test_every_operation_has_its_place_its_command_and_its_example(client, filled):
    text = client.get(PAGE).text
    described = client.get("/api/v1/openapi.json").json["paths"]
    assert len(commands(text)) == len(described)
    for path, operation in described.items():
        assert path in text
        assert f'id="{operation["get"]["operationId"]}"' in text
    assert "<script>" not in text
    assert " style=" not in text


def test_every_example_is_what_the_schema_allows():
    """AT-20.8: an example that no reply could be would mislead."""
    wrapped = {
        **envelopes.ROWS,
        "consultations": envelopes.ConsultationList,
        "consultation": envelopes.ConsultationReply,
    }
    wrapped |= {"changes": envelopes.ChangeList, "results": envelopes.ResultList, "exports": envelopes.ExportList}
    wrapped |= {"questionnaires": envelopes.QuestionnaireList, "version": envelopes.Version}
    for name, envelope in wrapped.items():
        envelope.model_validate_json(json.dumps(examples.reply(name)))


def test_the_commands_run_as_they_are_copied(live_server, client, filled):
    if shutil.which("curl") is None:
        missing("no curl")
    with_address = [
        command.replace("http://127.0.0.1:8000", live_server) for command in commands(client.get(PAGE).text)
    ]
    for command in with_address:
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True, timeout=30)
        assert json.loads(done.stdout)["licence"] == "etalab-2.0", command


@pytest.mark.parametrize(
    ("word", "kept", "left"),
    [("VOTANT", "votes", "themes"), ("clôture", "steps", "version"), ("réponses jour", "replies", "themes")],
)
def test_a_word_of_a_column_finds_its_list_whatever_its_case_and_accents(client, filled, word, kept, left):
    text = client.get(PAGE, query_string={"q": word}).text
    assert f'id="{kept}"' in text
    assert f'id="{left}"' not in text


def test_a_search_for_nothing_known_says_so_and_is_shown_as_text(client, filled):
    text = client.get(PAGE, query_string={"q": "<script>alert(1)</script>"}).text
    assert "Rien ne correspond" in text
    assert "<script>alert" not in text


def test_each_reply_says_what_the_limit_leaves(limited_client):
    first, second = (limited_client.get("/api/v1/version").headers for _ in range(2))
    assert first["RateLimit-Policy"] == '"default";q=300;w=60'
    left = [int(re.fullmatch(r'"default";r=(\d+);t=\d+', each["RateLimit"])[1]) for each in (first, second)]
    assert left == [299, 298]
    assert "RateLimit" in first["Access-Control-Expose-Headers"]
    for _ in range(298):
        limited_client.get("/api/v1/version")
    refused = limited_client.get("/api/v1/version")
    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
    assert refused.headers["RateLimit"].startswith('"default";r=0;t=')
    assert 0 < int(refused.headers["Retry-After"]) <= 61  # told in whole seconds, the last one begun


@pytest.fixture
def limited_client(settings, filled):
    import dataclasses

    from consult.app import create_app

    app = create_app(dataclasses.replace(settings, rate_limits=True))
    with app.test_client() as client:
        yield client
    app.extensions["database"].dispose()


def test_what_will_go_says_since_when_and_until_when(client, filled, monkeypatch):
    going = api.Retirement(factories.NOW, factories.NOW + dt.timedelta(days=365), "/aide/api#retraits")
    monkeypatch.setitem(api.RETIRING, "api.themes", going)
    headers = client.get("/api/v1/consultations/essai/themes").headers
    assert headers["Deprecation"] == f"@{int(factories.NOW.timestamp())}"  # RFC 9745: a structured date
    assert headers["Sunset"] == "Tue, 02 Mar 2027 09:41:27 GMT"  # RFC 8594: a date of HTTP
    assert headers["Link"] == '</aide/api#retraits>; rel="deprecation"; type="text/html"'
    assert "Deprecation" not in client.get("/api/v1/consultations/essai/votes").headers
