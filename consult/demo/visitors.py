"""Accounts that visitors of the demonstration may sign in with. Their secrets are public: refused in production."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.accounts import service as accounts
from consult.accounts.access import service as access
from consult.accounts.models import Account
from consult.accounts.passwords.service import KeptPassword
from consult.accounts.second_factor import service as second_factor
from consult.accounts.sign_up.policy import TERMS_VERSION
from consult.actor import PLATFORM_ROLES, SYSTEM, Actor, Role
from consult.organisations.models import Organisation
from consult.sealing import Keyring

PASSWORD: Final = "Guidon-Parapluie-Tournesol"  # noqa: S105
TOTP_SECRET: Final = "MZUWG5DJMZSGK3LPNZZXI4TBORUW63RR"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Visitor:
    """One account, by the role it shows."""

    role: Role
    title: str
    pseudonym: str

    @property
    def email(self) -> str:
        return f"{self.role.value}@demo.example"


VISITORS: Final = (
    Visitor(Role.PARTICIPANT, "participant", "Camille du bourg"),
    Visitor(Role.ORGANISER, "organisateur", "Odile démonstration"),
    Visitor(Role.MODERATOR, "modérateur", "Marc démonstration"),
    Visitor(Role.ANALYST, "analyste", "Ana démonstration"),
    Visitor(Role.DECISION_MAKER, "décideur", "Denis démonstration"),
    Visitor(Role.ADMINISTRATOR, "administrateur", "Ada démonstration"),
    Visitor(Role.DITP, "DITP", "Dina démonstration"),
    Visitor(Role.OPERATOR, "exploitant", "Otis démonstration"),
)


def create(
    session: Session,
    organisation: Organisation,
    password: KeptPassword,
    *,
    site: str,
    now: dt.datetime,
    keyring: Keyring,
) -> dict[Role, Actor]:
    """The accounts, confirmed, with their roles and their second factor enrolled; as actors, by role."""
    actors: dict[Role, Actor] = {}
    for visitor in VISITORS:
        account = accounts.create_account(
            session,
            organisation_id=organisation.id,
            email=visitor.email,
            pseudonym=visitor.pseudonym,
            password=password,
            now=now,
            confirmed=True,
            terms_version=TERMS_VERSION,
        )
        session.flush()
        if visitor.role is not Role.PARTICIPANT:
            second_factor.enrol(session, account, secret=TOTP_SECRET, code=code(now), now=now, keyring=keyring)
            _appoint(session, organisation, account, visitor.role, site=site, now=now)
        actors[visitor.role] = Actor(account.id, account.pseudonym, confirmed=True, roles=frozenset({visitor.role}))
    return actors


def actor(session: Session, role: Role) -> Actor:
    """The visitor who holds that role, once created."""
    email = next(visitor.email for visitor in VISITORS if visitor.role is role)
    account = session.scalars(select(Account).where(Account.email == email)).one()
    return Actor(account.id, account.pseudonym, confirmed=True, roles=frozenset({role}))


def code(now: dt.datetime) -> str:
    """The second factor's code at that instant, the same for every visitor."""
    return pyotp.TOTP(TOTP_SECRET).at(now)


def introduction(site: str, now: dt.datetime, invitation: str) -> list[str]:
    """The lines that tell a newcomer where to go and how to sign in."""
    width = max(len(visitor.title) for visitor in VISITORS)
    return [
        "",
        "Consultation fictive de démonstration",
        f"  Site public  {site}/",
        f"  Gestion      {site}/gestion",
        f"  Invitation   {site}/invitation?code={invitation}",
        f"  Connexion    {site}/connexion, mot de passe\u00a0: {PASSWORD}",
        *(f"    {visitor.title:<{width}}  {visitor.email}" for visitor in VISITORS),
        f"  Les agents donnent aussi un code\u00a0: {code(now)} en ce moment, puis «\u202fconsult demo --code\u202f»",
        f"  (ou cette clé dans une application d’authentification\u00a0: {TOTP_SECRET}).",
        "",
    ]


def _appoint(
    session: Session, organisation: Organisation, account: Account, role: Role, *, site: str, now: dt.datetime
) -> None:
    if role in PLATFORM_ROLES:
        access.grant_platform(session, account, role, now=now)
    else:
        access.grant(session, organisation, account, role, actor=SYSTEM, now=now, site=site)
