"""What a person may say about a source, by name: which options a format takes, and what each of them takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.core.errors import UsageError

_NAMED = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|", "none": ""}
_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


@dataclass(frozen=True, slots=True)
class ReaderOption:
    """One option of a format.

    Attributes
    ----------
    name : str
        As in ``--option NAME=VALUE``.
    takes : str
        What its values are, for a person.
    read : callable
        Turns the text of a value into what the reader uses; raises ValueError where it can't.
    repeated : bool
        Whether it may be given several times; then the reader gets a tuple.
    """

    name: str
    takes: str
    read: Callable[[str], Any] = str
    repeated: bool = False


TABLE = ReaderOption("table", "the name of a table or sheet")
ENCODING = ReaderOption("encoding", "the encoding of text, such as latin-1")


def character(text: str) -> str:
    r"""One ASCII character, itself or by name; nothing for ``none``.

    Examples
    --------
    >>> character("tab"), character(";"), character(r"\x1f"), character("none")
    ('\t', ';', '\x1f', '')
    """
    value = _NAMED.get(text.lower(), text)
    if len(value) == 4 and value.startswith("\\x"):
        value = chr(int(f"0{value[1:]}", 0))
    if len(value) > 1 or not value.isascii() or value in ("\n", "\r", "\x00"):
        raise ValueError(f"{text!r} is not one ASCII character")
    return value


def separator(text: str) -> str:
    """One ASCII character that must be there; see `character`."""
    value = character(text)
    if not value:
        raise ValueError("it can't be left out")
    return value


def switch(text: str) -> bool:
    """Yes or no.

    Examples
    --------
    >>> switch("yes"), switch("off")
    (True, False)
    """
    if text.lower() not in _YES + _NO:
        raise ValueError(f"{text!r} is neither yes nor no")
    return text.lower() in _YES


def one_of(*known: str) -> Callable[[str], str]:
    """A word of a list, or the character it names."""

    def read(text: str) -> str:
        value = _NAMED.get(text.lower(), text)
        if value not in known:
            raise ValueError(f"{text!r} is none of {' '.join(k if k.strip() else 'space' for k in known)}")
        return value

    return read


def split_option(text: str) -> tuple[str, str]:
    """Name and value of ``NAME=VALUE``.

    Raises
    ------
    UsageError
        When there is no name or no equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--option takes NAME=VALUE, not {text!r}", "such as: --option delimiter=tab")
    return name.strip().lower(), value


def read_options(format_name: str, known: Sequence[ReaderOption], given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What a reader is told, from what the person said.

    Parameters
    ----------
    format_name : str
        The reader's name, for errors.
    known : sequence of ReaderOption
        What it takes.
    given : mapping of str to sequence of str
        Values by name of option.

    Raises
    ------
    UsageError
        When an option is not known to the reader, is given twice, or has a value that it does not take.
    """
    options = {option.name: option for option in known}
    taken: dict[str, Any] = {}
    for name, values in given.items():
        option = options.get(name)
        if option is None:
            offered = "".join(f"\n    {o.name}: {o.takes}" for o in known) or " none"
            raise UsageError(f"the format {format_name} has no option {name!r}", f"its options:{offered}")
        if len(values) > 1 and not option.repeated:
            raise UsageError(f"the option {name!r} is given {len(values)} times: {', '.join(map(repr, values))}")
        try:
            read = tuple(option.read(value) for value in values)
        except ValueError as error:
            raise UsageError(f"the option {name!r} takes {option.takes}: {error}") from error
        taken[name] = read if option.repeated else read[0]
    return taken
