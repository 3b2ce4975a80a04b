"""The two routes that figures are compared with: a page of text, and a one-row INSERT followed by its commit."""

import os

from flask import Flask
from sqlalchemy import create_engine, event, text

PAGE = (
    "<!doctype html><title>Page nue</title>" + "<p>Une page de la taille d’une liste, sans base de données.</p>" * 300
)

app = Flask("bare")
engine = create_engine(os.environ["DATABASE_URL"], pool_size=8)

if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def _as_durable_as_ours(connection, _record):
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}")


@app.get("/")
def page() -> str:
    return PAGE


@app.post("/insert")
def insert() -> str:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO bare_row (value) VALUES (:value)"), {"value": "d'accord"})
    return "ok"
