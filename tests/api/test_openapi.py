"""The description of the API: valid, committed, true.

After a change that is meant, write it again with: .venv/bin/python -m tests.api.test_openapi
"""

import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.specs.openapi.checks import positive_data_acceptance

from consult.app import create_app
from consult.settings import Settings

COMMITTED = Path(__file__).with_name("openapi.json")


def described(folder: Path) -> str:
    app = create_app(Settings(database_url=f"sqlite:///{folder}/unused.db"))
    with app.app_context():
        return json.dumps(app.spec, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def test_the_description_is_the_committed_one(tmp_path):
    assert described(tmp_path) == COMMITTED.read_text(encoding="utf-8"), __doc__


def test_the_description_is_valid_openapi_3_1():
    document = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


def test_the_served_description_is_the_committed_one_but_for_its_server(client, filled):
    served = client.get("/o/a-premiere/api/v1/openapi.json").json
    assert served.pop("servers") == [{"url": "/o/a-premiere"}]
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    committed.pop("servers", None)
    assert served == committed


def test_every_operation_and_argument_is_described_in_french():
    document = json.loads(COMMITTED.read_text(encoding="utf-8"))
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len(operations) == 22
    for operation in operations:
        assert operation["summary"]
        assert operation["operationId"]
        for argument in operation.get("parameters", []):
            assert argument["in"] == "path" or argument.get("description") or argument["schema"].get("description")


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_request_that_fits_or_defies_the_description_breaks_the_server(app, filled):
    """AT-20.8."""
    schema = schemathesis.openapi.from_dict(json.loads(COMMITTED.read_text(encoding="utf-8")))
    schema.config.update(base_url="http://127.0.0.1/")
    for operation in schema.get_all_operations():
        exercise(operation.ok(), app)


def exercise(operation, app):
    from hypothesis import given

    @given(case=operation.as_strategy())
    @hypothesis_settings(max_examples=25, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def run(case):
        if "slug" in (case.path_parameters or {}) and case.path_parameters["slug"].startswith("a"):
            case.path_parameters["slug"] = "essai"
        reply = case.call(session=None, app=app)
        assert reply.status_code < 500
        case.validate_response(reply, excluded_checks=[positive_data_acceptance])  # a cursor is not just any text

    run()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        COMMITTED.write_text(described(Path(folder)), encoding="utf-8")
