"""Witnesses as strangers run them: the single file, in a process of its own."""

import contextlib
import re
import subprocess
import sys
from pathlib import Path

from consult.registry import notes, witness

FILE = Path(witness.__file__)


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-I", FILE, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@contextlib.contextmanager
def serving(folder, port=0):
    process = subprocess.Popen(
        [sys.executable, "-I", FILE, "serve", folder, "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield int(re.search(r":(\d+)/", process.stdout.readline())[1])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def made(folder, name, *logs):
    """Create a witness that follows these logs; returns its key."""
    done = command("init", folder, "--name", name)
    assert done.returncode == 0, done.stderr
    assert not logs or command("add", folder, *logs).returncode == 0
    return notes.VerifierKey.parse(done.stdout)
