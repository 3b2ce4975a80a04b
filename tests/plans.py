"""What a page asks of the database: its statements, and the rows that their plans read one after the other."""

import json
import re
import uuid
from contextlib import contextmanager

from sqlalchemy import event, insert

LARGE = 1_000


MANY = 10_000  # rows enough that a plan by index is by far the best: near a thousand, chance would choose


def copies(session, row, varying) -> list[uuid.UUID]:
    """Copies of a row with what each says otherwise, at once; returns their ids."""
    model, state = (
        type(row),
        {attribute.key: getattr(row, attribute.key) for attribute in type(row).__mapper__.column_attrs},
    )
    rows = [state | {"id": uuid.uuid4()} | each for each in varying]
    session.execute(insert(model), rows)
    return [each["id"] for each in rows]


@contextmanager
def watched(database):
    """The statements, with their values, that the engines of a database send meanwhile: a list that grows."""
    sent: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, values, _context, many):
        if not many and not statement.startswith(("BEGIN", "PRAGMA")):
            sent.append((statement, values))

    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in database.engines:
            event.remove(engine, "before_cursor_execute", note)


def scans(database, sent) -> list[str]:
    """The statements among these that read more than a thousand rows without an index to find them by."""
    read = _scans_of_sqlite if database.is_sqlite else _scans_of_postgresql
    with database.engine.connect() as connection:
        cursor = connection.connection.cursor()
        selected = [each for each in sent if each[0].startswith("SELECT")]
        return [statement for statement, values in selected if read(cursor, statement, values)]


def _scans_of_postgresql(cursor, statement, values) -> bool:
    cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
    plan = cursor.fetchone()[0]
    nodes, left = [], [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]]
    while left:
        node = left.pop()
        nodes.append(node)
        left += node.get("Plans", [])
    return any(
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0) > LARGE
        for node in nodes
        if node["Node Type"] == "Seq Scan"
    )


def _scans_of_sqlite(cursor, statement, values) -> bool:
    steps = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()]
    tables = {name for (name,) in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    named = [step.split()[1] for step in steps if step.startswith("SCAN ") and "VIRTUAL TABLE" not in step]
    scanned = {re.sub(r"_\d+$", "", name) for name in named} & tables  # the alias of a table is its name and a number
    return any(cursor.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] > LARGE for name in scanned)
