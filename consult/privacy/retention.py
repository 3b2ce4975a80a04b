"""How long each table keeps what tells of a person, why, and what forgets it: said once, to the public and to the jobs.

Durations follow the CNIL's « Guide pratique – les durées de conservation » (2020) and, for journals, its deliberation
2021-122. A rule without `sweep` is kept by the job of its own feature, or lasts as long as something else does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import ColumnElement, delete, func, inspect, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from consult.audience.models import AudienceCount
from consult.audience.policy import KEPT as COUNTS_KEPT
from consult.audit.models import AuditEntry
from consult.clock import hour_number
from consult.consultations.queries import ended_before
from consult.db import Base
from consult.imports.models import ImportBatch, RejectedRow
from consult.jobs.models import Job, JobState
from consult.moderation.aids.models import Suggestion
from consult.moderation.holding.models import Hold
from consult.moderation.models import Contest, Report
from consult.privacy.rights import queries as rights
from consult.privacy.rights.models import RightsRequest
from consult.privacy.rights.policy import LINK_LIFE
from consult.questionnaires.invitations.models import Invitation, InvitationBatch
from consult.questionnaires.models import HasReplied, ReplyDraft
from consult.tickets.assistance import service as assistance

CHUNK: Final = 200
UNCONFIRMED: Final = dt.timedelta(days=30)
INACTIVE: Final = dt.timedelta(days=730)
WARNED: Final = dt.timedelta(days=30)  # before an inactive account goes
YEAR: Final = dt.timedelta(days=365)
QUARTER: Final = dt.timedelta(days=90)
# One chunk: forgets some rows, says how many.
Sweep: TypeAlias = Callable[[Session, dt.datetime], int]


@dataclass(frozen=True, slots=True)
class Rule:
    """What tables keep, how long, on which ground (articles of the GDPR), in the words of the public page."""

    tables: tuple[str, ...]
    what: str
    kept: str
    ground: str
    sweep: Sweep | None = None


def _delete(model: type[Base], old: Callable[[dt.datetime], ColumnElement[bool]]) -> Sweep:
    def sweep(session: Session, now: dt.datetime) -> int:
        (key,) = inspect(model).primary_key
        ids = session.scalars(select(key).where(old(now)).limit(CHUNK)).all()
        session.execute(delete(model).where(key.in_(ids)), execution_options={"synchronize_session": False})
        return len(ids)

    return sweep


def _empty(text: InstrumentedAttribute[str], old: Callable[[dt.datetime], ColumnElement[bool]]) -> Sweep:
    def sweep(session: Session, now: dt.datetime) -> int:
        model = cast("Any", text.class_)
        ids = session.scalars(select(model.id).where(old(now), text != "").limit(CHUNK)).all()
        options = {"synchronize_session": False}
        session.execute(update(model).where(model.id.in_(ids)).values({text: ""}), execution_options=options)
        return len(ids)

    return sweep


def _over(now: dt.datetime) -> ColumnElement[bool]:
    """Requests never confirmed, and those answered, or lifted, a year ago; not what still keeps texts aside."""
    unconfirmed = RightsRequest.due_on.is_(None) & (RightsRequest.asked_at < now - LINK_LIFE)
    ended = func.coalesce(RightsRequest.lifted_at, RightsRequest.answered_at) < now - YEAR
    return unconfirmed | (ended & ~rights.standing())


def _replied_long_ago(session: Session, now: dt.datetime) -> int:
    """In the order of accounts, which is that of the table: an order of replies is nowhere to be read."""
    key = HasReplied.step_id, HasReplied.account_id
    over = select(*key).where(HasReplied.step_id.in_(ended_before(now - YEAR))).order_by(*key).limit(CHUNK)
    gone = [tuple(each) for each in session.execute(over)]
    session.execute(delete(HasReplied).where(tuple_(*key).in_(gone)), execution_options={"synchronize_session": False})
    return len(gone)


def _old_counts(session: Session, now: dt.datetime) -> int:
    key = tuple(inspect(AudienceCount).primary_key)
    old = AudienceCount.hour < hour_number(now - COUNTS_KEPT)
    gone = [tuple(each) for each in session.execute(select(*key).where(old).limit(CHUNK))]
    session.execute(
        delete(AudienceCount).where(tuple_(*key).in_(gone)), execution_options={"synchronize_session": False}
    )
    return len(gone)


def _uninvited(session: Session, now: dt.datetime) -> int:
    """Forget the addresses that were invited to a step that is over."""
    over = select(InvitationBatch.id).where(InvitationBatch.step_id.in_(ended_before(now)))
    named = select(Invitation.id).where(Invitation.batch_id.in_(over), Invitation.email.is_not(None))
    ids = session.scalars(named.limit(CHUNK)).all()
    forgotten = update(Invitation).where(Invitation.id.in_(ids)).values(email=None)
    session.execute(forgotten, execution_options={"synchronize_session": False})
    return len(ids)


MISSION: Final = "mission d’intérêt public (article 6, § 1, e)"
CONTRACT: Final = "conservation limitée à ce qui est nécessaire (article 5, § 1, e)"
PROOF: Final = "responsabilité et preuve (articles 5, § 2, et 17, § 3)"
_MEASURES: Final = ("quality_sample", "sample_coder", "sample_coding")
_WITH_CONSULTATION: Final = "Tant que la consultation est publiée, sauf retrait ou effacement."

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        ("account", "consultation_pseudonym", "security_key", "federated_identity"),
        "Compte, noms portés dans une consultation, clés de sécurité des agents, identités FranceConnect et ProConnect",
        "Jusqu’à sa suppression\u00a0; 30 jours si l’adresse n’est jamais confirmée\u00a0; deux ans sans connexion, "
        "après un courriel envoyé un mois avant (ce qui est publié reste alors, sans nom).",
        CONTRACT,
    ),
    Rule(
        ("proposal", "article", "argument", "content_version", "vote", "ballot", "search_document"),
        "Propositions, articles, arguments, versions et votes",
        _WITH_CONSULTATION,
        MISSION,
    ),
    Rule(
        ("official_answer", "commitment", "commitment_link", "commitment_update", "use_case", "followup_version"),
        "Réponses officielles, engagements, cas d’usage (agents)",
        "Tant que la consultation est publiée, sans nom une fois le compte supprimé.",
        PROOF,
    ),
    Rule(
        ("subscription",),
        "Consultations et contributions que vous suivez",
        "Jusqu’à ce que vous cessiez de les suivre, ou à la suppression du compte. Ni publié, ni compté, ni donné à "
        "l’administration.",
        CONTRACT,
    ),
    Rule(
        ("step_secret",),
        "Lien entre votre compte et vos votes",
        "Six mois après la fin de la consultation, le temps des recours\u00a0; détruit ensuite\u00a0: vos votes "
        "restent comptés, et plus personne ne peut dire qu’ils sont de vous.",
        MISSION,
    ),
    Rule(("reply", "answer", "published_total"), "Réponses aux questionnaires", _WITH_CONSULTATION, MISSION),
    Rule(
        ("has_replied",),
        "Réponses anonymes\u00a0: que ce compte a répondu à ce questionnaire, sans le jour",
        "Un an après la fin du questionnaire, ou jusqu’à la suppression du compte. La réponse elle-même n’est à "
        "personne.",
        CONTRACT,
        _replied_long_ago,
    ),
    Rule(
        ("reply_urn",),
        "Réponses anonymes qui attendent leur lot, chiffrées",
        "Jusqu’au lot\u00a0: vingt réponses au moins, ou la fin du questionnaire.",
        MISSION,
    ),
    Rule(
        ("unsent_form",),
        "Formulaires envoyés une fois la session terminée, chiffrés\u00a0: seul votre navigateur les ouvre",
        "Un jour.",
        CONTRACT,
    ),
    Rule(
        ("invitation", "invitation_batch"),
        "Invitations à un questionnaire\u00a0: adresses que l’administration a données",
        "L’adresse, jusqu’à la fin du questionnaire\u00a0; ensuite, une empreinte qui ne désigne personne, et si elle "
        "a servi, sans dire quand ni à quelle réponse.",
        MISSION,
        _uninvited,
    ),
    Rule(("contribution_draft",), "Brouillons de propositions et d’arguments", "Un jour.", CONTRACT),
    Rule(
        ("reply_draft",),
        "Réponses en brouillon",
        "Jusqu’à l’envoi\u00a0; une semaine sans compte, un an avec.",
        CONTRACT,
        _delete(ReplyDraft, lambda now: ReplyDraft.updated_at < now - YEAR),
    ),
    Rule(
        ("login_session", "single_use_token", "attempt_count", "mailbox_count", "spent_proof"),
        "Sessions, liens envoyés, essais de mot de passe",
        "Jusqu’à la fin de la session ou du lien\u00a0: 30 jours au plus.",
        "sécurité (article 32)",
    ),
    Rule(
        ("outgoing_mail",),
        "Courriels",
        "Adresse et texte jusqu’à l’envoi\u00a0; la trace de l’envoi, 30 jours.",
        CONTRACT,
    ),
    Rule(
        ("report",),
        "Signalements",
        "Les mots du signalement, un an après la décision\u00a0; le fait qu’il y en eut un, autant que le contenu.",
        MISSION,
        _empty(Report.comment, lambda now: Report.decision_id.is_not(None) & (Report.reported_at < now - YEAR)),
    ),
    Rule(
        ("moderation_contest",),
        "Contestations",
        "Vos raisons, un an après la réponse.",
        MISSION,
        _empty(Contest.statement, lambda now: Contest.answer_id.is_not(None) & (Contest.contested_at < now - YEAR)),
    ),
    Rule(
        ("suggestion", "suggestion_mark"),
        "Suggestions de la machine aux modérateurs",
        "Un an\u00a0; effacées avec le texte.",
        MISSION,
        _delete(Suggestion, lambda now: Suggestion.made_at < now - YEAR),
    ),
    Rule(
        ("moderation_hold",),
        "Contenus qu’un modérateur examine (agents)",
        "Jusqu’à la décision, ou un jour après la fin de la prise.",
        MISSION,
        _delete(Hold, lambda now: Hold.held_until < now - dt.timedelta(days=1)),
    ),
    Rule(("moderation_decision",), "Décisions de modération", "Autant que le contenu.", PROOF),
    Rule(
        ("membership", "platform_role", "codebook", "codebook_approval", "analysis_run", *_MEASURES),
        "Registre des accès, plans de codification, analyses et échantillons de contrôle (agents)",
        "Tant que la consultation est conservée\u00a0; sans nom une fois le compte supprimé.",
        PROOF,
    ),
    Rule(
        ("audit_entry",),
        "Journal des actes des agents",
        "Un an.",
        "sécurité (article 32)",
        _delete(AuditEntry, lambda now: AuditEntry.at < now - YEAR),
    ),
    Rule(("import_batch",), "Fichiers importés\u00a0: nom, auteur de l’import", _WITH_CONSULTATION, PROOF),
    Rule(
        ("raw_export", "api_key"),
        "Exports bruts et clés de l’administration (agents)",
        "Le fichier chiffré, une semaine, ou moins si un contenu ou un compte est masqué, retiré ou effacé\u00a0; la "
        "ligne du registre, sans nom une fois le compte supprimé.",
        PROOF,
    ),
    Rule(
        ("ticket", "ticket_clock", "ticket_event", "ticket_message", "ticket_file"),
        "Tickets\u00a0: anomalies, délais, échanges (agents)",
        "La durée du contrat et de ses recours\u00a0; sans nom une fois le compte supprimé.",
        PROOF,
    ),
    Rule(
        ("help_request",),
        "Demandes d’aide\u00a0: adresse, textes et réponses",
        "Un an après la clôture\u00a0; deux jours si l’adresse n’est jamais confirmée.",
        MISSION,
        lambda session, now: assistance.forget_old(session, now, CHUNK),
    ),
    Rule(
        ("mission_package",),
        "Dossiers de fin de mission\u00a0: qui les a demandés (agents)",
        "Jusqu’au dossier suivant\u00a0; sans nom une fois le compte supprimé.",
        PROOF,
    ),
    Rule(
        ("rejected_row",),
        "Lignes refusées d’un fichier importé",
        "Trois mois après l’import.",
        CONTRACT,
        _delete(
            RejectedRow,
            lambda now: RejectedRow.batch_id.in_(select(ImportBatch.id).where(ImportBatch.started_at < now - QUARTER)),
        ),
    ),
    Rule(
        ("audience_count", "traffic_report"),
        "Mesure d’audience\u00a0: des sommes par heure et par jour, qui ne disent rien de personne, et les bilans",
        "Les sommes, vingt-cinq mois\u00a0; les bilans, autant que l’organisation.",
        CONTRACT,
        _old_counts,
    ),
    Rule(
        ("job",),
        "Travaux de fond",
        "Un mois\u00a0; trois s’ils ont échoué. Ils ne nomment personne.",
        CONTRACT,
        _delete(Job, lambda now: (Job.state == JobState.FAILED) & (Job.finished_at < now - QUARTER)),
    ),
    Rule(
        ("rights_request",),
        "Demandes d’exercice de vos droits",
        "Un an après la réponse, ou après la fin de ce qui a été accordé\u00a0; deux jours si l’adresse n’est jamais "
        "confirmée.",
        PROOF,
        _delete(RightsRequest, _over),
    ),
    Rule(
        ("erasure_entry",),
        "Journal des effacements",
        "Tant que des sauvegardes peuvent ramener le compte\u00a0: une empreinte et un jour, sans nom.",
        PROOF,
    ),
    Rule(
        ("registry_entry", "registry_lost_opening"),
        "Registre public",
        "Toujours\u00a0: des empreintes. Ce qu’elles engagent s’efface avec le contenu.",
        PROOF,
    ),
)
# Not tables.
OTHERS: Final = (
    Rule((), "Journal de sécurité\u00a0: adresse IP, compte, événement", "Un an au plus.", "obligation légale"),
    Rule((), "Exports publics", "Remplacés dès qu’un contenu est retiré, masqué ou effacé.", MISSION),
    Rule((), "Sauvegardes", "Le temps que fixe l’exploitant\u00a0; effacements rejoués.", "sécurité (article 32)"),
)


def sweep_all(session: Session, now: dt.datetime) -> Iterator[tuple[Rule, int]]:
    """Apply each rule in short chunks: after each, the rule and how many rows it forgot."""
    for rule in RULES:
        while rule.sweep is not None and (gone := rule.sweep(session, now)):
            yield rule, gone
