"""What a mutant is."""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.frozen
class Mutant:
    """One broken plugin.

    Attributes:
        name: of its class or wrapper in the module.
        mistake: what is wrong with it, for people: its docstring.
        killed_by: the test of the suite that was written for this mistake, and must fail.
        says: what the failure must say, so that it fails for this reason and no other.
        wrapper: whether it wraps the sound plugin's hooks in place of being a plugin itself.
    """

    name: str
    mistake: str
    killed_by: str
    says: str
    wrapper: bool = False


def register(mutants: list[Mutant]) -> Callable[..., Callable[[type], object]]:
    """Return the decorator `@mutant(test, says)`: it fills a list, and the class's name stands for an instance."""

    def mutant(killed_by: str, says: str, *, wrapper: bool = False) -> Callable[[type], object]:
        def add(cls: type) -> object:
            mutants.append(Mutant(cls.__name__, str(cls.__doc__), killed_by, says, wrapper))
            return cls()

        return add

    return mutant
