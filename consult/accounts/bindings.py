"""What this feature hands to `app.py` through the protocols: the personal data of its tables."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from consult.accounts.labels import ERASED_PSEUDONYM
from consult.accounts.models import (
    Account,
    AccountStatus,
    ConsultationPseudonym,
    FederatedIdentity,
    LoginSession,
    Membership,
    PlatformRole,
    SecurityKey,
    SingleUseToken,
)
from consult.accounts.notices.policy import forget_choices
from consult.actor import Actor
from consult.audit import service as audit
from consult.errors import InvalidError
from consult.mail.models import OutgoingMail
from consult.mail.service import mailable
from consult.personal import DeletedRows, KeptRows, plain_row
from consult.protocols import PersonalData, Row

ERASED_BY_HOLDER: Final = "Compte supprimé par son titulaire."


class MailData:
    """Mails to the person, and those to others that name the address: the register of access."""

    table: ClassVar[str] = "outgoing_mail"
    label: ClassVar[str] = "Courriels en attente d’envoi"
    purpose: ClassVar[str] = "Vous écrire ce que vous avez demandé, ou ce que vous devez savoir."
    kept: ClassVar[str] = "Jusqu’à l’envoi, un mois au plus ; ensuite, ni adresse ni texte."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Mails that wait to leave; not their text, which holds single-use links."""
        mine = select(OutgoingMail).where(OutgoingMail.recipient.in_(addresses_of(session, account_id)))
        for mail in session.scalars(mine.order_by(OutgoingMail.id)):
            yield plain_row(mail, also=("recipient", "subject"))

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Delete them: their jobs find nothing to send."""
        del now
        gone = [mail.id for address in addresses_of(session, account_id) for mail in _naming(session, address)]
        session.execute(delete(OutgoingMail).where(OutgoingMail.id.in_(gone)))
        return len(set(gone))


def _naming(session: Session, address: str) -> list[OutgoingMail]:
    """The mails to that address, and those whose text holds it, not as a part of another one."""
    held = OutgoingMail.text.contains(address, autoescape=True)
    found = session.scalars(select(OutgoingMail).where(or_(OutgoingMail.recipient == address, held)))
    whole = re.compile(rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)")
    return [mail for mail in found if mail.recipient == address or whole.search(mail.text or "")]


def addresses_of(session: Session, account_id: uuid.UUID) -> list[str]:
    """The address that the account proved to be its own, as it was typed and as mails take it.

    One that was only claimed may be somebody else's: neither their mails nor the fact that there are any is told.
    """
    account = session.get_one(Account, account_id)
    email = account.email
    if email is None or account.confirmed_at is None:
        return []
    try:
        return list({email, mailable(email)})
    except InvalidError:  # no mail could be written to it
        return [email]


class LoginSessionData(DeletedRows):
    """Signed-in browsers."""

    table: ClassVar[str] = "login_session"
    label: ClassVar[str] = "Navigateurs connectés"
    purpose: ClassVar[str] = "Vous garder connecté, et vous montrer où vous l’êtes."
    kept: ClassVar[str] = "Jusqu’à la déconnexion ou à la fin de la session."
    model = LoginSession


class SecurityKeyData(DeletedRows):
    """Keys of staff: what they are called and when they served, not what proves them."""

    table: ClassVar[str] = "security_key"
    label: ClassVar[str] = "Clés de sécurité (agents)"
    purpose: ClassVar[str] = "Vérifier que c’est bien vous qui vous connectez."
    kept: ClassVar[str] = "Jusqu’à ce que vous la retiriez, ou à la suppression du compte."
    model = SecurityKey
    also: ClassVar[frozenset[str]] = frozenset({"name", "added_at", "used_at"})


class FederatedIdentityData(DeletedRows):
    """Identities of FranceConnect or ProConnect: which provider and since when, not the digest."""

    table: ClassVar[str] = "federated_identity"
    label: ClassVar[str] = "Identités FranceConnect et ProConnect"
    purpose: ClassVar[str] = "Vous reconnaître quand vous vous identifiez par elles."
    kept: ClassVar[str] = "Jusqu’à ce que vous la retiriez, ou à la suppression du compte."
    model = FederatedIdentity
    also: ClassVar[frozenset[str]] = frozenset({"provider", "linked_at"})


class ConsultationPseudonymData(DeletedRows):
    """Names chosen for one consultation."""

    table: ClassVar[str] = "consultation_pseudonym"
    label: ClassVar[str] = "Pseudonymes propres à une consultation"
    purpose: ClassVar[str] = "Vous montrer sous un autre nom dans cette consultation."
    kept: ClassVar[str] = "Jusqu’à ce que vous y renonciez, ou à la suppression du compte."
    model = ConsultationPseudonym


class SingleUseTokenData(DeletedRows):
    """Mailed links, of which the database keeps digests alone."""

    table: ClassVar[str] = "single_use_token"
    label: ClassVar[str] = "Liens envoyés par courriel"
    purpose: ClassVar[str] = "Confirmer votre adresse, vous connecter sans mot de passe, en changer un oublié."
    kept: ClassVar[str] = "24 heures au plus."
    model = SingleUseToken
    also: ClassVar[frozenset[str]] = frozenset({"purpose", "expires_at", "used_at"})


class MembershipData(KeptRows):
    """Roles: the register of access is evidence, its lines stay without a name."""

    table: ClassVar[str] = "membership"
    label: ClassVar[str] = "Rôles dans l’organisation"
    purpose: ClassVar[str] = "Savoir qui peut faire quoi, et depuis quand."
    kept: ClassVar[str] = "Tant que la consultation est conservée, sans votre nom après la suppression du compte."
    model = Membership

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Withdraw the roles still held; journalled, as every withdrawal."""
        held = [row for row in self.rows(session, account_id) if row.revoked_at is None]
        for row in held:
            row.revoked_at, row.revoked_by_id, row.revocation_reason = now, account_id, ERASED_BY_HOLDER
            _journal(session, row, row.organisation_id, now)
        session.flush()
        return len(held)


class PlatformRoleData(KeptRows):
    """Roles on the whole platform."""

    table: ClassVar[str] = "platform_role"
    label: ClassVar[str] = "Rôles sur la plateforme"
    purpose: ClassVar[str] = "Savoir qui peut faire quoi, et depuis quand."
    kept: ClassVar[str] = "Tant que la plateforme est conservée, sans votre nom après la suppression du compte."
    model = PlatformRole

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Withdraw the roles still held."""
        held = [row for row in self.rows(session, account_id) if row.revoked_at is None]
        for row in held:
            row.revoked_at = now
            _journal(session, row, None, now)
        session.flush()
        return len(held)


def _journal(session: Session, row: Any, organisation_id: uuid.UUID | None, now: dt.datetime) -> None:
    audit.record(
        session,
        actor=Actor(account_id=row.account_id, pseudonym=ERASED_PSEUDONYM),
        organisation_id=organisation_id,
        action="access.revoke",
        target_type="account",
        target_id=row.account_id,
        reason=ERASED_BY_HOLDER,
        detail={"role": row.role.value},
        now=now,
    )


class AccountData(KeptRows):
    """The account itself."""

    table: ClassVar[str] = "account"
    label: ClassVar[str] = "Compte"
    purpose: ClassVar[str] = "Vous reconnaître, vous écrire, montrer votre pseudonyme à côté de ce que vous publiez."
    kept: ClassVar[str] = "Jusqu’à la suppression du compte ; deux ans sans connexion, après un avertissement."
    model = Account
    owner: ClassVar[str] = "id"
    also: ClassVar[frozenset[str]] = frozenset({"id", "declared_age", "declared_consent", "age_declared_at"})

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Empty the row; it stays, so that registers and official acts name an account that says nothing."""
        del now
        account = session.get_one(Account, account_id)
        account.status, account.pseudonym = AccountStatus.ERASED, ERASED_PSEUDONYM
        account.email = account.email_key = account.password_hash = None
        account.pseudonym_key = account.pseudonym_look = None
        account.totp_secret = account.totp_enrolled_at = account.totp_last_step = None
        account.password_for_staff, account.recovery_codes, account.set_aside_at = False, [], None
        account.confirmed_at = account.terms_accepted_at = account.seen_on = account.warned_on = None
        account.terms_version = ""
        account.declared_age, account.declared_consent, account.age_declared_at = None, False, None
        forget_choices(account)
        session.flush()
        return 1


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (  # the account last: the others ask it for its address
    MailData(),
    ConsultationPseudonymData(),
    LoginSessionData(),
    SecurityKeyData(),
    FederatedIdentityData(),
    SingleUseTokenData(),
    MembershipData(),
    PlatformRoleData(),
    AccountData(),
)
