"""A row of each list and a reply of each operation, as the specification and the reference page show them.

Invented, and valid: a test reads each through its schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SLUG: Final = "mobilites-du-quotidien"
SITE: Final = "https://consultations.example"
_CONSULTATION: Final = "0b0d5a52-5a5c-4c3f-9a61-3f2b6f0a7c11"
_PROPOSALS: Final = "2f6c1c0e-9a7e-4a55-8f0d-1f4f6f1f8a22"
_FORM: Final = "3a1d7b64-5f0c-4d0b-8b1a-7f5f0f6c9b33"
_CONTRIBUTION: Final = "4c2e8f75-6a1d-4e1c-9c2b-8a6a1a7d0c44"
_QUESTION: Final = "5d3f9a86-7b2e-4f2d-8d3c-9b7b2b8e1d55"
_OPTION: Final = "6e4a0b97-8c3f-4a3e-9e4d-0c8c3c9f2e66"
_REPLY: Final = "7f5b1ca8-9d4a-4b4f-8f5e-1d9d4daa3f77"
_ARTICLE: Final = "df9b7e0e-5da0-4b9f-8ebe-7eded9ea9dcc"
_RESULTS: Final = "1d0f4c41-4b4b-4b2e-8950-2e1a5e9f6b00"
_ANSWER: Final = "2c3beda0-7e92-4c9e-9a2f-9a4e5b6c7d88"
_REF: Final = "9f86d081884c7d659a2feaa0c55ad015"
_SHA256: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
CURSOR: Final = "IjRjMmU4Zjc1Ig.Xb1v7aVq9JrZkq3o8m0T2p4s6u8"

ROWS: Final[Mapping[str, Mapping[str, Any]]] = {
    "consultation": {
        "id": _CONSULTATION,
        "slug": SLUG,
        "title": "Mobilités du quotidien",
        "summary": "Comment se déplacer demain dans les petites villes ?",
        "opens_at": "2026-03-02T08:00:00Z",
        "closes_at": "2026-04-30T21:59:00Z",
        "sample": "volunteers",
        "minimum_age": 15,
        "parental_consent": True,
    },
    "steps": {
        "id": _PROPOSALS,
        "slug": "propositions",
        "kind": "proposals",
        "title": "Vos propositions",
        "position": 1,
        "opens_at": "2026-03-02T08:00:00Z",
        "closes_at": "2026-04-30T21:59:00Z",
        "order_seed": "6b1f0c9e2d4a48539c7e5f0a1b2c3d4e",
    },
    "themes": {
        "id": "8a6c2db9-0e5b-4c5a-9a6f-2eae5ebb4a88",
        "step": _PROPOSALS,
        "title": "Transports collectifs",
        "position": 1,
    },
    "articles": {
        "id": _ARTICLE,
        "step": _PROPOSALS,
        "parent": None,
        "position": 0,
        "level": "article",
        "name": "Article 1er",
        "heading": "Horaires du soir",
    },
    "contributions": {
        "id": _CONTRIBUTION,
        "step": _PROPOSALS,
        "theme": "8a6c2db9-0e5b-4c5a-9a6f-2eae5ebb4a88",
        "title": "Des bus après 21 heures",
        "body": "Le dernier départ est à 19 h 30 : impossible de rentrer après un spectacle.",
        "status": "published",
        "status_reason": None,
        "origin": "live",
        "author": "c1a5298f939e87e8f962a5edfc206918",
        "created_at": "2026-03-04T17:00:00Z",
        "votes_for": 214,
        "votes_mixed": 31,
        "votes_against": 12,
        "imported_votes_for": 0,
        "imported_votes_mixed": 0,
        "imported_votes_against": 0,
        "kind": "version",
        "article": _ARTICLE,
        "rewrites": "e0c8e91f-6eb1-4ca0-9fcf-8fefaeeb0edd",
        "reason": "Les apprentis et les soignants finissent après le dernier bus.",
        "sources": [{"url": "https://exemple.example/enquete", "title": "Enquête sur les horaires"}],
        "departement": None,
        "points": 0,
        "ballots": 0,
        "first_choices": 0,
    },
    "arguments": {
        "id": "9b7d3eca-1f6c-4d6b-8b7a-3fbf6fcc5b99",
        "contribution": _CONTRIBUTION,
        "side": "for",
        "title": None,
        "body": "Les apprentis finissent souvent après 20 heures.",
        "status": "published",
        "status_reason": None,
        "origin": "live",
        "author": "5fd924625f6ab16a19cc9807c7c506ae",
        "created_at": "2026-03-05T07:00:00Z",
        "votes_for": 18,
        "imported_votes_for": 0,
    },
    "votes": {
        "id": "ac8e4fdb-2a7d-4e7c-9c8b-4aca7add6caa",
        "target_type": "contribution",
        "target": _CONTRIBUTION,
        "value": "for",
        "voter": "b5bb9d8014a0f9b1d61e21e796d78dcc",
        "cast_at": "2026-03-05T18:00:00Z",
    },
    "ballots": {
        "id": "bd9f50ec-3b8e-4f8d-8d9c-5bdb8beb7dbb",
        "step": "0f6c2db9-1e5b-4c5a-9a6f-2eae5ebb4a01",
        "choices": [
            {"contribution": "1f6c2db9-1e5b-4c5a-9a6f-2eae5ebb4a02", "points": 6},
            {"contribution": "2f6c2db9-1e5b-4c5a-9a6f-2eae5ebb4a03", "points": 4},
        ],
        "voter": "b5bb9d8014a0f9b1d61e21e796d78dcc",
        "cast_at": "2026-03-05T18:00:00Z",
    },
    "questions": {
        "id": _QUESTION,
        "step": _FORM,
        "position": 1,
        "kind": "single",
        "wording": "Prenez-vous le bus au moins une fois par semaine ?",
        "options": [{"id": _OPTION, "label": "Oui"}],
        "cells": [{"id": _OPTION, "label": "Oui", "group": ""}],
        "pictures": [],
        "required": True,
        "visibility": "rows",
        "version": 1,
        "earlier": [],
    },
    "replies": {
        "id": _REPLY,
        "step": _FORM,
        "received_on": "2026-03-06",
        "origin": "live",
        "access": "accounts",
        "batch": None,
        "salt": None,
    },
    "answers": {"reply": _REPLY, "question": _QUESTION, "text": None, "options": [_OPTION], "other": None},
    "totals": {
        "id": f"{_QUESTION}:live:0000",
        "question": _QUESTION,
        "option": _OPTION,
        "origin": "live",
        "answered": 412,
        "count": 230,
        "as_of": "2026-03-07T09:00:00Z",
    },
    "moderation": {
        "id": "bd9f5aec-3b8e-4f8d-8d9c-5bdb8bee7dbb",
        "target_type": "contribution",
        "target": "ceaa6bfd-4c9f-4a9e-9ead-6cec9cff8ecc",
        "number": 1,
        "act": "hide",
        "ground": "off_topic",
        "article": 3,
        "automated": False,
        "appeal": False,
        "reports": 2,
        "delay_seconds": 5400,
        "decided_at": "2026-03-07T09:00:00Z",
    },
    "official_answers": {
        "id": _ANSWER,
        "target_type": "contribution",
        "target": _CONTRIBUTION,
        "outcome": "partly_accepted",
        "authority": "Direction des mobilités",
        "body": "Un départ à 21 h 30 sera ouvert en septembre, du jeudi au samedi.",
        "status": "published",
        "version": 1,
        "published_at": "2026-05-20T08:00:00Z",
        "edited_at": None,
        "withdrawn_at": None,
        "withdrawal_reason": None,
    },
    "commitments": {
        "id": "0a1fcd8b-5c70-4a7c-9e0d-7e2c3f4a5b66",
        "title": "Ouvrir un départ à 21 h 30",
        "body": "Un départ supplémentaire du jeudi au samedi, dès la rentrée.",
        "owner": "Direction des mobilités",
        "stage": "in_progress",
        "due_on": "2026-09-30",
        "link": "",
        "answers": [_ANSWER],
        "contributions": [_CONTRIBUTION],
        "updates": [
            {
                "stage": "in_progress",
                "body": "Le marché est attribué, les essais commencent en août.",
                "published_at": "2026-07-02T09:00:00Z",
            }
        ],
        "status": "published",
        "version": 2,
        "published_at": "2026-05-20T08:00:00Z",
        "edited_at": "2026-07-02T09:00:00Z",
        "withdrawn_at": None,
        "withdrawal_reason": None,
    },
    "cases": {
        "id": "1b2adc9c-6d81-4b8d-8f1e-8f3d4a5b6c77",
        "title": "Mobilités du quotidien",
        "partner": "Direction des mobilités",
        "theme": "Transports",
        "summary": "Deux mois de propositions et de votes sur les trajets de tous les jours.",
        "starts_on": "2026-03-02",
        "ends_on": "2026-04-30",
        "consultation": SLUG,
        "contributions": 318,
        "arguments": 904,
        "votes": 6240,
        "replies": 412,
        "imported_votes": 0,
        "imported_replies": 0,
        "position": 8120,
        "sealed": 7963,
        "result_link": "",
        "licence": "etalab-2.0",
        "published_at": "2026-06-01T09:00:00Z",
    },
}
_ENVELOPE: Final = {
    "licence": "etalab-2.0",
    "source": f"{SITE}/consultations/{SLUG}",
    "position": 1041,
    "updated_at": "2026-03-07T09:00:00Z",
}
_FILES: Final = f"{SITE}/donnees-ouvertes/{SLUG}"
REPLIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "version": {
        "name": "consult",
        "version": "0.1.0",
        "commit": None,
        "sources_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "api": "v1",
        "licence": "etalab-2.0",
    },
    "consultation": {"data": ROWS["consultation"], **_ENVELOPE},
    "consultations": {"data": [ROWS["consultation"]], "next": None, **_ENVELOPE, "source": f"{SITE}/consultations"},
    "cases": {"data": [ROWS["cases"]], "next": None, **_ENVELOPE, "source": f"{SITE}/cas-d-usage"},
    "questionnaires": {
        "data": [{"step": _FORM, "slug": "questionnaire", "title": "Vos trajets", "questions": [ROWS["questions"]]}],
        **_ENVELOPE,
    },
    "exports": {
        "data": [
            {
                "id": "dfbb7cae-5daa-4bab-8fbe-7dfdadaa9fdd",
                "generated_at": "2026-03-07T10:00:00Z",
                "position": 6831,
                "files": [
                    {
                        "name": "votes.ndjson",
                        "url": f"{_FILES}/votes.ndjson",
                        "dataset": "votes",
                        "format": "ndjson",
                        "media_type": "application/x-ndjson",
                        "rows": 257,
                        "shortened": 0,
                        "bytes": 61680,
                        "sha256": _SHA256,
                    }
                ],
            }
        ],
        **_ENVELOPE,
    },
    "results": {
        "data": [
            {
                "id": "eacc8dbf-6ebb-4cbc-9acf-8eaebebbaaee",
                "step": _RESULTS,
                "published_at": "2026-05-20T08:00:00Z",
                "seed": 20260302,
                "codebook": 2,
                "manifest_sha256": _SHA256,
                "url": f"{_ENVELOPE['source']}/resultats",
                "files": [{"name": "results.json", "url": f"{_ENVELOPE['source']}/resultats/fichiers/results.json"}],
            }
        ],
        **_ENVELOPE,
    },
    "changes": {
        "data": [
            {
                "position": 1040,
                "entry": _REF,
                "kind": "vote.cast",
                "dataset": "votes",
                "id": ROWS["votes"]["id"],
                "action": "put",
                "row": ROWS["votes"],
            },
            {
                "position": 1041,
                "entry": _REF[::-1],
                "kind": "vote.withdrawn",
                "dataset": "votes",
                "id": "fbdd9eca-7fcc-4dcd-8bda-9fbfcfccbbff",
                "action": "delete",
                "row": None,
            },
        ],
        "next": CURSOR,
        "more": False,
        **_ENVELOPE,
    },
}


def reply(operation: str) -> Mapping[str, Any]:
    """What the operation of that id replies; a list not given above gives its row. Raises KeyError."""
    return REPLIES[operation] if operation in REPLIES else {"data": [ROWS[operation]], "next": CURSOR, **_ENVELOPE}
