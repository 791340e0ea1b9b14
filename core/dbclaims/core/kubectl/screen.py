"""Where a verb's answer goes: data to stdout, everything else to stderr, colour only for eyes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

_STYLES = {"good": "32", "bad": "31", "doubt": "33", "faint": "2", "strong": "1"}
_CHECKED = {"True": "good", "False": "bad", "Unknown": "doubt"}
_NARROWEST = 40


class Screen:
    """Two streams.

    Attributes:
        is_terminal: whether a person reads along.
        is_unicode: whether more than ASCII can be shown.
    """

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str] = os.environ, colour: str = "auto") -> None:
        self._out, self._err = out, err
        self.is_terminal = out.isatty()
        self.is_unicode = (out.encoding or "").lower().replace("-", "") == "utf8"
        dumb = environ.get("TERM") == "dumb" or bool(environ.get("NO_COLOR"))
        self._colour = colour == "always" or (colour == "auto" and self.is_terminal and not dumb)

    def say(self, text: str = "") -> None:
        """A line of the answer."""
        print(text, file=self._out)

    def note(self, text: str) -> None:
        """A line beside the answer."""
        print(text, file=self._err)

    def paint(self, text: str, style: str) -> str:
        """Text in a style's colour, where there are colours; never the only carrier of meaning."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour else text

    def verdict(self, text: str, width: int = 0) -> str:
        """A condition's status in its colour, padded to a width."""
        style = _CHECKED.get(text)
        return (self.paint(text, style) if style else text) + " " * (width - len(text))

    def wrapped(self, text: str, indent: str = "") -> str:
        """A paragraph, broken to the terminal's width; in a pipe it stays one line, so that it can be searched."""
        if not self.is_terminal:
            return indent + text
        import textwrap

        width = max(self._width(), _NARROWEST)
        return textwrap.fill(
            text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )

    def flush(self) -> None:
        """Hand over what was said."""
        self._out.flush()

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._out.fileno()).columns or 80
        except OSError:
            return 80
