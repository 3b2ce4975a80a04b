"""Texts as JSON and YAML give them, made whole: an escape can stand for half of a character, which no file can hold."""

import json
import re
from typing import Any

_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(rb"\\u[dD]")


def whole(text: str) -> str:
    """The text with two halves joined, and « \ufffd » for a half alone."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _HALF.search(text) else text


def parsed(line: bytes) -> Any:
    """A value written in JSON, its texts whole. Raises ValueError when it is not JSON in UTF-8."""
    value = json.loads(line)
    return json.loads(whole(json.dumps(value, ensure_ascii=False))) if _ESCAPED.search(line) else value
