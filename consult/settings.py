"""Every option of the platform, read once from the environment.

Names begin with CONSULT_, except DATABASE_URL, REDIS_URL and PORT. `deploy/env.example` lists them all with their
meaning; a test keeps the two equal.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from consult.journal import public_key
from consult.sealing import phrases

DEVELOPMENT_SECRET = "development-only-secret-never-in-production"  # noqa: S105  # refused in production below
MINIMAL_SECRET_LENGTH = 32
SHORTEST_JOURNAL, LONGEST_JOURNAL = 180, 365  # CNIL: six months to a year

_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?")  # goes into a header: nothing that would end a directive

DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"}
DATABASE_URLS = "écrivez postgresql://compte@hote/base ou sqlite:///chemin/du/fichier"


class UnsafeSettingsError(ValueError):
    """The environment asks for something that must not run; the message says which variable to mend."""


def by_organisation(pairs: str) -> dict[str, str]:
    """What a setting gives to each organisation: `slug=value`, parted by commas. Raises ValueError."""
    found = {}
    for pair in filter(None, (each.strip() for each in pairs.split(","))):
        slug, equals, value = (part.strip() for part in pair.partition("="))
        if not (slug and equals and value):
            raise ValueError(pair)
        found[slug] = value
    return found


def _option(variable: str, default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"variable": variable, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Frozen options of one process. `from_env` is the only reader of the environment."""

    production: bool = _option("CONSULT_PRODUCTION", False, "1 en production : refuse les réglages dangereux")
    database_url: str = _option(
        "DATABASE_URL",
        "sqlite:///instance/consult.db",
        "base de données : PostgreSQL ou SQLite (une machine) ; vide : SQLite, dans le dossier de données",
    )
    redis_url: str = _option("REDIS_URL", "", "Redis des limites de débit ; vide : mémoire de chaque processus")
    commit: str = _option("CONSULT_COMMIT", "", "commit dont vient le logiciel, dit dans l'API et dans le registre")
    port: int = _option("PORT", 8000, "port d'écoute de consult serve")
    host: str = _option("CONSULT_HOST", "127.0.0.1", "adresse d'écoute de consult serve")
    public_url: str = _option(
        "CONSULT_PUBLIC_URL", "http://127.0.0.1:8000", "adresse publique du site, utilisée dans les courriels"
    )
    secret_key: str = _option(
        "CONSULT_SECRET_KEY", DEVELOPMENT_SECRET, "secret des jetons et des signatures, 32 caractères au moins"
    )
    seal_keys: str = _option(
        "CONSULT_SEAL_KEYS",
        "",
        "clés des seconds facteurs et des réponses anonymes, séparées par , ; la première chiffre ; vide : en clair",
    )
    data_dir: str = _option(
        "CONSULT_DATA_DIR", "instance", "dossier de données : base SQLite par défaut, exports, analyses"
    )
    organisation: str = _option(
        "CONSULT_ORGANISATION", "", "identifiant de l'organisation servie à la racine ; vide : la première créée"
    )
    hosts: str = _option("CONSULT_HOSTS", "", "hôtes propres à une organisation : hote=organisation, séparés par ,")
    theme: str = _option("CONSULT_THEME", "", "thème graphique ; vide : le thème de base")
    proxies: int = _option("CONSULT_PROXIES", 0, "nombre de mandataires de confiance devant l'application")
    workers: int = _option(
        "CONSULT_WORKERS", 4, "processus web de consult serve ; deux par cœur : ils servent mieux que des fils"
    )
    threads: int = _option("CONSULT_THREADS", 2, "fils d'exécution par processus web")
    pool_size: int = _option("CONSULT_POOL_SIZE", 8, "connexions à la base par processus")
    smtp_host: str = _option("CONSULT_SMTP_HOST", "", "serveur SMTP ; vide : courriels écrits dans un dossier")
    smtp_port: int = _option("CONSULT_SMTP_PORT", 25, "port du serveur SMTP")
    smtp_user: str = _option("CONSULT_SMTP_USER", "", "compte du serveur SMTP")
    smtp_password: str = _option("CONSULT_SMTP_PASSWORD", "", "mot de passe du serveur SMTP")
    smtp_tls: str = _option("CONSULT_SMTP_TLS", "none", "chiffrement SMTP : none, starttls ou tls")
    mail_from: str = _option("CONSULT_MAIL_FROM", "Consult <ne-pas-repondre@localhost>", "expéditeur des courriels")
    audience: str = _option(
        "CONSULT_AUDIENCE", "counters", "mesure d'audience : counters (compteurs intégrés, sans traceur), matomo ou off"
    )
    matomo_url: str = _option("CONSULT_MATOMO_URL", "", "adresse du Matomo, si CONSULT_AUDIENCE vaut matomo")
    matomo_sites: str = _option(
        "CONSULT_MATOMO_SITES", "", "site de Matomo de chaque organisation : organisation=numero, séparés par ,"
    )
    matomo_token: str = _option(
        "CONSULT_MATOMO_TOKEN", "", "jeton de lecture de Matomo, donné au travailleur et aux commandes seulement"
    )
    altcha_max_number: int = _option(
        "CONSULT_ALTCHA_MAX_NUMBER", 50_000, "difficulté de la preuve de travail à l'inscription"
    )
    rate_limits: bool = _option("CONSULT_RATE_LIMITS", True, "0 pour ne pas limiter le débit (mesures seulement)")
    page_cache_seconds: float = _option(
        "CONSULT_PAGE_CACHE_SECONDS", 2.0, "durée de mémoire des pages anonymes, 2 s au plus ; 0 : aucune"
    )
    max_request_bytes: int = _option("CONSULT_MAX_REQUEST_BYTES", 2_000_000, "taille maximale d'une requête")
    mailbox_per_hour: int = _option(
        "CONSULT_MAILBOX_PER_HOUR", 3, "courriels d'inscription et de mot de passe par boîte et par heure"
    )
    mailbox_per_day: int = _option(
        "CONSULT_MAILBOX_PER_DAY", 10, "courriels d'inscription et de mot de passe par boîte et par jour"
    )
    email_tags: bool = _option(
        "CONSULT_EMAIL_TAGS", False, "1 : nom+mot@exemple.fr et nom@exemple.fr sont deux personnes"
    )
    session_idle_minutes: int = _option("CONSULT_SESSION_IDLE_MINUTES", 120, "inactivité qui ferme une session")
    session_days: int = _option("CONSULT_SESSION_DAYS", 30, "durée maximale d'une session de participant")
    staff_session_hours: int = _option("CONSULT_STAFF_SESSION_HOURS", 12, "durée maximale d'une session d'agent")
    log_file: str = _option("CONSULT_LOG_FILE", "", "journal applicatif, sans donnée personnelle ; vide : stderr")
    security_log_file: str = _option(
        "CONSULT_SECURITY_LOG_FILE", "", "journal de sécurité, à lecture restreinte ; vide : dossier de données"
    )
    security_log_key: str = _option(
        "CONSULT_SECURITY_LOG_KEY", "", "clé publique du lecteur du journal de sécurité ; vide : journal en clair"
    )
    probe_dir: str = _option(
        "CONSULT_PROBE_DIR", "", "dossier des mesures de consult probe ; vide : dans le dossier de données"
    )
    security_log_days: int = _option(
        "CONSULT_SECURITY_LOG_DAYS", 365, "durée de conservation du journal de sécurité, de 180 à 365 jours"
    )

    franceconnect_issuer: str = _option(
        "CONSULT_FRANCECONNECT_ISSUER", "", "adresse du fournisseur FranceConnect ; vide : pas de FranceConnect"
    )
    franceconnect_client_id: str = _option("CONSULT_FRANCECONNECT_CLIENT_ID", "", "identifiant donné par FranceConnect")
    franceconnect_client_secret: str = _option("CONSULT_FRANCECONNECT_CLIENT_SECRET", "", "secret donné avec lui")
    franceconnect_scopes: str = _option(
        "CONSULT_FRANCECONNECT_SCOPES", "openid", "ce qui est demandé à FranceConnect : rien de plus n'est lu ni gardé"
    )
    franceconnect_acr: str = _option(
        "CONSULT_FRANCECONNECT_ACR", "eidas1", "niveau eIDAS demandé, et exigé au moins : eidas1, eidas2 ou eidas3"
    )
    franceconnect_pkce: bool = _option(
        "CONSULT_FRANCECONNECT_PKCE", False, "1 : PKCE (RFC 7636), si le fournisseur l'accepte"
    )
    proconnect_issuer: str = _option(
        "CONSULT_PROCONNECT_ISSUER", "", "adresse du fournisseur ProConnect, pour les agents ; vide : pas de ProConnect"
    )
    proconnect_client_id: str = _option("CONSULT_PROCONNECT_CLIENT_ID", "", "identifiant donné par ProConnect")
    proconnect_client_secret: str = _option("CONSULT_PROCONNECT_CLIENT_SECRET", "", "secret donné avec lui")
    proconnect_scopes: str = _option(
        "CONSULT_PROCONNECT_SCOPES", "openid", "ce qui est demandé à ProConnect : rien de plus n'est lu ni gardé"
    )
    proconnect_acr: str = _option(
        "CONSULT_PROCONNECT_ACR", "", "niveaux demandés, et exigés, séparés par une espace ; vide : aucun"
    )
    proconnect_pkce: bool = _option(
        "CONSULT_PROCONNECT_PKCE", False, "1 : PKCE (RFC 7636), si le fournisseur l'accepte"
    )
    proconnect_second_factor_acr: str = _option(
        "CONSULT_PROCONNECT_SECOND_FACTOR_ACR",
        "",
        "niveaux qui valent le second facteur d'un agent, séparés par une espace ; vide : il est toujours demandé ici",
    )

    identity_key_files: str = _option(
        "CONSULT_IDENTITY_KEY_FILES",
        "",
        "fichiers PEM, séparés par des virgules, des clés privées (RSA ou P-256) qui ouvrent les jetons chiffrés ; "
        "vide : ils ne sont pas lus",
    )

    registry_dir: str = _option(
        "CONSULT_REGISTRY_DIR", "", "dossier public du registre, que nginx peut servir ; vide : dossier de données"
    )
    registry_second_dir: str = _option(
        "CONSULT_REGISTRY_SECOND_DIR",
        "",
        "second dépôt du registre, sur une autre machine ; vide : dossier de données, refusé en production",
    )
    registry_seed_file: str = _option(
        "CONSULT_REGISTRY_SEED_FILE",
        "",
        "graine de 32 octets des clés du registre, lue par le seul séquenceur ; vide : dossier de données",
    )
    registry_witnesses: str = _option(
        "CONSULT_REGISTRY_WITNESSES", "", "témoins du registre : « adresse clé » pour chacun, séparés par ,"
    )

    erasures_file: str = _option(
        "CONSULT_ERASURES_FILE",
        "",
        "journal des effacements, que le travailleur écrit hors de ce qui se restaure ; vide : dossier de données, "
        "refusé en production",
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the environment; raise UnsafeSettingsError naming the variable when a value cannot be accepted."""
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for option in fields(cls):
            raw = environ.get(option.metadata["variable"])
            if raw is not None and raw != "":
                values[option.name] = _parse(option.metadata["variable"], raw, option.default)
        if "data_dir" in values:
            values.setdefault("database_url", f"sqlite:///{values['data_dir']}/consult.db")
        if "port" in values:
            values.setdefault("public_url", f"http://127.0.0.1:{values['port']}")
        settings = cls(**values)
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse what must not run, in production above all."""
        self._check_database()
        if not 0 <= self.page_cache_seconds <= 2:  # noqa: PLR2004  # the bound of design.md, told in the message
            raise UnsafeSettingsError("CONSULT_PAGE_CACHE_SECONDS doit être compris entre 0 et 2 secondes")
        if self.smtp_tls not in {"none", "starttls", "tls"}:
            raise UnsafeSettingsError("CONSULT_SMTP_TLS doit valoir none, starttls ou tls")
        self._check_audience()
        if not self.mailbox_per_day >= self.mailbox_per_hour >= 1:
            raise UnsafeSettingsError(
                "CONSULT_MAILBOX_PER_HOUR vaut 1 au moins, CONSULT_MAILBOX_PER_DAY autant ou plus"
            )
        self._check_keys()
        self._check_providers()
        first, second = self.registry_path.resolve(), self.registry_second_path.resolve()
        if first.is_relative_to(second) or second.is_relative_to(first):
            raise UnsafeSettingsError("CONSULT_REGISTRY_SECOND_DIR doit être hors de CONSULT_REGISTRY_DIR")
        if self.production:
            self._check_production()

    def _check_database(self) -> None:
        try:
            url = make_url(self.database_url)
        except (ArgumentError, ValueError):
            raise UnsafeSettingsError(f"DATABASE_URL n'est pas l'adresse d'une base : {DATABASE_URLS}") from None
        if url.drivername not in DRIVERS:
            raise UnsafeSettingsError(f"DATABASE_URL ne peut pas commencer par {url.drivername}: : {DATABASE_URLS}")
        if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
            raise UnsafeSettingsError("DATABASE_URL doit donner le fichier de SQLite, que plusieurs processus ouvrent")

    def _check_keys(self) -> None:
        keys = phrases(self.seal_keys)
        if any(len(key) < MINIMAL_SECRET_LENGTH for key in keys) or self.secret_key in keys:
            raise UnsafeSettingsError(
                "CONSULT_SEAL_KEYS doit lister des secrets d'au moins 32 caractères, autres que CONSULT_SECRET_KEY"
            )
        if not SHORTEST_JOURNAL <= self.security_log_days <= LONGEST_JOURNAL:
            raise UnsafeSettingsError("CONSULT_SECURITY_LOG_DAYS doit être compris entre 180 et 365 jours")
        try:
            _ = self.security_log_key and public_key(self.security_log_key)
        except ValueError:
            raise UnsafeSettingsError(
                "CONSULT_SECURITY_LOG_KEY n'est pas une clé donnée par « consult journal key »"
            ) from None

    def _check_audience(self) -> None:
        if self.audience not in {"counters", "matomo", "off"}:
            raise UnsafeSettingsError("CONSULT_AUDIENCE doit valoir counters, matomo ou off")
        try:
            sites, address = by_organisation(self.matomo_sites), urlsplit(self.matomo_url)
            _ = address.port
        except ValueError:
            raise UnsafeSettingsError("CONSULT_MATOMO_URL et CONSULT_MATOMO_SITES ne se lisent pas") from None
        if not all(number.isascii() and number.isdigit() for number in sites.values()):
            raise UnsafeSettingsError("CONSULT_MATOMO_SITES s'écrit organisation=numero, par exemple ville=3")
        if self.audience != "matomo":
            return
        bare = not (address.username or address.query or address.fragment) and _HOST.fullmatch(address.netloc)
        if address.scheme not in {"http", "https"} or not bare or not sites:
            raise UnsafeSettingsError("CONSULT_AUDIENCE=matomo demande CONSULT_MATOMO_URL et CONSULT_MATOMO_SITES")
        if self.production and address.scheme != "https":
            raise UnsafeSettingsError("CONSULT_MATOMO_URL doit commencer par https:// en production")

    def _check_providers(self) -> None:
        for name in ("franceconnect", "proconnect"):
            issuer, *rest = (getattr(self, f"{name}_{part}") for part in ("issuer", "client_id", "client_secret"))
            prefix = f"CONSULT_{name.upper()}"
            if bool(issuer) != all(rest) or bool(issuer) != any(rest):
                raise UnsafeSettingsError(f"{prefix}_ISSUER, _CLIENT_ID et _CLIENT_SECRET se donnent ensemble")
            if issuer and self.production and not issuer.startswith("https://"):
                raise UnsafeSettingsError(f"{prefix}_ISSUER doit commencer par https:// en production")
            if issuer and "openid" not in getattr(self, f"{name}_scopes").split():
                raise UnsafeSettingsError(f"{prefix}_SCOPES doit contenir openid")

    def _check_production(self) -> None:
        if self.secret_key == DEVELOPMENT_SECRET or len(self.secret_key) < MINIMAL_SECRET_LENGTH:
            raise UnsafeSettingsError("CONSULT_SECRET_KEY doit être un secret propre d'au moins 32 caractères")
        if not self.public_url.startswith("https://"):
            raise UnsafeSettingsError("CONSULT_PUBLIC_URL doit commencer par https:// en production")
        if not self.smtp_host:
            raise UnsafeSettingsError("CONSULT_SMTP_HOST doit être donné en production : sans lui, aucun courriel")
        if not self.rate_limits:
            raise UnsafeSettingsError("CONSULT_RATE_LIMITS ne peut pas valoir 0 en production")
        if not phrases(self.seal_keys):
            raise UnsafeSettingsError("CONSULT_SEAL_KEYS doit être donné en production : seconds facteurs en clair")
        if not self.security_log_key:
            raise UnsafeSettingsError(
                "CONSULT_SECURITY_LOG_KEY doit être donné en production : journal de sécurité en clair"
            )
        if not self.registry_second_dir:
            raise UnsafeSettingsError("CONSULT_REGISTRY_SECOND_DIR doit être donné en production")
        if not self.erasures_file or self.erasures_path.resolve().is_relative_to(self.data_path.resolve()):
            raise UnsafeSettingsError(
                "CONSULT_ERASURES_FILE doit être donné en production, hors de CONSULT_DATA_DIR : un effacement doit "
                "survivre à la restauration d'une sauvegarde"
            )

    @property
    def tracker(self) -> str:
        """The address that pages tell of visits; empty when no tracker is on."""
        return f"{self.matomo_url.rstrip('/')}/matomo.php" if self.audience == "matomo" else ""

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def data_path(self) -> Path:
        return Path(self.data_dir)

    @property
    def registry_path(self) -> Path:
        return Path(self.registry_dir) if self.registry_dir else self.data_path / "registry"

    @property
    def registry_second_path(self) -> Path:
        return Path(self.registry_second_dir) if self.registry_second_dir else self.data_path / "registry-second"

    @property
    def erasures_path(self) -> Path:
        return Path(self.erasures_file) if self.erasures_file else self.data_path / "erasures.ndjson"

    @property
    def probe_path(self) -> Path:
        return Path(self.probe_dir) if self.probe_dir else self.data_path / "probe"

    @property
    def registry_seed_path(self) -> Path:
        return Path(self.registry_seed_file) if self.registry_seed_file else self.data_path / "registry.seed"


def _parse(variable: str, raw: str, default: Any) -> Any:
    if isinstance(default, bool):
        if raw not in {"0", "1"}:
            raise UnsafeSettingsError(f"{variable} vaut 0 ou 1, pas « {raw} »")
        return raw == "1"
    if isinstance(default, int | float):
        try:
            return type(default)(raw)
        except ValueError:
            raise UnsafeSettingsError(f"{variable} attend un nombre, pas « {raw} »") from None
    return raw
