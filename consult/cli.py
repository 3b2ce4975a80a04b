"""The `consult` command. Exit code 0: done; 1: refused, with one line in French; 2: wrong use.

Features are imported inside each command, so that `consult --help` answers at once.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import click
from sqlalchemy.exc import DatabaseError, OperationalError

from consult.accounts.cli import account
from consult.audience.cli import matomo
from consult.console import FrenchHelp, Platform, Served, misuse
from consult.db import ALL_TENANTS, Database
from consult.errors import ConflictError, ConsultError, NotFoundError
from consult.imports.cli import import_
from consult.opendata.cli import export, package
from consult.privacy.cli import privacy
from consult.questionnaires.cli import questionnaires
from consult.registry.cli import registry, witness
from consult.settings import Settings, UnsafeSettingsError
from consult.tickets.cli import probe, tickets

REFUSED, WRONG_USE = 1, 2


click.Context.formatter_class = FrenchHelp


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.pass_context
def cli(context: click.Context) -> None:
    """Consult : plateforme de consultation publique vérifiable.

    Chaque réglage se donne par une variable d’environnement, décrite dans deploy/env.example.
    """
    context.obj = _Serve()


cli.add_command(account)
cli.add_command(import_)
cli.add_command(export)
cli.add_command(package)
cli.add_command(registry)
cli.add_command(witness)
cli.add_command(privacy)
cli.add_command(matomo)
cli.add_command(questionnaires)
cli.add_command(probe)
cli.add_command(tickets)


def main() -> None:
    """Entry point: runs the command, and turns refusals into one line and an exit code."""
    try:
        outcome = cli.main(standalone_mode=False, prog_name="consult")
    except click.UsageError as error:
        sys.exit(_wrong_use(error))
    except click.ClickException as error:
        sys.exit(_refuse(error.format_message()))
    except click.Abort:
        sys.exit(_refuse("Interrompu."))
    except ConsultError as refusal:
        sys.exit(_refuse(refusal.message or "Opération refusée."))
    except UnsafeSettingsError as refusal:
        sys.exit(_refuse(f"Réglage refusé : {refusal}."))
    except DatabaseError as error:
        if error.statement is not None and not isinstance(error, OperationalError):  # it was reached: a fault of ours
            raise
        sys.exit(_refuse("La base de données ne répond pas, ou est occupée : vérifiez DATABASE_URL."))
    except OSError as error:
        if error.filename is None:
            raise
        from consult.seam import file_fault

        sys.exit(_refuse(file_fault(error)))
    sys.exit(outcome if isinstance(outcome, int) else 0)


def tell(message: str) -> None:
    """One line of progress, on stderr: what a command produces goes to stdout."""
    click.echo(message, err=True)


def _refuse(message: str) -> int:
    tell(message)
    return REFUSED


def _wrong_use(error: click.UsageError) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        tell(error.format_message())
        return WRONG_USE
    path = error.ctx.command_path if error.ctx else "consult"
    tell(f"{misuse(error)}. Aide : {path} --help")
    return WRONG_USE


def _settings() -> Settings:
    from consult import logs

    settings = Settings.from_env()
    logs.configure(settings)
    return settings


def _database(settings: Settings) -> Database:
    """The database, once every migration was run on it, and all that its tables refer to."""
    from consult.migrations import commands, load_models

    load_models()
    database = Database(settings.database_url, pool_size=settings.pool_size)
    click.get_current_context().call_on_close(database.dispose)
    if not commands.is_current(database):
        raise ConflictError("La base de données n’est pas à jour : lancez d’abord « consult db upgrade ».")
    return database


@cli.group()
def db() -> None:
    """Préparer et mettre à jour la base de données."""


@db.command("upgrade")
@click.argument("revision", default="head")
def db_upgrade(revision: str) -> None:
    """Créer ou mettre à jour les tables (jusqu’à REVISION ; par défaut, la dernière)."""
    from consult.migrations import commands

    commands.upgrade(_settings().database_url, revision)
    tell("Base de données à jour.")


@db.command("downgrade", context_settings={"ignore_unknown_options": True})  # « -1 » is no option
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Accepter que des données soient perdues.")
def db_downgrade(revision: str, yes: bool) -> None:  # noqa: FBT001  # click gives flags so
    """Revenir à REVISION (« -1 » : une étape ; « base » : plus aucune table)."""
    from consult.migrations import commands

    if not yes:
        raise ConflictError("Les données sans place dans l’ancien schéma seraient perdues : confirmez par --yes.")
    commands.downgrade(_settings().database_url, revision)
    tell("Retour effectué.")


@db.command("check")
def db_check() -> int:
    """Dire si les tables sont celles que cette version attend."""
    from consult.migrations import commands

    database = _database(_settings())
    differences = commands.differences(database)
    for difference in differences:
        tell(difference)
    if differences:
        return _refuse(f"La base de données diffère du schéma attendu en {len(differences)} point(s).")
    tell("Base de données conforme.")
    return 0


@db.command("revise", hidden=True)
@click.argument("message")
def db_revise(message: str) -> None:
    """Pour les développeurs : écrire la migration qui mène la base aux modèles actuels."""
    from consult.migrations import commands

    commands.revise(_settings().database_url, message)


@cli.command()
@click.option("--once", is_flag=True, help="Exécuter les travaux en attente, puis s’arrêter.")
@click.option("--list", "listing", is_flag=True, help="Lister les travaux en cours, en attente ou en échec.")
def worker(once: bool, listing: bool) -> int:  # noqa: FBT001  # click gives flags so
    """Exécuter les travaux de fond : courriels, exports, analyses."""
    from consult import app, serving
    from consult.jobs.worker import Worker
    from consult.mail import service as mail

    settings = _settings()
    database = _database(settings)
    if listing:
        return _list_jobs(database)
    handlers = app.bindings(settings).job_handlers
    runner = Worker(database, handlers, tasks=app.TASKS)
    stop = serving.stop_on_signals()
    if not once:
        # A person waits for a mail: it never waits for an analysis or an export to end.
        mails = Worker(database, {mail.JOB_KIND: handlers[mail.JOB_KIND]})
        beside = threading.Thread(target=mails.run_forever, args=(stop,), name="mails")
        beside.start()
        runner.run_forever(stop)
        beside.join()
        return 0
    count = 0
    while not stop.is_set() and runner.run_once(stop):
        count += 1
    tell(f"{count} travaux exécutés." if count > 1 else f"{count} travail exécuté.")
    return 0


def _list_jobs(database: Database) -> int:
    """Print a table on stdout; exit code 1 when a job failed, so that a monitor may call it."""
    from consult.jobs import labels, queries

    with database.session(write=False, tenant=ALL_TENANTS) as session:
        for job in queries.unfinished(session):
            click.echo(labels.line(job))
        failed = queries.failed_count(session)
    if failed:
        return _refuse(f"{failed} travaux en échec." if failed > 1 else "1 travail en échec.")
    return 0


@cli.command()
@click.option("--no-worker", is_flag=True, help="Ne lancer ni travailleur ni séquenceur : ils tournent ailleurs.")
def serve(no_worker: bool) -> int:  # noqa: FBT001  # click gives flags so
    """Servir le site, avec un travailleur pour les travaux de fond et le séquenceur du registre."""
    from consult import serving
    from consult.mail.jobs import mail_folder

    settings = _settings()
    serving.refuse_busy_port(settings)
    database = _database(settings)
    _refuse_brought_back(settings, database)
    database.dispose()  # the children have their own

    def ready() -> None:
        tell(f"Consult répond sur http://{settings.host}:{settings.port} (Ctrl+C pour arrêter).")
        if not settings.smtp_host:
            tell(f"Aucun serveur SMTP : les courriels sont écrits dans {mail_folder(settings).resolve()}.")
        if not settings.seal_keys:
            tell("CONSULT_SEAL_KEYS n’est pas donné : les secrets de second facteur sont gardés en clair.")
        if not settings.security_log_key:
            tell("CONSULT_SECURITY_LOG_KEY n’est pas donné : le journal de sécurité est écrit en clair.")

    tell("Démarrage…")
    return serving.serve(settings, beside=() if no_worker else serving.BESIDE, ready=ready)


def _refuse_brought_back(settings: Settings, database: Database) -> None:
    """Serve nothing that was erased: a restored backup is corrected first."""
    from consult.privacy import replay
    from consult.privacy.erasures import ErasureJournal

    waiting = len(replay.waiting(database, ErasureJournal(settings.erasures_path).read()))
    if waiting:
        raise ConflictError(
            f"La base restaurée a ramené {waiting} compte(s) effacé(s) depuis : lancez « consult privacy replay »."
        )


@cli.command()
@click.option("--code", "code_only", is_flag=True, help="Donner seulement le code du second facteur, valable 30 s.")
def demo(code_only: bool) -> None:  # noqa: FBT001  # click gives flags so
    """Charger la consultation fictive de démonstration, et dire avec quels comptes l’essayer."""
    from consult import app, clock
    from consult.demo import lately, load, visitors
    from consult.organisations import queries
    from consult.registry import sequencer

    settings = _settings()
    if code_only:
        click.echo(visitors.code(clock.now()))
        return
    database = _database(settings)

    def progress(done: int, total: int, message: str) -> None:
        if done * 10 // total > (done - 1) * 10 // total:
            tell(f"{message} : {done * 100 // total} %")

    bindings = app.bindings(settings)
    if load.load(database, bindings, settings, now=clock.now(), tell=progress):
        sequencer.from_settings(
            database, settings, app.sequencing(bindings, settings)
        ).run_alone()  # what is analysed has its place
        tell("Démonstration chargée. Analyse des contributions, une minute environ…")
        done = load.analyse(database, bindings, now=clock.now())
        tell("Analyse publiée." if done else "L’analyse n’a pas abouti : voyez « consult worker --list ».")
    else:
        tell("La démonstration est déjà chargée : rien n’a changé.")
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        organisation = queries.by_slug(session, load.ORGANISATION)
        assert organisation is not None
        site = queries.address_of(session, organisation, settings)
    click.echo("\n".join(visitors.introduction(site, clock.now(), lately.INVITATION)))


@cli.group()
def journal() -> None:
    """Le journal de sécurité, que seul lit qui détient sa clé privée."""


@journal.command("key")
@click.argument("file", metavar="FICHIER", type=click.Path(path_type=Path))
def journal_key(file: Path) -> None:
    """Tirer une clé : FICHIER reçoit la clé privée, à garder hors du serveur ; la clé publique est affichée."""
    from consult.journal import new_pair

    click.echo(f"CONSULT_SECURITY_LOG_KEY={new_pair(file)}")
    tell(f"Clé privée écrite dans {file}. Sans elle, personne ne lira le journal : gardez-en une copie, hors ligne.")


@journal.command("read")
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Fichier de la clé privée.")
@click.argument("files", metavar="FICHIER...", nargs=-1, required=True, type=click.Path(path_type=Path))
def journal_read(key: Path, files: tuple[Path, ...]) -> int:
    """Écrire en clair les lignes des fichiers (un par jour). Rend 1 si des lignes manquent ou sont illisibles."""
    from consult.journal import Reader

    reader = Reader(key.read_bytes())
    for path in files:
        with path.open(encoding="utf-8") as file:
            for line in reader.read(file):
                click.echo(line)
    if reader.unreadable or reader.missing:
        words = f"Lignes illisibles avec cette clé : {reader.unreadable} ; lignes manquantes : {reader.missing}."
        return _refuse(words)
    return 0


@cli.group()
def organisation() -> None:
    """Les administrations servies par la plateforme."""


@organisation.command("create")
@click.argument("slug", metavar="IDENTIFIANT")
@click.argument("name", metavar="NOM")
def organisation_create(slug: str, name: str) -> None:
    """Créer l’organisation NOM, que ses adresses désignent par IDENTIFIANT."""
    from consult import clock
    from consult.organisations import service

    with _database(_settings()).transaction(tenant=ALL_TENANTS) as session:
        service.create_organisation(session, slug=slug, name=name, now=clock.now())
    tell(f"Organisation « {slug} » créée. Complétez ses mentions légales dans l’espace de gestion.")


class _Serve:
    """What the commands that features declare are given."""

    def __call__(self, slug: str) -> Served:
        """The platform for one organisation. Raises NotFoundError."""
        from consult import app
        from consult.organisations import queries

        settings = _settings()
        database = _database(settings)
        with database.session(write=False, tenant=ALL_TENANTS) as session:
            found = queries.by_slug(session, slug) if slug else queries.default(session, settings)
            if found is None:
                named = (
                    f"Aucune organisation n’a l’identifiant « {slug} »"
                    if slug
                    else "Aucune organisation n’existe encore"
                )
                raise NotFoundError(f"{named} : voir « consult organisation create ».")
            return Served(settings, database, app.bindings(settings), found.id, tell)

    def settings(self) -> Settings:
        """The settings alone."""
        return _settings()

    def platform(self) -> Platform:
        """The platform as a whole."""
        from consult import app

        settings = _settings()
        bindings = app.bindings(settings)
        return Platform(settings, _database(settings), bindings, app.sequencing(bindings, settings), tell)


if __name__ == "__main__":
    main()
