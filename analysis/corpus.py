"""What an analysis reads: corpora of texts and the closed variables that go with them."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Question:
    """What was asked; its answers are one variable, or one for each line of a grid or each option of a ranking."""

    key: str
    wording: str
    kind: str


@dataclass(frozen=True)
class Variable:
    """One closed variable over `n` rows.

    `members[i, j]` is true when row `i` holds category `j`; a row without any category did not answer. `question` and
    `group`, its line in it, are those of a questionnaire.
    """

    key: str
    label: str
    categories: tuple[str, ...]
    members: NDArray[np.bool_]
    multiple: bool = False
    question: Question | None = None
    group: str = ""

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Rows with at least one category, shape (n,)."""
        return np.asarray(self.members.any(axis=1), dtype=np.bool_)

    def take(self, rows: NDArray[Any]) -> "Variable":
        """The same variable over some of the rows (indices or a mask)."""
        return replace(self, members=self.members[rows])


@dataclass(frozen=True)
class Provenance:
    """Where an external source comes from: who publishes it, under which licence, read from which file."""

    file: str
    publisher: str
    licence: str
    kind: str
    address: str | None
    retrieved: str | None


@dataclass(frozen=True)
class Corpus:
    """Texts to be read: one proposals step, its arguments, one open question, a table, or an external source.

    `set_apart` counts what was received and is not public (hidden, withdrawn, tests): these rows
    belong to the reconciliation, their text does not exist here. `authors` and `dates` are parallel to
    `ids`, or empty when unknown. `provenance` is that of an external source, None for contributions.
    """

    key: str
    title: str
    unit: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    variables: tuple[Variable, ...] = ()
    set_apart: dict[str, int] = field(default_factory=dict)
    asked: int | None = None
    authors: tuple[str | None, ...] = ()
    dates: tuple[str | None, ...] = ()
    provenance: Provenance | None = None

    @property
    def external(self) -> bool:
        """Whether it is no contribution, and enters no count of them."""
        return self.provenance is not None

    @property
    def received(self) -> int:
        """All that came in, public or not."""
        return len(self.ids) + sum(self.set_apart.values())


@dataclass(frozen=True)
class Questionnaire:
    """The closed questions of one questionnaire step, over all its replies."""

    key: str
    title: str
    replies: int
    variables: tuple[Variable, ...]
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What one input holds, with the digest of each file read."""

    slug: str
    title: str
    corpora: tuple[Corpus, ...]
    questionnaires: tuple[Questionnaire, ...]
    digests: dict[str, str]
    position: int | None = None
    origin: str | None = None
    notices: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over names and digests of the files read; the same for a directory and its zip."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.digests.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


def single(key: str, label: str, values: Sequence[str | None], order: Sequence[str] = ()) -> Variable:
    """A variable with one category a row; None is no answer. `order` fixes the first categories."""
    counts = Counter(value for value in values if value is not None)
    categories = [*dict.fromkeys(order), *sorted(counts.keys() - set(order))]
    index = {category: j for j, category in enumerate(categories)}
    members = np.zeros((len(values), len(categories)), dtype=np.bool_)
    for i, value in enumerate(values):
        if value is not None:
            members[i, index[value]] = True
    return Variable(key, label, tuple(categories), members)
