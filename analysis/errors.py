"""The one error that a user of the library must be able to read, and what the system says of a file, in French."""

import errno
from typing import Final

_FAULTS: Final = {
    errno.ENOENT: "« {} » est introuvable : vérifiez le chemin.",
    errno.EISDIR: "« {} » est un dossier : donnez un fichier.",
    errno.ENOTDIR: "« {} » passe par un fichier comme par un dossier : vérifiez le chemin.",
    errno.EEXIST: "« {} » existe déjà : choisissez un autre nom.",
    errno.EACCES: "« {} » est interdit d’accès : vérifiez vos droits.",
    errno.EPERM: "« {} » est interdit d’accès : vérifiez vos droits.",
    errno.EROFS: "« {} » ne peut pas être écrit, le disque est en lecture seule : choisissez un autre endroit.",
    errno.ENOSPC: "« {} » ne peut pas être écrit, le disque est plein : faites de la place.",
    errno.ENAMETOOLONG: "« {} » est un nom trop long : choisissez-en un plus court.",
}
_UNKNOWN: Final = "« {} » ne peut être ni lu ni écrit : vérifiez le chemin et le disque."


class AnalysisError(Exception):
    """A refusal: one French sentence that says what is wrong, where, and how to mend it."""


def file_fault(error: OSError) -> str:
    """One French sentence for what the system refused to do with a file."""
    return _FAULTS.get(error.errno or 0, _UNKNOWN).format(error.filename)
