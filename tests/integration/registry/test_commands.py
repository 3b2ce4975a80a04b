"""`consult registry`, as a process."""

import os
import signal
import subprocess
import sys

import pytest

from consult.errors import ConflictError
from consult.registry import seed
from consult.settings import Settings
from tests.registers import Published, act
from tests.servers import wait_until

COMMAND = [sys.executable, "-m", "consult.cli", "registry"]


@pytest.fixture
def environment(database_url, tmp_path):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"DATABASE_URL": database_url, "CONSULT_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def run(environment):
    def run(*arguments, **variables):
        return subprocess.run(
            [*COMMAND, *arguments], env=environment | variables, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def published(tmp_path):
    key = (tmp_path / "data/registry.seed").read_bytes()
    return Published(tmp_path / "data/registry", seed=key)


@pytest.mark.slow
def test_the_process_signs_until_it_is_stopped_then_checks_and_restores(
    run, environment, database, organisation_id, now, tmp_path
):
    refs = act(database, organisation_id, now, count=3)
    process = subprocess.Popen([*COMMAND, "sequence"], env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until((tmp_path / "data/registry/agence/checkpoint").exists, seconds=30, what="the checkpoint")
        again = run("sequence", "--once")
        assert (again.returncode, again.stderr) == (1, "Un autre séquenceur travaille déjà sur cette base.\n")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert published(tmp_path).refs[: len(refs)] == refs  # then the release
    assert (tmp_path / "data/registry.seed").stat().st_mode & 0o777 == 0o600
    checked = run("check")
    assert (checked.returncode, checked.stderr) == (0, "agence : 4 entrées signées, base et dépôts conformes.\n")
    (tmp_path / "data/registry/agence/tile/0/000.p/4").unlink()
    refused = run("check")
    assert (refused.returncode, refused.stderr.startswith("Registre « agence » : une tuile manque")) == (1, True)
    assert "--yes" in run("restore").stderr
    assert run("restore", "--yes").stderr.startswith("agence : 4 entrées signées ; 0 sans contenu")
    assert run("check").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_once_settles_what_waits(run, database, organisation_id, now, tmp_path):
    assert run("check").stderr == "Aucun registre n’a encore d’entrée.\n"
    refs = act(database, organisation_id, now)
    assert run("sequence", "--once").stderr == "Registre à jour.\n"
    assert published(tmp_path).refs[: len(refs)] == refs  # then the release


def test_the_seed_is_made_once_and_kept_from_others(tmp_path):
    settings = Settings(data_dir=str(tmp_path))
    made = seed.read(settings)
    assert len(made) == 32
    assert seed.read(settings) == made
    settings.registry_seed_path.chmod(0o644)
    with pytest.raises(ConflictError, match="lisible par d’autres"):
        seed.read(settings)
    settings.registry_seed_path.chmod(0o600)
    settings.registry_seed_path.write_bytes(b"short")
    with pytest.raises(ConflictError, match="32 octets"):
        seed.read(settings)


def test_production_makes_no_seed_of_its_own(tmp_path):
    with pytest.raises(ConflictError, match="CONSULT_REGISTRY_SEED_FILE"):
        seed.read(Settings(data_dir=str(tmp_path), production=True))
    assert list(tmp_path.iterdir()) == []
