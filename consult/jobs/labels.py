"""French words of the jobs."""

from __future__ import annotations

from consult import labels
from consult.jobs.models import Job, JobState

STATES = {
    JobState.WAITING: "en attente",
    JobState.RUNNING: "en cours",
    JobState.DONE: "terminé",
    JobState.FAILED: "en échec",
}


def progress(job: Job) -> str:
    """« 1 200 sur 5 000 », « 1 200 », or nothing before the first chunk."""
    if job.total is not None:
        return f"{labels.number(job.done)} sur {labels.number(job.total)}"
    return labels.number(job.done) if job.done else ""


def line(job: Job) -> str:
    """One line of `consult worker --list`."""
    cells = [
        STATES[job.state],
        job.kind,
        str(job.id),
        f"essai {job.attempts}/{job.max_attempts}",
        labels.moment(job.run_after),
        progress(job),
        job.error or job.message,
    ]
    return "\t".join(cells)
