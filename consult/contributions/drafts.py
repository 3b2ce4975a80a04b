"""What visitors wrote before signing in: kept a day, and no more of it than people who share a connection need."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.consultations.models import Step
from consult.contributions import policy
from consult.contributions.models import ContributionDraft
from consult.errors import TooManyError

DRAFT_LIFE: Final = dt.timedelta(days=1)
ADDRESS_DRAFTS: Final = 100
TOO_MANY: Final = (
    "Trop de textes sont gardés en ce moment pour votre connexion à internet. Rien n’est perdu\u00a0: le vôtre reste "
    "affiché. Connectez-vous dans un autre onglet, puis renvoyez-le d’ici."
)


def keep(
    session: Session, step: Step, content: Mapping[str, str], *, token: str, address_key: str, now: dt.datetime
) -> None:
    """Keep a text, whose length was judged before; whoever holds the token gets it back.

    Raises TooManyError when that connection (see security.address_key) has too many kept.
    """
    kept = select(func.count()).where(ContributionDraft.address_key == address_key, ContributionDraft.expires_at > now)
    if (session.scalar(kept) or 0) >= ADDRESS_DRAFTS:
        raise TooManyError(TOO_MANY)
    session.add(
        ContributionDraft(
            organisation_id=step.organisation_id,
            step_id=step.id,
            digest=policy.draft_digest(token),
            address_key=address_key,
            content=dict(content),
            expires_at=now + DRAFT_LIFE,
        )
    )
    session.flush()
