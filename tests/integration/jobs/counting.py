"""A job that counts, one committed row per chunk, and a worker process that runs it: `python -m … URL [lease]`."""

import datetime as dt
import signal
import sys
import threading
import time

from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from consult.db import Database
from consult.jobs.worker import Worker
from consult.protocols import Progress

effects = Table(
    "job_effect",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("job", String(40)),
    Column("number", Integer),
    Column("worker", String(80)),
)


class Count:
    """Writes the numbers 0 to `n` - 1, one per chunk; `seconds` is how long each one takes to compute."""

    kind = "test.count"

    def __init__(self, worker="here"):
        self.worker = worker

    def run(self, session, payload, cursor):
        n = payload.get("n", 1)
        for number in range(cursor.get("next", 0), n):
            time.sleep(payload.get("seconds", 0))
            session.execute(insert(effects).values(job=payload["name"], number=number, worker=self.worker))
            yield Progress(number + 1, n, message=f"{number + 1} sur {n}", cursor={"next": number + 1})


def main() -> None:
    url, name, lease = sys.argv[1], sys.argv[2], float(sys.argv[3])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    worker = Worker(Database(url), {Count.kind: Count(name)}, name=name, lease=dt.timedelta(seconds=lease))
    worker.run_forever(stop, idle_seconds=0.05)


if __name__ == "__main__":
    main()
