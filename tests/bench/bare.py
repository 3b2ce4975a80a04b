"""The two routes that figures are compared with: a page of 20 rows, and a one-row INSERT followed by its commit."""

import os

from flask import Flask, render_template
from sqlalchemy import create_engine, event, text

PAGE = """<!doctype html><title>Page nue</title><ul>
{%- for row in rows %}
<li><h3><a href="/{{ row.id }}">{{ row.title }}</a></h3><p>{{ row.author }}</p><p>{{ row.excerpt }}</p>
<p>{{ row.votes_for }} {{ row.votes_mixed }} {{ row.votes_against }}</p></li>
{%- endfor %}</ul>"""
ROWS = [
    {
        "id": n,
        "title": f"Plus de trains le soir sur la ligne {n}",
        "author": "Zéphyr",
        "excerpt": "Le dernier train part trop tôt pour rentrer du travail. " * 5,
        "votes_for": 12,
        "votes_mixed": 3,
        "votes_against": 5,
    }
    for n in range(20)
]

app = Flask("bare")
template = app.jinja_env.from_string(PAGE)  # compiled once, as a file would be
engine = create_engine(os.environ["DATABASE_URL"], pool_size=8)

if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def _as_durable_as_ours(connection, _record):
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}")


@app.get("/")
def page() -> str:
    return render_template(template, rows=ROWS)


@app.post("/insert")
def insert() -> str:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO bare_row (value) VALUES (:value)"), {"value": "d'accord"})
    return "ok"
