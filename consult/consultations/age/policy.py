"""Which age is asked for, and what a declaration answers to it. No birth date is asked for, nor kept."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from consult.errors import InvalidError

USUAL: Final = 15  # from which a minor consents alone to the use of personal data: law 78-17 of France, article 45
YOUNGEST, OLDEST = 7, 99


class Declared(enum.StrEnum):
    """What somebody says of their age."""

    OF_AGE = "of_age"
    CONSENT = "consent"  # younger, and the holder of parental authority agrees
    UNDER = "under"


class _Ruled(Protocol):
    @property
    def minimum_age(self) -> int | None: ...

    @property
    def parental_consent(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class AgeRule:
    """The least age to declare, none when it is None; younger people may take part with their parents' consent, or not.

    Frozen with the rules of the consultation.
    """

    minimum: int | None = None
    with_consent: bool = False

    def allows(self, age: int | None, *, consent: bool) -> bool:
        """Whether somebody who declared that age may take part; `consent`: that they are younger, with consent."""
        if self.minimum is None or age is None:
            return self.minimum is None
        return self.with_consent and age == self.minimum if consent else age >= self.minimum

    @property
    def told(self) -> Mapping[str, Any]:
        """What the frozen rules say of it."""
        return {} if self.minimum is None else {"minimum_age": self.minimum, "parental_consent": self.with_consent}


def rule_of(row: _Ruled) -> AgeRule:
    """The rule of a consultation, or of a row that holds its columns."""
    return AgeRule(row.minimum_age, row.parental_consent)


def check(rule: AgeRule) -> None:
    """Raise InvalidError, naming the field, when nobody could be asked for that."""
    if rule.minimum is not None and not YOUNGEST <= rule.minimum <= OLDEST:
        reason = f"Donnez un âge de {YOUNGEST} à {OLDEST} ans, ou laissez vide pour ne rien demander."
        raise InvalidError(reason, fields={"minimum_age": reason})
    if rule.minimum is None and rule.with_consent:
        reason = "Donnez l’âge en dessous duquel l’accord d’un parent est demandé."
        raise InvalidError(reason, fields={"minimum_age": reason})
