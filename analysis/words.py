"""What a French word is, for one text or one word at a time: no arrays here, so that reading a codebook stays light.

A word is made of letters and digits, with inner hyphens and apostrophes of any kind. `L’impôt` is two words (`l'`,
`impôt`), `faut-il` two (`faut`, `il`), `a-t-on` two, `aujourd'hui`, `rendez-vous` and `peut-être` one, `honte;les` two,
`T.V.A.` one (`tva`). Texts in capitals are lowered before anything. English words are cut by a rule of their own.
"""

import re
import unicodedata

_LETTER = r"[^\W\d_]"
_RAW = (
    r"https?://\S+|www\.\S+"
    rf"|(?:{_LETTER}\.){{2,}}{_LETTER}?(?!\w)"  # T.V.A.
    r"|\d+(?:[.,]\d+)+"  # 2,5
    r"|(?<!\w)[nN][°º]"  # n° 5: no negation
    r"|[^\W_]+(?:['\-][^\W_]+)*'?"
)
_BOUNDARY = r"[.!?…;:,\n]+"
FINDALL = re.compile(f"{_RAW}|{_BOUNDARY}").findall
_CONTEXT = re.compile(rf"({_RAW})|(\S)")

_WHOLE = frozenset(
    {
        *("aujourd'hui", "prud'homme", "prud'hommes", "prud'homal", "prud'homale", "prud'homaux"),
        *("presqu'île", "presqu'îles", "quelqu'un", "quelqu'une", "rendez-vous", "vis-à-vis", "c'est-à-dire"),
    }
)
_ELISION = re.compile(r"((?:jusqu|lorsqu|puisqu|quoiqu|qu|[cdjlmnst])')(.*)", re.IGNORECASE | re.DOTALL)
_CLITIC = re.compile(
    r"(.+?)(?:-t)?-((?:je|tu|ils?|elles?|on|nous|vous|ce|les?|la|lui|leur|y|en|moi|toi)|t'en|m'en)", re.IGNORECASE
)
_DEICTIC = re.compile(r"(?!celui|celle|ceux|au-|par-|jusque-|de-|ce-)(.+)-(ci|là)", re.IGNORECASE)
# A lone letter is an elision whose apostrophe was forgotten (« l argent »).
_FORGOTTEN = frozenset("cdjlmnst")
_DOTTED = re.compile(rf"(?:{_LETTER}\.)+{_LETTER}?")
_CONTRACTED = re.compile(r"(.+?)(n't|'(?:s|re|ve|ll|d|m))", re.IGNORECASE)
_ODD_APOSTROPHE = re.compile("[ʼʻʽʹ‘‛′ꞌ＇]")
_SHORTEST_SHOUT = 12


def prepare(text: str) -> str:
    """The text with composed accents and straight apostrophes; lowered when it shouts throughout."""
    if not text.isascii():
        text = text.replace("’", "'").replace("\u00ad", "").replace("‑", "-")
        if _ODD_APOSTROPHE.search(text):
            text = _ODD_APOSTROPHE.sub("'", text)
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
    if "`" in text or "´" in text:
        text = text.replace("`", "'").replace("´", "'")
    return text.lower() if len(text) > _SHORTEST_SHOUT and text.isupper() else text


def split(word: str) -> list[str]:
    """The forms in one raw word, in their own case: `qu'il` gives `qu'` and `il`."""
    lower = word.lower()
    if lower in _FORGOTTEN:
        return [word + "'"]
    if word.isalnum():
        return [word]
    if lower in _WHOLE or _DOTTED.fullmatch(word):
        return [word.replace(".", "")]
    elided = _ELISION.fullmatch(word)
    if elided:
        return [elided[1], *(split(elided[2]) if elided[2] else [])]
    inverted = None if lower.startswith(("rendez-", "peut-ê")) else _CLITIC.fullmatch(word)
    if inverted:
        return [*split(inverted[1]), *split(inverted[2])]
    deictic = _DEICTIC.fullmatch(word)
    return [*split(deictic[1]), deictic[2]] if deictic else [word.rstrip("'")]


def split_english(word: str) -> list[str]:
    """The forms in one raw English word: `don't` gives `do` and `n't`, `people's` gives `people` and `'s`."""
    lower = word.lower()
    if lower == "cannot":
        return [word[:3], word[3:]]
    if _DOTTED.fullmatch(word):
        return [word.replace(".", "")]
    contracted = _CONTRACTED.fullmatch(word)
    return [*split_english(contracted[1]), contracted[2]] if contracted else [word.rstrip("'")]


def in_context(text: str) -> tuple[list[str], list[bool]]:
    """Words and punctuation of a text as a tagger needs them, and whether a space follows each."""
    text = prepare(text)
    words: list[str] = []
    spaces: list[bool] = []
    for match in _CONTEXT.finditer(text):
        parts = split(match[1]) if match[1] else [match[2]]
        words += parts
        spaces += [False] * (len(parts) - 1) + [text[match.end() : match.end() + 1].isspace()]
    return words, spaces
