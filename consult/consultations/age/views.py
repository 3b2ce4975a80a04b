"""/mon-compte/age: what somebody says of their age, before they first take part in a consultation that asks for it."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, RadioField
from wtforms.validators import InputRequired

from consult.accounts.sign_up.views import local
from consult.consultations import queries
from consult.consultations.age import policy, service
from consult.consultations.age.policy import AgeRule, Declared
from consult.consultations.models import Consultation
from consult.errors import ForbiddenError, NotFoundError
from consult.security import limited, signed_in

bp = Blueprint("age", __name__, url_prefix="/mon-compte/age")


class AgeForm(Form):  # type: ignore[misc]  # WTForms has no types
    """One choice."""

    age = RadioField("Votre âge", [InputRequired("Choisissez la phrase qui est vraie pour vous.")])

    def __init__(self, rule: AgeRule, *args: object) -> None:
        super().__init__(*args)
        under = f"J’ai moins de {rule.minimum} ans"
        agreed = f"{under}, et la personne qui exerce l’autorité parentale est d’accord pour que je participe"
        said = {Declared.OF_AGE: f"J’ai {rule.minimum} ans ou plus"}
        said |= {Declared.CONSENT: agreed, Declared.UNDER: f"{under}, sans cet accord"} if rule.with_consent else {
            Declared.UNDER: under
        }  # fmt: skip
        self.age.choices = [(value.value, words) for value, words in said.items()]


def _asking(slug: str) -> Consultation:
    consultation = queries.consultation_or_404(g.session, slug, g.actor)
    if consultation.minimum_age is None:
        raise NotFoundError("Cette consultation ne demande pas d’âge.")
    return consultation


def _page(consultation: Consultation, form: AgeForm, *, refused: bool = False) -> str:
    suite = request.values.get("suite", "")
    shown = {"consultation": consultation, "form": form, "suite": suite, "refused": refused}
    return render_template("consultations/age.html", **shown)


@bp.get("/<slug>")
@signed_in
def show(slug: str) -> ResponseReturnValue:
    consultation = _asking(slug)
    return _page(consultation, AgeForm(policy.rule_of(consultation)))


@bp.post("/<slug>")
@signed_in
@limited
def declare(slug: str) -> ResponseReturnValue:
    consultation = _asking(slug)
    form = AgeForm(policy.rule_of(consultation), request.form)
    if not form.validate():
        return _page(consultation, form), 422
    try:
        service.declare(g.session, consultation, g.account_id, Declared(form.age.data), g.now)
    except ForbiddenError:
        return _page(consultation, form, refused=True), 403
    flash("C’est noté. Vous pouvez participer.", "success")
    return redirect(local(request.form.get("suite"), url_for("consultations.show", slug=slug)), 303)
