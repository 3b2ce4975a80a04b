"""What the public API says, as strict schemas: the rows of the public datasets; `envelopes` puts the envelope around.

A row has the columns of its dataset, no more and no less (a test compares the two); their French descriptions are those
of the dataset, put into the specification by `specification.describe`.
"""

# Over 400 lines: the rows of every list, one class each, read side by side.

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_LIMIT = 500
LICENCE: Literal["etalab-2.0"] = "etalab-2.0"


class Schema(BaseModel):
    """Base: nothing beyond what is declared, nothing converted on the way."""

    model_config = ConfigDict(extra="forbid", strict=True)


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
    minimum_age: int | None
    parental_consent: bool


class Step(Schema):
    """A dated step of a consultation."""

    id: str
    slug: str
    kind: str
    title: str
    position: int
    opens_at: Instant
    closes_at: Instant
    order_seed: str


class Theme(Schema):
    """A heading under which contributions are filed."""

    id: str
    step: str
    title: str
    position: int


class Article(Schema):
    """A part of a bill."""

    id: str
    step: str
    parent: str | None
    position: int
    level: Literal["part", "book", "title", "subtitle", "chapter", "section", "subsection", "paragraph",
                   "subparagraph", "annex", "heading", "article"]  # fmt: skip
    name: str
    heading: str


class Source(Schema):
    """What a version of an article rests on."""

    url: str
    title: str


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
    kind: Literal["proposal", "version", "article", "question"]
    article: str | None
    rewrites: str | None
    reason: str | None
    sources: list[Source]
    departement: str | None
    points: Count
    ballots: Count
    first_choices: Count


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


class Choice(Schema):
    """What a ballot gives to a contribution."""

    contribution: str
    points: Count


class Ballot(Schema):
    """A ballot that counts."""

    id: str
    step: str
    choices: list[Choice]
    voter: str | None
    cast_at: Instant


class Option(Schema):
    """A possible answer of a closed question."""

    id: str
    label: str


class Cell(Schema):
    """What is counted of a question; `group`: the line of a grid, or the option ranked, that it is of."""

    id: str
    label: str
    group: str


class OptionPicture(Schema):
    """The picture of a possible answer: what it shows, in words, and the digest of its bytes."""

    option: str
    alt: str
    sha256: str


class EarlierText(Schema):
    """What a question said before it was corrected, and until when."""

    version: int
    wording: str
    help: str
    until: str


class Question(Schema):
    """A question of a questionnaire."""

    id: str
    step: str
    position: int
    kind: str
    wording: str
    options: list[Option]
    cells: list[Cell]
    pictures: list[OptionPicture]
    required: bool
    visibility: Literal["rows", "aggregates", "administration"]
    version: int
    earlier: list[EarlierText]


class Questionnaire(Schema):
    """A questionnaire and its questions in their order."""

    step: str
    slug: str
    title: str
    questions: list[Question]


class Reply(Schema):
    """That somebody answered a questionnaire, and on which day; of an anonymous reply, the day of its batch."""

    id: str
    step: str
    received_on: Day
    origin: Origin
    access: Literal["accounts", "invitations", "everyone"] | None
    batch: str | None
    salt: str | None


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
    act: Literal["hide", "dismiss", "restore", "uphold", "publish", "read", "reword", "escalate"]
    ground: str | None
    article: int | None
    automated: bool
    appeal: bool
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


SaidStatus = Literal["published", "withdrawn"]
Stage = Literal["planned", "in_progress", "done", "abandoned"]


class OfficialAnswer(Schema):
    """What the administration answered."""

    id: str
    target_type: Literal["contribution", "theme", "step", "consultation"]
    target: str
    outcome: Literal["under_study", "accepted", "partly_accepted", "declined"] | None
    authority: str
    body: str
    status: SaidStatus
    version: int
    published_at: Instant
    edited_at: Instant | None
    withdrawn_at: Instant | None
    withdrawal_reason: str | None


class CommitmentUpdate(Schema):
    """A dated word on a commitment."""

    stage: Stage
    body: str
    published_at: Instant


class Commitment(Schema):
    """What the administration committed to."""

    id: str
    title: str
    body: str
    owner: str
    stage: Stage
    due_on: Day | None
    link: str
    answers: list[str]
    contributions: list[str]
    updates: list[CommitmentUpdate]
    status: SaidStatus
    version: int
    published_at: Instant
    edited_at: Instant | None
    withdrawn_at: Instant | None
    withdrawal_reason: str | None


class Case(Schema):
    """A finished consultation told as an example."""

    id: str
    title: str
    partner: str
    theme: str
    summary: str
    starts_on: Day
    ends_on: Day
    consultation: str
    contributions: Count
    arguments: Count
    votes: Count
    replies: Count
    imported_votes: Count
    imported_replies: Count
    position: int | None
    sealed: int | None
    result_link: str
    licence: str
    published_at: Instant


class Change(Schema):
    """What became of one row of a list."""

    position: int = Field(description="Numéro, dans le registre, de l’acte qui a changé la ligne.")
    entry: str = Field(description="Référence de cet acte dans le registre.")
    kind: str = Field(description="Nature de l’acte, comme dans le registre.")
    dataset: str = Field(description="Liste à laquelle la ligne appartient.")
    id: str = Field(description="Identifiant de la ligne ; « réponse:question » pour une réponse à une question.")
    action: Literal["put", "delete"] = Field(description="put : écrire « row » ; delete : enlever la ligne.")
    row: (
        Consultation
        | Step
        | Theme
        | Contribution
        | Argument
        | Vote
        | Ballot
        | Question
        | Reply
        | Answer
        | Decision
        | OfficialAnswer
        | Commitment
        | None
    ) = Field(description="La ligne telle qu’elle est dans sa liste ; nul quand elle n’y est plus.")


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
