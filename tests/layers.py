"""The kind of layer contract that import-linter lacks: a package imports what is listed, and nothing else.

A list of what is forbidden goes stale with every new dependency; a list of what is allowed does not.
"""

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """Modules import only the standard library, each other, and what is allowed.

    Attributes:
        importers: packages that the contract is about, each with its submodules.
        allowed: packages that they may import, each with its submodules.
        apart: packages inside the importers that have a contract of their own.
    """

    importers = fields.SetField(subfield=fields.StringField())
    allowed = fields.SetField(subfield=fields.StringField())
    apart = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every direct import of the importers."""
        # import-linter's fields are descriptors, which its annotations do not say.
        mine: set[str] = set(self.importers)  # type: ignore[call-overload]
        allowed: set[str] = set(self.allowed)  # type: ignore[call-overload]
        apart: set[str] = set(self.apart or ())  # type: ignore[arg-type]
        permitted = mine | allowed | sys.stdlib_module_names
        strays = [
            (module, imported)
            for module in sorted(graph.modules)
            if _within(module, mine) and not _within(module, apart)
            for imported in sorted(graph.find_modules_directly_imported_by(module))
            if not _within(imported, permitted)
        ]
        return ContractCheck(kept=not strays, metadata={"strays": strays})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line for each import that is not allowed."""
        for module, imported in check.metadata["strays"]:
            output.print_error(f"{module} imports {imported}, which is not on its list in pyproject.toml", bold=False)


def _within(module: str, packages: set[str] | frozenset[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)
