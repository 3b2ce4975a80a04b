"""The application, whose votes are not written to the public log: what `bench_publication.py` compares with."""

from consult.registry import service


def prepare(*, vote_id=None, **_told):
    return {"vote_id": vote_id, "ref": "0" * 32}


service.prepare = prepare
service.write = lambda _session, _entries: None

from consult.wsgi import app  # noqa: E402, F401  # once the log is gone
