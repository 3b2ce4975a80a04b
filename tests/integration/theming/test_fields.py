"""The field and error-summary components on every kind of WTForms field, nested ones included."""

import re
from html.parser import HTMLParser

import pytest
from flask import Flask, render_template_string
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    FieldList,
    FileField,
    Form,
    FormField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from consult import labels, theming

CHOICES = [SelectChoice("a", "Première"), SelectChoice("b", "Deuxième")]
IMPORTS = (
    "{% from 'components/field.html' import field %}{% from 'components/error_summary.html' import error_summary %}"
)


class PlaceForm(Form):
    town = StringField("Commune", [InputRequired("Donnez la commune.")])


class EveryForm(Form):
    token = HiddenField()
    name = StringField("Pseudonyme", [InputRequired("Choisissez un pseudonyme."), Length(max=40)])
    body = TextAreaField(
        "Texte", [InputRequired("Écrivez un texte."), Length(max=2000)], description="Sans nom propre."
    )
    secret = PasswordField("Mot de passe", [InputRequired("Donnez un mot de passe.")])
    one = RadioField("Avis", [InputRequired("Donnez un avis.")], choices=CHOICES)
    kind = SelectField("Nature", [InputRequired("Choisissez une nature.")], choices=CHOICES)
    many = SelectMultipleField(
        "Thèmes",
        [InputRequired("Choisissez un thème.")],
        choices=CHOICES,
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    file = FileField("Pièce", [InputRequired("Joignez une pièce.")])
    accepted = BooleanField("J’accepte", [InputRequired("Acceptez la charte.")])
    place = FormField(PlaceForm, "Lieu")
    links = FieldList(StringField("Source", [InputRequired("Donnez une adresse.")]), "Sources", min_entries=2)


class Page(HTMLParser):
    """The elements of a page: tag and attributes, in order."""

    def __init__(self, markup: str):
        super().__init__()
        self.elements = []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture
def render():
    app = Flask("consult", static_folder="static")
    theming.install(app, None)
    app.jinja_env.globals.update(asset=theming.asset)
    app.jinja_env.filters.update(labels.FILTERS)

    def render(source: str, **values: object) -> str:
        with app.test_request_context():
            return render_template_string(IMPORTS + source, **values)

    return render


@pytest.fixture
def refused() -> EveryForm:
    form = EveryForm(MultiDict({"name": 'Zoé "<b>"'}))
    assert not form.validate()
    return form


def test_every_control_has_a_label_and_every_description_exists(render, refused):
    page = Page(render("{% for f in form %}{{ field(f) }}{% endfor %}", form=refused))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {label["for"] for label in page.all("label")}
    controls = [c for c in page.all("input", "textarea", "select") if c.get("type") != "hidden"]
    assert len(controls) == 13
    assert {control["id"] for control in controls} == labelled
    described = [attributes["aria-describedby"] for _, attributes in page.elements if "aria-describedby" in attributes]
    assert len(described) >= 9
    assert {reference for value in described for reference in value.split()} <= set(ids)


def test_every_error_is_listed_once_and_leads_to_a_control(render, refused):
    summary = render("{{ error_summary(form) }}", form=refused)
    page = Page(render("{% for f in form %}{{ field(f) }}{% endfor %}", form=refused))
    controls = {control["id"] for control in page.all("input", "textarea", "select")}
    targets = re.findall(r'href="#([^"]+)"', summary)
    assert targets == [
        "body", "secret", "one-0", "kind", "many-0", "file", "accepted", "place-town", "links-0", "links-1",
    ]  # fmt: skip
    assert set(targets) <= controls
    assert "Commune\u00a0: Donnez la commune." in summary


def test_what_was_typed_comes_back_escaped(render, refused):
    assert 'value="Zoé &#34;&lt;b&gt;&#34;"' in render("{{ field(form.name) }}", form=refused)


def test_groups_are_a_fieldset_with_a_legend(render, refused):
    shown = render("{{ field(form.one) }}", form=refused)
    fieldset = Page(shown).all("fieldset")[0]
    assert fieldset["role"] == "radiogroup"
    assert fieldset["aria-required"] == fieldset["aria-invalid"] == "true"
    assert fieldset["aria-describedby"] == "one-error"
    assert "<legend>Avis" in shown


def test_a_maximum_length_is_counted_and_never_cuts(render, refused):
    area = Page(render("{{ field(form.body) }}", form=refused)).all("textarea")[0]
    assert area["data-maxlength"] == "2000"
    assert "maxlength" not in area
    assert area["aria-describedby"] == "body-help body-error body-count"


def test_attributes_go_to_the_control(render, refused):
    source = "{{ field(form.name, help='Public.', autocomplete='nickname') }}"
    control = Page(render(source, form=refused)).all("input")[0]
    assert control["autocomplete"] == "nickname"
    assert control["aria-describedby"] == "name-help"


def test_a_form_without_error_has_no_summary(render):
    assert render("{{ error_summary(form) }}", form=EveryForm()).strip() == ""


def test_errors_of_the_whole_form_are_in_the_summary(render):
    form = EveryForm()
    form.form_errors = ["Ce formulaire a déjà été envoyé."]
    assert "<li>Ce formulaire a déjà été envoyé.</li>" in render("{{ error_summary(form) }}", form=form)
