"""Whatever a browser sends, an answer is read the same way twice and judged by the question's own limits."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from consult.questionnaires import policy
from consult.questionnaires.kinds.base import clean_text
from consult.questionnaires.kinds.choices import OTHER_LENGTH
from consult.questionnaires.models import AnswerVisibility, OptionKind, Question, QuestionOption

KINDS = (OptionKind.NORMAL, OptionKind.NORMAL, OptionKind.NORMAL, OptionKind.OTHER, OptionKind.EXCLUSIVE)


def question(kind, *, required=False, **settings):
    options = [
        QuestionOption(id=uuid.uuid4(), position=rank, label=f"Réponse {rank}", kind=option_kind)
        for rank, option_kind in enumerate(KINDS, 1)
    ]
    return Question(
        id=uuid.uuid4(),
        kind=kind,
        required=required,
        visibility=AnswerVisibility.ROWS,
        settings=settings,
        options=options if kind in {"single", "multiple"} else [],
    )


texts = st.text(max_size=300)
ranks = st.lists(st.integers(0, 6), max_size=9)


@given(texts)
def test_a_text_keeps_every_character_but_nul_and_the_blanks_around(raw):
    kept = clean_text(raw)
    assert clean_text(kept) == kept
    assert kept == raw.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()


@given(texts, st.booleans(), st.integers(1, 200))
def test_a_text_is_accepted_exactly_within_its_limit(raw, required, limit):
    asked = question("long_text", required=required, max_length=limit)
    given_text = policy.read(asked, [raw])
    length = len(clean_text(raw))
    accepted = length <= limit if length else not required
    assert (policy.check(asked, given_text) is None) == accepted


@given(ranks, texts, st.booleans(), st.integers(0, 4), st.integers(0, 5))
def test_a_multiple_choice_is_accepted_exactly_by_its_rules(chosen, other, required, least, most):
    settings = {name: value for name, value in (("minimum", least), ("maximum", most)) if value}
    asked = question("multiple", required=required, **settings)
    ids = [str(option.id) for option in asked.options] + ["inconnue", str(uuid.uuid4())]
    answer = policy.read(asked, [ids[rank] for rank in chosen], other)
    picked = set(chosen)
    assert answer["options"][: len(picked & set(range(5)))] == [ids[rank] for rank in sorted(picked) if rank < 5]
    detail = clean_text(other)
    if not picked:
        expected = not required
    elif picked & {5, 6} or (4 in picked and len(picked) > 1):
        expected = False
    elif picked == {4}:
        expected = True
    else:
        within = (not least or len(picked) >= least) and (not most or len(picked) <= most)
        expected = within and (3 not in picked or 0 < len(detail) <= OTHER_LENGTH)
    assert (policy.check(asked, answer) is None) == expected


@given(ranks)
def test_a_single_choice_takes_one_known_option(chosen):
    asked = question("single")
    ids = [str(option.id) for option in asked.options] + ["inconnue", "autre"]
    answer = policy.read(asked, [ids[rank] for rank in chosen], "précision")
    picked = set(chosen)
    assert (policy.check(asked, answer) is None) == (not picked or (len(picked) == 1 and picked < set(range(5))))


@given(st.lists(st.tuples(ranks, texts), min_size=1, max_size=4))
def test_a_draft_gives_back_what_was_read(sent):
    questions = [question("multiple" if rank % 2 else "long_text") for rank in range(len(sent))]
    answers = {}
    for asked, (chosen, text) in zip(questions, sent, strict=True):
        ids = [str(option.id) for option in asked.options]
        values = [ids[rank] for rank in chosen if rank < 5] if ids else [text]
        answers[asked.id] = policy.read(asked, values, text)
    assert policy.from_json(policy.to_json(answers), questions) == answers
