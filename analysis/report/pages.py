"""The report as one self-contained French page: no script, no outside asset."""

import base64
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analysis.coding.codebook import Code
from analysis.coding.standing import MARKED, PUBLISHED, UNMEASURED, WITHHELD, WORDS, Standing
from analysis.lexical.disclosure import PUBLISHED_FROM
from analysis.lexical.frequencies import Frequency
from analysis.plurals import counted, noun
from analysis.report import charts
from analysis.report.listings import SHOWN_CAMPAIGNS, SHOWN_LEMMAS, shown_specificities
from analysis.report.study import CodeCount, CorpusResult, Study
from analysis.tabulate.flat import VOLUNTEERS_NOTICE, FlatTable, percentage

RESOURCES = Path(__file__).parents[1] / "resources"
CHARTED_LEMMAS = 20
CHARTED_CODES = 40
KIND_LABELS = {
    "exact": "copies",
    "near": "copies retouchées",
    "template": "modèle à compléter",
    "opening": "même début",
}
APPROVER_LABELS = {"ditp": "la DITP", "administration": "l’administration"}

Lists = dict[tuple[str, str, str], str]
ChartKey = tuple[str, str]


def environment() -> Environment:
    """The templates, escaping everything, with French numbers."""
    found = Environment(
        loader=FileSystemLoader(RESOURCES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    found.filters.update(number=number, percent=percent, decimal=decimal, counted=_counted)
    return found


def number(value: int) -> str:
    """`12345` gives « 12 345 », with a narrow no-break space."""
    return f"{value:,}".replace(",", "\u202f")


def _counted(count: int, singular: str, plural: str | None = None) -> str:
    """`counted`, with the number as `number` writes it."""
    return f"{number(count)} {noun(count, singular, plural)}"


def percent(value: float | None) -> str:
    """A percentage with one decimal, or a dash for an empty base."""
    return "–" if value is None else f"{value:.1f}\u202f%".replace(".", ",")


def decimal(value: float) -> str:
    """A number with a decimal comma."""
    return f"{value:g}".replace(".", ",").replace("-", "\u2212")


def draw(study: Study) -> dict[ChartKey, bytes]:
    """Every chart of the report, by corpus or questionnaire and table."""
    found: dict[ChartKey, bytes] = {}
    for result in study.corpora:
        key = result.corpus.key
        lemmas = shown_frequencies(result)[:CHARTED_LEMMAS]
        if lemmas:
            labels = [shown(result, item.lemma) for item in lemmas]
            found[key, "words"] = charts.bars(labels, [item.texts for item in lemmas], "contributions")
        if result.codes:
            codes = sorted(result.codes, key=lambda count: -count.total)[:CHARTED_CODES]
            labels = [count.label for count in codes]
            found[key, "codes"] = charts.bars(labels, [count.total for count in codes], "contributions")
        for table in result.flat:
            found[key, table.key] = _flat_chart(table)
    for answers in study.questionnaires:
        for table in answers.flat:
            found[answers.questionnaire.key, table.key] = _flat_chart(table)
    return found


def _flat_chart(table: FlatTable) -> bytes:
    rows = [row for row in table.rows if row.count] or list(table.rows)
    values = [row.of_respondents or 0.0 for row in rows]
    return charts.bars([row.label for row in rows], values, f"% des {counted(table.answered, 'répondant')}")


def shown_frequencies(result: CorpusResult) -> list[Frequency]:
    """The content words that the report lists."""
    return [item for item in result.frequencies if item.content][:SHOWN_LEMMAS]


@dataclass(frozen=True)
class CampaignRow:
    """A campaign as it is shown: its list, and what is known of it in French."""

    number: int
    size: int
    wordings: int
    authors: str
    dates: str
    kinds: str


def shown_campaigns(result: CorpusResult) -> list[CampaignRow]:
    """The largest campaigns."""
    return [
        CampaignRow(
            number=campaign.number,
            size=campaign.size,
            wordings=campaign.wordings,
            authors="inconnus" if campaign.authors is None else str(campaign.authors),
            dates=" – ".join(dict.fromkeys(date[:10] for date in (campaign.first, campaign.last) if date)),
            kinds=", ".join(KIND_LABELS[kind] for kind in campaign.kinds),
        )
        for campaign in result.register.campaigns[:SHOWN_CAMPAIGNS]
    ]


def shown(result: CorpusResult, lemma: str) -> str:
    """A lemma as it is shown: acronyms in capitals."""
    return lemma.upper() if lemma in result.acronyms else lemma


def reconciliation_rows(study: Study, result: CorpusResult, lists: Lists) -> list[tuple[str, int, str | None]]:
    """Where the contributions of a corpus went: label, count, and the list behind the count if it is public."""
    key, rec = result.corpus.key, result.reconciliation
    counts = result.sorting.counts()
    rows: list[tuple[str, int, str | None]] = [
        (f"Écartées : {reason}", count, None) for reason, count in result.corpus.set_apart.items()
    ]
    for kind, rules in (
        ("Non-réponse", result.sorting.rules.nonresponse),
        ("Indécidable", result.sorting.rules.undecidable),
    ):
        rows += [
            (f"{kind} – {rule.label}", counts[rule.id], lists[key, "rule", rule.id])
            for rule in rules
            if counts[rule.id]
        ]
    if result.withheld:
        title = "Indécidable – tous leurs codes sont retenus"
        rows.append((title, len(result.withheld), lists[key, "withheld", ""]))
    if study.codebook:
        rows.append(("Codées (un code au moins)", rec.coded, None))
        rows.append(("Sans code", rec.no_code, lists[key, "uncoded", ""]))
    else:
        rows.append(("Lisibles, non codées (aucun plan de codification)", rec.no_code, None))
    return rows


def billed_label(result: CorpusResult) -> str:
    """What the texts that are an answer are: an external source is never counted with the contributions."""
    if result.corpus.external:
        return "Textes de la source externe (hors non-réponses), jamais comptés avec les contributions"
    return "Contributions facturables (hors non-réponses)"


@dataclass(frozen=True)
class CodeRow:
    """A code as it is shown: its counts, or None when it is withheld, and what is known of its quality."""

    code: Code
    count: CodeCount | None
    standing: Standing
    quality: str


def code_rows(study: Study, result: CorpusResult) -> list[CodeRow]:
    """Every code of the codebook, in its order."""
    counts = {count.code.id: count for count in result.codes}
    codes = study.codebook.codes if study.codebook else ()
    standings = [(code, result.standings[code.id]) for code in codes]
    return [CodeRow(code, counts.get(code.id), each, each.reason or WORDS[each.verdict]) for code, each in standings]


def quality_note(result: CorpusResult) -> str:
    """What must be said of the quality of the codes of a corpus."""
    verdicts = Counter(standing.verdict for standing in result.standings.values())
    if verdicts[UNMEASURED]:
        return "Qualité non mesurée : aucun échantillon de ces codes n’a été lu par des personnes."
    return (
        f"Qualité mesurée sur un échantillon lu par des personnes : {counted(verdicts[PUBLISHED], 'code publiable')}, "
        f"{verdicts[MARKED]} à lire avec prudence, {counted(verdicts[WITHHELD], 'retenu')}."
    )


def report(study: Study, lists: Lists, drawn: dict[ChartKey, bytes], *, seed: int) -> str:
    """The whole page."""
    codebook = study.codebook
    images = {key: "data:image/svg+xml;base64," + base64.b64encode(svg).decode() for key, svg in drawn.items()}
    return (
        environment()
        .get_template("report.html")
        .render(
            study=study,
            seed=seed,
            charts=images,
            lists=lists,
            volunteers=VOLUNTEERS_NOTICE,
            published_from=PUBLISHED_FROM,
            notices=study.source.notices,
            missing=[APPROVER_LABELS[role] for role in codebook.missing_approvals] if codebook else [],
            labels={code.id: code.label for code in codebook.codes} if codebook else {},
            rules_version=next((result.sorting.rules.version for result in study.corpora), "–"),
            reconciliation=lambda result: reconciliation_rows(study, result, lists),
            campaigns=shown_campaigns,
            codes=lambda result: code_rows(study, result),
            quality_note=quality_note,
            billed_label=billed_label,
            lemmas=shown_frequencies,
            specific=shown_specificities,
            shown=shown,
            percentage=percentage,
        )
    )
