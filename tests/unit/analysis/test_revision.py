import numpy as np

from analysis.coding.codebook import from_mapping
from analysis.coding.hits import Hit
from analysis.coding.revision import CodeChange, compare, impact, propose
from analysis.lexical.frequencies import LemmaTokens


def plan(**codes):
    """A codebook with one pattern a code."""
    return from_mapping(
        {
            "version": "1",
            "groups": {"g": codes.pop("group", "mot")},
            "codes": [{"id": k, "patterns": [v], "positive_examples": [v]} for k, v in codes.items()],
        }
    )


def test_a_revision_names_what_changed_in_which_code():
    found = compare(plan(a="un", b="deux", c="trois"), plan(a="un", b="quatre", d="cinq", group="autre"))
    assert found.codes == (
        CodeChange("b", "changed", ("patterns", "positive_examples")),
        CodeChange("d", "added", ()),
        CodeChange("c", "removed", ()),
    )
    assert found.groups == ("g",)
    assert not found.identical
    assert compare(plan(a="un"), plan(a="un")).identical


def test_the_contributions_that_would_change_code_are_listed_before_approval():
    before = [Hit(0, "a", "p", "w"), Hit(1, "a", "p", "w")]
    after = [Hit(1, "a", "p", "w"), Hit(2, "a", "p", "w"), Hit(2, "b", "p", "w")]
    a, b, c = impact(["u0", "u1", "u2"], before, after, ["a", "b", "c"])
    assert (a.gained, a.lost, a.before, a.after) == (("u2",), ("u0",), 2, 2)
    assert b.gained == ("u2",)
    assert (c.gained, c.lost) == ((), ())


def test_codes_are_proposed_for_what_no_code_covers():
    subjects = {"eau": ("rivière", "eau", "pluie", "nappe"), "école": ("école", "classe", "élève", "maître")}
    draws = np.random.default_rng(1)
    texts = []
    for rank in range(120):
        name = ("eau", "école")[rank % 2]
        texts.append([*draws.choice(subjects[name], 3, replace=False), *draws.choice(["il", "faut"], 1)])
    texts += [["impôt", "taxe", "eau"]] * 30
    names = sorted({word for text in texts for word in text})
    numbers = np.array([names.index(word) for text in texts for word in text], dtype=np.int32)
    ranks = np.array([rank for rank, text in enumerate(texts) for _ in text], dtype=np.int32)
    content = np.array([name not in {"il", "faut"} for name in names])
    words = LemmaTokens(
        numbers, ranks, numbers, tuple(names), ("NOUN",) * len(names), content, np.zeros(len(numbers), np.int8)
    )
    readable = np.ones(len(texts), dtype=np.bool_)
    readable[0] = False
    hits = [Hit(rank, "fiscalité", "p", "w") for rank in range(120, 150)]
    units = [f"u{rank}" for rank in range(len(texts))]
    found = propose(units, words, readable, hits, number=2)
    assert (found.uncovered, found.readable) == (119, 149)
    assert sum(item.size for item in found.proposals) == 119
    assert {frozenset(item.patterns) for item in found.proposals} == {frozenset(words) for words in subjects.values()}
    assert all(int(unit[1:]) < 120 for item in found.proposals for unit in item.examples)
