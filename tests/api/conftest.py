"""A public consultation with something of everything, and secrets that must never come out."""

from dataclasses import dataclass
from typing import Any

import pytest

from consult.consultations.models import ContentStatus, Origin
from consult.contributions.models import Side
from consult.db import ALL_TENANTS
from consult.moderation.models import Act, Decision
from tests import factories

SECRETS = (
    "secret@exemple.fr",
    "Pseudo Tu",
    "Titre tu",
    "Texte tu",
    "Réservé tu",
    "Brouillon tu",
    "Ailleurs tu",
    "Message tu",
    "Engagement tu",
)


@dataclass
class Filled:
    """Ids of what the fixture made."""

    organisation_id: Any
    consultation_id: Any
    account_id: Any
    slug: str
    step_id: Any


@pytest.fixture
def filled(database) -> Filled:
    """Proposals in every state, arguments, votes, a questionnaire; a draft and another organisation beside."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(
            session, slug="a-premiere", created_at=factories.NOW.replace(year=2020)
        )
        account = factories.make_account(session, organisation, email=SECRETS[0], pseudonym=SECRETS[1])
        consultation = factories.make_consultation(session, organisation, slug="essai")
        step = factories.make_step(session, consultation)
        shown = factories.make_proposal(session, step, account, title="Visible", body="=1+1 « ici »\nà deux lignes")
        for status in (ContentStatus.HIDDEN, ContentStatus.WITHDRAWN, ContentStatus.PENDING):
            reason = "off_topic" if status is ContentStatus.HIDDEN else None
            factories.make_proposal(
                session, step, account, title=SECRETS[2], body=SECRETS[3], status=status, status_reason=reason
            )
        factories.make_proposal(session, step, origin=Origin.IMPORTED, imported_votes_for=12)
        factories.make_argument(session, shown, account)
        factories.make_argument(
            session, shown, account, side=Side.AGAINST, body=SECRETS[3], status=ContentStatus.WITHDRAWN
        )
        factories.make_vote(session, shown, account)
        factories.make_ballot(session, shown, account)
        factories.make_theme(session, step)
        factories.make_part(session, factories.make_step(session, consultation, kind="bill"))
        session.add(
            Decision(
                organisation_id=organisation.id,
                consultation_id=consultation.id,
                item_type="proposal",
                item_id=shown.id,
                number=1,
                act=Act.DISMISS,
                message=SECRETS[7],
                decided_at=factories.NOW,
            )
        )
        factories.make_answer(session, shown, body="Un train de plus circulera, dès septembre.")
        factories.make_answer(session, step, published=False, body=SECRETS[8])
        taken_back = {"withdrawn_at": factories.NOW, "withdrawal_reason": "Publiée par erreur.", "status": "withdrawn"}
        factories.make_answer(session, consultation, body=SECRETS[8], **taken_back)
        factories.make_commitment(session, consultation)
        factories.make_commitment(session, consultation, title=SECRETS[8], body=SECRETS[8], **taken_back)
        factories.make_case(session, consultation)
        factories.make_case(session, consultation, published=False, title=SECRETS[8])
        asked = factories.make_step(session, consultation, kind="questionnaire")
        question = factories.make_question(session, asked, "single", ["Oui", "Non"])
        factories.make_total(session, asked)
        private = factories.make_question(session, asked, visibility="administration")
        factories.make_reply(session, asked, account, {question: [question.options[0]], private: SECRETS[4]})
        draft = factories.make_consultation(
            session, organisation, slug="brouillon", title=SECRETS[5], status="draft", opened_at=None
        )
        factories.make_proposal(session, factories.make_step(session, draft), body=SECRETS[5])
        other = factories.make_organisation(session, slug="autre")
        elsewhere = factories.make_consultation(session, other, slug="ailleurs", title=SECRETS[6])
        factories.make_proposal(session, factories.make_step(session, elsewhere), body=SECRETS[6])
        return Filled(organisation.id, consultation.id, account.id, "essai", step.id)
