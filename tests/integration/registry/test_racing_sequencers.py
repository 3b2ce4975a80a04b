"""Two sequencers at once, without the lock that would keep one of them waiting: one sequence, and no false alarm."""

import threading

from consult.registry import notes, publishing
from tests.registers import Published, act, positions, sequencer


def test_two_sequencers_racing_give_one_sequence_without_a_gap(database, organisation_id, now, tmp_path):
    """AT-B.5, without the lock that would keep one of them waiting."""
    faults = []

    def race(working):
        try:
            while not done.is_set():
                working.run_once()
            working.run_until_settled()
        except Exception as error:  # noqa: BLE001  # told by the test
            faults.append(error)

    done = threading.Event()
    runners = [sequencer(database, tmp_path, batch=7) for _ in range(2)]
    threads = [threading.Thread(target=race, args=[each]) for each in runners]
    for thread in threads:
        thread.start()
    refs, seen = [], []
    for _ in range(12):
        refs += act(database, organisation_id, now, count=11)
        if (tmp_path / "first/agence/checkpoint").exists():
            note = (tmp_path / "first/agence/checkpoint").read_bytes()
            seen.append(notes.Checkpoint.parse(notes.split(note)[0]))
    done.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert positions(database) == {ref: place for place, ref in enumerate(refs)}
    final = Published(tmp_path / "second")
    assert Published(tmp_path / "first").note == final.note
    assert final.refs == refs
    assert all(final.holds(checkpoint) for checkpoint in seen)
    assert [each.size for each in seen] == sorted(each.size for each in seen)


def test_a_log_that_another_sequencer_moves_while_it_is_opened_is_not_refused(
    database, organisation_id, now, tmp_path, monkeypatch
):
    """AT-B.5: the row was read before the stores; only the same row read twice contradicts them."""
    first = act(database, organisation_id, now)
    other = sequencer(database, tmp_path)
    other.run_until_settled()
    second = act(database, organisation_id, now)
    last_signed = publishing.last_signed
    overtaken = []

    def late(*arguments):
        if not overtaken:
            overtaken.append(True)
            other.run_until_settled()
        return last_signed(*arguments)

    monkeypatch.setattr(publishing, "last_signed", late)
    working = sequencer(database, tmp_path)
    working.run_until_settled()
    assert overtaken == [True]
    assert Published(tmp_path / "second").refs == first + second
