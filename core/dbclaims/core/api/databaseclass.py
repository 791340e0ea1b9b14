"""DatabaseClass: what the platform team offers; as a StorageClass, but for databases."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from attrs import field, frozen

from .bounds import (
    DATABASE_GLOB,
    DNS_LABEL,
    DNS_SUBDOMAIN,
    EXTENSION,
    INSTALLATION,
    LABEL_KEYS,
    LABEL_VALUE,
    NAMESPACE_GLOB,
    SIZE_KEYS,
    Bounds,
    about,
    listed,
    mapped,
)
from .databaseserver import DatabaseServerSpec
from .meta import ObjectMeta
from .rules import DEFAULT_POLICY_ALLOWED, EXPRESSION_VALUES, INTERVAL_WITHIN_MIN, Rule, at_least_one, exactly_one
from .status import DatabaseClassStatus


class DeletionPolicy(enum.StrEnum):
    """What happens to a database when its claim goes."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Drift(enum.StrEnum):
    """What is done about a difference that somebody made by hand."""

    REPAIR = "repair"
    REPORT = "report"


class SelectorOperator(enum.StrEnum):
    """How a label is compared, as in every Kubernetes selector."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@frozen(kw_only=True)
class ServerReference:
    """A DatabaseServer."""

    name: str = field(metadata=about("Its name.", DNS_SUBDOMAIN))
    namespace: str = field(metadata=about("Its namespace.", DNS_LABEL))


@frozen(kw_only=True)
class ServerTemplate(DatabaseServerSpec):
    """A DatabaseServer's spec, for one server per claim."""

    namespace: str = field(metadata=about("Where the servers' objects live.", DNS_LABEL))


@frozen(kw_only=True)
class SelectorExpression:
    """One comparison of a label."""

    rules: ClassVar[tuple[Rule, ...]] = (EXPRESSION_VALUES,)

    key: str = field(metadata=about("The label.", Bounds(min_length=1, max_length=317)))
    operator: SelectorOperator = field(metadata=about("How it is compared."))
    values: tuple[str, ...] = field(default=(), metadata=about("What with.", listed(LABEL_VALUE, 64)))

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether labels pass this comparison."""
        match self.operator:
            case SelectorOperator.IN:
                return labels.get(self.key) in self.values
            case SelectorOperator.NOT_IN:
                return labels.get(self.key) not in self.values
            case SelectorOperator.EXISTS:
                return self.key in labels
            case SelectorOperator.DOES_NOT_EXIST:
                return self.key not in labels


@frozen(kw_only=True)
class LabelSelector:
    """A Kubernetes label selector: everything that it says must hold; empty, it selects all."""

    match_labels: Mapping[str, str] = field(
        factory=dict, metadata=about("Labels and their values.", mapped(LABEL_VALUE, 32, LABEL_KEYS))
    )
    match_expressions: tuple[SelectorExpression, ...] = field(
        default=(), metadata=about("Comparisons of labels.", Bounds(max_items=16))
    )

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether something with these labels is selected."""
        equal = all(labels.get(key) == value for key, value in self.match_labels.items())
        return equal and all(expression.selects(labels) for expression in self.match_expressions)


@frozen(kw_only=True)
class AllowedNamespaces:
    """The namespaces whose claims may name the class."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("names", "selector"),)

    names: tuple[str, ...] | None = field(
        default=None, metadata=about("Names or patterns such as team-*.", listed(NAMESPACE_GLOB, 256))
    )
    selector: LabelSelector | None = field(default=None, metadata=about("Labels of the namespace."))

    def allows(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether claims of a namespace with these labels may name the class."""
        if self.selector is not None:
            return self.selector.selects(labels)
        return any(fnmatchcase(namespace, name) for name in self.names or ())


@frozen(kw_only=True)
class ClassRotation:
    """How often logins change, and how long two of them work side by side."""

    rules: ClassVar[tuple[Rule, ...]] = (INTERVAL_WITHIN_MIN,)

    interval: timedelta = field(
        default=timedelta(hours=24), metadata=about('How often, unless a claim says otherwise; "0s": only on demand.')
    )
    min: timedelta = field(default=timedelta(0), metadata=about("The shortest interval that a claim may ask for."))
    grace: timedelta = field(
        default=timedelta(minutes=10), metadata=about("How long nobody must use the old login before it is disabled.")
    )
    max_overlap: timedelta = field(
        default=timedelta(hours=24),
        metadata=about("How long the old login may stay in use before OldLoginInUse says so; never less than grace."),
    )
    force: bool = field(
        default=False, metadata=about("After maxOverlap, end the old login's sessions instead of waiting for them.")
    )


@frozen(kw_only=True)
class AdoptedFrom:
    """Whose mark a database may carry that is taken over."""

    rules: ClassVar[tuple[Rule, ...]] = (at_least_one("installation", "namespace"),)

    installation: str | None = field(default=None, metadata=about("The installation's id in the mark.", INSTALLATION))
    namespace: str | None = field(default=None, metadata=about("The namespace in the mark.", DNS_LABEL))


@frozen(kw_only=True)
class Adoptable:
    """Databases that claims of some namespaces may take over with `adopt: true` (PROTOCOL.md §2)."""

    databases: tuple[str, ...] = field(metadata=about("Names or patterns.", listed(DATABASE_GLOB, 64, least=1)))
    namespaces: tuple[str, ...] = field(metadata=about("Names or patterns.", listed(NAMESPACE_GLOB, 64, least=1)))
    from_: AdoptedFrom | None = field(
        default=None, metadata=about("The mark that it may carry; omitted: only databases without a mark.")
    )


@frozen(kw_only=True)
class DriftPolicy:
    """What is done about differences that somebody made by hand.

    A database's owner may drop its schemas and extensions itself, so these are only reported unless told otherwise.
    """

    login: Drift = field(default=Drift.REPAIR, metadata=about("A login's password, membership, limit."))
    grants: Drift = field(default=Drift.REPAIR, metadata=about("What logins may do."))
    schemas: Drift = field(default=Drift.REPORT, metadata=about("Schemas that went missing."))
    extensions: Drift = field(default=Drift.REPORT, metadata=about("Extensions that went missing."))
    settings: Drift = field(default=Drift.REPAIR, metadata=about("What a provider sets on the class's servers."))


@frozen(kw_only=True)
class DatabaseClassSpec:
    """What claims of the class get and may ask for."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("serverRef", "template"), DEFAULT_POLICY_ALLOWED)

    server_ref: ServerReference | None = field(
        default=None, metadata=about("The server that claims share; a new one is for new claims only.")
    )
    template: ServerTemplate | None = field(
        default=None, metadata=about("The server that each claim gets for itself.", frozen_inside=False)
    )
    allowed_namespaces: AllowedNamespaces | None = field(
        default=None, metadata=about("Whose claims may name the class; omitted: every namespace's.")
    )
    database_names: tuple[str, ...] = field(
        default=("*",),
        metadata=about(
            "What an explicit databaseName may look like; {namespace} is replaced.", listed(DATABASE_GLOB, 64)
        ),
    )
    allowed_extensions: tuple[str, ...] = field(
        default=(), metadata=about("The extensions that claims may ask for.", listed(EXTENSION, 128))
    )
    connection_limit: int | None = field(
        default=None,
        metadata=about("Connections at once, for each login; omitted: no limit.", Bounds(minimum=1, maximum=262143)),
    )
    rotation: ClassRotation = field(factory=ClassRotation, metadata=about("How logins change."))
    deletion_policy: DeletionPolicy = field(
        default=DeletionPolicy.RETAIN, metadata=about("What happens to a database whose claim does not say it.")
    )
    allowed_deletion_policies: tuple[DeletionPolicy, ...] = field(
        default=(DeletionPolicy.RETAIN, DeletionPolicy.DELETE),
        metadata=about("What a claim may say.", Bounds(min_items=1, max_items=2, unique=True)),
    )
    adoptable: tuple[Adoptable, ...] = field(
        default=(), metadata=about("Databases that claims may take over.", Bounds(max_items=64))
    )
    sizes: Mapping[str, Mapping[str, Any]] = field(
        factory=dict,
        metadata=about(
            "What a size means: fields of the provider's block.", mapped(Bounds(max_properties=32), 32, SIZE_KEYS)
        ),
    )
    drift: DriftPolicy = field(factory=DriftPolicy, metadata=about("What is done about changes made by hand."))
    probe_interval: timedelta = field(
        default=timedelta(minutes=10), metadata=about("How often a published login is tried.")
    )
    controller_class: str = field(
        default="",
        metadata=about(
            "Which controller serves the class, where several run; empty: the one without a name.",
            Bounds(
                says="a controller's name (lower-case letters, digits and '-')",
                pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$",
                max_length=63,
            ),
        ),
    )
    require_use: bool = field(
        default=False, metadata=about("Whether the person who claims needs the RBAC verb `use` on the class.")
    )


@frozen(kw_only=True)
class DatabaseClass:
    """What the platform team offers."""

    metadata: ObjectMeta
    spec: DatabaseClassSpec
    status: DatabaseClassStatus = field(factory=DatabaseClassStatus)
