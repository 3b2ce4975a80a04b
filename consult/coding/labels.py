"""French words of codebooks, runs and measures."""

from typing import Final

VERDICTS: Final = {"published": "publiable", "marked": "à lire avec prudence", "withheld": "retenu"}
MEASURED_SINCE: Final = (
    "Qualité mesurée depuis cette analyse, sur un échantillon lu par des personnes : les codes sous leur seuil, et les "
    "tableaux croisés qui les comptent, ne sont plus montrés."
)
