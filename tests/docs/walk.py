"""Somebody who copies a page's blocks, one after another: YAML into files, commands into a shell."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import field, frozen

from tests.commands.directory import COMMAND

from .blocks import Block


@frozen
class Walk:
    """One folder to work in, as the pages take the repository for.

    Attributes:
        folder: where files are saved and commands are run.
        overlay: what a page cannot know, by what it writes instead; nothing else of it is changed.
        environment: variables of the shell, beside this process's.
        programs: folders whose programs are found before all others.
    """

    folder: Path
    overlay: Mapping[str, str] = field(factory=dict, repr=False)
    environment: Mapping[str, str] = field(factory=dict, repr=False)
    programs: Iterable[Path] = ()

    def follow(self, blocks: Iterable[Block]) -> str:
        """Do what each block says, and return what the last command printed; a block of text must be in that."""
        said = ""
        for block in blocks:
            text = self._fitted(block.text)
            if block.file:
                self._save(block.file, text)
            elif block.language == "sh":
                said = self._run(block.place, text)
            else:
                assert block.language == "text", f"{block.place} is to be saved, and the page does not say where"
                assert _lines(text) <= _lines(said), f"{block.place} is not what was printed:\n{said}"
        return said

    def _fitted(self, text: str) -> str:
        for shown, real in self.overlay.items():
            text = text.replace(shown, real)
        return text

    def _save(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def _run(self, place: str, text: str) -> str:
        path = os.pathsep.join(map(str, (*self.programs, COMMAND.parent, os.environ["PATH"])))
        environment = {**os.environ, **self.environment, "PATH": path}
        command = ["sh", "-euc", text]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{place}:\n{text}\n{done.stdout}{done.stderr}"
        return done.stdout


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines()}
