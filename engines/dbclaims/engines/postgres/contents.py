"""What a database holds, read in one statement by its own login, and whether its grants are complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from dbclaims.core.spi import Access, Contents, Finding

from .statements import SEQUENCE_RIGHTS, TABLE_RIGHTS

STATEMENT = """
WITH me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user),
space AS (SELECT oid, nspname, nspowner, nspacl FROM pg_catalog.pg_namespace
  WHERE nspname NOT LIKE 'pg\\_%%' AND nspname <> 'information_schema'),
relation AS (SELECT c.relnamespace, c.relkind = 'S' AS sequence, c.oid, c.relacl
  FROM pg_catalog.pg_class c JOIN space s ON s.oid = c.relnamespace
  WHERE c.relowner = (SELECT oid FROM me) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')),
held AS (SELECT r.relnamespace, r.sequence, r.oid, x.grantee,
    pg_catalog.string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) AS rights
  FROM relation r, LATERAL pg_catalog.aclexplode(r.relacl) x
  WHERE x.grantee NOT IN (SELECT oid FROM me) AND x.grantee <> 0 GROUP BY 1, 2, 3, 4),
later AS (SELECT d.defaclnamespace, d.defaclobjtype, x.grantee,
    pg_catalog.string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) AS rights
  FROM pg_catalog.pg_default_acl d, LATERAL pg_catalog.aclexplode(d.defaclacl) x
  WHERE d.defaclrole = (SELECT oid FROM me) AND d.defaclobjtype IN ('r', 'S')
    AND x.grantee NOT IN (SELECT oid FROM me) AND x.grantee <> 0 GROUP BY 1, 2, 3)
SELECT current_user::text,
  (SELECT pg_catalog.jsonb_object_agg(nspname, pg_catalog.pg_get_userbyid(nspowner)) FROM space),
  (SELECT pg_catalog.jsonb_agg(extname) FROM pg_catalog.pg_extension),
  (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(nspname, kind, pg_catalog.pg_get_userbyid(grantee), rights,
      number)) FROM (
    SELECT relnamespace AS space, CASE WHEN sequence THEN 'sequences' ELSE 'tables' END AS kind, grantee, rights,
      pg_catalog.count(*) AS number FROM held GROUP BY 1, 2, 3, 4
    UNION ALL SELECT defaclnamespace, CASE defaclobjtype WHEN 'S' THEN 'later sequences' ELSE 'later tables' END,
      grantee, rights, 1 FROM later
    UNION ALL SELECT s.oid, 'schema', x.grantee,
      pg_catalog.string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type), 1
      FROM space s, LATERAL pg_catalog.aclexplode(s.nspacl) x
      WHERE x.grantee <> 0 AND x.grantee <> s.nspowner GROUP BY 1, 3
  ) granted JOIN space ON space.oid = granted.space),
  (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(nspname, kind, number)) FROM (
    SELECT relnamespace AS space, CASE WHEN sequence THEN 'sequences' ELSE 'tables' END AS kind,
      pg_catalog.count(*) AS number FROM relation GROUP BY 1, 2) counted JOIN space ON space.oid = counted.space),
  EXISTS (SELECT FROM space s, LATERAL pg_catalog.aclexplode(s.nspacl) x WHERE s.nspname = 'public'
    AND x.grantee = 0 AND x.privilege_type = 'CREATE')
"""
"""Its rights are as `string_agg` sorts them. Whole tables of rights are counted, never listed: a schema has many."""

_KINDS: Mapping[str, Mapping[Access, str]] = {
    "schema": {Access.READER: "USAGE", Access.WRITER: "USAGE"},
    "tables": TABLE_RIGHTS,
    "sequences": SEQUENCE_RIGHTS,
    "later tables": TABLE_RIGHTS,
    "later sequences": SEQUENCE_RIGHTS,
}

_PUBLIC_OPEN = Finding(
    "PublicSchemaOpen",
    "every login of this database may create objects in its schema public: "
    "run REVOKE CREATE ON SCHEMA public FROM PUBLIC there, on PostgreSQL 14 as a superuser",
)
"""What PostgreSQL 14 begins with (PROTOCOL.md §1), and what a server that was upgraded from there may keep."""

Grant = tuple[str, str, str, str, int]
"""Schema, kind, role, rights, and how many objects carry exactly these."""


@attrs.frozen
class PostgresContents(Contents):
    """What is inside; `partial` names the schemas in which a role has rights that are no preset, by role."""

    partial: Mapping[str, frozenset[str]] = attrs.field(factory=dict)


def contents(row: Sequence[Any]) -> tuple[str, PostgresContents]:
    """The role that the session acts as, and what it saw."""
    acts_as, schemas, extensions, grants, totals, public_open = row
    counted = {(schema, kind): number for schema, kind, number in totals or ()}
    held: list[Grant] = [(schema, kind, role, rights, number) for schema, kind, role, rights, number in grants or ()]
    complete = {role: dict(_complete(role, held, counted)) for role in {grant[2] for grant in held}}
    partial = {
        role: frozenset(grant[0] for grant in held if grant[2] == role) - complete[role].keys() for role in complete
    }
    findings = (_PUBLIC_OPEN,) if public_open else ()
    return acts_as, PostgresContents(schemas or {}, frozenset(extensions or ()), complete, findings, partial)


def _complete(role: str, held: Sequence[Grant], counted: Mapping[tuple[str, str], int]) -> Iterator[tuple[str, Access]]:
    mine = [grant for grant in held if grant[2] == role]
    for schema in {grant[0] for grant in mine}:
        found = {(kind, rights): number for at, kind, _, rights, number in mine if at == schema}
        yield from ((schema, access) for access in TABLE_RIGHTS if found == _exact(access, schema, counted))


def _exact(access: Access, schema: str, counted: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """What stands when this access is complete, and nothing beyond it."""
    numbers = {kind: counted.get((schema, kind), 0 if kind in ("tables", "sequences") else 1) for kind in _KINDS}
    return {(kind, _sorted(rights[access])): numbers[kind] for kind, rights in _KINDS.items() if numbers[kind]}


def _sorted(rights: str) -> str:
    return ", ".join(sorted(rights.split(", ")))
