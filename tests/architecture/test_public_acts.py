"""Every service that changes what the public reads writes in the public log, or says here why it need not.

The code is read, not run: a function changes state when it, or one it calls, adds, deletes or assigns rows; it logs
when it, or one it calls, reaches `registry.append`.
"""

import ast
from dataclasses import dataclass, field
from pathlib import Path

import consult

ROOT = Path(consult.__file__).parent
APPENDS = {f"consult.registry.service.{name}" for name in ("append", "append_all", "write")}
# The features whose rows page, API or dump show.
FEATURES = ("coding", "consultations", "contributions", "followup", "imports", "moderation", "questionnaires")
WRITES = {"insert", "update", "delete", "insert_once"}
BEFORE = "a draft consultation is public nowhere: opening it logs all of its rules"
CALLER = "moderation logs the decision, with the refs that this returns"
NOWHERE = "public nowhere"
MEASURE = "a measure is public by the run that reads it, once that is published, which is logged"
PUBLISHED = "an analysis is public once it is published, which is logged"
URN = "what is in an urn is public nowhere: `batches.flush` logs what comes out"
AROUND = "the contents themselves are erased by `ProposalData` and its like, which log it"
SILENT = {
    "coding.bindings.CodebookApprovalData": NOWHERE,
    "coding.quality.service.code": MEASURE,
    "coding.quality.service.draw": MEASURE,
    "coding.quality.service.fail": MEASURE,
    "coding.quality.service.record": MEASURE,
    "coding.quality.service.request_measure": MEASURE,
    "coding.quality.service.settle": MEASURE,
    "coding.service.approve": PUBLISHED,
    "coding.service.fail": PUBLISHED,
    "coding.service.finish": PUBLISHED,
    "coding.service.request_run": PUBLISHED,
    "coding.service.save_codebook": PUBLISHED,
    "consultations.age.service.declare": NOWHERE,
    "consultations.age.service.set_rule": BEFORE,
    "consultations.bindings.PageStep": BEFORE,
    "consultations.figures.Counting": "counts what the log holds already, for the sequencer",
    "consultations.forms.put_errors": "writes in a form",
    "consultations.service.add_step": BEFORE,
    "consultations.service.create_consultation": BEFORE,
    "consultations.service.move_step": BEFORE,
    "contributions.ballots.pages.ballot_page": "writes in a form",
    "contributions.bill.bindings.BillStep": BEFORE,
    "contributions.bill.builder.service.add": BEFORE,
    "contributions.bill.builder.service.change": BEFORE,
    "contributions.bill.builder.service.duplicate": BEFORE,
    "contributions.bill.builder.service.move": BEFORE,
    "contributions.bill.builder.service.remove": BEFORE,
    "contributions.bindings.DraftData": NOWHERE,
    "contributions.bindings.ProposalsStep": BEFORE,
    "contributions.bindings.VersionData": AROUND,
    "contributions.debate.bindings.DebateStep": BEFORE,
    "contributions.debate.service.ask": BEFORE,
    "contributions.debate.service.write": BEFORE,
    "contributions.drafts.keep": NOWHERE,
    "contributions.manage.service.add_theme": BEFORE,
    "contributions.service.hide": CALLER,
    "contributions.manage.service.remove_theme": BEFORE,
    "contributions.manage.service.set_rules": BEFORE,
    "contributions.service.restore": CALLER,
    "followup.service.create": NOWHERE,
    "followup.service.remove": NOWHERE,
    "imports.service.Importer": "its writers log each row",
    "imports.service.begin": NOWHERE,
    "imports.service.stop": NOWHERE,
    "imports.undo.start": "the rows are still there: `steps` takes them away, and logs it",
    "moderation.aids.bindings.SuggestionData": NOWHERE,
    "moderation.bindings.ContestData": NOWHERE,
    "moderation.bindings.DecisionData": "what is public of a decision, its ground and its date, stays",
    "moderation.bindings.ReportData": NOWHERE,
    "moderation.holding.service.decided": NOWHERE,
    "moderation.holding.service.entrust": NOWHERE,
    "moderation.holding.service.release": NOWHERE,
    "moderation.holding.service.take": NOWHERE,
    "moderation.service.contest": NOWHERE,
    "moderation.service.report": NOWHERE,
    "questionnaires.anonymous.batches.seal_again": URN,
    "questionnaires.anonymous.urns.amend": URN,
    "questionnaires.anonymous.urns.put": URN,
    "questionnaires.anonymous.urns.write": URN,
    "questionnaires.bindings.AnswerData": AROUND,
    "questionnaires.bindings.InvitationData": NOWHERE,
    "questionnaires.bindings.QuestionnaireStep": BEFORE,
    "questionnaires.bindings.ReplyContent": CALLER,
    "questionnaires.builder.exchange.imported": BEFORE,
    "questionnaires.builder.service.add": BEFORE,
    "questionnaires.builder.service.change": BEFORE,
    "questionnaires.builder.service.delete": BEFORE,
    "questionnaires.builder.service.extend": BEFORE,
    "questionnaires.builder.service.move": BEFORE,
    "questionnaires.builder.service.set_mode": BEFORE,
    "questionnaires.drafts.forget": NOWHERE,
    "questionnaires.drafts.save": NOWHERE,
    "questionnaires.pictures.service.attach": BEFORE,
    "questionnaires.pictures.service.put": BEFORE,
    "questionnaires.pictures.service.remove": BEFORE,
    "questionnaires.invitations.service.remind": NOWHERE,
    "questionnaires.invitations.service.use": "an invitation is public nowhere; the reply that it serves for is logged",
    "questionnaires.service.duplicate": BEFORE,
    "questionnaires.service.hide": CALLER,
    "questionnaires.service.purge_test_traces": "test acts are in no log",
    "questionnaires.service.restore": CALLER,
}


@dataclass
class Function:
    """What a function calls, by full name, and whether it writes by itself."""

    calls: set[str] = field(default_factory=set)
    writes: bool = False


def functions(source: str, module: str) -> dict[str, Function]:
    """The functions and methods of a module, by full name; a class is a function that calls all its methods."""
    tree = ast.parse(source)
    names = _imported(tree)
    found: dict[str, Function] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names[node.name] = f"{module}.{node.name}"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found[f"{module}.{node.name}"] = _read(node, names)
        elif isinstance(node, ast.ClassDef):
            whole = Function()
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    read = _read(method, names)
                    whole.calls |= read.calls
                    whole.writes |= read.writes
            found[f"{module}.{node.name}"] = whole
    return found


def _imported(tree: ast.Module) -> dict[str, str]:
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _read(function: ast.FunctionDef, names: dict[str, str]) -> Function:
    read = Function()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name):
                    read.calls.add(names.get(name, name))
                    read.writes |= name in WRITES
                case ast.Attribute(value=ast.Name(id="session"), attr=("add" | "add_all" | "delete")):
                    read.writes = True
                case ast.Attribute(value=ast.Name(id=owner), attr=name):
                    read.calls.add(f"{names.get(owner, owner)}.{name}")
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            flat = [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]
            read.writes |= any(
                isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id != "self"
                for each in flat
            )
    return read


def house() -> dict[str, Function]:
    """Every function of the house."""
    found: dict[str, Function] = {}
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join(("consult", *path.relative_to(ROOT).with_suffix("").parts))
        found |= functions(path.read_text(encoding="utf-8"), module)
    return found


def reached(name: str, code: dict[str, Function]) -> set[str]:
    """All that a function calls, and what these call."""
    seen, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += code[current].calls if current in code else []
    return seen


def unlogged(code: dict[str, Function]) -> set[str]:
    """The public functions of the features that change state and never reach the log."""
    found = set()
    for name in code:
        parts = name.split(".")
        if parts[1] not in FEATURES or parts[-1].startswith("_") or parts[-2] in {"models", "views", "jobs"}:
            continue
        all_of_it = reached(name, code)
        own = [each for each in all_of_it if each in code and each.split(".")[1] in FEATURES]
        if any(code[each].writes for each in own) and not all_of_it & APPENDS:
            found.add(name.removeprefix("consult."))
    return found


def test_what_changes_public_state_is_logged_or_says_why_not():  # AT-20.1
    assert unlogged(house()) == set(SILENT)


def test_a_service_that_forgets_the_log_is_found():
    forgetful = """
from consult.registry import service as registry

def vanish(session, item):
    _empty(item)

def _empty(item):
    item.body = ""

def hide(session, item):
    _empty(item)
    registry.append(session)

def read(session):
    return session.scalars()
"""
    code = functions(forgetful, "consult.contributions.service")
    assert unlogged(code) == {"contributions.service.vanish"}
