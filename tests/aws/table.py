"""The table of fields in docs/provider-aws.md."""

from __future__ import annotations

from dbclaims.providers.aws.fields import FIELDS, FIXED, Field
from tests.docs.markdown import remade, table

BEGIN, END = "<!-- fields: written by `make docs` -->", "<!-- end of fields -->"

_HEAD = ("wished in `spec`", "order to RDS", "of", "a change interrupts")
_KINDS = {"instance": "instances", "cluster": "clusters", "both": "both"}
_FURTHER = (
    ("`version`", "`EngineVersion`", "both", "yes"),
    ("`tags`", "`AddTagsToResource`", "both", "no"),
    ("`config.ingress`", "EC2's `AuthorizeSecurityGroupIngress`, `RevokeSecurityGroupIngress`", "both", "no"),
)


def tabled(page: str) -> str:
    """The page with its table made anew. Raises `ValueError` where the markers are missing."""
    rows = [(_paths(each.path), f"`{each.argument}`", _KINDS[each.where], _interrupts(each)) for each in FIELDS]
    fixed = [(_paths(each.path.removeprefix("spec.")), "", "both", "fixed at birth") for each in FIXED]
    return remade(page, BEGIN, END, table(_HEAD, [*rows, *_FURTHER, *fixed]))


def _paths(text: str) -> str:
    if " " in text.replace(", ", ","):
        return text
    return ", ".join(f"`{path}`" for path in text.split(", ")) if text else "always"


def _interrupts(field: Field) -> str:
    if field.argument == "BackupRetentionPeriod":
        return "from or to 0"
    if "ParameterGroupName" in field.argument:
        return "the restart for static parameters"
    return "yes" if field.disruptive else "no"
