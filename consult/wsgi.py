"""What gunicorn serves: `gunicorn consult.wsgi:app`."""

from __future__ import annotations

import gc

from consult import logs, tally
from consult.app import create_app
from consult.settings import Settings

_settings = Settings.from_env()
logs.configure(_settings)
app = create_app(_settings)
for name in ("displays", "visits"):
    if name in app.extensions:
        app.extensions[name].write_every(tally.EVERY)
# What is loaded stays for good: looking for garbage in it at each full collection would cost each request its share.
gc.collect()
gc.freeze()
