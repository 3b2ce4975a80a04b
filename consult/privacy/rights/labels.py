"""French words of the rights."""

from __future__ import annotations

from typing import Final

from consult.privacy.rights.models import Right
from consult.privacy.rights.policy import State

# Its name, as in « demande de … », and what it is.
NAMES: Final = {
    Right.ACCESS: "accès aux données (article 15)",
    Right.RECTIFICATION: "rectification (article 16)",
    Right.ERASURE: "effacement (article 17)",
    Right.LIMITATION: "limitation du traitement (article 18)",
    Right.OBJECTION: "opposition au traitement (article 21)",
}
MEANINGS: Final = {
    Right.ACCESS: "Savoir ce que ce service garde de vous, et en recevoir une copie.",
    Right.RECTIFICATION: "Faire corriger une donnée inexacte ou incomplète qui vous concerne.",
    Right.ERASURE: "Faire effacer ce qui vous concerne, par exemple votre nom dans le texte d’une autre personne.",
    Right.LIMITATION: (
        "Geler l’usage de vos données pendant qu’un désaccord s’examine, ou parce que vous en avez besoin pour "
        "défendre un droit. Vos textes et vos réponses sont gardés, mais ni affichés, ni analysés, ni exportés."
    ),
    Right.OBJECTION: (
        "Refuser, pour une raison tenant à votre situation, que vos données servent à la mission d’intérêt public. "
        "Si l’administration l’accepte, vos textes et vos réponses ne sont plus ni affichés, ni analysés, ni exportés."
    ),
}
STATES: Final = {
    State.UNCONFIRMED: ("Adresse à confirmer", "neutral"),
    State.WAITING: ("En attente de réponse", "info"),
    State.OVERDUE: ("Réponse en retard", "danger"),
    State.GRANTED: ("Acceptée", "success"),
    State.REFUSED: ("Refusée", "warning"),
    State.LIFTED: ("Levée", "neutral"),
}
CNIL: Final = "https://www.cnil.fr/fr/plaintes"
