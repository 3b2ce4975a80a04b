"""The pattern language of codebooks: its grammar, and the parser.

Written by analysts in a codebook, one pattern a line. Grammar (EBNF; spaces are free, operators in capitals):

    pattern    = both , { "OU" , both } ;
    both       = near , { ( "ET" | "SAUF" ) , near } ;
    near       = unit , { ( "PRES" | "PUIS" ) , [ "/" , number ] , unit } ;
    unit       = lemma | exact | prefix | sequence | group
               | ( "NIE" | "AFFIRME" ) , "(" , pattern , ")"
               | "(" , pattern , ")" ;
    lemma      = word ;                      (* every form of the word: impôt, impôts *)
    exact      = "=" , word ;                (* this form alone *)
    prefix     = word , "*" ;                (* forms that begin so; three letters at least *)
    sequence   = '"' , element , { element } , '"' ;  (* consecutive exact forms *)
    element    = word , [ "*" ] ;
    group      = "@" , name ;                (* a pattern named in the `groups` of the codebook *)
    number     = digit , { digit } ;         (* 1 to 20; 5 when it is left out *)
    word       = ? letters, digits, inner hyphens, apostrophes and points ? | ? one emoji ? ;

Meaning. A word, a sequence, `PRES` and `PUIS` find *places* in a text; places never cross the end of a
sentence. `a PRES/n b` finds a and b at most n words apart, in any order; `a PUIS/n b` in this order
(neighbours are 1 apart). `x OU y` finds the places of both. `x ET y` keeps a contribution which holds
both, `x SAUF y` one which holds x and nowhere y: they speak of the whole contribution, so they cannot
stand under PRES, PUIS, NIE or AFFIRME. `NIE(x)` keeps the places of x which a negation governs (a
negator among the four words before it in the same sentence; a restrictive « ne … que » is none),
`AFFIRME(x)` the other places.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.errors import AnalysisError
from analysis.languages import Language, language
from analysis.words import EMOJI, prepare, raw_words

DEFAULT_DISTANCE = 5
MAX_DISTANCE = 20
SHORTEST_PREFIX = 3
MAX_DEPTH = 40


@dataclass(frozen=True)
class Word:
    """Forms of one word: by `lemma`, the `exact` form alone, or all that share a `prefix`."""

    kind: str
    text: str


@dataclass(frozen=True)
class Sequence:
    """Consecutive words."""

    words: tuple[Word, ...]


@dataclass(frozen=True)
class Either:
    """OU."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Both:
    """ET, or SAUF when `without` is set."""

    left: "Node"
    right: "Node"
    without: bool


@dataclass(frozen=True)
class Near:
    """PRES, or PUIS when `ordered` is set."""

    left: "Node"
    right: "Node"
    distance: int
    ordered: bool


@dataclass(frozen=True)
class Negated:
    """NIE, or AFFIRME when `denied` is not set."""

    part: "Node"
    denied: bool


Node = Word | Sequence | Either | Both | Near | Negated

_TOKEN = re.compile(
    rf"""\s*(?:(?P<sequence>"[^"]*"?)|(?P<open>\()|(?P<close>\))|(?P<group>@[\w-]+)
    |(?P<operator>(?:PRES|PUIS)(?:\s*/\s*\d+)?|PRÈS(?:\s*/\s*\d+)?|OU|ET|SAUF|NIE|AFFIRME)(?![\w'’-])
    |(?P<word>=?(?:[\w][\w'’.-]*\*?|{EMOJI}))|(?P<bad>\S))""",
    re.VERBOSE,
)
_PREFIX = re.compile(r"(\S+\*)")


def parse(text: str, groups: Mapping[str, str] | None = None, read: Language | None = None) -> Node:
    """Parse one pattern, in French unless told otherwise.

    Raises AnalysisError with a French sentence that says what and where.
    """
    return _Parser(text, groups or {}, (), read or language()).pattern()


def words(node: Node) -> Iterator[Word]:
    """All the words of a pattern."""
    match node:
        case Word():
            yield node
        case Sequence(words=parts) | Either(parts=parts):
            for part in parts:
                yield from words(part)
        case Both(left=left, right=right) | Near(left=left, right=right):
            yield from words(left)
            yield from words(right)
        case Negated(part=part):
            yield from words(part)


def _holds_both(node: Node) -> bool:
    match node:
        case Both():
            return True
        case Either(parts=parts):
            return any(map(_holds_both, parts))
        case _:
            return False


class _Parser:
    def __init__(self, text: str, groups: Mapping[str, str], within: tuple[str, ...], read: Language) -> None:
        self._text, self._groups, self._within, self._split = text, groups, within, read.split
        self._read = read
        self._tokens = [
            (match.lastgroup or "", match[match.lastgroup or 0], match.start(match.lastgroup or 0))
            for match in _TOKEN.finditer(text)
        ]
        self._at = 0
        self._depth = 0

    def _refused(self, why: str) -> AnalysisError:
        return AnalysisError(f"motif « {self._text} » : {why}")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at][:2] if self._at < len(self._tokens) else ("end", "")

    def _take_operator(self, *names: str) -> str | None:
        kind, value = self._peek()
        if kind == "operator" and value.replace("È", "E").startswith(names):
            self._at += 1
            return value.replace("È", "E")
        return None

    def pattern(self) -> Node:
        """The whole text as one pattern."""
        if not self._tokens:
            raise self._refused("il est vide ; écrivez au moins un mot.")
        node = self._either()
        kind, value = self._peek()
        if kind == "close":
            raise self._refused("une parenthèse est fermée sans avoir été ouverte.")
        if kind != "end":
            raise self._refused(
                f"il manque un opérateur (ET, OU, SAUF, PRES, PUIS) ou des guillemets avant « {value} »."
            )
        return node

    def _either(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refused("trop de parenthèses imbriquées.")
        parts = [self._both()]
        while self._take_operator("OU"):
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Node:
        node = self._near()
        while operator := self._take_operator("ET", "SAUF"):
            node = Both(node, self._near(), without=operator == "SAUF")
        return node

    def _near(self) -> Node:
        node = self._unit()
        while operator := self._take_operator("PRES", "PUIS"):
            name, _, number = operator.partition("/")
            distance = int(number) if number else DEFAULT_DISTANCE
            if not 1 <= distance <= MAX_DISTANCE:
                raise self._refused(f"la distance {distance} doit être comprise entre 1 et {MAX_DISTANCE}.")
            right = self._unit()
            self._only_places(node, name.strip())
            self._only_places(right, name.strip())
            node = Near(node, right, distance, ordered=name.startswith("PUIS"))
        return node

    def _only_places(self, node: Node, operator: str) -> None:
        if _holds_both(node):
            raise self._refused(f"ET et SAUF portent sur toute la contribution : ils ne vont pas sous {operator}.")

    def _unit(self) -> Node:
        kind, value = self._peek()
        operator = self._take_operator("NIE", "AFFIRME")
        if operator:
            if self._peek()[0] != "open":
                raise self._refused(f"{operator} demande une parenthèse : {operator}(mot).")
            part = self._unit()
            self._only_places(part, operator)
            return Negated(part, denied=operator == "NIE")
        self._at += 1
        match kind:
            case "word":
                return self._word(value)
            case "sequence":
                return self._sequence(value)
            case "group":
                return self._group(value[1:])
            case "open":
                return self._closed(self._either())
            case "bad":
                raise self._refused(f"le signe « {value} » n’est pas admis.")
            case _:
                where = f"avant « {value} »" if value else "à la fin"
        raise self._refused(f"un mot est attendu {where}.")

    def _closed(self, node: Node) -> Node:
        if self._peek()[0] != "close":
            raise self._refused("une parenthèse n’est pas fermée.")
        self._at += 1
        return node

    def _word(self, value: str) -> Node:
        if value.endswith("*"):
            if value.startswith("="):
                raise self._refused(f"« {value} » mêle « = » et « * » ; gardez l’un des deux.")
            return self._prefix(value)
        kind = "exact" if value.startswith("=") else "lemma"
        parts = tuple(Word(kind, part.lower()) for part in self._split(prepare(value.removeprefix("="))))
        return parts[0] if len(parts) == 1 else Sequence(parts)

    def _prefix(self, value: str) -> Word:
        stem = prepare(value.removesuffix("*")).lower()
        if len(stem) < SHORTEST_PREFIX:
            raise self._refused(
                f"« {value} » toucherait presque tout : {SHORTEST_PREFIX} lettres au moins avant « * »."
            )
        return Word("prefix", stem)

    def _sequence(self, value: str) -> Node:
        if len(value) == 1 or not value.endswith('"'):
            raise self._refused("un guillemet n’est pas fermé.")
        found: list[Word] = []
        for part in _PREFIX.split(value[1:-1]):
            if part.endswith("*"):
                found.append(self._prefix(part))
            else:
                found += [Word("exact", form.lower()) for word in raw_words(part) for form in self._split(word)]
        if not found:
            raise self._refused("les guillemets sont vides.")
        return found[0] if len(found) == 1 else Sequence(tuple(found))

    def _group(self, name: str) -> Node:
        if name not in self._groups:
            known = ", ".join(f"@{group}" for group in self._groups) or "aucun"
            raise self._refused(f"le groupe « @{name} » n’existe pas ; groupes définis : {known}.")
        if name in self._within:
            raise self._refused(f"le groupe « @{name} » se contient lui-même.")
        return _Parser(self._groups[name], self._groups, (*self._within, name), self._read).pattern()
