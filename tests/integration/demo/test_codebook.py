"""The demonstration's codebook, run by the analysis command, finds what the answers were composed from."""

import csv
import json
import subprocess
import sys
from collections import defaultdict

import pytest

from consult.demo.content import codebook, generate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def coded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("codes")
    content = generate(2026)
    (folder / "plan.yaml").write_text(codebook(), encoding="utf-8")
    with (folder / "corpus.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text"])
        rows.writerows([reply.id, reply.texts.get("faciliter", "")] for reply in content.replies)
    command = [
        sys.executable,
        "-m",
        "analysis",
        "code",
        "corpus.csv",
        "--codebook",
        "plan.yaml",
        "--out",
        "codes.ndjson",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    found = defaultdict(set)
    for line in (folder / "codes.ndjson").read_text(encoding="utf-8").splitlines():
        assignment = json.loads(line)
        found[assignment["code"]].add(assignment["contribution"])
    return content, found


def test_each_code_finds_most_of_its_answers_and_few_others(coded):
    content, found = coded
    topics = {topic for reply in content.replies for topic in reply.planted} - {"autre"}
    for topic in topics:
        planted = {reply.id for reply in content.replies if topic in reply.planted}
        hits = len(planted & found[topic])
        assert hits / len(planted) > 0.75, f"{topic}: recall"
        assert hits / len(found[topic]) > 0.7, f"{topic}: precision"


def test_few_answers_stay_without_a_code_but_some_do(coded):
    content, found = coded
    answered = {reply.id for reply in content.replies if reply.planted}
    without = answered - set.union(*found.values())
    assert 0 < len(without) < 0.08 * len(answered)
