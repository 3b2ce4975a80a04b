"""What this feature hands to `app.py` through the protocols: the personal data of its tables."""

from __future__ import annotations

from typing import ClassVar, Final

from consult.personal import KeptRows
from consult.protocols import PersonalData
from consult.tickets.models import Ticket, TicketEvent, TicketFile, TicketMessage


class _Acts(KeptRows):
    """An act of staff under a contract: its author is a name in the access register, and no one once they go."""

    purpose: ClassVar[str] = "Prouver que les délais du contrat sont tenus, ou de combien ils ne le sont pas."
    kept: ClassVar[str] = "La durée du contrat et de ses recours, sans votre nom après la suppression du compte."


class TicketData(_Acts):
    """Tickets reported."""

    table: ClassVar[str] = "ticket"
    label: ClassVar[str] = "Tickets que vous avez ouverts"
    model = Ticket
    owner: ClassVar[str] = "reported_by_id"


class EventData(_Acts):
    """Acts on tickets."""

    table: ClassVar[str] = "ticket_event"
    label: ClassVar[str] = "Vos actes sur des tickets"
    model = TicketEvent


class MessageData(_Acts):
    """Messages."""

    table: ClassVar[str] = "ticket_message"
    label: ClassVar[str] = "Vos messages sur des tickets"
    model = TicketMessage
    owner: ClassVar[str] = "author_id"


class FileData(_Acts):
    """Files."""

    table: ClassVar[str] = "ticket_file"
    label: ClassVar[str] = "Pièces que vous avez jointes à des tickets"
    model = TicketFile
    owner: ClassVar[str] = "sender_id"


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (EventData(), MessageData(), FileData(), TicketData())
