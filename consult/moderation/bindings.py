"""What this feature hands to `app.py` through the protocols: its public decisions, the personal data of its tables."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import Select, delete, exists, select, union_all, update
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.clock import hour, written
from consult.consultations.datasets import PublicRows
from consult.contributions.models import Argument, Proposal
from consult.moderation import policy
from consult.moderation.holding.models import Hold
from consult.moderation.models import Act, Contest, Decision, Report
from consult.personal import DeletedRows, plain_row
from consult.protocols import PersonalData, Row
from consult.questionnaires.models import Reply
from consult.security import new_token

BATCH: Final = 1_000
ERASED_MESSAGE: Final = "Message effacé avec le compte de l’auteur."


def contents_of(account_id: uuid.UUID) -> Any:
    """The ids of what the account wrote."""
    return union_all(
        select(Proposal.id).where(Proposal.author_id == account_id),
        select(Argument.id).where(Argument.author_id == account_id),
        select(Reply.id).where(Reply.account_id == account_id),
    )


class ReportData:
    """Reports made by the person; those of others on what the person wrote."""

    table: ClassVar[str] = "report"
    label: ClassVar[str] = "Signalements que vous avez faits"
    purpose: ClassVar[str] = "Faire examiner un contenu, une fois par personne."
    kept: ClassVar[str] = "Tant que la consultation est publiée ; sans lien avec vous après la suppression du compte."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Those that the person made."""
        mine = select(Report).where(Report.id.in_(_made_by(session, account_id))).order_by(Report.reported_at)
        for report in session.scalars(mine):
            yield plain_row(report)

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Leave that there was a report and why, not from whom nor in which words; empty those on erased contents."""
        del now
        made = _made_by(session, account_id)
        for report_id in made:
            key = policy.reporter_key("", report_id, new_token())
            session.execute(update(Report).where(Report.id == report_id).values(comment="", reporter_key=key))
        session.execute(
            update(Report).where(Report.item_id.in_(contents_of(account_id)), Report.comment != "").values(comment=""),
            execution_options={"synchronize_session": False},
        )
        return len(made)


def _made_by(session: Session, account_id: uuid.UUID) -> list[uuid.UUID]:
    """The reports of an account: their rows hold a digest alone, which must be made again for each."""
    who = policy.reporter(account_id)
    since = select(Account.created_at).where(Account.id == account_id).scalar_subquery()
    made = select(Report.id, Report.item_type, Report.item_id, Report.reporter_key).where(Report.reported_at >= since)
    rows = session.execute(made)
    return [row.id for row in rows if row.reporter_key == policy.reporter_key(row.item_type, row.item_id, who)]


class DecisionData:
    """Decisions on what the person wrote; those that a moderator took are acts of the administration."""

    table: ClassVar[str] = "moderation_decision"
    label: ClassVar[str] = "Décisions de modération"
    purpose: ClassVar[str] = "Motiver chaque décision, vous la dire, permettre de la contester, en rendre compte."
    kept: ClassVar[str] = "Tant que la consultation est publiée ; le message à l’auteur s’efface avec son compte."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """Both; who decided on the person's contents is not theirs to have."""
        query = select(Decision).order_by(Decision.decided_at, Decision.id)
        for decision in session.scalars(query.where(Decision.moderator_id == account_id)):
            yield plain_row(decision)
        for decision in session.scalars(_on_contents(query, account_id)):
            yield {**plain_row(decision), "moderator_id": None}

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Empty the words said of contents that are erased, which may quote them, and close their contestation."""
        del now
        decisions = session.scalars(_on_contents(select(Decision), account_id)).all()
        for decision in decisions:
            decision.contest_digest = None
            if decision.act is not Act.DISMISS:
                decision.message = ERASED_MESSAGE
        session.flush()
        return len(decisions)


class ContestData:
    """Contestations of decisions on what the person wrote."""

    table: ClassVar[str] = "moderation_contest"
    label: ClassVar[str] = "Contestations"
    purpose: ClassVar[str] = "Faire réexaminer une décision par une autre personne."
    kept: ClassVar[str] = "Tant que la consultation est publiée ; vos raisons s’effacent avec votre compte."

    def export(self, session: Session, account_id: uuid.UUID) -> Iterator[Row]:
        """What the person said."""
        for contest in session.scalars(select(Contest).where(Contest.decision_id.in_(_decided(account_id)))):
            yield plain_row(contest)

    def erase(self, session: Session, account_id: uuid.UUID, now: dt.datetime) -> int:
        """Empty those that were answered; delete the others: there is nothing left to restore."""
        del now
        mine = Contest.decision_id.in_(_decided(account_id))
        options = {"synchronize_session": False}
        waiting = delete(Contest).where(mine, Contest.answer_id.is_(None)).returning(Contest.id)
        gone = session.scalars(waiting, execution_options=options).all()
        answered = update(Contest).where(mine).values(statement="").returning(Contest.id)
        return len(gone) + len(session.scalars(answered, execution_options=options).all())


class HoldData(DeletedRows):
    """What the person, a moderator, examines now."""

    table: ClassVar[str] = "moderation_hold"
    label: ClassVar[str] = "Contenus que vous examinez"
    purpose: ClassVar[str] = "Que deux personnes ne modèrent pas en même temps le même contenu."
    kept: ClassVar[str] = "Un jour après la fin\u00a0; jusqu’à la décision, ou à la suppression du compte."
    model = Hold
    owner: ClassVar[str] = "holder_id"


def _on_contents(query: Select[Any], account_id: uuid.UUID) -> Select[Any]:
    return query.where(Decision.item_id.in_(contents_of(account_id)))


def _decided(account_id: uuid.UUID) -> Select[uuid.UUID]:
    return _on_contents(select(Decision.id), account_id)


PERSONAL_DATA: Final[tuple[PersonalData, ...]] = (ReportData(), ContestData(), DecisionData(), HoldData())


class ModerationDataset(PublicRows):
    """Decisions of moderators: what they decided of which content and on which ground, never their words nor names."""

    model = Decision
    name: ClassVar[str] = "moderation"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "Identifiant de la décision",
        "target_type": "Ce sur quoi elle porte : contribution, argument ou reply (réponse à un questionnaire)",
        "target": "Identifiant de ce contenu",
        "number": "Rang parmi les décisions prises sur ce contenu ; la dernière est en vigueur",
        "act": "Décision : hide (masquer), restore (rétablir), dismiss (laisser publié), uphold (confirmer), "
        "publish (publier après lecture), read (première de deux lectures), reword (faire reformuler), "
        "escalate (transmettre)",
        "ground": "Motif, quand elle masque ou fait reformuler",
        "article": "Article de la charte, quand elle masque ou fait reformuler",
        "automated": "Vrai si une machine a pris part à la décision : elle avait signalé le texte, ou la personne qui "
        "décide dit qu’une de ses suggestions lui a servi",
        "appeal": "Vrai si elle répond à une contestation de l’auteur",
        "reports": "Signalements auxquels elle répond",
        "delay_seconds": "Secondes écoulées depuis le premier de ces signalements",
        "decided_at": "Heure de la décision (UTC)",
    }

    def _select(self, consultation_id: uuid.UUID) -> Any:
        told = (Decision.id, Decision.item_type, Decision.item_id, Decision.number, Decision.act, Decision.ground)
        how = (Decision.article, Decision.automated, Decision.reports, Decision.delay_seconds, Decision.decided_at)
        appeal = exists().where(Contest.answer_id == Decision.id).label("appeal")
        return select(*told, *how, appeal).where(Decision.consultation_id == consultation_id)

    def _writer(self, session: Session, consultation_id: uuid.UUID) -> Callable[[Any], Row]:
        del session, consultation_id
        return lambda row: {
            "id": str(row.id),
            "target_type": "contribution" if row.item_type == "proposal" else row.item_type,
            "target": str(row.item_id),
            "number": row.number,
            "act": row.act.value,
            "ground": row.ground,
            "article": row.article,
            "automated": row.automated,
            "appeal": row.appeal,
            "reports": row.reports,
            "delay_seconds": row.delay_seconds,
            "decided_at": written(hour(row.decided_at)),
        }
