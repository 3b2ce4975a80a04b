"""AT-21.1: the DCAT catalogue parses in its three forms, passes the shapes, and tells files as they are."""

import hashlib
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import DCAT, DCTERMS, Graph, Namespace
from rdflib.compare import isomorphic

from consult.app import bindings
from consult.db import ALL_TENANTS
from consult.jobs.worker import Worker
from consult.opendata import catalogue, service
from tests import factories

SHAPES = Path(catalogue.__file__).with_name("shapes.ttl")
SPDX = Namespace("http://spdx.org/rdf/terms#")
TYPES = {"jsonld": "application/ld+json", "ttl": "text/turtle", "rdf": "application/rdf+xml"}


@pytest.fixture
def town(database, settings):
    """A consultation whose dump is made, one whose dump is not, a draft, and another organisation's."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session, slug="agence", name="Agence <d’essai> & Cie")
        made = factories.make_consultation(session, organisation, slug="essai", title='Un "essai" <b>é</b>', summary="")
        factories.make_proposal(session, factories.make_step(session, made), body="Texte à ne pas indexer")
        factories.make_consultation(session, organisation, slug="sans-fichier")
        factories.make_consultation(session, organisation, slug="brouillon", status="draft", opened_at=None)
        factories.make_consultation(session, factories.make_organisation(session, slug="autre"), slug="ailleurs")
        service.request_dump(session, made, now=factories.NOW)
    handlers = {service.DUMP_JOB: bindings(settings).job_handlers[service.DUMP_JOB]}
    while Worker(database, handlers).run_once():
        pass


def read(client, extension) -> Graph:
    reply = client.get(f"/catalog.{extension}")
    assert reply.status_code == 200
    assert reply.mimetype == TYPES[extension]
    return Graph().parse(data=reply.text, format=catalogue.FORMATS[extension][0])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # no query of its own
class TestCatalogue:
    @pytest.mark.filterwarnings(
        "ignore:ConjunctiveGraph is deprecated:DeprecationWarning"
    )  # rdflib's own JSON-LD reader
    def test_the_three_forms_say_the_same_and_pass_the_shapes(self, client, town):
        graphs = {extension: read(client, extension) for extension in TYPES}
        assert isomorphic(graphs["ttl"], graphs["rdf"])
        assert isomorphic(graphs["ttl"], graphs["jsonld"])
        shapes = Graph().parse(SHAPES, format="turtle")
        conforms, _, said = validate(graphs["ttl"], shacl_graph=shapes)
        assert conforms, said
        for wanted in (DCAT.byteSize, DCAT.mediaType, SPDX.checksumValue, DCTERMS.license, DCTERMS.title):
            broken = Graph() + graphs["ttl"]
            broken.remove((None, wanted, None))
            assert not validate(broken, shacl_graph=shapes)[0], f"the shapes ask for {wanted}"

    def test_sizes_and_digests_are_those_of_the_files_served(self, client, town):
        found = read(client, "ttl")
        distributions = list(found.objects(None, DCAT.distribution))
        assert len(distributions) > 30
        for each in distributions:
            path = str(found.value(each, DCAT.downloadURL)).removeprefix("http://127.0.0.1:8000")
            with client.get(path) as reply:
                content = reply.data
                assert reply.status_code == 200
                assert str(found.value(each, DCAT.mediaType)).endswith(reply.mimetype)
            assert int(found.value(each, DCAT.byteSize)) == len(content)
            digest = found.value(found.value(each, SPDX.checksum), SPDX.checksumValue)
            assert str(digest) == hashlib.sha256(content).hexdigest()

    def test_it_lists_what_is_public_of_one_organisation(self, client, town):
        text = client.get("/catalog.ttl").text
        assert "sans-fichier" in text
        assert "brouillon" not in text
        assert "ailleurs" not in text
        assert "Texte à ne pas indexer" not in text

    @pytest.mark.parametrize("accept", [*TYPES.values(), "*/*", "text/html"])
    def test_the_format_follows_what_the_reader_accepts(self, client, town, accept):
        expected = accept if accept in TYPES.values() else TYPES["jsonld"]
        reply = client.get("/catalog", headers={"Accept": accept})
        assert reply.mimetype == expected
        assert "Accept" in reply.headers["Vary"]
        again = client.get("/catalog", headers={"Accept": accept, "If-None-Match": reply.headers["ETag"]})
        assert again.status_code == 304

    def test_pages_follow_each_other(self, client, town, monkeypatch):
        monkeypatch.setattr("consult.opendata.queries.PAGE_SIZE", 1)
        first = client.get("/catalog.ttl").text
        assert "hydra:next <http://127.0.0.1:8000/catalog?page=2>" in first
        last = Graph().parse(data=client.get("/catalog.ttl?page=2").text, format="turtle")
        assert "previous" in last.serialize(format="nt")

    def test_the_catalogue_is_indexable_and_contributions_are_not_in_any_format(self, client, town):
        """AT-8.1, AT-8.2, AT-8.5."""
        for path in ("/", "/aide", "/donnees-ouvertes", "/catalog", *(f"/catalog.{each}" for each in TYPES)):
            assert "X-Robots-Tag" not in client.get(path).headers, path
        names = ("contributions.ndjson", "contributions.csv", "contributions.parquet", "essai.xlsx", "essai.ods",
                 "essai.zip", "manifest.json", "datapackage.json", "dictionnaire.md")  # fmt: skip
        paths = [f"/donnees-ouvertes/essai/{name}" for name in names]
        paths += [
            "/api/v1/consultations/essai/contributions",
            "/registry/agence/checkpoint",
            "/registry/agence/tile/0/000",
        ]
        for path in paths:
            with client.get(path) as reply:
                assert reply.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive", path
        assert "Disallow: /" not in client.get("/robots.txt").text

    def test_another_extension_is_nothing(self, client, town):
        assert client.get("/catalog.exe").status_code == 404
        assert client.post("/catalog").status_code == 405
