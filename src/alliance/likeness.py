"""One notion of "looks alike", for ids, categories, answers, names of columns, sheets and files.

Two texts may be one to the eye and two to a program: a zero-width space from a web form, a soft
hyphen from a letter, a Cyrillic A, an umlaut in two pieces from a Mac. Names and words of answers
are matched after such differences are folded away; ids never are: that two of them look alike is
told, and the site's mapping says whether they are one (`same_as`).
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

# Blanks that `str.strip` knows, and signs that take no room or look like a blank but are none.
BLANKS = "".join(chr(point) for point in range(0x3001) if chr(point).isspace())
_UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\ufe0e\ufe0f\uffa0"
INVISIBLE = _UNSEEN + "".join(
    chr(point) for point in range(0xFFFF) if unicodedata.category(chr(point)) == "Cf"
)
TRIMMED = BLANKS + INVISIBLE  # a cell that holds nothing else is empty
_HIDDEN = re.compile(
    f"[{re.escape(INVISIBLE)}\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\U000e0000-\U000e007f]"
)

_DASHES = re.compile("[\u02d7\u2010-\u2015\u2043\u2212\u2796\u2e3a\u2e3b\ufe58]")
_QUOTES = str.maketrans(
    "\u2018\u2019\u201a\u201b\u2032\u00b4`\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "'''''''" + '"' * 7,
)
# Letters of other scripts that look like Latin ones (those of keyboards in Unicode's list of
# confusables, UTS 39), written as code points since nobody could tell them apart here.
_TWINS = str.maketrans(
    # Cyrillic capitals, then small letters
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u04ae"
    "\u04c0\u050c\u051a\u051c"
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u04cf\u0501\u051b\u051d"
    # Greek capitals, then small letters
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03f9"
    "\u03b1\u03b3\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5\u03c7\u03f2\u03f3"
    # Armenian, Cherokee, and Latin letters without a dot or with another bow
    "\u0570\u0578\u057d\u0585\u13aa\u13bb\u13ac\u13ab\u13de\u13df\u13e2\u13da\u13a2\u13d9\u13b3\u13c3"
    "\u0131\u0251\u0261",
    "ABESIJKMHOPCTYXY" "IGQW" "aeopcyxsijhldqw"
    "ABEZHIKMNOPTYXC" "aynikvopuxcj"
    "hnuoAHEJLCPSTVWZ" "iag",
)  # fmt: skip
# What capitals that are twins become as small letters, where the small ones are none to the eye.
_SMALL_TWINS = str.maketrans(
    "\u0432\u043a\u043c\u043d\u0442" "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf"
    "\u03c1\u03c4\u03c5\u03c7",
    "bkmht" "abezhikmnoptyx",
)  # fmt: skip
_WHOLE_NUMBER = re.compile(r"([-+]?)0*([0-9]+)(?:[.,]0*)?")
_DECIMALS = re.compile(r"([-+]?[0-9]+)[.,]0*")
_LEADING_ZEROS = re.compile(r"(?<![0-9.,])0+(?=[0-9])")
_DIGIT_TWINS = str.maketrans("oOlI|", "00111")


def _one_blank(text: str) -> str:
    return " ".join(text.split())


def _whole(text: str) -> str:
    number = _WHOLE_NUMBER.fullmatch(text)
    return number.group(1).removeprefix("+") + number.group(2) if number else text


def _digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in text)


# What is folded away, in this order, with the words for it. Texts equal after `_SEEN` are equal to
# the eye; after `_READ` a person reads the same word.
_SEEN: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("invisible signs", lambda text: _HIDDEN.sub("", text)),
    ("blanks", _one_blank),
    ("the way that letters are composed", lambda text: unicodedata.normalize("NFKC", text)),
    ("digits of another script", _digits),
    ("kinds of dashes", lambda text: _DASHES.sub("-", text)),
    ("kinds of quotation marks", lambda text: text.translate(_QUOTES)),
    ("letters of another script", lambda text: text.translate(_TWINS)),
)
_READ = (
    *_SEEN[:-1],
    ("capital letters", str.casefold),
    ("letters of another script", lambda text: text.translate(_SMALL_TWINS).translate(_TWINS)),
    ("leading zeros or decimals", _whole),
)


def _folded(text: str, steps: Iterable[tuple[str, Callable[[str], str]]]) -> str:
    for _, fold in steps:
        text = fold(text)
    return text


def seen(text: str) -> str:
    """Return what a reader sees: without invisible signs, with one kind of blank and dash, Latin.

    Two texts that look identical give the same one.
    """
    if text.isascii() and text.isprintable():
        return _one_blank(text).replace("`", "'")
    return _folded(text, _SEEN)


def read(text: str) -> str:
    """Return what a reader takes a text for: as `seen`, in small letters, 7 for 007 and 7.0."""
    if text.isascii() and text.isprintable():
        return _whole(seen(text).casefold())
    return _folded(text, _READ)


def difference(one: str, other: str) -> str:
    """Return in words what tells apart two texts that look alike ("" if they do not, or are one).

    It says which kinds of signs differ and never shows a text.
    """
    if read(one) != read(other):
        return "" if seen(one) != seen(other) else "letters of another script"
    needed = []
    for left_out in _READ:
        others = [step for step in _READ if step is not left_out]
        if _folded(one, others) != _folded(other, others):
            needed.append(left_out[0])
    for word, fold in _READ:  # where two steps can do it, the first
        if one != other and not needed and fold(one) == fold(other):
            needed.append(word)
    return " and ".join(needed) or ("" if one == other else "several kinds of signs")


def like(wanted: str, present: Iterable[str]) -> list[str]:
    """Return the names that `wanted` may be meant to be: itself, or those that look like it.

    Those that look identical come before those that differ in capitals or the form of a number.
    """
    names = list(dict.fromkeys(present))
    if wanted in names:
        return [wanted]
    for fold in (seen, read):
        found = [name for name in names if fold(name) == fold(wanted)]
        if found:
            return found
    return []


def file_like(folder: Path, name: str) -> Path:
    """Return the file in `folder` that `name` means: by its own name, else the one that looks it.

    Where none or several do, the path under the name itself, at which there is none.
    """
    path = folder
    for part in PurePosixPath(name).parts:
        if not os.path.lexists(path / part) and path.is_dir():
            found = like(part, sorted(os.listdir(path)))
            path /= found[0] if len(found) == 1 else part
        else:
            path /= part
    return path


class Words:
    """Words that a mapping names (codes, events, texts for missing), found by what they look like.

    Parameters
    ----------
    words
        The words; two of them that look alike are found by their exact spelling only.
    folds
        What is folded away: `seen`, and `read` where a person would take the text for the word.
    """

    def __init__(
        self, words: Iterable[str], folds: Sequence[Callable[[str], str]] = (seen, read)
    ) -> None:
        self.exact = set(words)
        self.alike: list[tuple[Callable[[str], str], dict[str, str]]] = []
        for fold in folds:
            groups: dict[str, list[str]] = {}
            for word in self.exact:
                groups.setdefault(fold(word), []).append(word)
            self.alike.append((fold, {key: own[0] for key, own in groups.items() if len(own) == 1}))

    def find(self, text: str) -> str | None:
        """Return the word that a text is, or looks like; None if there is none."""
        text = text.strip(TRIMMED)
        if text in self.exact:
            return text
        for fold, words in self.alike:
            word = words.get(fold(text))
            if word is not None:
                return word
        return None


def without_decimals(text: str) -> str:
    """Return a text as `seen`, and -9 for -9.0: how programs write the same whole number."""
    shown = seen(text)
    number = _DECIMALS.fullmatch(shown)
    return number.group(1) if number else shown


def plain_number(text: str) -> str:
    """Return a number's text without invisible signs, its minus and its digits those of ASCII.

    An apostrophe before it is how spreadsheet programs mark a number that is kept as text.
    """
    if text.isascii():
        return text.strip().removeprefix("'")
    return _DASHES.sub("-", unicodedata.normalize("NFKC", _HIDDEN.sub("", text))).strip()


def id_keys(own_id: str) -> tuple[str, str]:
    """Return two keys of an id; ids that share one of them look alike.

    Beyond what `read` folds, blanks within, leading zeros of each number, and the letters that are
    taken for digits (O, l, I) count for nothing.
    """
    plain = "".join(seen(own_id).split())
    digits = _LEADING_ZEROS.sub("", _whole(plain.translate(_DIGIT_TWINS).casefold()))
    small = _LEADING_ZEROS.sub("", "".join(read(own_id).split()))
    return digits, small
