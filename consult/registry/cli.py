"""`consult registry`."""

from __future__ import annotations

import click

from consult.console import Serve


@click.group()
def registry() -> None:
    """Le registre public : placer et signer les entrées, vérifier, restaurer."""


@registry.command("sequence")
@click.option("--once", is_flag=True, help="Traiter ce qui attend, puis s’arrêter.")
@click.pass_obj
def sequence(serve: Serve, /, once: bool) -> None:  # noqa: FBT001  # click gives flags so
    """Donner leur place aux entrées et signer : un seul processus à la fois, les autres attendent."""
    from consult import serving
    from consult.errors import ConflictError
    from consult.registry import sequencer

    platform = serve.platform()
    working = sequencer.from_settings(platform.database, platform.settings, platform.sequencing)
    if not once:
        working.run_forever(serving.stop_on_signals())
        return
    if not working.run_alone():
        raise ConflictError("Un autre séquenceur travaille déjà sur cette base.")
    platform.tell("Registre à jour.")


@registry.command("check")
@click.pass_obj
def check(serve: Serve, /) -> None:
    """Comparer la base et chaque fichier des deux dépôts à ce qui a été signé."""
    from consult.labels import moment
    from consult.registry import cosigning, publishing, sequencer

    platform = serve.platform()
    witnesses = cosigning.configured(platform.settings)
    stores = sequencer.stores(platform.settings)
    checked = publishing.check(platform.database, stores)
    for log in checked:
        platform.tell(f"{log.slug} : {log.edge.size} entrées signées, base et dépôts conformes.")
        for witness in witnesses:
            last = cosigning.cosigned(stores.first, log.slug, log.key, witness.key)
            said = (
                "n’a encore rien cosigné."
                if last is None
                else f"a cosigné {last.checkpoint.size} entrées, le {moment(last.at)}."
            )
            platform.tell(f"{log.slug} : le témoin {witness.key.name} {said}")
    if not checked:
        platform.tell("Aucun registre n’a encore d’entrée.")


@registry.command("restore")
@click.option("--yes", is_flag=True, help="Accepter que la base suive le second dépôt.")
@click.pass_obj
def restore(serve: Serve, /, yes: bool) -> None:  # noqa: FBT001  # click gives flags so
    """Remettre la base et le premier dépôt à l’état signé du second, et publier l’incident."""
    from consult import clock
    from consult.errors import ConflictError
    from consult.registry import restore, sequencer

    if not yes:
        raise ConflictError("La base suivra le second dépôt, qui a valeur de preuve : confirmez par --yes.")
    platform = serve.platform()
    with platform.database.alone(sequencer.LOCK) as holds:
        if holds is None:
            raise ConflictError("Arrêtez d’abord le séquenceur.")
        stores = sequencer.stores(platform.settings)
        for done in restore.restore(platform.database, stores, platform.sequencing, now=clock.now()):
            platform.tell(
                f"{done.log} : {done.size} entrées signées ; {done.lost} sans contenu, {done.moved} replacées, "
                f"{done.pending} à placer de nouveau."
            )


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def witness(arguments: tuple[str, ...]) -> int:
    """Tenir un témoin : cosigner les états d’un registre qui prolongent ceux qu’il a vus (« witness --help »)."""
    from consult.registry import witness as program

    return program.main(arguments)
