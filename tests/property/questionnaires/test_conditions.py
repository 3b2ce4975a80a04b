"""The same declaration says the same on the server and in the browser, over generated questionnaires and answers."""

import json
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.questionnaires import conditions
from consult.questionnaires.models import Question
from tests.conftest import missing

SCRIPT = Path(__file__).parents[3] / "consult" / "static" / "js" / "conditions.js"
# Reads questionnaires one a line, and says which questions are asked.
JUDGE = f"""
import {{ asked }} from {json.dumps(SCRIPT.as_uri())};
import {{ createInterface }} from "node:readline";
for await (const line of createInterface({{ input: process.stdin }})) {{
  const {{ questions, answers }} = JSON.parse(line);
  console.log(JSON.stringify(asked(questions, answers)));
}}
"""
KEYS = [*"abcd", "a:1", "a:2", "b:1"]
figures = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12).map(
        lambda value: f"{value:f}"
    ),
    st.sampled_from(["0", "-0", "0.0", "-0.50", "7", "007", "7.0", "12345678901234567890", "12345678901234567891"]),
)
days = st.dates().map(lambda day: day.isoformat())
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
values = st.one_of(figures, days, words, st.sampled_from(KEYS))
givens = st.one_of(
    st.none(),
    st.builds(
        lambda text, options, other: {"text": text, "options": options, "other": other},
        st.none() | values,
        st.lists(st.sampled_from(KEYS) | figures, max_size=4, unique=True),
        st.none() | words,
    ),
)


def leaf(ids):
    counted = st.tuples(st.sampled_from(sorted(conditions.COUNTS)), st.integers(0, 5).map(str))
    compared = st.tuples(st.sampled_from(sorted(conditions.OPERATORS - conditions.COUNTS)), values)
    return st.builds(
        lambda question, how: {"question": question, "is": how[0], "value": how[1]},
        st.sampled_from(ids),
        counted | compared,
    )


def declared(ids):
    """Conditions over these questions, nested or not."""
    several = lambda inner: st.builds(  # noqa: E731  # a strategy
        lambda name, parts: {name: parts},
        st.sampled_from([conditions.ALL, conditions.ANY]),
        st.lists(inner, min_size=1, max_size=3),
    )
    return several(st.recursive(leaf(ids), several, max_leaves=6))


@st.composite
def questionnaires(draw):
    ids = [str(uuid.UUID(int=rank + 1)) for rank in range(draw(st.integers(1, 6)))]
    asked = [
        {"id": each, "condition": draw(st.none() | declared(ids[:rank])) if rank else None}
        for rank, each in enumerate(ids)
    ]
    answers = {each: said for each in ids if (said := draw(givens)) is not None}
    return {"questions": asked, "answers": answers}


@pytest.fixture(scope="module")
def judge():
    """What the script of the browser says of a questionnaire."""
    node = shutil.which("node") or shutil.which("node", path=str(Path(".venv/bin")))
    if node is None:
        missing("no node: the conditions of the browser are not compared")
    command = [node, "--input-type=module", "-e", JUDGE]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:

        def ask(questionnaire):
            process.stdin.write(json.dumps(questionnaire) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


def by_python(questionnaire):
    asked = [
        Question(id=uuid.UUID(each["id"]), position=rank, page=1, settings={"condition": each["condition"]})
        for rank, each in enumerate(questionnaire["questions"])
    ]
    answers = {uuid.UUID(key): said for key, said in questionnaire["answers"].items()}
    return [str(each.id) for each in conditions.asked(asked, answers)]


@pytest.mark.slow  # hundreds of questionnaires
@settings(max_examples=400)
@given(questionnaires())
def test_the_browser_and_the_server_ask_the_same_questions(judge, questionnaire):
    assert judge(questionnaire) == by_python(questionnaire)


@pytest.mark.audit
@settings(max_examples=5_000)
@given(questionnaires())
def test_they_do_over_many_more(judge, questionnaire):
    assert judge(questionnaire) == by_python(questionnaire)
