"""The one rule by which text from a shop is cleaned, and how text is made safe to show. Knows no order and no field.

Labels are printed by couriers' machines: what they can't print (control, bidirectional and zero-width characters, lone
surrogates, emoji) is taken out, line breaks become commas, white space is squeezed, HTML entities are read once.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Shops' words for "nothing here", found alone in a field (platforms.md W7); marks alone ("-", ".") count as such too.
_NOTHING: Final = frozenset({"null", "none", "undefined", "n/a", "null null", "undefined undefined", "nan", "(null)"})
_LONGEST_NOTHING: Final = max(map(len, _NOTHING))
_NOTHING_STARTS: Final = frozenset(start for word in _NOTHING for start in (word[0], word[0].upper()))

_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# Pictures and their modifiers, by block: a category would take the company mark ㈱ and the number sign № with them.
_PICTURE: Final = re.compile(
    "[\u20e3\u231a-\u23ff\u25fb-\u25fe\u2600-\u27bf\u2b05-\u2b55\ufe00-\ufe0f\U0001f000-\U0001faff\U000e0000-\U000e01ef]"
)
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_LOST_LETTER: Final = re.compile(r"\?[^\W\d_]")
_MOST_MARKS: Final = 6  # combining marks on one letter; no language stacks more, and long runs make NFC quadratic


def clean(text: str) -> str:
    """The text as it may be printed on a label; "" when nothing is left or it only says "NULL", "-" and the like."""
    if not text:
        return text
    # Nearly all text has nothing to mend. Letters below U+0300 (Latin with macrons) are in NFC already.
    is_plain = text.isprintable() and "  " not in text and "&" not in text and (text.isascii() or max(text) < "\u0300")
    text = text.strip() if is_plain else _mend(text)
    if len(text) > _LONGEST_NOTHING or (text[:1].isalnum() and text[0] not in _NOTHING_STARTS):
        return text
    return "" if text.casefold() in _NOTHING or not any(map(str.isalnum, text)) else text


def _mend(text: str) -> str:
    if "&" in text:
        text = _ENTITY.sub(_read_entity, text)
    text = _LINE_BREAK.sub("\n", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _bounded_marks(_PICTURE.sub("", text)))
    lines = text.split("\n")
    if not all(map(str.isprintable, lines)):  # rare, and looking at each character is the dearest of all
        lines = ["".join(" " if c.isspace() else c for c in line if _may_stay(c)) for line in lines]
    return _joined([line for line in map(_squeezed, lines) if line])


def _squeezed(line: str) -> str:
    return " ".join(line.split())


def _read_entity(found: re.Match[str]) -> str:
    import html  # with its table of two thousand names, for the few texts that need it

    return html.unescape(found.group())


def _may_stay(character: str) -> bool:
    return character.isprintable() or character.isspace() or unicodedata.category(character) not in _UNPRINTABLE


def _bounded_marks(text: str) -> str:
    """The text with no letter under more than six combining marks."""
    kept: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _joined(lines: list[str]) -> str:
    """Lines as one: a comma where the line before doesn't already end in a mark."""
    if not lines:
        return ""
    ends = [" " if line[-1] in ",.;:!?-" else ", " for line in lines]
    ends[-1] = ""
    return "".join(line + end for line, end in zip(lines, ends, strict=True))


def is_loss(before: str, after: str) -> bool:
    """True when cleaning changed more than white space: that deserves a receipt."""
    return before is not after and "".join(before.split()) != "".join(after.split())


def has_lost_letters(text: str) -> bool:
    """True where a question mark stands in a word or begins one ("K?whai", "?t?huhu"), as Excel's "CSV" writes macrons.

    One behind a word is a real one ("Where? Ask"), and P? for Pā can't be told from it.
    """
    return "?" in text and _LOST_LETTER.search(text) is not None


def shortened(text: str, limit: int) -> str:
    """The beginning of the text, cut between words where it can be, at most `limit` characters long."""
    if len(text) <= limit:
        return text
    head = text[: limit + 1]
    space = head.rfind(" ")
    return (head[:space] if space > limit // 2 else text[:limit]).rstrip(" ,;-")


def for_terminal(text: str) -> str:
    r"""The text with everything that could steer a terminal shown instead of done: ESC becomes \x1b (SEC25)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def ended(text: str) -> str:
    """The text with one full stop, unless it ends already."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def sentence(text: str) -> str:
    """The text as a sentence of its own: ended, and begun with a capital where a plain word begins it (a file or a
    store keeps its letters)."""
    return ended(text[:1].upper() + text[1:] if re.match(r"[a-z]+[ ,]", text) else text)


def without_name(text: str, order: str) -> str:
    """An alert's text beside its order's number: it begins with that too, for those who see it alone."""
    return text.removeprefix(f"order {order}: ")
