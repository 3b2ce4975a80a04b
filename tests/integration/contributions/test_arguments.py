"""Arguments as people meet them: both sides in turn, one at its own address, written before or after signing in."""

import datetime as dt
import re

import pytest
import time_machine
from sqlalchemy import func, select

from consult.clock import hour_number
from consult.consultations.models import Consultation, ContentStatus, Step
from consult.contributions import order
from consult.contributions.bindings import ArgumentContent
from consult.contributions.models import Argument, ContentVersion, ContributionDraft, Side
from consult.registry.models import EntryKind, RegistryEntry
from tests import factories
from tests.plans import watched

TEXT = "Les trains de nuit dispensent de bien des voitures."
CARD = re.compile(r'<li class="card is-(for|against)" id="argument-([0-9a-f-]+)"')


@pytest.fixture
def still():
    """A clock that stands in the middle of an hour."""
    with time_machine.travel(dt.datetime.now(dt.UTC).replace(minute=30), tick=False) as clock:
        yield clock


@pytest.fixture
def debated(world, database_of):
    """Twenty-five arguments for and nine against, on the proposal; gives their ids by side."""
    with database_of() as session:
        proposal = session.get_one(factories.Proposal, world.proposal)
        made = {
            side: [
                factories.make_argument(session, proposal, side=side, body=f"{TEXT} {side.value} {n}", votes_for=n)
                for n in range(count)
            ]
            for side, count in ((Side.FOR, 25), (Side.AGAINST, 9))
        }
        return {side: [argument.id for argument in each] for side, each in made.items()}


def cards(response):
    """Side and id of each argument of a page, in reading order."""
    return CARD.findall(response.get_data(as_text=True))


def expected(world, database_of, debated, hour):
    with database_of() as session:
        seed = session.get_one(Step, world.step).order_seed
    drawn = {side: order.shuffled(seed, hour, ids) for side, ids in debated.items()}
    return [str(each) for each in order.balanced(drawn, order.first_side(seed, world.proposal, hour))]


def pages(client, first):
    """Every page of the list, by its own links."""
    seen, address = [], first
    while address:
        response = client.get(address)
        seen += cards(response)
        after = re.search(r'rel="next" href="([^"#]+)', response.get_data(as_text=True))
        address = after[1].replace("&amp;", "&") if after else None
    return seen


def test_both_sides_alternate_in_an_order_that_anyone_works_out_and_that_turns(
    still, client, world, database_of, debated
):
    for _ in range(3):
        hour = hour_number(dt.datetime.now(dt.UTC))
        seen = pages(client, world.page)
        assert [each for _, each in seen] == expected(world, database_of, debated, hour)
        assert [side for side, _ in seen[:18:2]] == [seen[0][0]] * 9
        assert [side for side, _ in seen[1:18:2]] == [{"for": "against", "against": "for"}[seen[0][0]]] * 9
        told = client.get(world.page).get_data(as_text=True)
        assert f"heure <code>{hour}</code>" in told
        assert 'href="/aide/ordre"' in told
        still.shift(3_600)


def test_a_list_begun_before_the_turn_is_read_to_its_end_in_its_order(still, client, world, database_of, debated):
    first = client.get(world.page)
    after = re.search(r'rel="next" href="([^"#]+)', first.get_data(as_text=True))[1].replace("&amp;", "&")
    hour = hour_number(dt.datetime.now(dt.UTC))
    still.shift(3_600)
    seen = [each for _, each in cards(first) + cards(client.get(after))]
    assert seen == expected(world, database_of, debated, hour)
    still.shift(3_600)  # too late: it would let whoever shares an address choose an hour
    assert [each for _, each in cards(client.get(after))] == expected(world, database_of, debated, hour + 2)[20:]


@pytest.mark.parametrize(
    ("query", "firsts"),
    [
        ("ordre=voted", {"for": 24, "against": 8}),
        ("camp=pour&ordre=voted", {"for": 24}),
        ("camp=contre&ordre=voted", {"against": 8}),
    ],
)
def test_sorts_alternate_too_and_one_side_may_be_read_alone(client, world, database_of, debated, query, firsts):
    seen = pages(client, f"{world.page}?{query}")
    assert len(seen) == sum(len(debated[Side(side)]) for side in firsts)
    first = {side: next(each for kind, each in seen if kind == side) for side in firsts}
    assert first == {side: str(debated[Side(side)][votes]) for side, votes in firsts.items()}


@pytest.mark.parametrize("query", ["camp=<script>", "ordre=';--", "arguments=-1", "arguments=9999999999", "heure=%00"])
def test_hostile_parameters_give_the_list(client, world, debated, query):
    response = client.get(f"{world.page}?{query}")
    assert response.status_code == 200
    assert "<script>'" not in response.get_data(as_text=True)
    assert cards(response)


def test_many_arguments_cost_no_more_statements_than_a_few(app, client, world, database_of, debated):
    with watched(app.extensions["database"]) as seen:
        client.get(world.page)
    few = len(seen)
    with database_of() as session:
        proposal = session.get_one(factories.Proposal, world.proposal)
        for n in range(60):
            factories.make_argument(session, proposal, side=Side.AGAINST, body=f"{TEXT} {n}")
    with watched(app.extensions["database"]) as seen:
        client.get(world.page)
    assert len(seen) <= few


def typed(**values):
    return {"side": "for", "title": "Moins de voitures", "body": TEXT, "submission_key": "k"} | values


def test_an_argument_has_a_title_if_its_author_wants_an_address_and_a_history(person, world, client, database_of):
    author = person(world.author)
    made = author.send(f"{world.page}/argumenter", **typed())
    assert made.status_code == 303
    page = client.get(made.location)
    assert "</span>&nbsp;: Moins de voitures" in page.get_data(as_text=True)
    assert TEXT in page.get_data(as_text=True)
    assert "csrf_token" not in page.get_data(as_text=True)
    edited = author.send(f"{made.location}/modifier", title="", body=f"{TEXT} Même l’hiver.", version="1")
    assert edited.location == made.location
    assert "Moins de voitures" not in client.get(made.location).get_data(as_text=True)
    assert "Moins de voitures" in client.get(f"{made.location}/versions").get_data(as_text=True)
    with database_of() as session:
        argument = session.scalars(select(Argument)).one()
        assert (argument.title, argument.version) == (None, 2)
        assert session.scalars(select(ContentVersion.title)).one() == "Moins de voitures"
        told = session.scalars(select(RegistryEntry).where(RegistryEntry.kind == EntryKind.ARGUMENT)).one()
        assert told.opening["on"] == str(world.proposal)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"side": ""}, "Dites si votre argument est pour ou contre"),
        ({"title": "Non"}, "Le titre compte 3 caractères"),
        ({"title": "x" * 151}, "Le titre compte 151 caractères"),
        ({"body": "Court"}, "L’argument compte 5 caractères"),
        ({"body": "x" * 3_001}, "L’argument compte 3\u202f001 caractères"),
    ],
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_a_refused_argument_stays_as_it_was_typed(person, world, client, database_of, values, said, signed_in):
    writer = person(world.author) if signed_in else client
    token = factories.csrf_token(writer, f"{world.page}/argumenter")
    refused = writer.post(f"{world.page}/argumenter", data=typed(**values) | {"csrf_token": token})
    assert refused.status_code == 422
    assert said in refused.get_data(as_text=True)
    assert typed(**values)["body"] in refused.get_data(as_text=True)
    assert typed(**values)["title"] in refused.get_data(as_text=True)
    with database_of() as session:
        assert session.scalar(select(func.count()).select_from(Argument)) == 0
        assert session.scalar(select(func.count()).select_from(ContributionDraft)) == 0


def test_a_visitor_writes_first_and_signs_in_afterwards(person, world, client, database_of):
    write = f"{world.page}/argumenter"
    token = factories.csrf_token(client, write)
    kept = client.post(write, data=typed(body=f"{TEXT} 🚆 <b>", side="against") | {"csrf_token": token})
    assert kept.status_code == 303
    assert kept.location.startswith("/connexion?suite=")
    back = re.search(r"brouillon%3D([\w-]+)", kept.location)[1]
    page = person(world.author).get(write, query_string={"brouillon": back}).get_data(as_text=True)
    assert "🚆 &lt;b&gt;" in page
    assert 'value="Moins de voitures"' in page
    assert re.search(r'<input checked[^>]*value="against"', page)
    assert client.post(write, data=typed()).status_code == 403, "without the token of the form"


def test_what_a_visitor_wrote_before_the_end_is_refused_with_its_text(world, client, database_of):
    write = f"{world.page}/argumenter"
    token = factories.csrf_token(client, write)
    with database_of() as session:
        session.get_one(Consultation, world.consultation).closes_at = world.now - dt.timedelta(minutes=1)
    refused = client.post(write, data=typed() | {"csrf_token": token})
    assert refused.status_code == 403
    assert TEXT in refused.get_data(as_text=True)
    with database_of() as session:
        assert session.scalar(select(func.count()).select_from(ContributionDraft)) == 0


@pytest.mark.parametrize("end", ["hidden", "withdrawn"])
def test_an_argument_that_is_gone_leaves_a_tombstone_without_its_text(person, world, client, database_of, end):
    author = person(world.author)
    address = author.send(f"{world.page}/argumenter", **typed()).location
    if end == "withdrawn":
        author.send(f"{address}/retirer")
    else:
        with database_of() as session:
            ArgumentContent().hide(session, session.scalars(select(Argument.id)).one(), "insult")
    gone = client.get(address)
    assert gone.status_code == 410
    page = gone.get_data(as_text=True)
    assert {"hidden": "Argument masqué", "withdrawn": "Argument retiré par son auteur"}[end] in page
    for secret in (TEXT, "Moins de voitures"):
        assert secret not in page
        assert secret not in client.get(world.page).get_data(as_text=True)


def test_under_a_withheld_proposal_an_argument_is_read_no_more(person, world, client, database_of):
    address = person(world.other).send(f"{world.page}/argumenter", **typed()).location
    with database_of() as session:
        found = session.get_one(factories.Proposal, world.proposal)
        found.status, found.status_reason = ContentStatus.HIDDEN, "insult"
    assert client.get(address).location == world.page
    assert client.get(f"{world.page}/argumenter").status_code == 404


def test_finding_it_useful_leads_back_to_the_page_of_the_list(person, world, debated):
    reader, argument = person(world.other), debated[Side.FOR][0]
    where = f"{world.page}?arguments=2&ordre=voted"
    done = reader.send(f"/arguments/{argument}/vote", referrer=f"http://localhost{where}", position="for")
    assert done.location == f"{where}#argument-{argument}"
    elsewhere = reader.send(f"/arguments/{argument}/vote/retirer", referrer="https://ailleurs.example/")
    assert elsewhere.location == f"/arguments/{argument}"


def test_an_argument_of_another_organisation_or_of_a_draft_is_not_found(app, world, client, debated, database_of):
    argument = debated[Side.FOR][0]
    with database_of() as session:
        factories.make_organisation(session, slug="ailleurs")
    assert client.get(f"/arguments/{argument}").status_code == 200
    assert client.get(f"/o/ailleurs/arguments/{argument}").status_code == 404
    with database_of() as session:
        whole = session.get_one(Consultation, world.consultation)
        whole.status, whole.opened_at = "draft", None
    assert client.get(f"/arguments/{argument}").status_code == 404
