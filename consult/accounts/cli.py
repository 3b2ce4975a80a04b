"""`consult account`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import click

from consult.actor import PLATFORM_ROLES, STAFF_ROLES, SYSTEM, Role
from consult.console import Serve, Served
from consult.errors import InvalidError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consult.accounts.models import Account

of_organisation = click.option(
    "--organisation", "slug", default="", help="Identifiant de l’organisation du compte ; par défaut, la première."
)


@click.group()
def account() -> None:
    """Les comptes d’agents et leurs rôles."""


@account.command("create")
@of_organisation
@click.option("--email", required=True, help="Adresse électronique, dont vous répondez.")
@click.option("--pseudonym", required=True, help="Nom affiché.")
@click.option("--role", "role_names", multiple=True, help="Rôle à donner ; répétable.")
@click.option("--password", envvar="CONSULT_NEW_PASSWORD", default="", help="Demandé s’il manque.")
@click.pass_obj
def create(serve: Serve, /, slug: str, email: str, pseudonym: str, role_names: tuple[str, ...], password: str) -> None:
    """Créer un compte confirmé, avec ses rôles."""
    from consult import clock
    from consult.accounts import service
    from consult.accounts.passwords import service as passwords

    roles = [_role(name) for name in role_names]
    kept = passwords.keep(
        password or _typed_password(), staff=not STAFF_ROLES.isdisjoint(roles), context=(email, pseudonym)
    )
    served = serve(slug)
    with served.database.transaction(tenant=served.organisation_id) as session:
        created = service.create_account(
            session,
            organisation_id=served.organisation_id,
            email=email,
            pseudonym=pseudonym,
            password=kept,
            now=clock.now(),
            confirmed=True,
            tags_differ=served.settings.email_tags,
        )
        for role in roles:
            _grant(session, served, created, role)
    served.tell(f"Compte « {pseudonym} » créé." + (" Le second facteur sera demandé à la connexion." if roles else ""))


@account.command("grant")
@of_organisation
@click.argument("email", metavar="ADRESSE")
@click.argument("role_name", metavar="ROLE")
@click.pass_obj
def grant(serve: Serve, /, slug: str, email: str, role_name: str) -> None:
    """Donner un rôle à un compte existant, connu par son adresse."""
    role, served = _role(role_name), serve(slug)
    with served.database.transaction(tenant=served.organisation_id) as session:
        _grant(session, served, _account(session, served, email), role)
    served.tell(f"Rôle « {role.value} » donné.")


@account.command("revoke")
@of_organisation
@click.argument("email", metavar="ADRESSE")
@click.argument("role_name", metavar="ROLE")
@click.pass_obj
def revoke(serve: Serve, /, slug: str, email: str, role_name: str) -> None:
    """Retirer un rôle de plateforme. Les rôles d’organisation se retirent dans l’espace de gestion, avec un motif."""
    from consult import clock
    from consult.accounts.access import service

    role, served = _role(role_name, PLATFORM_ROLES), serve(slug)
    with served.database.transaction(tenant=served.organisation_id) as session:
        service.revoke_platform(session, _account(session, served, email), role, now=clock.now())
    served.tell(f"Rôle « {role.value} » retiré.")


@account.command("seal")
@of_organisation
@click.pass_obj
def seal(serve: Serve, /, slug: str) -> None:
    """Chiffrer avec la première clé de CONSULT_SEAL_KEYS tous les secrets de second facteur, de toute la plateforme."""
    from consult.accounts.second_factor import service
    from consult.sealing import second_factors

    served = serve(slug)
    with served.database.transaction(tenant=served.organisation_id) as session:
        count = service.seal_again(session, second_factors(served.settings.seal_keys))
    served.tell(f"Secrets chiffrés de nouveau\u00a0: {count}.")


def _typed_password() -> str:
    typed: list[str] = [
        click.prompt(words, prompt_suffix="\u00a0: ", hide_input=True, err=True)
        for words in ("Mot de passe", "Le même, encore une fois")
    ]
    if typed[0] != typed[1]:
        raise InvalidError("Les deux mots de passe diffèrent : recommencez.")
    return typed[0]


def _role(name: str, known: Collection[Role] = STAFF_ROLES) -> Role:
    if name not in {role.value for role in known}:
        raise InvalidError(f"Le rôle « {name} » n’existe pas ici. Rôles possibles : {', '.join(sorted(known))}.")
    return Role(name)


def _account(session: Session, served: Served, email: str) -> Account:
    from consult.accounts import policy, queries

    key = policy.typed_email_key(email, tags_differ=served.settings.email_tags)
    found = queries.confirmed_account(session, key)
    if found is None:
        raise NotFoundError("Aucun compte confirmé de cette organisation n’a cette adresse.")
    return found


def _grant(session: Session, served: Served, held: Account, role: Role) -> None:
    from consult import clock
    from consult.accounts.access import service
    from consult.organisations import queries
    from consult.organisations.models import Organisation

    if role in PLATFORM_ROLES:
        service.grant_platform(session, held, role, now=clock.now())
        return
    organisation = session.get_one(Organisation, served.organisation_id)
    site = queries.address_of(session, organisation, served.settings)
    service.grant(session, organisation, held, role, actor=SYSTEM, now=clock.now(), site=site)
