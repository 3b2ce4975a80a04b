"""What this feature hands to `app.py`: the personal data of its table."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import ClassVar, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult.moderation.aids.models import Suggestion
from consult.moderation.bindings import contents_of
from consult.personal import plain_row
from consult.protocols import PersonalData, Row


class SuggestionData:
    """What the machine suggested that moderators look at, of what the person wrote."""

    table: ClassVar[str] = "suggestion"
    label: ClassVar[str] = "Suggestions de la machine à la modération, sur vos textes"
    purpose: ClassVar[str] = "Signaler un texte à l’attention des modérateurs, qui seuls décident."
    kept: ClassVar[str] = "Un an\u00a0; effacées avec vos textes."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Each, with its kind, its score and the places in the text."""
        mine = select(Suggestion).where(Suggestion.item_id.in_(contents_of(account_id))).order_by(Suggestion.made_at)
        for suggestion in session.scalars(mine):
            yield plain_row(suggestion)

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Destroy them."""
        del now
        gone = delete(Suggestion).where(Suggestion.item_id.in_(contents_of(account_id))).returning(Suggestion.id)
        return len(session.scalars(gone, execution_options={"synchronize_session": False}).all())


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (SuggestionData(),)
