"""AT-20.2: a stranger runs one file against what is published; it passes an honest state and names each fraud."""

# Over 400 lines: one function for each fraud, read side by side.

import datetime as dt
import json
import re
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select, text

from consult.accounts.models import Account, AccountStatus
from consult.app import sequencing
from consult.clock import hour
from consult.consultations import queries as consultations
from consult.consultations.models import Step
from consult.contributions import service as contributions
from consult.contributions.models import Proposal
from consult.db import ALL_TENANTS
from consult.registry import restore, service
from consult.registry import verifier as program
from consult.registry.models import EntryKind, RegistryEntry
from consult.registry.publishing import Stores
from consult.registry.store import Store
from consult.registry.tiles import TileReader, entries_of
from consult.registry.tree import inclusion_proof
from consult.settings import Settings
from tests import factories as f
from tests.integration.registry.scene import LAST, NOW, Scene, Seed, verify
from tests.registers import Published, tamper

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`


@pytest.fixture(scope="module")
def honest(tmp_path_factory, _sqlite_template) -> Scene:
    folder = tmp_path_factory.mktemp("honest")
    shutil.copy(_sqlite_template, folder / "consult.db")
    scene = Scene(folder)
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        seed = Seed(session, scene, anonymous=True)
        seed.live()
        seed.reply_anonymously()
    scene.place()
    scene.database.dispose()
    code, frauds, said = scene.verify("--state", folder / "state.json")
    assert (code, frauds) == (0, []), said
    assert re.search(r"réponses anonymes\D*40\b", said), said
    return scene


@pytest.fixture
def scene(honest, tmp_path) -> Scene:
    scene = honest.copy(tmp_path / "copy")
    yield scene
    scene.database.dispose()


def append(scene: Scene, kind: EntryKind, change, *, like: EntryKind | None = None) -> None:
    """Write an entry like the last one of its kind, or of another, once changed; placed and signed as any other."""
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        last = select(RegistryEntry).where(RegistryEntry.kind == (like or kind), RegistryEntry.salt.is_not(None))
        entry = session.scalars(last.order_by(RegistryEntry.id.desc()).limit(1)).one()
        service.append(
            session, organisation_id=entry.organisation_id, consultation_id=entry.consultation_id, kind=kind,
            content=change(json.loads(json.dumps(entry.opening))), now=LAST,
        )  # fmt: skip
    scene.place()


TRAIN = "WHERE title = 'Des trains le soir et la nuit'"


def delete_content(scene):
    tamper(scene.database, "DELETE FROM argument")


def delete_vote(scene):
    tamper(scene.database, "DELETE FROM vote WHERE value = 'mixed'")


def edit_text(scene):
    tamper(scene.database, f"UPDATE proposal SET body = 'Il ne faudrait plus aucun train.' {TRAIN}")


def move_elsewhere(scene):
    tamper(scene.database, f"UPDATE proposal SET departement = '29' {TRAIN}")


def edit_opening(scene):
    changed = "replace(opening, :before, :after)"
    tamper(
        scene.database,
        f"UPDATE registry_entry SET opening = {changed} WHERE kind = 'vote.changed'",
        before='"mixed"',
        after='"against"',
    )


def back_date(scene):
    tamper(scene.database, f"UPDATE proposal SET created_at = '2026-01-01 10:00:00.000000' {TRAIN}")


def back_date_entry(scene):
    append(scene, EntryKind.EDIT, lambda content: {**content, "version": content["version"] + 1})
    with scene.database.session(write=False, tenant=ALL_TENANTS) as session:
        last = session.scalars(select(RegistryEntry.ref).order_by(RegistryEntry.id.desc()).limit(1)).one()
    early = hour(NOW - dt.timedelta(days=3)).strftime("%Y-%m-%d %H:%M:%S.%f")
    tamper(scene.database, f"UPDATE registry_entry SET recorded_at = '{early}' WHERE ref = '{last}'")
    scene.sign_anew()


def duplicate_vote(scene):
    append(scene, EntryKind.VOTE_CAST, lambda content: content, like=EntryKind.VOTE_CHANGED)


def inject_vote(scene):
    columns = "organisation_id, consultation_id, step_id, proposal_id, value, counted, origin, cast_at"
    tamper(
        scene.database,
        f"INSERT INTO vote (id, account_id, {columns}) SELECT '{'9' * 32}', "
        "(SELECT id FROM account WHERE id NOT IN (SELECT account_id FROM vote WHERE account_id IS NOT NULL) LIMIT 1), "
        f"{columns} FROM vote WHERE value = 'for' LIMIT 1",
    )


def inject_content(scene):
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        session.execute(text("CREATE TEMP TABLE made AS SELECT * FROM proposal WHERE title LIKE 'Des bus%'"))
        session.execute(text(f"UPDATE made SET id = '{'8' * 32}', submission_key = NULL, votes_against = 0"))
        columns = [row[1] for row in session.execute(text("PRAGMA table_xinfo(proposal)")) if row[6] == 0]
        session.execute(text(f"INSERT INTO proposal ({', '.join(columns)}) SELECT {', '.join(columns)} FROM made"))


def hide(scene):
    tamper(scene.database, f"UPDATE proposal SET status = 'hidden', status_reason = 'insult' {TRAIN}")


def delete_what_is_hidden(scene):
    tamper(scene.database, "DELETE FROM proposal WHERE status = 'hidden'")


def hide_opening(scene):
    tamper(scene.database, "UPDATE registry_entry SET withheld = 1 WHERE kind = 'vote.changed'")


def destroy_opening(scene):
    emptied = "opening = NULL, salt = NULL, holder = NULL"
    tamper(scene.database, f"UPDATE registry_entry SET {emptied} WHERE kind = 'argument'")


def alter_count(scene):
    tamper(scene.database, f"UPDATE proposal SET votes_for = votes_for + 5 {TRAIN}")


def fork(scene):
    refs = "(SELECT max(id) FROM registry_entry WHERE kind = 'vote.changed')"
    tamper(scene.database, f"UPDATE registry_entry SET recorded_at = '2026-03-02 09:00:00.000000' WHERE id = {refs}")
    scene.sign_anew()


def change_rules(scene):
    def lax(content):
        content["rules"]["steps"][0]["settings"] = {"arguments": False}
        return {**content, "digest": program.sha256(content["rules"])}

    append(scene, EntryKind.RULES, lax)


def change_dates(scene):
    tamper(scene.database, "UPDATE step SET closes_at = '2026-12-01 10:00:00.000000' WHERE kind = 'proposals'")


def swap_labels(scene):
    swapped = "CASE label WHEN 'Oui' THEN 'Non' ELSE 'Oui' END"
    tamper(scene.database, f"UPDATE question_option SET label = {swapped}")


def change_picture(scene):
    tamper(scene.database, "UPDATE option_picture SET digest = alt")


def change_answer(scene):
    tamper(scene.database, "UPDATE official_answer SET outcome = 'declined' WHERE status = 'published'")


def put_off_answer(scene):
    tamper(scene.database, "UPDATE official_answer SET published_at = '2026-01-01 10:00:00.000000'")


def drop_update(scene):
    tamper(scene.database, "DELETE FROM commitment_update")


def drop_commitment(scene):
    tamper(scene.database, "DELETE FROM commitment WHERE status = 'published'")


def publish_answer_again(scene):
    tamper(
        scene.database,
        "UPDATE official_answer SET status = 'published', withdrawn_at = NULL, withdrawal_reason = NULL",
    )


ANONYMOUS = "(SELECT id FROM reply WHERE batch_salt IS NOT NULL AND status = 'published' ORDER BY id LIMIT 1)"


def edit_an_anonymous_reply(scene):
    tamper(scene.database, f"UPDATE answer SET options = '[]' WHERE reply_id = {ANONYMOUS}")


def delete_an_anonymous_reply(scene):
    tamper(scene.database, f"DELETE FROM reply WHERE id = {ANONYMOUS}")


def date_an_anonymous_reply(scene):
    tamper(scene.database, f"UPDATE reply SET received_on = '2026-03-05' WHERE id = {ANONYMOUS}")


def inject_an_anonymous_reply(scene):
    """A row that says that it came in the batch: the batch does not know it."""
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        session.execute(text(f"CREATE TEMP TABLE made AS SELECT * FROM reply WHERE id = {ANONYMOUS}"))
        session.execute(text(f"UPDATE made SET id = '{'7' * 32}', edit_key = 'other'"))
        session.execute(text("INSERT INTO reply SELECT * FROM made"))


def overstate_a_batch(scene):
    append(scene, EntryKind.REPLIES, lambda content: {**content, "count": 40, "replies": {}})


def repeat_a_batch(scene):
    append(scene, EntryKind.REPLIES, lambda content: content)


def open_to_everyone_afterwards(scene):
    tamper(scene.database, """UPDATE step SET settings = '{"access": "everyone"}' WHERE title = 'questionnaire'""")


FRAUDS = [
    (open_to_everyone_afterwards, "rules"),
    (change_answer, "edit"),
    (put_off_answer, "backdating"),
    (drop_update, "edit"),
    (drop_commitment, "deletion"),
    (publish_answer_again, "edit"),
    (edit_an_anonymous_reply, "edit"),
    (delete_an_anonymous_reply, "deletion"),
    (date_an_anonymous_reply, "backdating"),
    (inject_an_anonymous_reply, "injection"),
    (overstate_a_batch, "count"),
    (repeat_a_batch, "duplicate"),
    (delete_content, "deletion"),
    (delete_vote, "deletion"),
    (edit_text, "edit"),
    (move_elsewhere, "edit"),
    (edit_opening, "edit"),
    (back_date, "backdating"),
    (back_date_entry, "backdating"),
    (duplicate_vote, "duplicate"),
    (inject_vote, "injection"),
    (inject_content, "injection"),
    (hide, "hidden"),
    (delete_what_is_hidden, "hidden"),
    (hide_opening, "hidden"),
    (destroy_opening, "hidden"),
    (alter_count, "count"),
    (fork, "fork"),
    (change_rules, "rules"),
    (change_dates, "rules"),
    (swap_labels, "label"),
    (change_picture, "label"),
]


@pytest.mark.parametrize(("commit", "name"), FRAUDS, ids=[commit.__name__ for commit, _ in FRAUDS])
def test_a_fraud_of_the_host_is_named(honest, scene, commit, name):
    """AT-20.2: whoever owns the database, the stores and the key."""
    commit(scene)
    code, frauds, said = scene.verify("--state", honest.folder / "state.json")
    assert code == 1, said
    assert name in {fraud["fraud"] for fraud in frauds}, said
    assert program.FRAUDS[name] in said


def _bundle(site: Path) -> Path:
    (path,) = (site / "registry/agence/tile/entries").rglob("*.p/*")
    return path


def _rewritten(entries) -> bytes:
    return b"".join(len(each).to_bytes(2, "big") + each for each in entries)


def test_entries_that_are_reordered_removed_or_repeated_are_named(honest, tmp_path):
    """AT-20.2: files that another server gives, without the key."""
    site = tmp_path / "site"
    for name, change in (
        ("reorder", lambda entries: [entries[0], entries[2], entries[1], *entries[3:]]),
        ("deletion", lambda entries: entries[:-1]),
        ("duplicate", lambda entries: [*entries[:-1], entries[0]]),
    ):
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(honest.folder / "site", site)
        bundle = _bundle(site)
        bundle.write_bytes(_rewritten(change(list(entries_of(bundle.read_bytes())))))
        code, frauds, said = verify(site, tmp_path)
        assert (code, frauds[0]["fraud"]) == (1, name), said


def test_openings_served_in_another_order_are_named(honest, tmp_path):
    shutil.copytree(honest.folder / "site", tmp_path / "site")
    path = tmp_path / "site/registry/agence/openings/000"
    first, second, *others = path.read_text().splitlines(keepends=True)
    path.write_text("".join([second, first, *others]))
    code, frauds, said = verify(tmp_path / "site", tmp_path)
    assert (code, frauds[0]["fraud"]) == (1, "reorder"), said


def test_an_old_checkpoint_served_again_is_named(honest, scene, tmp_path):
    """AT-20.2: everything is as it was the day before; only who came in between can tell."""
    append(scene, EntryKind.EDIT, lambda content: {**content, "version": content["version"] + 1})
    state = tmp_path / "state.json"
    note = program.Checkpoint.read((scene.folder / "first/agence/checkpoint").read_bytes())
    state.write_text(json.dumps({note.origin: {"size": note.size, "root": note.root.hex(), "seen": "hier"}}))
    code, frauds, said = verify(honest.folder / "site", tmp_path, "--state", state)
    assert (code, [fraud["fraud"] for fraud in frauds]) == (1, ["rollback"]), said


def test_any_byte_that_changes_is_seen(honest, tmp_path):
    """AT-B.3: in the checkpoint, the entries, their hashes, the openings."""
    root = tmp_path / "site/registry/agence"
    shutil.copytree(honest.folder / "site", tmp_path / "site")
    files = [root / "checkpoint", _bundle(tmp_path / "site"), root / "openings/000", *root.glob("tile/0/*.p/*")]
    assert len(files) == 4
    for path in files:
        kept = path.read_bytes()
        for at in (0, len(kept) // 2, len(kept) - 2):
            path.write_bytes(kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :])
            assert verify(tmp_path / "site", tmp_path)[0] != 0, (path, at)
        path.write_bytes(kept)
    assert verify(tmp_path / "site", tmp_path)[0] == 0


def test_a_key_that_is_not_the_one_trusted_is_named(honest, tmp_path):
    site = honest.folder / "site"
    key = (site / "registry/agence/key").read_text().strip()
    assert verify(site, tmp_path, "--key", key)[0] == 0
    other = program.Key(program.Key.read(key).name, program.LOG_KEY, b"\x05" * 32)
    encoded = program.base64.b64encode(b"\x01" + other.public).decode()
    line = f"{other.name}+{other.id.hex()}+{encoded}"
    code, frauds, _ = verify(site, tmp_path, "--key", line)
    assert (code, {fraud["fraud"] for fraud in frauds}) == (1, {"signature"})


def test_a_receipt_is_verified_offline_and_an_altered_one_is_named(honest, tmp_path):
    """AT-20.3, the part of the verifier: a `.tlog-proof` and the key are enough."""
    root = honest.folder / "site/registry/agence"
    log, index = Published(honest.folder / "first"), 2
    size = log.checkpoint.size
    hashes = TileReader(lambda tile: (root / tile.path).read_bytes(), size)
    opening = json.loads((root / "openings/000").read_text().splitlines()[index])
    for value, expected in ((opening["content"], 0), ({**opening["content"], "version": 9}, 1)):
        held = {"entry": json.loads(log.entries[index]), "salt": opening["salt"], "content": value}
        extra = program.base64.b64encode(program.canonical(held).encode())
        proof = [program.base64.b64encode(each) for each in inclusion_proof(hashes, index, size)]
        head = [b"c2sp.org/tlog-proof@v1", b"extra " + extra, b"index %d" % index, *proof]
        receipt = tmp_path / "recu.tlog-proof"
        receipt.write_bytes(b"\n".join([*head, b"", log.note]))
        code, frauds, said = verify(receipt, tmp_path, "--key", (root / "key").read_text().strip())
        assert (code, [fraud["fraud"] for fraud in frauds]) == (expected, ["edit"] * expected), said
    assert verify(receipt, tmp_path)[0] == 2  # nothing is said without a key


def test_a_copy_of_the_programs_is_checked_against_what_the_key_signed(honest, tmp_path):
    """AT-20.2: served signed, and as they are in the source."""
    key = (honest.folder / "first/agence/key").read_text().strip()
    for name in ("verifier.py", "witness.py"):
        shutil.copy(Path(program.__file__).with_name(name), tmp_path)
    listed = tmp_path / "programs"
    shutil.copy(honest.folder / "second/agence/programs", listed)
    code, frauds, said = verify(listed, tmp_path, "--key", key)
    assert (code, frauds, "programmes conformes : 2" in said) == (0, [], True), said
    assert verify(listed, tmp_path)[0] == 2  # nothing is said without a key
    with (tmp_path / "witness.py").open("a") as file:
        file.write("# altered\n")
    code, frauds, _ = verify(listed, tmp_path, "--key", key)
    assert (code, [fraud["fraud"] for fraud in frauds]) == (1, ["edit"])
    (tmp_path / "nowhere").mkdir()
    alone = shutil.copy(listed, tmp_path / "nowhere")
    assert verify(alone, tmp_path, "--key", key)[0] == 2  # nothing was compared: no verdict
    listed.write_text(listed.read_text().replace("witness.py", "autre.py"))
    code, frauds, _ = verify(listed, tmp_path, "--key", key)
    assert (code, [fraud["fraud"] for fraud in frauds]) == (1, ["signature"])


def test_what_cannot_be_verified_is_no_verdict(tmp_path):
    (tmp_path / "empty").mkdir()
    code, frauds, said = verify(tmp_path / "empty", tmp_path)
    assert (code, frauds) == (2, [])
    assert "Vérification impossible" in said


def test_openings_that_a_restore_lost_are_told_and_others_are_a_fraud(scene):
    """AT-20.2: « lost » excuses no more than what the log announced."""
    emptied = "opening = NULL, salt = NULL, holder = NULL"
    tamper(
        scene.database,
        "INSERT INTO registry_lost_opening (ref, found_at, organisation_id) "
        "SELECT ref, recorded_at, organisation_id FROM registry_entry WHERE kind = 'argument'",
        f"UPDATE registry_entry SET {emptied} WHERE kind = 'argument'",
        "DELETE FROM argument",
    )
    code, frauds, said = scene.verify()
    assert (code, {fraud["fraud"] for fraud in frauds}) == (1, {"hidden"}), said
    with scene.database.transaction(tenant=ALL_TENANTS) as session:
        _restored(session, session.scalars(select(RegistryEntry.organisation_id)).first(), lost=1)
    scene.place()
    code, frauds, said = scene.verify()
    assert (code, frauds) == (0, []), said
    assert "1 ouverture(s) perdue(s)" in said


def _restored(session, organisation_id, *, lost):
    content = {"what": "restore", "size": 0, "lost": lost, "moved": 0, "pending": 0}
    shared = {"organisation_id": organisation_id, "consultation_id": None, "now": LAST}
    service.append(session, kind=EntryKind.INCIDENT, content=content, **shared)


def test_an_act_after_the_seal_is_named(scene):
    """AT-20.2: sealed, a consultation takes nothing more; what it had is counted."""
    for _ in ("sealed", "placed"):
        scene.place(closed=consultations.closed)
    code, frauds, said = scene.verify()
    assert (code, frauds) == (0, []), said
    assert "entrées : sealed : 1" in said
    append(scene, EntryKind.VOTE_CAST, lambda content: {**content, "voter": "f" * 32}, like=EntryKind.VOTE_CHANGED)
    code, frauds, said = scene.verify()
    assert code == 1
    assert "backdating" in {fraud["fraud"] for fraud in frauds}, said


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # no query differs
class TestOnline:
    @pytest.fixture
    def serve(self, database, settings, live_server):
        """Have the application serve a scene; gives its address."""

        def served(scene: Scene) -> str:
            shutil.copy(scene.folder / "consult.db", database.url.database)
            settings.registry_path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(scene.folder / "first", settings.registry_path)
            return live_server

        return served

    @pytest.fixture
    def site(self, honest, serve) -> str:
        return serve(honest)

    def test_the_logs_of_several_organisations_are_each_compared_with_their_own_pages(self, scene, serve, tmp_path):
        with scene.database.transaction(tenant=ALL_TENANTS) as session:
            _restored(session, f.make_organisation(session, slug="autre").id, lost=0)
        scene.place()
        scene.database.dispose()
        code, frauds, said = verify(serve(scene), tmp_path)
        assert (code, frauds) == (0, []), said
        assert "/registry/autre, état n° 1" in said
        assert "totaux recomptés : 7" in said

    def test_an_honest_site_passes_and_an_altered_one_does_not(self, site, database, tmp_path):
        """AT-20.2: given nothing but the address."""
        code, frauds, said = verify(site, tmp_path, "--html", tmp_path / "report.html")
        assert (code, frauds) == (0, []), said
        assert "Rien à signaler" in (tmp_path / "report.html").read_text()
        tamper(database, f"UPDATE proposal SET votes_for = votes_for + 5 {TRAIN}")
        code, frauds, said = verify(site, tmp_path)
        assert (code, {fraud["fraud"] for fraud in frauds}) == (1, {"count"}), said

    def test_acts_that_a_restore_lost_are_no_deletion_and_a_missing_one_still_is(
        self, scene, serve, database, tmp_path
    ):
        """AT-20.2: the counts of the site miss what it lost, which the report says; they may miss nothing else."""
        shutil.copy(scene.folder / "consult.db", tmp_path / "saved.db")
        with scene.database.transaction(tenant=ALL_TENANTS) as session:
            entry = session.scalars(select(RegistryEntry).where(RegistryEntry.kind == EntryKind.CONTRIBUTION)).first()
            session.info["tenant"] = entry.organisation_id
            step = session.get_one(Step, session.scalars(select(Proposal.step_id).limit(1)).one())
            author = session.scalars(select(Account.id).where(Account.status == AccountStatus.ACTIVE)).first()
            contributions.submit_proposal(
                session, step=step, account_id=author, title="Perdue", body="Un texte que la sauvegarde n’a pas.",
                theme_id=None, submission_key="lost", now=LAST,
            )  # fmt: skip
        scene.place()
        scene.database.dispose()
        shutil.copy(tmp_path / "saved.db", scene.folder / "consult.db")
        stores = Stores(Store(scene.folder / "first"), Store(scene.folder / "second"))
        restore.restore(scene.database, stores, sequencing(scene.bindings, Settings()), now=LAST)
        scene.place()
        scene.database.dispose()
        site = serve(scene)
        code, frauds, said = verify(site, tmp_path)
        assert (code, frauds) == (0, []), said
        assert re.search(r"Perdu dans \S+ : 1 contribution\.", said), said
        assert "lignes de comptes recomptées" in said
        tamper(
            database, """UPDATE registry_census SET lines = replace(lines, ': 7', ': 6')"""
        )  # a vote less, everywhere
        code, frauds, said = verify(site, tmp_path)
        assert (code, "deletion" in {fraud["fraud"] for fraud in frauds}) == (1, True), said

    @pytest.mark.parametrize(("held", "said"), [("logged", "injection"), ("published", "injection")])
    def test_counts_of_what_became_of_acts_that_the_log_does_not_hold_are_named(
        self, site, database, tmp_path, held, said
    ):
        """AT-20.2: what `/registre` says was submitted, and what became of it, is recounted too."""
        tamper(database, f"""UPDATE registry_census SET lines = replace(lines, '"{held}": ', '"{held}": 1')""")
        code, frauds, told = verify(site, tmp_path)
        assert code == 1, told
        assert said in {fraud["fraud"] for fraud in frauds}
        assert "lignes de comptes recomptées" in told

    def test_the_programs_are_given_to_anybody(self, client, organisation_id):
        for name in ("verifier", "witness"):
            reply = client.get(f"/registry/{name}.py")
            assert reply.data == Path(program.__file__).with_name(f"{name}.py").read_bytes()
            assert reply.headers["Content-Type"] == "text/x-python; charset=utf-8"
            assert reply.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
            assert client.get(reply.request.path, headers={"If-None-Match": reply.headers["ETag"]}).status_code == 304
