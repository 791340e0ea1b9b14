"""The one table of documents: each is valid or not, and the Python twins and the API server must both say so.

`path` is a part of what the twins name as the place of the problem; the API server words it in its own way.
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from dbclaims.core.api import API_VERSION, RESOURCES

Document = dict[str, Any]

SERVER = {"provider": "existing", "engine": "postgres"}
SHARED = {"serverRef": {"name": "shared", "namespace": "platform"}}
TEMPLATE = {"template": {**SERVER, "namespace": "platform"}}
CLAIM = {"className": "shared-postgres"}
ROLE = {"claimRef": {"name": "orders"}, "access": "reader"}
GRANT = {"from": [{"namespace": "bi"}]}


@frozen
class Case:
    """One document, or one edit: `old` is the spec that `spec` replaces. `path` is empty where all is well."""

    says: str
    kind: str
    spec: Mapping[str, Any]
    path: str = ""
    old: Mapping[str, Any] | None = None
    name: str = "case"

    @property
    def valid(self) -> bool:
        return not self.path

    def document(self, spec: Mapping[str, Any] | None = None) -> Document:
        metadata = {"name": self.name, **({"namespace": "default"} if RESOURCES[self.kind].namespaced else {})}
        return {
            "apiVersion": API_VERSION,
            "kind": self.kind,
            "metadata": metadata,
            "spec": dict(self.spec if spec is None else spec),
        }


def _claim(says: str, path: str = "", *, old: Mapping[str, Any] | None = None, name: str = "case", **spec: Any) -> Case:
    before = None if old is None else CLAIM | dict(old)
    return Case(says, "DatabaseClaim", CLAIM | spec, path, before, name)


def _class(says: str, path: str = "", *, old: Mapping[str, Any] | None = None, **spec: Any) -> Case:
    return Case(says, "DatabaseClass", SHARED | spec, path, None if old is None else SHARED | dict(old))


def _server(says: str, path: str = "", *, old: Mapping[str, Any] | None = None, **spec: Any) -> Case:
    return Case(says, "DatabaseServer", SERVER | spec, path, None if old is None else SERVER | dict(old))


def _role(says: str, spec: Mapping[str, Any], path: str = "", *, old: Mapping[str, Any] | None = None) -> Case:
    return Case(says, "RoleClaim", spec, path, old)


def _grant(says: str, path: str = "", **spec: Any) -> Case:
    return Case(says, "ClaimGrant", GRANT | spec, path)


CLAIMS = (
    _claim("a class is enough"),
    Case("a class is needed", "DatabaseClaim", {}, "spec.className"),
    _claim("a class is text", "spec.className", className=5),
    _claim("a class's name is a DNS name", "spec.className", className="Shared"),
    _claim("null is as good as absent", databaseName=None, schemas=None),
    _claim("null does not fill what is needed", "spec.className", className=None),
    _claim("an unknown field is refused", "spec.databasename", databasename="orders"),
    _claim("a database may be named", databaseName="legacy_Orders.2-x"),
    _claim("a database's name may begin with a digit", databaseName="9lives"),
    _claim("a database has a name", "spec.databaseName", databaseName=""),
    _claim("63 characters fit", databaseName="a" * 63),
    _claim("64 do not", "spec.databaseName", databaseName="a" * 64),
    _claim("SQL is no name", "spec.databaseName", databaseName='"; DROP ROLE x; --'),
    _claim("a quote is no name", "spec.databaseName", databaseName="o'reilly"),
    _claim("NUL is no name", "spec.databaseName", databaseName="a\0b"),
    _claim("Unicode is no name", "spec.databaseName", databaseName="bücher"),
    _claim("a line's end is no part of a name", "spec.databaseName", databaseName="orders\n"),
    _claim("a dash does not begin a name", "spec.databaseName", databaseName="-orders"),
    _claim("a Secret may be named", secretName="orders.db-1"),
    _claim("a Secret's name leads nowhere", "spec.secretName", secretName="../../x"),
    _claim("a Secret's name is in lower case", "spec.secretName", secretName="Orders"),
    _claim("253 characters name a Secret", secretName="a" * 253),
    _claim("254 do not", "spec.secretName", secretName="a" * 254),
    _claim("the identity is the controller's", "spec.secretName", secretName="dbclaims-identity"),
    _claim("a pending Secret is the controller's", "spec.secretName", secretName="dbclaims-pending-1"),
    _claim("others may begin alike", secretName="dbclaims-demo"),
    _claim("unless the Secret has another name", name="dbclaims-identity", secretName="x"),
    Case("a claim's name is its Secret's", "DatabaseClaim", CLAIM, "secretName", name="dbclaims-identity"),
    _claim("names lead nowhere", "metadata.name", name="../../x"),
    _claim("names have no capitals", "metadata.name", name="Orders"),
    _claim("schemas", schemas=["app", "_x1", "public"]),
    _claim("no schemas", schemas=[]),
    _claim("schemas are a list", "spec.schemas", schemas="app"),
    _claim("schemas are text", "spec.schemas[0]", schemas=[None]),
    _claim("a schema stands once", "spec.schemas[1]", schemas=["app", "app"]),
    _claim("pg_ is the server's", "spec.schemas[0]", schemas=["pg_x"]),
    _claim("so is the information schema", "spec.schemas[0]", schemas=["information_schema"]),
    _claim("a schema has no dash", "spec.schemas[0]", schemas=["a-b"]),
    _claim("32 schemas", schemas=[f"s{n}" for n in range(32)]),
    _claim("not 33", "spec.schemas", schemas=[f"s{n}" for n in range(33)]),
    _claim("extensions", extensions=["pgcrypto", "uuid-ossp"]),
    _claim("no extension by SQL", "spec.extensions[0]", extensions=["x; DROP"]),
    _claim("rotation", rotation={"interval": "1h30m"}),
    _claim("rotation on demand", rotation={"interval": "0s"}),
    _claim("rotation in days", rotation={"interval": "7d"}),
    _claim("a duration has a unit", "spec.rotation.interval", rotation={"interval": "12"}),
    _claim("a duration is not empty", "spec.rotation.interval", rotation={"interval": ""}),
    _claim("a duration is not negative", "spec.rotation.interval", rotation={"interval": "-1h"}),
    _claim("no weeks", "spec.rotation.interval", rotation={"interval": "1w"}),
    _claim("days stand alone", "spec.rotation.interval", rotation={"interval": "1d12h"}),
    _claim("a duration is text", "spec.rotation.interval", rotation={"interval": 12}),
    _claim("the class's rotation is not the claim's", "spec.rotation.grace", rotation={"grace": "1h"}),
    _claim("Delete", deletionPolicy="Delete"),
    _claim("policies are written exactly", "spec.deletionPolicy", deletionPolicy="delete"),
    _claim("a claim takes no snapshot", "spec.deletionPolicy", deletionPolicy="Snapshot"),
    _claim("adopt", adopt=True),
    _claim("adopt is no text", "spec.adopt", adopt="true"),
    _claim("keys of one's own", secretFormat={"type": "Opaque", "keys": ["host", "dsn.txt=dsn", "ca=ca.crt"]}),
    _claim("only keys that there are", "spec.secretFormat.keys[0]", secretFormat={"keys": ["token"]}),
    _claim("ca.crt has a dot", "spec.secretFormat.keys[0]", secretFormat={"keys": ["caxcrt"]}),
    _claim("no token type", "spec.secretFormat.type", secretFormat={"type": "kubernetes.io/service-account-token"}),
    _claim("a CA's path", caPath="/etc/db/ca.crt"),
    _claim("is absolute", "spec.caPath", caPath="etc/db/ca.crt"),
    _claim("and holds no quote", "spec.caPath", caPath="/etc/'db"),
    _claim("an edit", old={"schemas": ["a"]}, schemas=["a", "b"]),
    _claim("another class is a migration", "spec.className", old={}, className="other"),
    _claim("a name stays", old={"databaseName": "a"}, databaseName="a"),
    _claim("a name does not change", "spec.databaseName", old={"databaseName": "a"}, databaseName="b"),
    _claim("a name is not set late", "spec", old={}, databaseName="a"),
    _claim("a name is not cleared", "spec", old={"databaseName": "a"}),
    _claim("nor by null", "spec", old={"databaseName": "a"}, databaseName=None),
    _claim("a Secret's name may change", old={"secretName": "a"}, secretName="b"),
    _claim("and be set late", old={}, secretName="b"),
)

CLASSES = (
    _class("a server is enough"),
    Case("a template is enough", "DatabaseClass", TEMPLATE),
    Case("one of the two is needed", "DatabaseClass", {}, "spec"),
    Case("and not both", "DatabaseClass", SHARED | TEMPLATE, "spec"),
    Case("a template says where", "DatabaseClass", {"template": SERVER}, "spec.template.namespace"),
    Case("null is no template", "DatabaseClass", SHARED | {"template": None}),
    Case("a server has a namespace", "DatabaseClass", {"serverRef": {"name": "a"}}, "spec.serverRef.namespace"),
    Case(
        "a mould may change",
        "DatabaseClass",
        {"template": {**TEMPLATE["template"], "engine": "mysql"}},
        old=TEMPLATE,
    ),
    Case("a class may move on", "DatabaseClass", {"serverRef": {"name": "b", "namespace": "c"}}, old=SHARED),
    _class("namespaces by name", allowedNamespaces={"names": ["shop", "team-*", "?"]}),
    _class("namespaces by label", allowedNamespaces={"selector": {"matchLabels": {"team": "shop", "a.b/c": ""}}}),
    _class("one of the two", "spec.allowedNamespaces", allowedNamespaces={}),
    _class("not both", "spec.allowedNamespaces", allowedNamespaces={"names": ["a"], "selector": {}}),
    _class("a label's name", "matchLabels", allowedNamespaces={"selector": {"matchLabels": {"a b": "c"}}}),
    _class(
        "a comparison",
        allowedNamespaces={"selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}},
    ),
    _class(
        "In needs values",
        "matchExpressions[0]",
        allowedNamespaces={"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
    ),
    _class(
        "Exists takes none",
        "matchExpressions[0]",
        allowedNamespaces={"selector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}},
    ),
    _class("names by namespace", databaseNames=["{namespace}_*", "x?"]),
    _class("no other braces", "spec.databaseNames[0]", databaseNames=["{name}_*"]),
    _class("a limit", connectionLimit=1),
    _class("a limit is above zero", "spec.connectionLimit", connectionLimit=0),
    _class("a limit is below the server's", "spec.connectionLimit", connectionLimit=262144),
    _class("a limit is a number", "spec.connectionLimit", connectionLimit="50"),
    _class("half a connection is none", "spec.connectionLimit", connectionLimit=1.5),
    _class("true is no number", "spec.connectionLimit", connectionLimit=True),
    _class("fast rotation", rotation={"interval": "5s", "grace": "1s", "maxOverlap": "2s"}),
    _class("no rotation", rotation={"interval": "0s", "min": "1h"}),
    _class("within its own limit", rotation={"interval": "1d", "min": "24h"}),
    _class("below its own limit", "spec.rotation", rotation={"interval": "59m", "min": "1h"}),
    _class("days count", "spec.rotation", rotation={"interval": "24h", "min": "2d"}),
    _class("the default interval counts", "spec.rotation", rotation={"min": "25h"}),
    _class("Delete by default", deletionPolicy="Delete"),
    _class("what it allows", "spec", deletionPolicy="Delete", allowedDeletionPolicies=["Retain"]),
    _class("something is allowed", "spec.allowedDeletionPolicies", allowedDeletionPolicies=[]),
    _class("a policy stands once", "spec.allowedDeletionPolicies", allowedDeletionPolicies=["Retain", "Retain"]),
    _class("adoption", adoptable=[{"databases": ["legacy_*"], "namespaces": ["shop"]}]),
    _class(
        "adoption from elsewhere",
        adoptable=[{"databases": ["a"], "namespaces": ["shop"], "from": {"installation": "old", "namespace": "shop"}}],
    ),
    _class("adoption says by whom", "adoptable[0].namespaces", adoptable=[{"databases": ["a"]}]),
    _class("adoption says whose", "from", adoptable=[{"databases": ["a"], "namespaces": ["b"], "from": {}}]),
    _class("sizes", sizes={"small": {"instance": "x", "nested": {"a": [1, None]}}}),
    _class("null is no size", sizes={"small": None}),
    _class("a size has a name", "spec.sizes", sizes={"a b": {}}),
    _class("a size is a map", "spec.sizes[small]", sizes={"small": 5}),
    _class("drift", drift={"login": "report"}),
    _class("drift is repaired or reported", "spec.drift.grants", drift={"grants": "ignore"}),
    _class("the rest", probeInterval="1m", controllerClass="blue", requireUse=True),
    _class("a controller's name", "spec.controllerClass", controllerClass="Blue"),
)

SERVERS = (
    _server("two plugins are enough"),
    Case("a provider is needed", "DatabaseServer", {"engine": "postgres"}, "spec.provider"),
    Case("an engine is needed", "DatabaseServer", {"provider": "existing"}, "spec.engine"),
    _server("a version", version="17"),
    _server("a version in two parts", version="8.4"),
    _server("a version is text", "spec.version", version=17),
    _server("a version is a number", "spec.version", version="latest"),
    _server("any block", config={"host": "pg", "port": 5432, "deep": {"a": [{"b": None}]}}),
    _server("a block is a map", "spec.config", config=["host"]),
    _server("a block has an end", "spec.config", config={f"k{n}": n for n in range(65)}),
    _server("Snapshot", deletionPolicy="Snapshot"),
    _server("settings", parameters={"work_mem": "64MB", "auto_explain.log_min_duration": "1s"}),
    _server("settings are text", "spec.parameters[work_mem]", parameters={"work_mem": 64}),
    _server("a setting has a name", "spec.parameters", parameters={"work mem": "64MB"}),
    _server("a window", maintenanceWindow="Sun:03:00-Sun:04:00"),
    _server("a window has days", "spec.maintenanceWindow", maintenanceWindow="03:00-04:00"),
    _server("backups", backup={"retention": "7d", "window": "02:00-03:00"}),
    _server("a day has 24 hours", "spec.backup.window", backup={"window": "24:00-25:00"}),
    _server("storage", storageGiB=100, size="small", highAvailability=False, tags={"team": "a b"}),
    _server("storage is not text", "spec.storageGiB", storageGiB="100Gi"),
    _server("storage in GiB", "spec.storageGib", storageGib=100),
    _server("another provider", "spec.provider", old={}, provider="aws"),
    _server("another engine", "spec.engine", old={}, engine="mysql"),
    _server("another host", old={"config": {"host": "a"}}, config={"host": "b"}),
    _server("another version", old={"version": "16"}, version="17"),
)

ROLES = (
    _role("access to all", ROLE),
    _role("access by schema", {"claimRef": {"name": "a"}, "schemas": {"app": ["reader", "writer"]}}),
    _role("one of the two", {"claimRef": {"name": "a"}}, "spec"),
    _role("not both", ROLE | {"schemas": {"app": ["reader"]}}, "spec"),
    _role("access to something", {"claimRef": {"name": "a"}, "schemas": {"app": []}}, "spec.schemas[app]"),
    _role("access of a kind", {"claimRef": {"name": "a"}, "schemas": {"app": ["admin"]}}, "spec.schemas[app]"),
    _role("null is no schema", {"claimRef": {"name": "a"}, "schemas": {"app": None}}),
    _role("a schema's name", {"claimRef": {"name": "a"}, "schemas": {"a b": ["reader"]}}, "spec.schemas"),
    _role("the server's schema", {"claimRef": {"name": "a"}, "schemas": {"pg_x": ["reader"]}}, "spec.schemas"),
    _role("presets only", ROLE | {"access": "superuser"}, "spec.access"),
    _role("a claim is needed", {"access": "reader"}, "spec.claimRef"),
    _role("a claim elsewhere", ROLE | {"claimRef": {"name": "a", "namespace": "shop"}}),
    _role("another claim", ROLE | {"claimRef": {"name": "b"}}, "spec.claimRef", old=ROLE),
    _role(
        "the same claim in words",
        ROLE | {"claimRef": {"name": "orders", "namespace": "default"}},
        "spec.claimRef",
        old=ROLE,
    ),
    _role("more access", ROLE | {"access": "writer"}, old=ROLE),
    _role("its own Secret", ROLE | {"secretName": "x", "rotation": {"interval": "1h"}}),
    _role("not the controller's", ROLE | {"secretName": "dbclaims-pending-x"}, "spec.secretName"),
)

GRANTS = (
    _grant("a namespace is enough"),
    _grant("everything", to={"claim": "orders"}, access="owner"),
    _grant("nobody", "spec.from", **{"from": []}),
    _grant("a namespace is needed", "spec.from[0].namespace", **{"from": [{"uid": "1"}]}),
    _grant("a namespace has no dots", "spec.from[0].namespace", **{"from": [{"namespace": "a.b"}]}),
    _grant("nothing by null", "spec.from", **{"from": None}),
    _grant("a preset", "spec.access", access="all"),
)

CASES = CLAIMS + CLASSES + SERVERS + ROLES + GRANTS
