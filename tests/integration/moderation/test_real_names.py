"""Personal data in real and annotated texts: what is found, and who is troubled (no row is quoted)."""

import csv
import gzip
import io
import json
import random
import re

import pytest
from faker import Faker

from consult.traces import Trace, kinds, spans

pytestmark = pytest.mark.real_data

LEAST_RECALL, LEAST_PRECISION = 0.8, 0.8
# The set annotates « Lancement Projet » as a person, and leaves some persons without annotation: a machine did it.
MOST_ALARMS = 0.002  # of the answers of a national debate
LEAST_OF_NUMBERS = 0.98
PLANTED = 2_000
LABELLED = (Trace.EMAIL, Trace.PHONE, Trace.SOCIAL_SECURITY, Trace.IBAN, Trace.CARD)


def overlaps(one, others) -> bool:
    return any(one[0] < other[1] and other[0] < one[1] for other in others)


def documents(real_data):
    for path in sorted((real_data / "pii_fr" / "rgpd_corpus").glob("ann_*.json")):
        annotated = json.loads(path.read_text(encoding="utf-8"))
        yield path.with_name(annotated["document_name"]).read_text(encoding="utf-8"), annotated["entities"]


def test_names_are_found_in_annotated_texts(real_data, capsys):
    """AT-6.4."""
    persons = found = said = right = 0
    for text, entities in documents(real_data):
        people = [(each["start_pos"], each["end_pos"]) for each in entities if each["entity_type"] == "PERSON"]
        names = [(start, end) for start, end, trace in spans(text) if trace is Trace.NAME]
        persons, said = persons + len(people), said + len(names)
        found += sum(overlaps(each, names) for each in people)
        right += sum(overlaps(each, people) for each in names)
    recall, precision = found / persons, right / said
    with capsys.disabled():
        print(f"\nnames: recall {recall:.3f} of {persons} mentions, precision {precision:.3f} of {said} alarms")
    assert recall >= LEAST_RECALL
    assert precision >= LEAST_PRECISION


def test_few_answers_of_a_national_debate_raise_an_alarm(real_data, capsys):
    """AT-6.4: what the warning costs to those who name nobody."""
    raw = gzip.decompress((real_data / "gd_open_answers" / "sample_q165_protection_sociale.csv.gz").read_bytes())
    texts = [" ".join(row) for row in csv.reader(io.StringIO(raw.decode("utf-8"), newline=""))]
    alarms = sum(Trace.NAME in kinds(text) for text in texts)
    with capsys.disabled():
        print(f"\nnames: {alarms} alarms in {len(texts)} answers")
    assert len(texts) > 5_000
    assert alarms <= MOST_ALARMS * len(texts)


def written(fake: Faker, chance: random.Random) -> dict[Trace, str]:
    """One of each, by a writer of false identities that knows nothing of our patterns; e-mails also as people hide
    them.
    """
    mail = fake.email()
    hidden = mail.replace("@", chance.choice([" arobase ", "(at)", " [arobase] ", "@", "@"]))
    return {
        Trace.EMAIL: hidden.replace(".", " point ") if " arobase " in hidden else hidden,
        Trace.PHONE: chance.choice([fake.phone_number(), fake.phone_number().replace(" ", ".")]),
        Trace.SOCIAL_SECURITY: chance.choice([fake.ssn(), fake.ssn().replace(" ", "")]),
        Trace.IBAN: chance.choice([fake.iban(), re.sub(r"(.{4})", r"\1 ", fake.iban()).strip()]),
        Trace.CARD: fake.credit_card_number("visa16"),
    }


def test_numbers_written_by_another_are_found_in_sentences_of_the_set(real_data, capsys):
    """The set's own e-mails were masked by its publisher, and it holds one telephone number: others are planted in
    its sentences.
    """
    fake, chance = Faker("fr_FR"), random.Random(7)
    Faker.seed(7)
    sentences = [line.strip() for text, _ in documents(real_data) for line in text.splitlines() if len(line) > 60]
    total, found = dict.fromkeys(LABELLED, 0), dict.fromkeys(LABELLED, 0)
    for _ in range(PLANTED):
        for trace, number in written(fake, chance).items():
            place = chance.choice(sentences).split(" ")
            place.insert(chance.randrange(len(place) + 1), number)
            total[trace] += 1
            found[trace] += trace in kinds(" ".join(place))
    recalls = {trace: found[trace] / total[trace] for trace in total}
    with capsys.disabled():
        print("\n" + ", ".join(f"{trace.value}: recall {recalls[trace]:.4f} of {total[trace]}" for trace in recalls))
    assert min(recalls.values()) >= LEAST_OF_NUMBERS
    own = re.compile(r"\+33 \d(?: \d\d){4}")
    rung = [(text, match.span()) for text, _ in documents(real_data) for match in own.finditer(text)]
    assert rung
    assert all(overlaps(place, [each for each in spans(text) if each[2] is Trace.PHONE]) for text, place in rung)
