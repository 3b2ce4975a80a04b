"""Every mail that the platform may send, and whether its recipient may do without.

A template of `templates/mail` is in one notice exactly (a test looks). One that may be declined extends `chosen.txt`,
which cannot be rendered without the link that declines it: `service.send` alone gives it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import inspect

from consult.accounts.models import Account
from consult.actor import Role


@dataclass(frozen=True, slots=True)
class Notice:
    """Mails that are wanted or declined together, or that are sent to everybody."""

    name: str
    said: str
    templates: tuple[str, ...]
    column: str = ""  # of Account: whether the person wants them; empty when they may not be declined
    why: str = ""  # they may not be declined
    roles: frozenset[Role] = frozenset()  # the staff to whom they may be sent; empty for everybody

    def concerns(self, roles: Collection[Role]) -> bool:
        """Whether somebody who holds these roles may ever receive it."""
        return not self.roles or not self.roles.isdisjoint(roles)


ANSWER: Final = Notice(
    "Réponse officielle à l’une de vos contributions",
    "Quand l’administration répond à ce que vous avez écrit, corrige sa réponse ou la retire.",
    ("followup_answer",),
    column="told_when_answered",
)
NEWS: Final = Notice(
    "Suites données à une consultation",
    "Un courriel par jour au plus et par consultation, quand l’administration répond ou s’engage après une "
    "consultation à laquelle vous avez pris part. Une réponse anonyme à un questionnaire n’y compte pas\u00a0: rien ne "
    "doit la relier à votre adresse.",
    ("followup_news",),
    column="told_of_answers",
)
FOLLOWED: Final = Notice(
    "Ce que vous suivez",
    "Un courriel par jour au plus, pour tout ce qui s’est passé dans vos suivis\u00a0: réponse officielle, texte "
    "modifié, étape qui s’ouvre ou se termine, résultats.",
    ("subscriptions_news",),
    column="told_of_followed",
)
REPORTS: Final = Notice(
    "Contenus signalés qui attendent une décision",
    "Un courriel pour tout ce qui a été signalé entre-temps.",
    ("moderation_waiting",),
    column="told_of_reports",
    roles=frozenset({Role.MODERATOR, Role.ADMINISTRATOR}),
)
DELAYS: Final = Notice(
    "Engagements dont l’échéance est passée",
    "Une fois par échéance.",
    ("followup_overdue",),
    column="told_of_delays",
    roles=frozenset({Role.ADMINISTRATOR, Role.ORGANISER, Role.DECISION_MAKER}),
)
TRAFFIC: Final = Notice(
    "Bilans de fréquentation",
    "Chaque semaine d’une consultation ouverte, et chaque jour de ses deux premières semaines.",
    ("audience_report",),
    column="told_of_traffic",
    roles=frozenset({Role.ADMINISTRATOR, Role.ORGANISER, Role.ANALYST, Role.DECISION_MAKER, Role.DITP}),
)
NOTICES: Final = (
    ANSWER,
    NEWS,
    FOLLOWED,
    REPORTS,
    DELAYS,
    TRAFFIC,
    Notice(
        "Décisions de modération sur ce que vous avez publié",
        "Quand un contenu est publié après lecture, masqué, à reformuler, rétabli, ou contesté avec succès ou non.",
        (
            *("moderation_hidden", "moderation_restored", "moderation_upheld"),
            *("moderation_published", "moderation_reword"),
        ),
        why="Une décision doit vous être dite avec ses raisons, et comment la contester\u00a0: règlement européen "
        "2022/2065, articles 17 et 20.",
    ),
    Notice(
        "Sécurité de votre compte",
        "Quand le mot de passe, l’adresse ou le second facteur a changé.",
        ("accounts_guard_changed", "accounts_address_changed"),
        why="Sans eux, vous ne sauriez pas qu’un autre s’en est servi\u00a0: RGPD, article 32.",
    ),
    Notice(
        "Suites de vos demandes sur vos données",
        "Accusé de réception, prolongation, réponse, fin d’une mesure.",
        ("rights_received", "rights_extended", "rights_answered", "rights_lifted"),
        why="Une réponse vous est due dans le mois\u00a0: RGPD, article 12.",
    ),
    Notice(
        "Suites de vos demandes d’aide",
        "Accusé de réception, réponses, clôture.",
        ("assistance_received", "assistance_changed"),
        why="Vous les avez demandées.",
    ),
    Notice(
        "Suppression de votre compte",
        "Un mois avant celle d’un compte endormi, puis une fois faite.",
        ("privacy_inactive", "privacy_erased"),
        why="Vos données ne disparaissent pas sans que vous le sachiez\u00a0: RGPD, articles 5 et 12.",
    ),
    Notice(
        "Liens que vous venez de demander",
        "Confirmer une adresse, se connecter sans mot de passe, changer de mot de passe ou d’adresse, relier une "
        "identité.",
        (
            *("accounts_confirm", "accounts_already_known", "accounts_unknown", "accounts_sign_in", "accounts_reset"),
            *("accounts_change_address", "accounts_link_identity", "rights_confirm"),
            "assistance_confirm",
        ),
        why="Ils ne partent que si vous les demandez, ou si quelqu’un a tapé votre adresse.",
    ),
    Notice(
        "Invitation à répondre à un questionnaire",
        "À l’adresse que l’administration a donnée, qu’elle ait un compte ou non\u00a0; puis un rappel au plus, si "
        "l’invitation n’a pas servi.",
        ("invitations_invite", "invitations_reminder"),
        why="L’administration choisit qui elle consulte. L’adresse est effacée à la fin du questionnaire.",
    ),
    Notice(
        "Demandes de personnes sur leurs données, qui attendent une réponse",
        "À la réception, puis une semaine avant l’échéance et chaque semaine.",
        ("rights_waiting",),
        why="L’administration répond dans le mois\u00a0: RGPD, article 12.",
        roles=frozenset({Role.ADMINISTRATOR}),
    ),
    Notice(
        "Tickets\u00a0: signalements, délais qui passent, ce qui change",
        "À l’exploitant\u00a0: chaque signalement, puis 50 %, 80 % et 100 % de chaque délai. À l’administration\u00a0: "
        "ce que fait l’exploitant, et chaque délai dépassé.",
        ("tickets_opened", "tickets_changed", "tickets_alert"),
        why="Les délais du contrat courent depuis le signalement, jour et nuit.",
        roles=frozenset({Role.OPERATOR, Role.ADMINISTRATOR, Role.DITP}),
    ),
    Notice(
        "Registre des accès",
        "À l’adresse que l’organisation a donnée, chaque fois qu’un accès est donné ou retiré.",
        ("accounts_access_register",),
        why="Qui répond de la sécurité doit savoir qui peut faire quoi.",
        roles=frozenset({Role.ADMINISTRATOR}),
    ),
)
CHOSEN: Final = tuple(notice for notice in NOTICES if notice.column)


def wants(account: Account, notice: Notice) -> bool:
    """Whether that mail may be written to the account: the rule, for all that may be declined."""
    return bool(getattr(account, notice.column))


def chosen(template: str) -> Notice:
    """The notice of a template that may be declined. Raises KeyError for any other."""
    found = next((notice for notice in CHOSEN if template in notice.templates), None)
    if found is None:
        raise KeyError(template)
    return found


def of_column(column: str) -> Notice | None:
    """The notice whose choice that column of an account holds."""
    return next((notice for notice in CHOSEN if notice.column == column), None)


def forget_choices(account: Account) -> None:
    """Give every choice back the value that it has in a new account."""
    columns: Any = inspect(Account).columns
    for notice in CHOSEN:
        setattr(account, notice.column, columns[notice.column].default.arg)
