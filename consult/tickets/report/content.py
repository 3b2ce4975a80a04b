"""What the report says, in the order in which each of its files says it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from consult.labels import NO_BREAK, date, moment, number
from consult.seam import service_levels as levels
from consult.tickets import labels
from consult.tickets.models import Kind
from consult.tickets.report.figures import Line, Rate, Report

Cell: TypeAlias = str | int | float | dt.datetime | dt.timedelta | None
MONTHS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns, whose widths are in centimetres."""

    about: str
    columns: Mapping[str, float]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report. `name` is that of its sheet."""

    name: str
    title: str
    said: Sequence[str] = ()
    tables: Sequence[Table] = ()


def title(report: Report) -> str:
    """« Rapport de service, juin 2026 »."""
    local = report.start.astimezone(levels.PARIS)
    return f"Rapport de service, {MONTHS[local.month - 1]} {local.year}"


def words(cell: Cell) -> str:
    """A value as a text says it."""
    match cell:
        case None:
            return "–"
        case dt.datetime():
            return labels.instant(cell)
        case dt.timedelta():
            return labels.length(cell)
        case int() | float():
            return number(cell, 2)
    return cell


def sections(report: Report) -> list[Section]:
    """Every part; one of which nothing is known says so."""
    return [
        _summary(report), _availability(report), _tickets(report), _rates(report.rates), _causes(report),
        _volumes(report), _upkeep(report), _penalties(report),
    ]  # fmt: skip


def _summary(report: Report) -> Section:
    over = report.until == report.end
    period = f"Du {date(report.start)} au {date(report.end - dt.timedelta(microseconds=1))}, heures de Paris."
    state = "Le mois est entier." if over else f"Le mois n’est pas fini{NO_BREAK}: état du {moment(report.until)}."
    late = sum(1 for line in report.lines if line.late)
    due, kept = sum(each.due for each in report.rates), sum(each.kept for each in report.rates)
    rows: list[Sequence[Cell]] = [
        ("Disponibilité", labels.percentage(report.month.availability.percentage) if report.month else "non mesurée"),
        ("Tickets ouverts au cours du mois, ou avant et pas encore clos", len(report.lines)),
        ("Tickets dont un délai au moins est dépassé", late),
        ("Délais échus dans le mois", due),
        ("Délais tenus", kept),
    ]
    table = Table("Synthèse du mois", {"Mesure": 11, "Valeur": 5}, rows)
    rule = (
        "Tous les délais courent depuis le signalement (T0), jours et heures calendaires, sans pause. Tout est "
        "recalculé de l’historique, que la base refuse de changer."
    )
    return Section("Synthèse", "Synthèse", (f"{report.organisation}. {period} {state}", rule), (table,))


def _availability(report: Report) -> Section:
    month = report.month
    if month is None:
        return Section("Disponibilité", "Disponibilité", ("Aucune mesure de la sonde pour ce mois.",))
    found = month.availability
    promised = f"{levels.PROMISED:.2f}".replace(".", ",")
    rows: list[Sequence[Cell]] = [
        ("Mesurée du", found.start),
        ("au", found.end),
        ("Disponibilité", labels.percentage(found.percentage)),
        (f"Engagement ({promised}{NO_BREAK}%)", "non tenu" if month.breached else "tenu"),
        ("Indisponibilité", found.down),
        ("Indisponibilité permise dans le mois", month.allowed),
        ("Marge restante" if month.left >= dt.timedelta(0) else "Dépassement", abs(month.left)),
        ("Interruptions", month.row.outages["count"]),
    ]
    outages = [
        (_instant(each["start"]), _instant(each["end"]), _instant(each["end"]) - _instant(each["start"]),
         "vue par la sonde" if each["seen"] else "non mesurée")
        for each in month.row.outages["last"]
    ]  # fmt: skip
    tables = [Table("Disponibilité du mois", {"Mesure": 9, "Valeur": 7}, rows)]
    if outages:
        columns = {"Début": 5, "Fin": 5, "Durée": 2.5, "Nature": 3.5}
        tables.append(Table("Interruptions, la dernière d’abord", columns, outages))
    said = "Ce que la sonde n’a pas mesuré compte comme une indisponibilité, la maintenance aussi."
    return Section("Disponibilité", "Disponibilité", (said,), tables)


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _tickets(report: Report) -> Section:
    columns = {"Ticket": 3.4, "Étape": 2.8, "Échéance": 3.8, "Atteinte": 3.8, "Écart": 2.2}
    tables = [Table(_about(line), columns, list(_delays(line))) for line in report.lines]
    said = "L’écart est le temps écoulé après l’échéance, jusqu’à l’étape ou jusqu’à la fin du mois."
    return Section("Tickets", "Tickets", (said,) if tables else ("Aucun ticket dans le mois.",), tables)


def _about(line: Line) -> str:
    severity = f", {labels.severity(line.known.severity).lower()}" if line.kind is Kind.ANOMALY else ""
    closed = f", clos le {labels.instant(line.known.closed_at)}" if line.known.closed_at else ""
    cause = f" Cause{NO_BREAK}: {line.known.cause}." if line.known.cause else ""
    kind = labels.KINDS[line.kind]
    return f"N° {line.number}, {line.title} ({kind}{severity}), signalé le {labels.instant(line.t0)}{closed}.{cause}"


def _delays(line: Line) -> Iterator[Sequence[Cell]]:
    for clock in line.clocks:
        gap = clock.late if clock.breached else None
        yield f"N° {line.number}", labels.MILESTONES[clock.milestone], clock.deadline, clock.reached, gap
    if not line.clocks:
        yield f"N° {line.number}", "Aucun délai dû", None, None, None


def _rates(rates: Sequence[Rate]) -> Section:
    if not rates:
        return Section("Taux", "Délais tenus", ("Aucun délai n’est échu dans le mois.",))
    rows = [
        (
            labels.SEVERITIES[each.severity][0] if each.severity else labels.KINDS[Kind.ACCESSIBILITY],
            labels.MILESTONES[each.milestone], each.due, each.kept,
            labels.percentage(100 * each.kept / each.due),
        )
        for each in rates
    ]  # fmt: skip
    columns = {"Gravité": 3.5, "Étape": 4, "Échus": 2.5, "Tenus": 2.5, "Taux": 3.5}
    said = "Un délai compte dans le mois de son échéance."
    return Section("Taux", "Délais tenus", (said,), (Table("Délais échus dans le mois", columns, rows),))


def _causes(report: Report) -> Section:
    if not report.causes:
        return Section("Causes", "Causes répétées", ("Aucune cause n’a été dite de plusieurs anomalies en un an.",))
    columns = {"Cause": 12.0, "Anomalies": 4.0}
    table = Table("Causes dites de plusieurs anomalies en un an", columns, report.causes)
    return Section("Causes", "Causes répétées", (), (table,))


def _volumes(report: Report) -> Section:
    rows = [(labels.KINDS[each.kind], each.opened, each.closed, each.messages) for each in report.volumes]
    columns = {"Nature": 5.0, "Ouverts": 3.0, "Clos": 3.0, "Messages": 5.0}
    return Section("Volumes", "Volumes d’assistance", (), (Table("Tickets du mois, par nature", columns, rows),))


def _upkeep(report: Report) -> Section:
    tables = []
    if report.releases:
        tables.append(Table("Versions qui corrigent", {"Version": 8, "Tickets": 8}, report.releases))
    said = ["Aucune version n’a été dite corriger un ticket du mois."] if not report.releases else []
    drills = report.terms.drills
    told = "Essais de restauration, déclarés par l’exploitant\u00a0:"
    said.append(told if drills else "Aucun essai de restauration n’a été déclaré.")
    return Section("Versions", "Versions et essais de restauration", (*said, *drills), tables)


def _penalties(report: Report) -> Section:
    terms, found = report.terms, report.penalties
    if not found:
        return Section("Pénalités", "Pénalités", ("Aucune anomalie n’est en retard d’un jour entier.",))
    formula = (
        f"Pour information, CCAG-TIC (2021), article 14{NO_BREAK}: P = V × R / {number(terms.rate)}, "
        f"V = {number(terms.value, 2)}{NO_BREAK}€, R en jours entiers du plus long retard."
        if terms.rate and terms.value
        else "Ni valeur ni taux n’ont été donnés\u00a0: aucun montant n’est calculé."
    )
    rows = [(f"N° {ticket}", days, amount) for ticket, days, amount in found]
    columns = {"Ticket": 5.0, "Jours de retard": 5.0, "Montant (€)": 6.0}
    return Section("Pénalités", "Pénalités", (formula,), (Table("Retards d’un jour ou plus", columns, rows),))
