"""Pages of the blind sample: drawing it, sharing it, coding it without a hint, measuring it."""

from __future__ import annotations

import uuid
from typing import Any, Final

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from consult import seam
from consult.accounts import queries as accounts
from consult.accounts.models import Account
from consult.actor import Role
from consult.coding import queries
from consult.coding.forms import SampleCodingForm, SampleForm
from consult.coding.jobs import run_folder
from consult.coding.models import AnalysisRun, QualitySample, RunStatus, SampleCoder
from consult.coding.quality import service as samples
from consult.coding.texts import Verbatim, verbatims
from consult.consultations import queries as consultations
from consult.consultations.models import Consultation
from consult.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from consult.jobs.models import Job
from consult.protocols import Bindings
from consult.security import account_or_address, limited, limiter, staff

bp = Blueprint("samples", __name__)
CODERS: Final = (Role.ANALYST, Role.DITP)
READERS: Final = (*CODERS, Role.ORGANISER, Role.ADMINISTRATOR, Role.DECISION_MAKER, Role.READER)
_PERCENT: Final = 100


def _coded_run(slug: str, run_id: uuid.UUID) -> tuple[Consultation, AnalysisRun, dict[str, Any]]:
    """A finished run that a codebook coded, and its results. Raises NotFoundError."""
    consultation = consultations.consultation_or_404(g.session, slug, g.actor)
    run = queries.run(g.session, consultation.id, run_id)
    if run.status is not RunStatus.DONE or run.codebook_id is None:
        raise NotFoundError("Cette analyse n’a rien codé : il n’y a pas d’échantillon à en tirer.")
    return consultation, run, seam.results(_report(run))


def _report(run: AnalysisRun) -> Any:
    return run_folder(current_app.extensions["settings"].data_path.resolve(), run.id) / "report"


def _people(consultation: Consultation) -> list[Account]:
    """Who may code: the analysts of the consultation, and the person who asks."""
    found = accounts.staff_of(g.session, consultation.organisation_id, consultation.id, (Role.ANALYST,))
    if g.actor.account_id not in {each.id for each in found}:
        found.append(accounts.own_account(g.session, g.actor.account_id))
    return found


def _sample_form(consultation: Consultation, results: dict[str, Any]) -> SampleForm:
    form = SampleForm(request.form)
    form.corpus.choices = [(each["key"], each["title"]) for each in results["corpora"]]
    form.coders.choices = [(str(each.id), each.pseudonym) for each in _people(consultation)]
    return form


def _draw_page(consultation: Consultation, run: AnalysisRun, form: SampleForm) -> str:
    return render_template(
        "coding/samples.html",
        consultation=consultation,
        run=run,
        form=form,
        samples=queries.samples(g.session, consultation.id, run.id),
        may_draw=g.actor.holds(*CODERS, consultation_id=consultation.id),
    )


@bp.get("/gestion/consultations/<slug>/analyse/<uuid:run_id>/echantillons")
@staff(*READERS)
def of_run(slug: str, run_id: uuid.UUID) -> str:
    """The blind samples of a run, and the form that draws one."""
    consultation, run, results = _coded_run(slug, run_id)
    return _draw_page(consultation, run, _sample_form(consultation, results))


@bp.post("/gestion/consultations/<slug>/analyse/<uuid:run_id>/echantillons")
@staff(*CODERS)
@limiter.limit("10/minute", key_func=account_or_address)
def draw(slug: str, run_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    """Draw a sample and share it; a refused form comes back as it was sent."""
    consultation, run, results = _coded_run(slug, run_id)
    form = _sample_form(consultation, results)
    if form.validate():
        try:
            sample = _drawn(consultation, run, results, form)
        except InvalidError as refused:
            for name, words in refused.fields.items():
                form[name].errors = [words]
        else:
            flash(f"{sample.size} contributions sont à coder. Les personnes choisies les trouvent sur cette page.")
            return redirect(url_for(".sample", slug=slug, sample_id=sample.id), 303)
    return _draw_page(consultation, run, form), 422


def _drawn(consultation: Consultation, run: AnalysisRun, results: dict[str, Any], form: SampleForm) -> QualitySample:
    corpus = next(each for each in results["corpora"] if each["key"] == form.corpus.data)
    drawn = seam.draw_sample(_report(run), corpus["key"], per_stratum=form.per_stratum.data, seed=form.seed.data)
    asked = samples.Asked(
        corpus=corpus["key"],
        title=corpus["title"],
        unit=corpus["unit"],
        seed=form.seed.data,
        per_stratum=form.per_stratum.data,
        readers=form.readers.data,
        precision=form.precision.data / _PERCENT,
        recall=form.recall.data / _PERCENT,
        alpha=None if form.alpha.data is None else form.alpha.data / _PERCENT,
    )
    coders = [uuid.UUID(each) for each in form.coders.data]
    return samples.draw(g.session, run, consultation, drawn, asked, coders=coders, actor=g.actor, now=g.now)


def _sample(slug: str, sample_id: uuid.UUID) -> tuple[Consultation, QualitySample]:
    consultation = consultations.consultation_or_404(g.session, slug, g.actor)
    return consultation, queries.sample(g.session, consultation.id, sample_id)


@bp.get("/gestion/consultations/<slug>/analyse/echantillons/<uuid:sample_id>")
@staff(*READERS)
def sample(slug: str, sample_id: uuid.UUID) -> str:
    """How far each person is, and the measure once it is made."""
    consultation, sample = _sample(slug, sample_id)
    given, own = samples.codings(g.session, sample), samples.coder_of(sample, g.actor)
    shares = [
        (_name(coder), len(given[coder.rank]), len(samples.mine(sample, coder)), coder is own)
        for coder in sample.coders
        if coder.rank != samples.ARBITER
    ]
    return render_template(
        "coding/sample.html",
        consultation=consultation,
        sample=sample,
        shares=shares,
        unread=len(samples.unread(sample, given)),
        gone=sum(1 for unit in seam.units_of(sample.key) if _nobody_could_read(unit, given)),
        own=own,
        unsettled=_unsettled(sample, given),
        job=g.session.get(Job, sample.job_id) if sample.job_id else None,
        measure=seam.read_measure(sample.measure) if sample.measure else None,
        labels=_labels(sample),
        may_measure=g.actor.holds(*CODERS, consultation_id=consultation.id),
    )


def _unsettled(sample: QualitySample, given: samples.Given) -> int | None:
    """How many disagreements wait to be settled; None while somebody still codes."""
    try:
        found = samples.disagreements(g.session, sample)
    except ConflictError:
        return None
    return len([unit for unit in found if unit not in given.get(samples.ARBITER, {})])


def _name(coder: SampleCoder) -> str:
    account = g.session.get(Account, coder.account_id) if coder.account_id else None
    return account.pseudonym if account else "Compte supprimé"


def _nobody_could_read(unit: str, given: samples.Given) -> bool:
    said = [of[unit] for of in given.values() if unit in of]
    return bool(said) and all(codes is None for codes in said)


def _codes(sample: QualitySample) -> list[dict[str, Any]]:
    """The codes that may be given, with their definitions; those that only gather others are given through them."""
    codes: list[dict[str, Any]] = seam.results(_report(sample.run))["codebook"]["codes"]
    return [code for code in codes if code["patterns"]]


def _labels(sample: QualitySample) -> dict[str, str]:
    return {code["id"]: code["label"] for code in _codes(sample)}


@bp.get("/gestion/consultations/<slug>/analyse/echantillons/<uuid:sample_id>/coder")
@staff(*CODERS)
def code(slug: str, sample_id: uuid.UUID) -> str | AnyResponse:
    """One contribution to code: that of the rank asked for, else the first not yet coded."""
    consultation, sample = _sample(slug, sample_id)
    coder = _own(sample)
    units, done = samples.mine(sample, coder), samples.codings(g.session, sample)[coder.rank]
    first = next((i for i, unit in enumerate(units) if unit not in done), None)
    asked = request.args.get("rang", type=int)
    if asked is None and first is None:
        return redirect(url_for(".sample", slug=slug, sample_id=sample_id), 303)
    rank = min(max(asked, 1), len(units)) - 1 if asked is not None else first or 0
    form = _coding_form(sample, units[rank], done.get(units[rank]), coded=units[rank] in done)
    return _code_page(consultation, sample, units, rank, len(done), form)


@bp.post("/gestion/consultations/<slug>/analyse/echantillons/<uuid:sample_id>/coder")
@staff(*CODERS)
@limiter.limit("120/minute", key_func=account_or_address)
def save_codes(slug: str, sample_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    """Keep the codes given, and go on to the next contribution; a refused form comes back as it was sent."""
    consultation, sample = _sample(slug, sample_id)
    coder = _own(sample)
    units = samples.mine(sample, coder)
    unit = request.form.get("unit", "")
    if unit not in units:
        raise NotFoundError("Cette contribution n’est pas de celles que vous codez.")
    form = _coding_form(sample, unit, None, coded=False)
    text = _text(consultation, sample, unit)
    if text is not None and not form.validate():
        done = samples.codings(g.session, sample)[coder.rank]
        return _code_page(consultation, sample, units, units.index(unit), len(done), form), 422
    codes = None if text is None else form.codes.data
    samples.code(g.session, sample, coder, unit, codes, now=g.now)
    return redirect(url_for(".code", slug=slug, sample_id=sample_id), 303)


def _own(sample: QualitySample) -> SampleCoder:
    coder = samples.coder_of(sample, g.actor)
    if coder is None:
        raise ForbiddenError("Vous n’êtes pas de ceux qui codent cet échantillon : demandez à qui l’a tiré.")
    return coder


def _coding_form(sample: QualitySample, unit: str, given: frozenset[str] | None, *, coded: bool) -> SampleCodingForm:
    sent: MultiDict[str, str] | None = request.form if request.method == "POST" else None
    before = {"codes": sorted(given or ()), "nothing": coded and given == frozenset()}
    form = SampleCodingForm(sent, data={"unit": unit, **before})
    form.codes.choices = list(_labels(sample).items())
    return form


def _text(consultation: Consultation, sample: QualitySample, unit: str) -> Verbatim | None:
    """What the contribution says, if it is public now."""
    bindings: Bindings = current_app.extensions["bindings"]
    ids = [uuid.UUID(unit)]
    found = verbatims(g.session, consultation.id, sample.corpus, sample.unit, ids, bindings.content_types)
    return found[0] if found else None


def _code_page(
    consultation: Consultation, sample: QualitySample, units: list[str], rank: int, done: int, form: SampleCodingForm
) -> str:
    return render_template(
        "coding/code.html",
        consultation=consultation,
        sample=sample,
        text=_text(consultation, sample, units[rank]),
        codes=_codes(sample),
        form=form,
        rank=rank + 1,
        total=len(units),
        done=done,
        open=sample.job_id is None and sample.measured_at is None,
    )


@bp.get("/gestion/consultations/<slug>/analyse/echantillons/<uuid:sample_id>/trancher")
@staff(*CODERS)
def settle(slug: str, sample_id: uuid.UUID) -> str | AnyResponse:
    """One contribution that people coded differently: that of the rank asked for, else the first not yet settled."""
    consultation, sample = _sample(slug, sample_id)
    units, given = samples.disagreements(g.session, sample), samples.codings(g.session, sample)
    done = given.get(samples.ARBITER, {})
    first = next((i for i, unit in enumerate(units) if unit not in done), None)
    asked = request.args.get("rang", type=int)
    if not units or (asked is None and first is None):
        return redirect(url_for(".sample", slug=slug, sample_id=sample_id), 303)
    rank = min(max(asked, 1), len(units)) - 1 if asked is not None else first or 0
    form = _coding_form(sample, units[rank], done.get(units[rank]), coded=units[rank] in done)
    return _settle_page(consultation, sample, units, rank, given, form)


@bp.post("/gestion/consultations/<slug>/analyse/echantillons/<uuid:sample_id>/trancher")
@staff(*CODERS)
@limiter.limit("120/minute", key_func=account_or_address)
def save_settled(slug: str, sample_id: uuid.UUID) -> AnyResponse | tuple[str, int]:
    """Keep the codes that prevail, and go on to the next disagreement; a refused form comes back as it was sent."""
    consultation, sample = _sample(slug, sample_id)
    units, unit = samples.disagreements(g.session, sample), request.form.get("unit", "")
    if unit not in units:
        raise NotFoundError("Personne n’a codé autrement cette contribution : il n’y a rien à trancher.")
    form = _coding_form(sample, unit, None, coded=False)
    if not form.validate():
        given = samples.codings(g.session, sample)
        return _settle_page(consultation, sample, units, units.index(unit), given, form), 422
    samples.settle(g.session, sample, consultation, unit, form.codes.data, actor=g.actor, now=g.now)
    return redirect(url_for(".settle", slug=slug, sample_id=sample_id), 303)


def _settle_page(
    consultation: Consultation,
    sample: QualitySample,
    units: list[str],
    rank: int,
    given: samples.Given,
    form: SampleCodingForm,
) -> str:
    labels = _labels(sample)
    said = [of[units[rank]] for place, of in sorted(given.items()) if place != samples.ARBITER and units[rank] in of]
    return render_template(
        "coding/settle.html",
        consultation=consultation,
        sample=sample,
        text=_text(consultation, sample, units[rank]),
        codes=_codes(sample),
        said=[[labels.get(code, code) for code in sorted(codes)] for codes in said if codes is not None],
        form=form,
        rank=rank + 1,
        total=len(units),
        done=len(given.get(samples.ARBITER, {})),
        open=sample.job_id is None and sample.measured_at is None,
    )


@bp.post("/gestion/consultations/<slug>/analyse/echantillons/<uuid:sample_id>/mesurer")
@staff(*CODERS)
@limited
def measure(slug: str, sample_id: uuid.UUID) -> AnyResponse:
    """Ask the worker for the measure."""
    consultation, sample = _sample(slug, sample_id)
    samples.request_measure(g.session, sample, consultation, actor=g.actor, now=g.now)
    flash("La mesure est demandée. Cette page la montrera ; vous pouvez la quitter.")
    return redirect(url_for(".sample", slug=slug, sample_id=sample_id), 303)
