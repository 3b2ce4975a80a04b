import json
import random

import pytest

from analysis.__main__ import main
from analysis.errors import AnalysisError
from analysis.semantic.arguments import Argument, argument_maps

COST = ["Le coût est trop élevé pour la commune.", "Coût trop élevé pour les communes !", "Un coût élevé, trop élevé"]
HEALTH = ["Le vélo est bon pour la santé.", "Bon pour la santé : le vélo", "Santé et vélo vont ensemble"]
ARGUMENTS = [
    *(Argument(f"c{n}", "p1", "against", text, n) for n, text in enumerate(COST)),
    *(Argument(f"h{n}", "p1", "for", text) for n, text in enumerate(HEALTH)),
    Argument("x", "p1", "for", "Les livraisons seront plus rapides.", 9),
    Argument("y", "p2", "against", "Trop cher.", 1),
]


def test_arguments_that_say_the_same_are_one_thread_and_none_is_lost():
    """AT-U4.7: argument threads, each with its count and the way back to its arguments."""
    first, second = argument_maps(ARGUMENTS)
    assert (first.target, first.counts, first.support) == ("p1", {"for": 4, "against": 3}, {"for": 9, "against": 3})
    threads = {(thread.side, frozenset(thread.arguments)) for thread in first.threads}
    assert threads == {
        ("against", frozenset({"c0", "c1", "c2"})),
        ("for", frozenset({"h0", "h1", "h2"})),
        ("for", frozenset({"x"})),
    }
    cost = next(thread for thread in first.threads if thread.side == "against")
    assert cost.arguments == ("c2", "c1", "c0")
    assert {"cout", "eleve"} <= set(cost.words)
    assert cost.central in {"c0", "c1", "c2"}
    assert first.threads[0].arguments == ("x",)
    assert second.counts == {"for": 0, "against": 1}


def test_maps_do_not_depend_on_the_order_of_arguments():
    mixed = random.Random(3).sample(ARGUMENTS, len(ARGUMENTS))
    assert argument_maps(mixed) == argument_maps(ARGUMENTS)


@pytest.mark.parametrize("texts", [["", "🙂"], ["a", "b"], ["même texte", "même texte"]])
def test_any_text_stands_in_one_thread(texts):
    (found,) = argument_maps([Argument(str(n), "p", "for", text) for n, text in enumerate(texts)])
    assert sorted(name for thread in found.threads for name in thread.arguments) == ["0", "1"]


def test_nothing_to_map_is_refused():
    with pytest.raises(AnalysisError, match="Aucun argument publié"):
        argument_maps([])
    with pytest.raises(AnalysisError, match="n’est ni pour ni contre"):
        argument_maps([Argument("1", "p", "maybe", "x")])


def test_command_reads_the_published_arguments_of_a_dump(tmp_path, capsys):
    rows = [
        {"id": a.id, "contribution": a.target, "side": a.side, "title": None, "body": a.text, "status": "published",
         "origin": "live", "votes_for": a.support}
        for a in ARGUMENTS
    ]  # fmt: skip
    rows += [{**rows[0], "id": "hidden", "status": "hidden"}, {**rows[0], "id": "test", "origin": "test"}]
    path, out = tmp_path / "arguments.ndjson", tmp_path / "maps.json"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert main(["arguments", str(tmp_path), "--out", str(out)]) == 0
    assert "8 arguments sur 2 propositions, en 4 fils" in capsys.readouterr().out
    assert json.loads(out.read_text(encoding="utf-8"))[0]["target"] == "p1"
    path.write_text(json.dumps({"id": "1"}), encoding="utf-8")
    assert main(["arguments", str(tmp_path), "--out", str(out)]) == 1
    assert "manque dans « arguments.ndjson »" in capsys.readouterr().err
