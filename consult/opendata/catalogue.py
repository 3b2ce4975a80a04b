"""The DCAT-AP catalogue: what each consultation publishes, for the portals that harvest it.

One page of consultations is one graph; a file is a `dcat:Distribution` with its size, digest, media type and licence,
and a dataset tells as its version the position in the public log at which its files stand. `shapes.ttl`, beside this
file, says what a page must hold; the tests check it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rdflib import DCAT, DCTERMS, FOAF, RDF, XSD, Graph, Literal, Namespace, URIRef

from consult.clock import written
from consult.consultations.models import Consultation
from consult.opendata.labels import DATASETS
from consult.opendata.models import Dump
from consult.opendata.package import LICENCE, LICENCE_URL
from consult.organisations.models import Organisation

SPDX: Final = Namespace("http://spdx.org/rdf/terms#")
HYDRA: Final = Namespace("http://www.w3.org/ns/hydra/core#")
VCARD: Final = Namespace("http://www.w3.org/2006/vcard/ns#")
VERSION: Final = URIRef(f"{DCAT}version")  # of DCAT 3, which rdflib's own list does not know
FRENCH: Final = URIRef("http://publications.europa.eu/resource/authority/language/FRA")
HOURLY: Final = URIRef("http://publications.europa.eu/resource/authority/frequency/HOURLY")
MEDIA: Final = "https://www.iana.org/assignments/media-types/"
FORMATS: Final[Mapping[str, tuple[str, str]]] = {  # extension -> what rdflib calls it, media type
    "jsonld": ("json-ld", "application/ld+json"),
    "ttl": ("turtle", "text/turtle"),
    "rdf": ("xml", "application/rdf+xml"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the catalogue; `site`: the home of the organisation, without the last slash."""

    organisation: Organisation
    site: str
    consultations: Sequence[tuple[Consultation, Dump | None]]
    number: int
    pages: int
    total: int


def serialized(page: Page, extension: str) -> str:
    """The page in one of FORMATS."""
    form, _ = FORMATS[extension]
    context: dict[str, Any] = {"context": dict(_prefixes()), "auto_compact": True} if form == "json-ld" else {}
    text: str = graph(page).serialize(format=form, **context)
    return text


def _prefixes() -> Mapping[str, str]:
    known = {"dcat": DCAT, "dct": DCTERMS, "foaf": FOAF, "spdx": SPDX, "hydra": HYDRA, "vcard": VCARD, "xsd": XSD}
    return {prefix: str(namespace) for prefix, namespace in known.items()}


def graph(page: Page) -> Graph:
    """The page as triples."""
    found = Graph(bind_namespaces="none")
    for prefix, namespace in _prefixes().items():
        found.bind(prefix, namespace)
    catalogue, publisher = URIRef(f"{page.site}/catalog"), URIRef(f"{page.site}/#organisation")
    name = page.organisation.name
    found.add((publisher, RDF.type, FOAF.Agent))
    found.add((publisher, FOAF.name, Literal(name, lang="fr")))
    found.add((publisher, FOAF.homepage, URIRef(f"{page.site}/")))
    for key, value in (
        (RDF.type, DCAT.Catalog),
        (DCTERMS.title, Literal(f"Consultations de {name}", lang="fr")),
        (DCTERMS.description, Literal("Données publiques des consultations, vérifiables par un registre.", lang="fr")),
        (DCTERMS.publisher, publisher),
        (DCTERMS.language, FRENCH),
        (DCTERMS.license, URIRef(LICENCE_URL)),
        (FOAF.homepage, URIRef(f"{page.site}/donnees-ouvertes")),
    ):
        found.add((catalogue, key, value))
    for consultation, dump in page.consultations:
        dataset = URIRef(f"{page.site}/consultations/{consultation.slug}#donnees")
        found.add((catalogue, DCAT.dataset, dataset))
        _add_dataset(found, dataset, publisher, page, consultation, dump)
    _add_paging(found, catalogue, page)
    return found


def _add_dataset(
    found: Graph, dataset: URIRef, publisher: URIRef, page: Page, consultation: Consultation, dump: Dump | None
) -> None:
    landing = URIRef(f"{page.site}/consultations/{consultation.slug}")
    # Named, so that the same page is the same bytes.
    period, contact = URIRef(f"{landing}#periode"), URIRef(f"{page.site}/#contact")
    summary = consultation.summary or f"Contributions, arguments, votes et réponses de « {consultation.title} »."
    words = ("consultation", "participation citoyenne", "votes", "contributions")
    values = [
        (RDF.type, DCAT.Dataset),
        (DCTERMS.title, Literal(consultation.title, lang="fr")),
        (DCTERMS.description, Literal(summary, lang="fr")),
        (DCTERMS.identifier, Literal(str(consultation.id))),
        (DCTERMS.publisher, publisher),
        (DCTERMS.license, URIRef(LICENCE_URL)),
        (DCTERMS.language, FRENCH),
        (DCTERMS.accrualPeriodicity, HOURLY),
        (DCTERMS.issued, _instant(written(consultation.opens_at))),
        (DCTERMS.temporal, period),
        (DCAT.contactPoint, contact),
        (DCAT.landingPage, landing),
        *((DCAT.keyword, Literal(word, lang="fr")) for word in words),
    ]
    for key, value in values:
        found.add((dataset, key, value))
    found.add((landing, RDF.type, FOAF.Document))
    found.add((period, RDF.type, DCTERMS.PeriodOfTime))
    found.add((period, DCAT.startDate, _instant(written(consultation.opens_at))))
    found.add((period, DCAT.endDate, _instant(written(consultation.closed_at or consultation.closes_at))))
    found.add((contact, RDF.type, VCARD.Organization))
    found.add((contact, VCARD.fn, Literal(page.organisation.name)))
    found.add((contact, VCARD.hasURL, URIRef(f"{page.site}/contact")))
    if dump is not None and dump.finished_at is not None:
        found.add((dataset, DCTERMS.modified, _instant(written(dump.finished_at))))
        if dump.position is not None:
            found.add((dataset, VERSION, Literal(f"état au n° {dump.position} du registre public")))
        base = f"{page.site}/donnees-ouvertes/{consultation.slug}"
        for file in dump.files:
            _add_distribution(found, dataset, URIRef(f"{base}/{file['name']}"), file, dump)


def _add_distribution(found: Graph, dataset: URIRef, address: URIRef, file: Mapping[str, object], dump: Dump) -> None:
    distribution, checksum = URIRef(f"{address}#fichier"), URIRef(f"{address}#empreinte")
    found.add((dataset, DCAT.distribution, distribution))
    assert dump.finished_at is not None
    title = f"{DATASETS[str(file['dataset'])]} ({str(file['format']).upper()})"
    for key, value in (
        (RDF.type, DCAT.Distribution),
        (DCTERMS.title, Literal(title, lang="fr")),
        (DCAT.accessURL, address),
        (DCAT.downloadURL, address),
        (DCAT.mediaType, URIRef(f"{MEDIA}{file['media_type']}")),
        (DCTERMS["format"], Literal(file["format"])),
        (DCAT.byteSize, Literal(file["bytes"], datatype=XSD.nonNegativeInteger)),
        (DCTERMS.license, URIRef(LICENCE_URL)),
        (DCTERMS.rights, Literal(LICENCE)),
        (DCTERMS.modified, _instant(written(dump.finished_at))),
        (SPDX.checksum, checksum),
    ):
        found.add((distribution, key, value))
    found.add((checksum, RDF.type, SPDX.Checksum))
    found.add((checksum, SPDX.algorithm, SPDX.checksumAlgorithm_sha256))
    found.add((checksum, SPDX.checksumValue, Literal(file["sha256"], datatype=XSD.hexBinary)))


def _add_paging(found: Graph, catalogue: URIRef, page: Page) -> None:
    """As the harvesters of the national portal follow it (Hydra)."""

    def here(number: int) -> URIRef:
        return URIRef(f"{page.site}/catalog?page={number}")

    view = here(page.number)
    found.add((view, RDF.type, HYDRA.PartialCollectionView))
    found.add((catalogue, HYDRA.view, view))
    found.add((catalogue, HYDRA.totalItems, Literal(page.total)))
    found.add((view, HYDRA.first, here(1)))
    found.add((view, HYDRA.last, here(max(1, page.pages))))
    if page.number < page.pages:
        found.add((view, HYDRA.next, here(page.number + 1)))
    if page.number > 1:
        found.add((view, HYDRA.previous, here(page.number - 1)))


def _instant(text: str) -> Literal:
    return Literal(text, datatype=XSD.dateTime)
