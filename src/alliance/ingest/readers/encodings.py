"""How letters are stored: names of encodings, and texts that were read by a wrong one.

A file of SPSS, Stata or SAS says itself how its letters are stored, and is often wrong: the data
came from another computer. The mapping's `encoding` overrules it.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from alliance.ingest.raw import UnreadableError

# Names of the mapping -> those of the library that statistics programs' files are read with.
ICONV = {
    "utf-8": "UTF-8", "latin-1": "ISO-8859-1", "cp1252": "WINDOWS-1252", "cp1250": "WINDOWS-1250",
    "cp1251": "WINDOWS-1251", "gb18030": "GB18030", "big5": "BIG5", "shift_jis": "SHIFT_JIS",
    "euc_kr": "EUC-KR",
}  # fmt: skip
REMEDY = (
    "set `encoding` of this table in the site mapping: cp1252 (Western Europe), cp1250 (Central"
    " Europe), cp1251 (Cyrillic), utf-8, gb18030 or big5 (Chinese), shift_jis (Japanese), euc_kr"
    " (Korean)"
)
# What is said of a letter that the library cannot read, and of an encoding that it does not know.
_COMPLAINTS = ("Unable to convert string", "unsupported character set")


def declared(encoding: str | None) -> dict[str, str]:
    """Return the mapping's encoding as an argument of pyreadstat; none where the file's counts."""
    return {} if encoding is None else {"encoding": ICONV[encoding]}


def is_wrong_encoding(error: BaseException) -> bool:
    """Whether an error of a reader means that letters are stored otherwise than declared."""
    told = str(error)
    return isinstance(error, UnicodeError) or any(words in told for words in _COMPLAINTS)


def wrong_encoding(declared: str | None) -> UnreadableError:
    """Return the problem of a file whose letters are not stored as the mapping or itself says."""
    who = f"`encoding: {declared}`" if declared else "the file itself"
    found = f"a letter is stored otherwise than {who} says"
    return UnreadableError("wrong-encoding", found, remedy=REMEDY)


def refuse_utf8_read_as_another(texts: Iterable[str], declared: str | None, used: str) -> None:
    """Refuse texts whose letters beyond ASCII are all pairs such as an A with tilde and a sign.

    Parameters
    ----------
    texts
        Texts of the file: names, labels, cells.
    declared
        The mapping's encoding, or None.
    used
        The encoding that the file names and was read with ("" where it names none).

    Raises
    ------
    UnreadableError
        There are such texts, and all of them are UTF-8 that was read as another encoding.
    """
    beyond = {text for text in texts if not text.isascii()}
    if not beyond:
        return
    for name in dict.fromkeys((ICONV.get(declared or "", used), "cp1252", "latin-1")):
        if all(_is_utf8(text, name) for text in beyond):
            who = f"`encoding: {declared}`" if declared else "the file itself"
            found = f"the letters are stored as utf-8, {who} says otherwise"
            remedy = "set `encoding: utf-8` for this table in the site mapping"
            raise UnreadableError("wrong-encoding", found, remedy=remedy)


def _is_utf8(text: str, encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name != "utf-8" and bool(
            text.encode(encoding).decode("utf-8")
        )
    except (UnicodeError, LookupError):
        return False
