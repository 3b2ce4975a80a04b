"""Delivering queued mails by SMTP, or into files where no server is set."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import smtplib
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult import clock
from consult.errors import InvalidError, UnavailableError
from consult.jobs.schedule import Task
from consult.mail.models import OutgoingMail
from consult.mail.service import JOB_KIND
from consult.protocols import Progress
from consult.settings import Settings

TIMEOUT_SECONDS = 30
KEPT = dt.timedelta(days=30)
CHUNK = 500
PERMANENT = 500  # SMTP replies from 500 on say that trying again is useless (RFC 5321, § 4.2.1)


class DeliverMail:
    """Sends one mail; a server that is away or says « later » is tried again with the job's back-off."""

    kind: ClassVar[str] = JOB_KIND

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Send, then forget recipient, subject and bodies.

        A crash between the two sends the mail again under the same Message-ID. Raises UnavailableError to be tried
        again, InvalidError when the server refuses for good.
        """
        del cursor
        mail = session.get(OutgoingMail, uuid.UUID(payload["mail"]))
        if mail is None or mail.sent_at is not None:
            return  # erased with its account, or sent already
        message = self._message(mail)
        yield Progress(0, 1)  # commits: no lock is held while the server answers
        if self._settings.smtp_host:
            self._deliver(message)
        else:
            write_eml(message, mail_folder(self._settings))
        mail.sent_at = clock.now()
        mail.recipient = mail.subject = mail.text = mail.html = None
        yield Progress(1, 1)

    def _message(self, mail: OutgoingMail) -> EmailMessage:
        message = EmailMessage(policy=policy.SMTP)
        name, sender = parseaddr(self._settings.mail_from)
        message["From"] = f"{name} <{sender}>" if name else sender
        message["To"] = mail.recipient
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(mail.created_at)
        message["Message-ID"] = f"<{mail.message_id}@{sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office reply
        message.set_content(mail.text or "")
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
        message["Content-Language"] = "fr"  # last: set_content drops the headers of that family
        return message

    def _deliver(self, message: EmailMessage) -> None:
        try:
            with self._connection() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refusal:
            code, _words = next(iter(refusal.recipients.values()))
            raise _refusal(code) from None  # its text holds the address
        except smtplib.SMTPResponseException as refusal:
            raise _refusal(refusal.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise InvalidError("Le serveur de messagerie n’accepte pas ce genre d’adresse ou de chiffrement.") from None
        except (OSError, smtplib.SMTPException) as error:
            raise UnavailableError(f"Le serveur de messagerie ne répond pas ({type(error).__name__}).") from None

    @contextlib.contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        target: dict[str, Any] = {"host": settings.smtp_host, "port": settings.smtp_port, "timeout": TIMEOUT_SECONDS}
        with _client(settings.smtp_tls, target) as server:
            if settings.smtp_tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
            yield server


class PruneMails:
    """Forget mails after a month, sent or not: an undelivered one holds an address and links that have expired."""

    kind: ClassVar[str] = "mail.prune"

    def __init__(self, now: Callable[[], dt.datetime] = clock.now) -> None:
        self._now = now

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:
        """Delete in chunks."""
        del payload
        limit, gone = self._now() - KEPT, int(cursor.get("gone", 0))
        while ids := list(session.scalars(select(OutgoingMail.id).where(OutgoingMail.created_at < limit).limit(CHUNK))):
            session.execute(delete(OutgoingMail).where(OutgoingMail.id.in_(ids)))
            gone += len(ids)
            yield Progress(gone, message=f"{gone} courriels anciens oubliés", cursor={"gone": gone})


TASKS: tuple[Task, ...] = (Task(PruneMails.kind, dt.timedelta(days=1)),)


def _client(tls: str, target: Mapping[str, Any]) -> smtplib.SMTP:
    if tls == "tls":
        return smtplib.SMTP_SSL(**target, context=ssl.create_default_context())
    return smtplib.SMTP(**target)


def mail_folder(settings: Settings) -> Path:
    """Where mails are written when no SMTP server is set."""
    return settings.data_path / "mail"


def write_eml(message: EmailMessage, folder: Path) -> Path:
    """Write the message as a file that mail readers open, whole or not at all, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{clock.now():%Y%m%d-%H%M%S-%f}-{message['Message-ID'].strip('<>').partition('@')[0][:8]}.eml"
    partial = folder / f".{name}.part"
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(message.as_bytes())
    return partial.rename(folder / name)


def _refusal(code: int) -> InvalidError | UnavailableError:
    if code >= PERMANENT:
        return InvalidError(f"Le serveur de messagerie a refusé ce courriel (code {code}).")
    return UnavailableError(f"Le serveur de messagerie demande d’attendre (code {code}).")
