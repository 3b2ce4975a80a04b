"""`consult privacy`."""

from __future__ import annotations

import click

from consult.console import Serve


@click.group()
def privacy() -> None:
    """Les données personnelles : rejouer les effacements après une restauration."""


@privacy.command("replay")
@click.pass_obj
def replay(serve: Serve, /) -> None:
    """Effacer de nouveau ce qu’une sauvegarde restaurée a ramené, d’après le journal des effacements."""
    from consult import clock
    from consult.privacy import queries, replay
    from consult.privacy.erasures import ErasureJournal

    platform = serve.platform()
    journal = ErasureJournal(platform.settings.erasures_path).read()
    waiting = replay.waiting(platform.database, journal)
    for done, (account_id, mode) in enumerate(waiting.items(), 1):
        replay.erase_again(platform.database, platform.bindings, account_id, mode, now=clock.now())
        platform.tell(f"{done} / {len(waiting)} comptes effacés de nouveau")
    queries.give_up_log(platform.database)
    platform.tell(
        f"Journal des effacements rejoué : {len(journal.modes)} effacements connus, {len(waiting)} à refaire."
    )
