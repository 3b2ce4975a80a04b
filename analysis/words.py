"""What a French word is, for one text or one word at a time: no arrays here, so that reading a codebook stays light.

A word is made of letters and digits, with inner hyphens and apostrophes of any kind. `L’impôt` is two words (`l'`,
`impôt`), `faut-il` two (`faut`, `il`), `a-t-on` two, `aujourd'hui`, `rendez-vous` and `peut-être` one, `honte;les` two,
`T.V.A.` one (`tva`), `1 000` one (`1000`), an emoji with all that dresses it one. An abbreviation keeps its point
(`M.`, `etc.`), which ends no sentence. Texts in capitals are lowered before anything. English words are cut by a rule
of their own.
"""

import re
import unicodedata

_LETTER = r"[^\W\d_]"
_SPACE = "[ \u00a0\u2009\u202f]"
_CAPITAL = "[A-ZÀ-ÖØ-Þ]"
_VOWEL = "[aeiouyhàâäéèêëîïôöûüùœæAEIOUYHÀÂÄÉÈÊËÎÏÔÖÛÜÙŒÆ]"

# Pictographs (Unicode, UTS #51): those that are drawn as emojis by themselves, those that are when U+FE0F follows.
_PICTOGRAPH = (
    "[\u231a\u231b\u23e9-\u23f3\u23f8-\u23fa\u25fd\u25fe\u2600-\u2604\u2607-\u2612\u2614-\u2685\u2690-\u2705"
    "\u2708-\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767"
    "\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001faff]"
)
_DRAWN = (
    f"(?:{_PICTOGRAPH}|[©®\u203c\u2049\u2122\u2194-\u2199\u21a9\u21aa\u2328\u23cf\u25aa\u25ab\u25b6\u25c0\u25fb\u25fc"
    "\u27a1\u2934\u2935\u2b05-\u2b07\u3030\u303d\u3297\u3299]\ufe0f)\ufe0f?[\U0001f3fb-\U0001f3ff]?\ufe0f?"
)
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
EMOJI = f"{_FLAG}|{_DRAWN}[\U000e0020-\U000e007f]*(?:\u200d{_DRAWN})*"
_KEY = "\u20e3"
_KEYCAP = f"[0-9#*]\ufe0f?{_KEY}"
_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")


# Abbreviations: titles and the like, those of a number, those that a capital after the point makes the last word of a
# sentence. The first and the last are read alike without their point, but these, which are another word without it.
_TITLES = ("mme", "mmes", "mlle", "mlles", "mgr", "mr", "dr", "pr", "cf")
_OF_NUMBERS = ("art", "p", "pp", "chap", "al", "vol", "fig")
_MONTHS = ("janv", "févr", "sept", "oct", "nov", "déc")
_OTHERS = ("etc", "ex", "env", "vs", "tél", "réf", "dép", "dépt", "hab", "bd", "qq", *_MONTHS)
_POINTED = frozenset(f"{word}." for word in ("m", "mm", "ex", *_OF_NUMBERS, *_MONTHS))


def _after(*abbreviations: str) -> str:
    """That the point just read ends one of these abbreviations, a whole word."""
    return "(?i:" + "|".join(rf"(?<=\b{word}\.)" for word in abbreviations) + ")"


_POINT = (
    rf"\.(?:{_after(*_TITLES)}|(?<=\bMM\.)"
    rf"|{_after(*_OF_NUMBERS)}(?=(?:{_SPACE}?[A-Z]\.)?{_SPACE}?\d)"
    rf"|{_after(*_OTHERS)}(?!\.|{_SPACE}*(?:{_CAPITAL}|\n|$)))"
)
_RAW = (
    r"https?://\S+|www\.\S+"
    rf"|{_KEYCAP}"
    rf"|[mM]\.(?<!\d[ \u00a0\u202f]..)(?={_SPACE}?{_LETTER}(?!\.))"  # M. Durand, not 5 m.
    rf"|M{_SPACE}(?<!\d[ \u00a0\u202f]..)(?={_CAPITAL})"  # M Durand
    rf"|(?:{_LETTER}\.-?){{2,}}{_LETTER}?(?!\w)"  # T.V.A., J.-C.
    rf"|[pP]\.{_SPACE}?ex\.|[cC]\.-à-d\."
    rf"|[1-9]\d?\d?(?:{_SPACE}\d{{3}})+(?!\d)(?:[.,]\d+)?"  # 1 000 000
    r"|\d+(?:[.,]\d+)+"  # 2,5
    r"|(?<!\w)[nN][°º]"  # n° 5: no negation
    rf"|(?:[cdjlmnstCDJLNST]|[qQ]u){_SPACE}(?<!\d[ \u00a0\u202f]..)(?='?{_VOWEL})"  # l argent, not 5 l
    rf"|[^\W_]+(?:['\-][^\W_]+)*(?:'|{_POINT})?"
)
MARKS = ".!?…;:,\n"
_BOUNDARY = f"[{MARKS}]+"
# What is most frequent, and cannot be anything else, is looked for first: reading costs a third less.
_PLAIN = r"[^\W\d_]{3,}(?=[\s,])"
FINDALL = re.compile(rf" ?({_PLAIN}|(?=[\w#*])(?:{_RAW})|{_BOUNDARY}|{EMOJI})").findall
_CONTEXT = re.compile(rf"({_RAW}|{EMOJI})|(\S)")

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
_DOTTED = re.compile(rf"(?:{_LETTER}\.-?){{2,}}{_LETTER}?")
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


def raw_words(text: str) -> list[str]:
    """The raw words of a text, without its punctuation, as `split` takes them."""
    return [word for word in FINDALL(prepare(text)) if word[0] not in MARKS]


def is_emoji(form: str) -> bool:
    """Whether a form is an emoji: the others begin with a letter or a digit, or with the apostrophe of `'s`."""
    return form[-1] == _KEY or not (form[0].isalnum() or form[0] == "'")


def without_tone(emoji: str) -> str:
    """An emoji without the colour of its skin."""
    return _TONE.sub("", emoji)


def split(word: str) -> list[str]:
    """The forms in one raw word, in their own case: `qu'il` gives `qu'` and `il`."""
    if word.isalnum():
        return [word]
    lower = word.lower()
    if lower in _WHOLE:
        return [word]
    if word[-1].isspace():  # « M Durand », « l argent »: the space stands for what was forgotten
        return ["M." if word[0] == "M" else word[:-1] + "'"]
    elided = _ELISION.fullmatch(word)
    if elided:
        return [elided[1], *(split(elided[2]) if elided[2] else [])]
    inverted = None if lower.startswith(("rendez-", "peut-ê")) else _CLITIC.fullmatch(word)
    if inverted:
        before = [] if inverted[1].lower() == "t" else split(inverted[1])  # « a t-il »
        return [*before, *split(inverted[2])]
    deictic = _DEICTIC.fullmatch(word)
    return [*split(deictic[1]), deictic[2]] if deictic else [_whole(word)]


def split_english(word: str) -> list[str]:
    """The forms in one raw English word: `don't` gives `do` and `n't`, `people's` gives `people` and `'s`."""
    lower = word.lower()
    if lower == "cannot":
        return [word[:3], word[3:]]
    contracted = _CONTRACTED.fullmatch(word)
    return [*split_english(contracted[1]), contracted[2]] if contracted else [_whole(word)]


def _whole(word: str) -> str:
    """The form of a raw word that is not cut: a dotted acronym, an abbreviation, a number, an emoji, a plain word."""
    if _DOTTED.fullmatch(word):
        return word.replace(".", "").replace("-", "")
    if word[-1] == "." and word[:-1].isalpha() and word.lower() not in _POINTED:
        return word[:-1]
    return "".join(word.split()).replace("\ufe0f", "").rstrip("'")


def in_context(text: str) -> tuple[list[str], list[bool], list[int]]:
    """What a tagger needs of a text: words and punctuation, whether a space follows each, and which of them are words,
    by rank: those that `Vocabulary.tokenise` finds.
    """
    text = prepare(text)
    words: list[str] = []
    spaces: list[bool] = []
    places: list[int] = []
    for match in _CONTEXT.finditer(text):
        parts = split(match[1]) if match[1] else [match[2]]
        if match[1]:
            places += range(len(words), len(words) + len(parts))
        words += parts
        spaces += [False] * (len(parts) - 1) + [text[match.end() : match.end() + 1].isspace()]
    return words, spaces, places
