"""Forms of official answers, commitments and cases. They hold what was typed; `policy` and `service` judge it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import DateField, Form, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from consult.consultations.models import Consultation
from consult.consultations.policy import TITLE_LENGTH
from consult.followup import labels, policy, queries
from consult.followup.models import (
    Commitment,
    CommitmentLink,
    OfficialAnswer,
    Outcome,
    Stage,
    Status,
    TargetType,
    UseCase,
)

LIGHT = "Une ligne vide sépare les paragraphes, un tiret commence une liste, **deux étoiles** mettent en gras."
_OUTCOMES = [SelectChoice(outcome.value, word) for outcome, (word, _) in labels.OUTCOMES.items()]
_STAGES = [SelectChoice(stage.value, word) for stage, (word, _) in labels.STAGES.items()]
Typed = MultiDict[str, str] | None


class Day(DateField):  # type: ignore[misc]  # WTForms has no types
    """A day; what is typed wrong is told in French."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed. Raises ValueError telling how to type it; nothing typed is no day."""
        if valuelist and not valuelist[0].strip():
            self.data = None
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Donnez une date, par exemple 2026-09-01.") from None


class _Form(Form):  # type: ignore[misc]  # WTForms has no types
    """What the library itself has to say is said in French."""

    class Meta:
        locales = ("fr",)


class AnswerForm(_Form):
    """An official answer."""

    target = SelectField("Vous répondez à", [InputRequired("Choisissez ce à quoi vous répondez.")])
    contribution = StringField(
        "Adresse de la contribution",
        [Length(max=500)],
        description="Si vous répondez à une contribution : copiez l’adresse de sa page.",
    )
    outcome = RadioField("Suite donnée", [InputRequired("Choisissez la suite donnée.")], choices=_OUTCOMES)
    authority = StringField(
        "Au nom de",
        [InputRequired(), Length(max=policy.NAME_MAX)],
        description="L’autorité qui répond, par exemple « Direction des mobilités ». Publié.",
    )
    body = TextAreaField(
        "Réponse motivée",
        [InputRequired(), Length(max=policy.BODY_MAX)],
        description=f"Dites ce qui est décidé et pourquoi. {LIGHT}",
    )
    edits = HiddenField()


class CommitmentForm(_Form):
    """A commitment; its stage changes by updates once it is published."""

    title = StringField("Titre", [InputRequired(), Length(max=TITLE_LENGTH)])
    body = TextAreaField(
        "Ce à quoi l’administration s’engage", [InputRequired(), Length(max=policy.BODY_MAX)], description=LIGHT
    )
    owner = StringField(
        "Administration en charge",
        [InputRequired(), Length(max=policy.NAME_MAX)],
        description="Celle qui en répond. Publié.",
    )
    stage = RadioField("Avancement", [InputRequired("Choisissez l’avancement.")], choices=_STAGES)
    due_on = Day("Échéance", description="Facultative. Passée, l’engagement est montré en retard.")
    link = StringField(
        "Page qui en dit plus",
        [Length(max=policy.LINK_MAX)],
        description="Facultative. Une adresse complète, par exemple celle d’un décret ou d’un dossier.",
    )
    links = TextAreaField(
        "Ce à quoi il donne suite",
        description="Facultatif. Les adresses de contributions ou de réponses officielles publiées, une par ligne.",
    )
    edits = HiddenField()


class CaseForm(_Form):
    """A case: its figures are read from the consultation, not typed."""

    title = StringField("Titre", [InputRequired(), Length(max=TITLE_LENGTH)])
    partner = StringField("Administration partenaire", [InputRequired(), Length(max=policy.NAME_MAX)])
    theme = StringField(
        "Thème",
        [InputRequired(), Length(max=policy.THEME_MAX)],
        description="Un ou deux mots, les mêmes d’un cas à l’autre : la liste se filtre par thème.",
    )
    summary = TextAreaField("Ce qui fut fait", [InputRequired(), Length(max=policy.BODY_MAX)], description=LIGHT)
    starts_on = Day("Premier jour", [InputRequired("Donnez une date.")])
    ends_on = Day("Dernier jour", [InputRequired("Donnez une date.")])
    result_link = StringField(
        "Page des résultats",
        [Length(max=policy.LINK_MAX)],
        description="Facultative. Une adresse complète.",
    )
    licence = SelectField("Licence des résultats", choices=[SelectChoice(*pair) for pair in labels.LICENCES.items()])
    edits = HiddenField()


class UpdateForm(_Form):
    """A dated word on a commitment."""

    stage = RadioField("Avancement", [InputRequired("Choisissez l’avancement.")], choices=_STAGES)
    body = TextAreaField(
        "Point d’étape", [InputRequired(), Length(max=policy.BODY_MAX)], description=f"Publié et daté. {LIGHT}"
    )
    edits = HiddenField()


class WithdrawForm(_Form):
    """Why something is taken back."""

    reason = TextAreaField(
        "Motif",
        [InputRequired(), Length(max=policy.REASON_MAX)],
        description="Public : il remplace le texte retiré. Il est inscrit au registre.",
    )


# From rows to forms, and back ---------------------------------------------------------------------------------------


def answer_form(
    session: Session, consultation: Consultation, item: OfficialAnswer | None, typed: Typed, about: str
) -> AnswerForm:
    """The form of an answer; `about` is the id of a contribution to answer, as an address gave it."""
    values: dict[str, Any] = {}
    if about:
        values |= {"target": "contribution", "contribution": f"/contributions/{about}"}
    if item is not None:
        kind, key = item.target_type.value, str(item.target_id)
        is_contribution = item.target_type is TargetType.CONTRIBUTION
        values = (
            {"target": kind, "contribution": f"/contributions/{key}"}
            if is_contribution
            else {"target": f"{kind}:{key}"}
        )
        values |= {name: getattr(item, name) for name in ("authority", "body", "edits")}
        values["outcome"] = item.outcome.value
    form, themes = AnswerForm(typed, data=values), queries.themes(session, consultation.id)
    form.target.choices = [
        SelectChoice("", "Choisir"),
        SelectChoice("contribution", "Une contribution, dont je donne l’adresse"),
        SelectChoice(f"consultation:{consultation.id}", "Toute la consultation"),
        *(SelectChoice(f"step:{step.id}", f"Étape « {step.title} »") for step in consultation.steps),
        *(SelectChoice(f"theme:{each.id}", f"Thème « {each.title} »") for each in themes),
    ]
    if item is not None and item.status is not Status.DRAFT:
        del form.target, form.contribution
    return form


def answer_values(form: AnswerForm) -> dict[str, Any]:
    """What a valid form says."""
    values = {"outcome": Outcome(form.outcome.data), "authority": form.authority.data, "body": form.body.data}
    if "target" not in form:
        return values
    kind, _, key = form.target.data.partition(":")
    ids = policy.ids_in(form.contribution.data or "" if kind == "contribution" else key)
    return {**values, "target_type": TargetType(kind), "target_id": ids[0] if len(ids) == 1 else None}


def commitment_form(
    session: Session, consultation: Consultation, item: Commitment | None, typed: Typed, about: str
) -> CommitmentForm:
    """The form of a commitment; `about` is the id of what it follows, as an address gave it."""
    del session, consultation
    values: dict[str, Any] = {"stage": Stage.PLANNED.value}
    if about:
        values["links"] = f"/reponses-officielles/{about}"
    if item is not None:
        values = {name: getattr(item, name) for name in ("title", "body", "owner", "due_on", "link", "edits")}
        values |= {"stage": item.stage.value, "links": "\n".join(_path(each) for each in item.links)}
    form = CommitmentForm(typed, data=values)
    if item is not None and item.status is not Status.DRAFT:
        del form.stage
    return form


def commitment_values(form: CommitmentForm) -> dict[str, Any]:
    """What a valid form says."""
    values = {name: form[name].data for name in ("title", "body", "owner", "due_on")}
    values |= {"link": form.link.data or "", "links": policy.ids_of_lines(form.links.data or "")}
    return values if "stage" not in form else {**values, "stage": Stage(form.stage.data)}


def _path(link: CommitmentLink) -> str:
    return f"/{'reponses-officielles' if link.target_type == 'answer' else 'contributions'}/{link.target_id}"


def case_form(session: Session, consultation: Consultation, item: UseCase | None, typed: Typed, about: str) -> CaseForm:
    """The form of a case: a new one begins with what the consultation says of itself."""
    del session, about
    values: Mapping[str, Any] = {
        "title": consultation.title,
        "summary": consultation.summary,
        "starts_on": _day(consultation.opens_at),
        "ends_on": _day(consultation.ends_at),
    }
    if item is not None:
        names = ("title", "partner", "theme", "summary", "starts_on", "ends_on", "result_link", "licence", "edits")
        values = {name: getattr(item, name) for name in names}
    return CaseForm(typed, data=values)


def case_values(form: CaseForm) -> dict[str, Any]:
    """What a valid form says."""
    values = {name: field.data for name, field in form._fields.items() if name != "edits"}
    return {**values, "result_link": form.result_link.data or ""}


def _day(instant: dt.datetime) -> dt.date:
    return policy.today(instant)


def seen(form: Form) -> int:
    """How many `edits` what a form was filled from had; -1, which is none, when it says nothing that is one."""
    return edits_in(str(form.edits.data or ""))


def edits_in(typed: str) -> int:
    """As `seen`, of what was sent."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else -1  # noqa: PLR2004  # an integer


def about_in(arguments: Mapping[str, str]) -> str:
    """The id that an address gives of what is to be answered; empty when it is none."""
    try:
        return str(uuid.UUID(arguments.get("cible", "")))
    except ValueError:
        return ""
