"""What the public API says, as strict schemas: the rows of the public datasets, and the envelope around them.

A row has the columns of its dataset, no more and no less (a test compares the two); their French descriptions are those
of the dataset, put into the specification by `specification.describe`.
"""

# Over 400 lines: one declaration a dataset, to be read side by side with the specification.

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_LIMIT = 500
LICENCE: Literal["etalab-2.0"] = "etalab-2.0"


class Schema(BaseModel):
    """Base: nothing beyond what is declared, nothing converted on the way."""

    model_config = ConfigDict(extra="forbid", strict=True)


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


Status = Literal["published", "hidden", "withdrawn", "erased"]
Origin = Literal["live", "imported", "offline", "test"]
Count = Annotated[int, Field(ge=0)]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]


class Consultation(Schema):
    """A public consultation."""

    id: str
    slug: str
    title: str
    summary: str
    opens_at: Instant
    closes_at: Instant
    sample: Literal["volunteers"]


class Step(Schema):
    """A dated step of a consultation."""

    id: str
    slug: str
    kind: str
    title: str
    position: int
    opens_at: Instant
    closes_at: Instant


class Theme(Schema):
    """A heading under which contributions are filed."""

    id: str
    step: str
    title: str
    position: int


class Contribution(Schema):
    """A contribution; its text only as long as it is published."""

    id: str
    step: str
    theme: str | None
    title: str | None
    body: str | None
    status: Status
    status_reason: str | None
    origin: Origin
    author: str | None
    created_at: Instant
    votes_for: Count
    votes_mixed: Count
    votes_against: Count
    imported_votes_for: Count
    imported_votes_mixed: Count
    imported_votes_against: Count


class Argument(Schema):
    """An argument for or against a contribution."""

    id: str
    contribution: str
    side: Literal["for", "against"]
    title: str | None
    body: str | None
    status: Status
    status_reason: str | None
    origin: Origin
    author: str | None
    created_at: Instant
    votes_for: Count
    imported_votes_for: Count


class Vote(Schema):
    """A vote that counts."""

    id: str
    target_type: Literal["contribution", "argument"]
    target: str
    value: Literal["for", "mixed", "against"]
    voter: str | None
    cast_at: Instant


class Option(Schema):
    """A possible answer of a closed question."""

    id: str
    label: str


class Question(Schema):
    """A question of a questionnaire."""

    id: str
    step: str
    position: int
    kind: str
    wording: str
    options: list[Option]
    required: bool
    visibility: Literal["rows", "aggregates", "administration"]


class Questionnaire(Schema):
    """A questionnaire and its questions in their order."""

    step: str
    slug: str
    title: str
    questions: list[Question]


class Reply(Schema):
    """That somebody answered a questionnaire, and on which day."""

    id: str
    step: str
    received_on: Day
    origin: Origin


class Answer(Schema):
    """What one reply says to one question whose answers are published row by row."""

    reply: str
    question: str
    text: str | None
    options: list[str]
    other: str | None


class Decision(Schema):
    """A decision of moderation."""

    id: str
    target_type: Literal["contribution", "argument", "reply"]
    target: str
    number: int
    act: Literal["hide", "dismiss", "restore", "uphold"]
    ground: str | None
    article: int | None
    automated: bool
    reports: Count
    delay_seconds: int | None
    decided_at: Instant


class ResultFile(Schema):
    """A file of a published analysis."""

    name: str
    url: str


class Result(Schema):
    """A published analysis, on the step that shows it."""

    id: str = Field(description="Identifiant de l’analyse.")
    step: str = Field(description="Étape qui la montre.")
    published_at: str = Field(description="Instant de la publication (UTC).")
    seed: int = Field(description="Graine du hasard : la même donne les mêmes résultats.")
    codebook: int | None = Field(description="Version du plan de codification.")
    manifest_sha256: str | None = Field(description="Empreinte du manifeste, qui porte celle de chaque fichier.")
    url: str = Field(description="Page des résultats.")
    files: list[ResultFile]


class Change(Schema):
    """What became of one row of a list."""

    position: int = Field(description="Numéro, dans le registre, de l’acte qui a changé la ligne.")
    entry: str = Field(description="Référence de cet acte dans le registre.")
    kind: str = Field(description="Nature de l’acte, comme dans le registre.")
    dataset: str = Field(description="Liste à laquelle la ligne appartient.")
    id: str = Field(description="Identifiant de la ligne ; « réponse:question » pour une réponse à une question.")
    action: Literal["put", "delete"] = Field(description="put : écrire « row » ; delete : enlever la ligne.")
    row: Consultation | Step | Theme | Contribution | Argument | Vote | Question | Reply | Answer | Decision | None = (
        Field(description="La ligne telle qu’elle est dans sa liste ; nul quand elle n’y est plus.")
    )


class Total(Schema):
    """How many people chose one option of a question that is published in totals only."""

    id: str
    question: str
    option: str | None
    origin: Origin
    answered: int
    count: int | None
    as_of: str


class DumpFile(Schema):
    """A file of an export."""

    name: str
    url: str
    dataset: str = Field(description="Jeu de données ; vide pour un fichier qui les tient tous ou les décrit.")
    format: str
    media_type: str
    rows: int | None
    shortened: Count = Field(description="Cellules d’un classeur dont le texte, trop long, y est coupé.")
    bytes: int
    sha256: str


class Export(Schema):
    """A complete export of a consultation."""

    id: str
    generated_at: Instant
    position: int | None = Field(description="Numéro, dans le registre public, de l’état que montrent les fichiers.")
    files: list[DumpFile]


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


class ContributionList(ListEnvelope):
    """Contributions."""

    data: list[Contribution]


class ArgumentList(ListEnvelope):
    """Arguments."""

    data: list[Argument]


class VoteList(ListEnvelope):
    """Votes."""

    data: list[Vote]


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
    "contributions": ContributionList,
    "arguments": ArgumentList,
    "votes": VoteList,
    "questions": QuestionList,
    "replies": ReplyList,
    "answers": AnswerList,
    "moderation": DecisionList,
    "totals": TotalList,
}
ROW: dict[str, type[Schema]] = {
    "consultation": Consultation,
    **{name: reply.model_fields["data"].annotation.__args__[0] for name, reply in ROWS.items()},  # type: ignore[union-attr]  # each is a list of rows
}
