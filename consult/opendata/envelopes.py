"""The replies of the public API, as strict schemas: the envelope around the rows of `schemas`, and errors."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from consult.opendata.schemas import (
    MAX_LIMIT,
    Answer,
    Argument,
    Article,
    Ballot,
    Case,
    Change,
    Commitment,
    Consultation,
    Contribution,
    Decision,
    Export,
    OfficialAnswer,
    Question,
    Questionnaire,
    Reply,
    Result,
    Schema,
    Step,
    Theme,
    Total,
    Vote,
)


class Page(Schema):
    """Arguments of a list."""

    limit: Annotated[int, Field(strict=False, ge=1, le=MAX_LIMIT, description="Nombre de lignes, 500 au plus.")] = 100
    cursor: Annotated[
        str, Field(max_length=500, description="Valeur de « next » dans la réponse précédente ; vide : le début.")
    ] = ""


class Envelope(Schema):
    """What every reply says besides its data."""

    licence: Literal["etalab-2.0"] = Field(description="Licence Ouverte 2.0 : réutilisation libre, source à citer.")
    source: str = Field(description="Page de la consultation, à citer comme source.")
    position: int | None = Field(description="Numéro de la dernière entrée du registre public ; nul avant la première.")
    updated_at: str | None = Field(description="Dernière mise à jour des données, à l’heure près (UTC).")


class ListEnvelope(Envelope):
    """A page of rows."""

    next: str | None = Field(description="Curseur de la page suivante ; nul à la dernière.")


class CasePage(Page):
    """Arguments of the list of cases."""

    theme: Annotated[str, Field(max_length=100, description="Thème exact ; vide : tous.")] = ""
    partner: Annotated[str, Field(max_length=200, description="Administration exacte ; vide : toutes.")] = ""


class ConsultationReply(Envelope):
    """One consultation."""

    data: Consultation


class ConsultationList(ListEnvelope):
    """Public consultations, in the order of their identifiers."""

    data: list[Consultation]


class StepList(ListEnvelope):
    """Steps."""

    data: list[Step]


class ThemeList(ListEnvelope):
    """Headings."""

    data: list[Theme]


class ArticleList(ListEnvelope):
    """Parts of bills."""

    data: list[Article]


class ContributionList(ListEnvelope):
    """Contributions."""

    data: list[Contribution]


class ArgumentList(ListEnvelope):
    """Arguments."""

    data: list[Argument]


class VoteList(ListEnvelope):
    """Votes."""

    data: list[Vote]


class BallotList(ListEnvelope):
    """Ballots."""

    data: list[Ballot]


class QuestionList(ListEnvelope):
    """Questions."""

    data: list[Question]


class ReplyList(ListEnvelope):
    """Replies."""

    data: list[Reply]


class AnswerList(ListEnvelope):
    """Answers."""

    data: list[Answer]


class DecisionList(ListEnvelope):
    """Decisions."""

    data: list[Decision]


class OfficialAnswerList(ListEnvelope):
    """Official answers."""

    data: list[OfficialAnswer]


class CommitmentList(ListEnvelope):
    """Commitments."""

    data: list[Commitment]


class CaseList(ListEnvelope):
    """Cases."""

    data: list[Case]


class ResultList(Envelope):
    """The published analysis, if there is one."""

    data: list[Result]


class ChangeList(Envelope):
    """A page of the feed."""

    data: list[Change]
    next: str = Field(description="Curseur de la suite, à garder : il n’est jamais nul.")
    more: bool = Field(description="Vrai s’il y a déjà une suite à lire.")


class TotalList(ListEnvelope):
    """Totals."""

    data: list[Total]


class QuestionnaireList(Envelope):
    """Questionnaires, each with its questions."""

    data: list[Questionnaire]


class ExportList(Envelope):
    """The export that may be downloaded, if there is one."""

    data: list[Export]


class Version(Schema):
    """What runs."""

    name: Literal["consult"]
    version: str
    commit: str | None = Field(description="Commit dont vient le logiciel, s’il a été dit à l’installation.")
    sources_sha256: str = Field(description="SHA-256 de la liste des sources, comme l’affiche sha256sum : voir l’aide.")
    api: Literal["v1"]
    licence: Literal["etalab-2.0"]


class FieldProblem(Schema):
    """What is wrong with one argument."""

    field: str
    detail: str


class Problem(Schema):
    """A refusal, as RFC 9457 describes it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] = Field(default_factory=list)


ROWS: dict[str, type[ListEnvelope]] = {
    "steps": StepList,
    "themes": ThemeList,
    "articles": ArticleList,
    "contributions": ContributionList,
    "arguments": ArgumentList,
    "votes": VoteList,
    "ballots": BallotList,
    "questions": QuestionList,
    "replies": ReplyList,
    "answers": AnswerList,
    "moderation": DecisionList,
    "official_answers": OfficialAnswerList,
    "commitments": CommitmentList,
    "totals": TotalList,
}
ROW: dict[str, type[Schema]] = {
    "consultation": Consultation,
    **{name: reply.model_fields["data"].annotation.__args__[0] for name, reply in ROWS.items()},  # type: ignore[union-attr]  # each is a list of rows
}
