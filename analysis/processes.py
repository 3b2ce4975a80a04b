"""Work shared between processes of this machine, or those of a Dask cluster, with the same results as in one."""

import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from analysis.errors import AnalysisError

_KILLED = (
    "Un processus de calcul a été arrêté, sans doute faute de mémoire : relancez avec moins de processus (--jobs)."
)


def in_order(function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], jobs: int) -> Iterator[Any]:
    """Results of a function over its arguments, in order, as they come.

    `jobs` is a number of processes as joblib understands it, within whatever joblib backend is active (loky, or a Dask
    cluster). Raises AnalysisError when a process is killed, for want of memory for instance.
    """
    try:
        yield from Parallel(n_jobs=jobs, return_as="generator")(delayed(function)(*call) for call in calls)
    except TerminatedWorkerError as error:
        raise AnalysisError(_KILLED) from error


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Within an existing Dask cluster when its address is given, else on this machine.

    Raises AnalysisError when the cluster does not answer, or lost a task with its worker.
    """
    if address is None:
        yield
        return
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise AnalysisError("Une grappe Dask demande le paquet « distributed » : installez-le.") from None
    try:
        client = distributed.Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise AnalysisError(f"La grappe Dask « {address} » ne répond pas.") from error
    try:
        with client, parallel_config("dask"):
            yield
    except distributed.KilledWorker as error:
        raise AnalysisError(_KILLED) from error
