"""`python -m analysis insults | aids …`; the learning libraries are loaded only when needed."""

import argparse
import datetime as dt
import json
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError
from analysis.moderation import insults
from analysis.recorded import Progress, write_json


def register(commands: Any, progress: Progress) -> None:
    """Add this package's commands to the parser; `progress` is told (done, total, what)."""
    sub = commands.add_parser(
        "insults",
        help="entraîner le modèle qui suggère injures et menaces, et mesurer ses erreurs",
        description="Modèle appris sur des textes étiquetés, écrit en JSON avec ses mesures.",
    )
    sub.add_argument("labelled", type=Path, metavar="ETIQUETES", help="CSV des textes étiquetés (gzip admis)")
    sub.add_argument("--text", required=True, metavar="COLONNE", help="colonne du texte")
    sub.add_argument("--label", required=True, metavar="COLONNE", help="colonne de l’étiquette")
    sub.add_argument(
        "--insulting",
        required=True,
        metavar="A,B…",
        help="étiquettes des injures et menaces, séparées par des virgules",
    )
    sub.add_argument(
        "--legitimate", action="append", required=True, metavar="CSV:COLONNE",
        help="textes de consultations présumés légitimes : appris comme tels, ils fixent le seuil (répétable)",
    )  # fmt: skip
    sub.add_argument(
        "--criticism",
        metavar="CSV:COLONNE",
        help="critiques légitimes, jamais apprises : ce que le modèle en suggère à tort",
    )
    sub.add_argument("--seed", type=int, default=1, help="graine (1 par défaut)")
    sub.add_argument("--date", type=dt.date.fromisoformat, default=None, help="date du modèle (aujourd’hui si absente)")
    sub.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    sub.set_defaults(command=lambda options: _insults(options, progress))
    aids = commands.add_parser(
        "aids",
        help="dire pour quoi des textes méritent l’attention de la modération",
        description="Suggestions sur des textes (NDJSON : id, author, text, new), écrites en JSON.",
    )
    aids.add_argument("texts", type=Path, metavar="TEXTES", help="fichier NDJSON")
    aids.add_argument("--model", type=Path, help="modèle d’injures (aucune suggestion d’injure si absent)")
    aids.add_argument("--names", action="store_true", help="chercher les noms de personnes (charge spaCy)")
    aids.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    aids.set_defaults(command=lambda options: _aids(options, progress))


def _insults(options: argparse.Namespace, progress: Progress) -> None:
    from analysis.moderation import training

    progress(0, 1, "apprentissage")
    labelled = training.load(options.labelled, options.text, options.label, options.insulting.split(","))
    legitimate = [training.load(*_column(each)) for each in options.legitimate]
    criticism = training.load(*_column(options.criticism)) if options.criticism else None
    day = options.date or dt.datetime.now(dt.UTC).date()
    model = training.train(labelled, legitimate, criticism, options.out, seed=options.seed, day=day)
    progress(1, 1, "apprentissage")
    print(f"Modèle {model.version}, écrit dans « {options.out} ».")
    for name, share in model.card["measures"].items():
        print(
            f"- {name} : {share['count']} sur {share['among']}, soit {share['share']:.1%} "
            f"(intervalle à 95 % : {share['low']:.1%} à {share['high']:.1%})"
        )


def _column(said: str) -> tuple[Path, str]:
    path, _, column = said.rpartition(":")
    if not path:
        raise AnalysisError(f"« {said} » ne dit pas la colonne : écrivez FICHIER.csv:COLONNE.")
    return Path(path), column


def _aids(options: argparse.Namespace, progress: Progress) -> None:
    from analysis.moderation import reading

    model = insults.read(options.model) if options.model else None
    try:
        rows = [json.loads(line) for line in options.texts.read_text(encoding="utf-8").splitlines() if line.strip()]
        texts = [
            reading.Text(str(row["id"]), row["author"], str(row["text"]), bool(row["new"]), row.get("among", ""))
            for row in rows
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise AnalysisError(f"« {options.texts} » n’est pas un NDJSON de textes : id, author, text, new.") from error
    progress(0, 1, "suggestions")
    found = reading.read(texts, model, names=options.names)
    write_json(options.out, {"suggestions": found})
    progress(1, 1, "suggestions")
    print(f"{len(found)} suggestions pour {len(texts)} textes, dans « {options.out} ».")
