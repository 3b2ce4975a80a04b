"""What no decorator says of the API: contact, licence, refusals, headers, examples, and the French of every column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from apiflask import APIFlask

from consult.followup import cases
from consult.opendata import envelopes, examples
from consult.protocols import Bindings, PublicDataset

HEADERS: Final = {
    "ETag": "Empreinte de la réponse, à renvoyer dans If-None-Match",
    "RateLimit-Policy": "Nombre de demandes permises (q) par durée en secondes (w)",
    "RateLimit": "Demandes qui restent (r), et secondes avant que la limite se relâche (t)",
}
PARAMETERS: Final = {"slug": "Identifiant de la consultation, comme dans son adresse."}


def describe(app: APIFlask) -> None:
    """Say of the API what no decorator says: contact, licence, and that refusals are problem documents."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        SPEC_FORMAT="json",
        SUCCESS_DESCRIPTION="Réponse",
    )
    app.info = {
        "description": (
            "Données publiques des consultations, sans clé ni inscription. Les listes se parcourent par curseurs : "
            "redemandez la même adresse avec le « next » reçu, jusqu’à ce qu’il soit nul. Une ligne ajoutée pendant le "
            "parcours n’en fait ni manquer ni répéter une autre."
        ),
        "license": {"name": "Licence Ouverte 2.0", "identifier": "etalab-2.0"},
    }
    bindings: Bindings = app.extensions["bindings"]

    def complete(spec: dict[str, Any]) -> dict[str, Any]:
        _add_problems(spec)
        _add_examples(spec)
        _say_in_french(spec["components"]["schemas"], bindings.public_datasets)
        return spec

    app.spec_processor(complete)  # type: ignore[arg-type]  # the specification is a dictionary, as SPEC_FORMAT says


def _add_problems(spec: dict[str, Any]) -> None:
    """Document the refusals of every operation, as application/problem+json."""
    problem = envelopes.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = problem.pop("$defs", {})
    spec["components"]["schemas"].update({**definitions, "Problem": problem})
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    words = {
        "404": "Consultation introuvable",
        "410": "Le registre a été restauré depuis ce curseur : recommencez sans curseur",
        "422": "Paramètre refusé",
        "429": "Trop de demandes",
    }
    for path, operations in spec["paths"].items():
        for operation in operations.values():
            replies = operation["responses"]
            replies["200"]["headers"] = {name: _header(text) for name, text in HEADERS.items()}
            replies["304"] = {"description": "Inchangé depuis l’ETag donné"}
            for status, text in words.items():
                if _possible(status, path, operation):
                    replies[status] = {"description": text, "content": content}

    for operations in spec["paths"].values():
        operations["get"]["responses"]["429"] |= {"headers": {"Retry-After": _header("Secondes à attendre")}}


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "string"}}


def _add_examples(spec: dict[str, Any]) -> None:
    """An example of each reply and of each argument of an address."""
    for operations in spec["paths"].values():
        operation = operations["get"]
        operation["responses"]["200"]["content"]["application/json"]["example"] = examples.reply(
            operation["operationId"]
        )
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                parameter |= {"description": PARAMETERS[parameter["name"]], "example": examples.SLUG}


def _possible(status: str, path: str, operation: Mapping[str, Any]) -> bool:
    queried = any(each["in"] == "query" for each in operation.get("parameters", []))
    return {"404": "{" in path, "410": path.endswith("/changes"), "422": queried}.get(status, True)


def _say_in_french(components: dict[str, Any], datasets: Mapping[str, PublicDataset]) -> None:
    """Describe each column as its dataset does; docstrings, which are for us, stay out."""
    described = {
        reply.model_fields["data"].annotation.__args__[0].__name__: datasets[name].columns  # type: ignore[union-attr]  # each is a list
        for name, reply in envelopes.ROWS.items()
    } | {"Consultation": datasets["consultation"].columns, "Case": cases.COLUMNS}
    for name, component in components.items():
        component.pop("description", None)
        for column, text in described.get(name.rpartition(".")[2], {}).items():
            component["properties"][column]["description"] = text
