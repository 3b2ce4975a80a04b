"""The error tree, and its two renderers: a French page, or problem+json (RFC 9457) under /api.

A service refuses by raising; the error carries its status, the French sentence and, where it can, the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class ConsultError(Exception):
    """A refusal that the person can understand. `message` is a French sentence; `fields` names inputs to mend."""

    status = 422

    def __init__(self, message: str = "", *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})

    @property
    def words(self) -> ErrorText:
        """What the page of this refusal says around the message."""
        return text_for(self.status)


class InvalidError(ConsultError):
    """What was typed cannot be accepted as it is."""

    status = 422


class BadRequestError(ConsultError):
    """The request itself makes no sense."""

    status = 400


class NotSignedInError(ConsultError):
    """An account is needed."""

    status = 401


class ForbiddenError(ConsultError):
    """The person is known and may not."""

    status = 403


class ExpiredFormError(ForbiddenError):
    """A form of this site whose token is of a session that ended: what was typed may be sent again."""


class NotFoundError(ConsultError):
    """Nothing of that name is visible to this person."""

    status = 404


class ClosedError(ConsultError):
    """The step, the vote or the item no longer takes this act."""

    status = 403

    @property
    def words(self) -> ErrorText:
        """Nobody is denied anything: it is a matter of time."""
        return CLOSED


class AgeUndeclaredError(ConsultError):
    """A consultation, of that `slug`, asks for an age that the person has not declared."""

    status = 403

    def __init__(self, message: str, *, slug: str) -> None:
        super().__init__(message)
        self.slug = slug


class ConflictError(ConsultError):
    """Another act came first: already done, or changed meanwhile."""

    status = 409


class GoneError(ConsultError):
    """It was here and was withdrawn or hidden; the page says why."""

    status = 410


class TooManyError(ConsultError):
    """Too many attempts in a short time; `retry_after` says in how many seconds the next may come."""

    status = 429

    def __init__(self, message: str = "", *, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnavailableError(ConsultError):
    """A part we depend on is away; nothing was recorded."""

    status = 503


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What an error page says: what happened, and what to do next."""

    title: str
    message: str
    remedy: str


TEXTS: Mapping[int, ErrorText] = {
    400: ErrorText(
        "Demande incompréhensible",
        "Votre navigateur a envoyé une demande incomplète ou mal formée.",
        "Revenez à la page précédente, rechargez-la, puis recommencez.",
    ),
    401: ErrorText(
        "Connexion nécessaire",
        "Cette page demande un compte.",
        "Connectez-vous, ou créez un compte avec un pseudonyme.",
    ),
    403: ErrorText(
        "Accès refusé",
        "Vous n’avez pas le droit d’effectuer cette action.",
        "Si la page était ouverte depuis longtemps, rechargez-la. Sinon, écrivez-nous depuis la page Contact.",
    ),
    404: ErrorText(
        "Page introuvable",
        "Aucune page n’existe à cette adresse.",
        "Vérifiez l’adresse, ou repartez de la liste des consultations.",
    ),
    405: ErrorText(
        "Action impossible à cette adresse",
        "Cette adresse n’accepte pas ce type de demande.",
        "Revenez à la page précédente et utilisez les boutons du formulaire.",
    ),
    409: ErrorText(
        "Action déjà faite",
        "Une autre action est passée avant la vôtre.",
        "Rechargez la page pour voir l’état actuel.",
    ),
    410: ErrorText(
        "Contenu retiré",
        "Ce contenu n’est plus publié.",
        "Vous pouvez lire les autres contributions de la consultation.",
    ),
    413: ErrorText(
        "Envoi trop volumineux",
        "Ce que vous envoyez dépasse la taille acceptée.",
        "Réduisez la taille du texte ou du fichier, puis recommencez.",
    ),
    422: ErrorText(
        "Saisie à corriger",
        "Certaines informations ne peuvent pas être acceptées.",
        "Revenez au formulaire et corrigez les champs signalés.",
    ),
    429: ErrorText(
        "Trop de demandes",
        "Vous avez fait cette action trop souvent en peu de temps.",
        "Patientez quelques minutes, puis recommencez.",
    ),
    500: ErrorText(
        "Erreur de notre côté",
        "Une erreur inattendue s’est produite. Rien n’a été enregistré.",
        "Réessayez dans quelques minutes. Si l’erreur persiste, écrivez-nous depuis la page Contact.",
    ),
    503: ErrorText(
        "Service momentanément indisponible",
        "Le service ne peut pas répondre pour l’instant. Rien n’a été enregistré.",
        "Réessayez dans une minute ; ce que vous avez écrit peut être renvoyé depuis la page précédente.",
    ),
}


CLOSED = ErrorText(
    "Ce n’est pas ouvert",
    "Cette action n’est pas ouverte pour l’instant, ou ne l’est plus.",
    "Revenez à la page : elle dit ce qui est ouvert, et jusqu’à quand.",
)


def text_for(status: int) -> ErrorText:
    """The French words of a status; an unlisted one is told as its family's."""
    return TEXTS.get(status) or TEXTS[500 if status >= 500 else 400]  # noqa: PLR2004  # HTTP families


def problem(
    status: int, detail: str, instance: str, fields: Mapping[str, str] | None = None, *, words: ErrorText | None = None
) -> dict[str, object]:
    """An RFC 9457 problem document."""
    words = words or text_for(status)
    document: dict[str, object] = {
        "type": "about:blank",
        "title": words.title,
        "status": status,
        "detail": detail or words.message,
        "instance": instance,
    }
    if fields:
        document["errors"] = [{"field": name, "detail": reason} for name, reason in fields.items()]
    return document
