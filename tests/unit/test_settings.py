"""The environment is read once; what must not run is refused, naming the variable."""

import pytest
from sqlalchemy import make_url

from consult.settings import Settings, UnsafeSettingsError

SAFE = {
    "CONSULT_PRODUCTION": "1",
    "CONSULT_SECRET_KEY": "k" * 40,
    "CONSULT_PUBLIC_URL": "https://consultation.example",
    "CONSULT_SMTP_HOST": "smtp.example",
    "CONSULT_SEAL_KEYS": "s" * 40,
    "CONSULT_SECURITY_LOG_KEY": "TJgDTYzdGNRh7TYpvcBMuyagSP09M4IPrXtEmv/gU1M=",
    "CONSULT_REGISTRY_SECOND_DIR": "/srv/registre",
    "CONSULT_ERASURES_FILE": "/srv/effacements/effacements.ndjson",
}


def test_nothing_set_gives_the_embedded_defaults():
    settings = Settings.from_env({})
    assert settings.database_url.startswith("sqlite:///")
    assert settings.public_url == "http://127.0.0.1:8000"
    assert not settings.https


@pytest.mark.parametrize("folder", ["/var/lib/consult", "ailleurs/donnees"])
def test_the_default_database_is_in_the_data_folder(folder):
    settings = Settings.from_env({"CONSULT_DATA_DIR": folder})
    assert make_url(settings.database_url).database == f"{folder}/consult.db"
    given = {"CONSULT_DATA_DIR": folder, "DATABASE_URL": "postgresql://consult@127.0.0.1/consult"}
    assert Settings.from_env(given).database_url == given["DATABASE_URL"]
    assert Settings.from_env({}).database_url == f"sqlite:///{Settings().data_dir}/consult.db"


def test_the_public_address_follows_the_port_unless_it_is_given():
    assert Settings.from_env({"PORT": "8140"}).public_url == "http://127.0.0.1:8140"
    given = {"PORT": "8140", "CONSULT_PUBLIC_URL": "https://consultation.example"}
    assert Settings.from_env(given).public_url == "https://consultation.example"


def test_an_empty_variable_is_as_if_absent():
    assert Settings.from_env({"PORT": "", "REDIS_URL": ""}) == Settings.from_env({})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "huit mille"),
        ("CONSULT_RATE_LIMITS", "oui"),
        ("CONSULT_PAGE_CACHE_SECONDS", "3"),
        ("CONSULT_PAGE_CACHE_SECONDS", "-1"),
        ("CONSULT_SMTP_TLS", "ssl3"),
        ("CONSULT_SEAL_KEYS", "court"),
        ("CONSULT_SEAL_KEYS", f"{'s' * 40},court"),
        ("CONSULT_SECURITY_LOG_KEY", "pas une clé"),
        ("CONSULT_SECURITY_LOG_DAYS", "179"),
        ("CONSULT_SECURITY_LOG_DAYS", "366"),
        ("CONSULT_MAILBOX_PER_HOUR", "0"),
        ("CONSULT_MAILBOX_PER_DAY", "2"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_by_name(variable, value):
    with pytest.raises(UnsafeSettingsError, match=variable):
        Settings.from_env({variable: value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CONSULT_SECRET_KEY", ""),
        ("CONSULT_SECRET_KEY", "court"),
        ("CONSULT_PUBLIC_URL", "http://consultation.example"),
        ("CONSULT_SMTP_HOST", ""),
        ("CONSULT_RATE_LIMITS", "0"),
        ("CONSULT_SEAL_KEYS", ""),
        ("CONSULT_SEAL_KEYS", "k" * 40),
        ("CONSULT_SECURITY_LOG_KEY", ""),
        ("CONSULT_REGISTRY_SECOND_DIR", ""),
        ("CONSULT_ERASURES_FILE", ""),
        ("CONSULT_ERASURES_FILE", "instance/effacements.ndjson"),
    ],
)
def test_production_refuses_what_is_unsafe(variable, value):
    assert Settings.from_env(SAFE).production
    with pytest.raises(UnsafeSettingsError, match=variable):
        Settings.from_env({**SAFE, variable: value})


@pytest.mark.parametrize("second", ["registre", "registre/second", "registre/../registre", "."])
def test_a_second_store_inside_the_first_or_around_it_is_refused(second):
    given = {"CONSULT_REGISTRY_DIR": "registre", "CONSULT_REGISTRY_SECOND_DIR": second}
    with pytest.raises(UnsafeSettingsError, match="CONSULT_REGISTRY_SECOND_DIR"):
        Settings.from_env(given)


def test_the_registry_lies_in_the_data_folder_unless_told_otherwise():
    settings = Settings.from_env({"CONSULT_DATA_DIR": "/data"})
    paths = (settings.registry_path, settings.registry_second_path, settings.registry_seed_path)
    assert [str(path) for path in paths] == ["/data/registry", "/data/registry-second", "/data/registry.seed"]
    given = Settings.from_env({"CONSULT_REGISTRY_DIR": "/a", "CONSULT_REGISTRY_SEED_FILE": "/b"})
    assert (str(given.registry_path), str(given.registry_seed_path)) == ("/a", "/b")
