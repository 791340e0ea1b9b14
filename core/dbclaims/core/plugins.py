"""Loading plugins, refusing broken ones, and calling exactly one of them.

Plugins are modules behind entry points of the group `dbclaims`, ours through the same door as strangers'. Whatever
is wrong before a plugin is opened stops the process with one sentence (`PluginError`); a plugin whose own packages
are missing is listed as unavailable and stops only the objects that name it.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, cast

import attrs
import pluggy

from .spi import (
    SPI_VERSION,
    Action,
    Credentials,
    Database,
    DatabaseRef,
    DatabaseSpec,
    Endpoint,
    EngineInfo,
    Installation,
    Plan,
    Probe,
    ProviderInfo,
    SecretReader,
    Server,
    ServerRef,
    ServerSpec,
    Survey,
    hookspecs,
)
from .spi.hookspecs import OPTIONAL, PROJECT

OURS = "dbclaims"
"""Our own distribution: the only one that is allowed unless others are named, and the owner of built-in names."""

_KINDS = ("provider", "engine")
H = TypeVar("H", "Provider", "Engine")


class PluginError(Exception):
    """A plugin that cannot be loaded; the message names it, its distribution and the way out."""


@attrs.frozen
class Listing:
    """One line of `dbclaims plugins`.

    Attributes:
        unavailable: why it cannot be used, with the way out; empty when it can.
    """

    name: str
    kind: str
    distribution: str
    version: str
    features: tuple[str, ...] = ()
    unavailable: str = ""


class Handle:
    """Calls one plugin and no other; wrapper plugins see every call.

    pluggy would ask the next plugin when one answers None, so all others that implement the hook themselves are
    left out (aesthetics.md §1.1).
    """

    def __init__(self, manager: pluggy.PluginManager, plugin: object) -> None:
        self._manager = manager
        self._plugin = plugin
        self._callers: dict[str, Any] = {}

    def call(self, hook: str, **arguments: Any) -> Any:
        """Call the plugin's hook by keyword."""
        caller = self._callers.get(hook)
        if caller is None:
            caller = self._callers[hook] = self._manager.subset_hook_caller(hook, self._strangers(hook))
        return caller(**arguments)

    def has(self, hook: str) -> bool:
        """Whether the plugin implements an optional hook."""
        return hasattr(self._plugin, hook)

    def _strangers(self, hook: str) -> list[object]:
        return [
            impl.plugin
            for impl in getattr(self._manager.hook, hook).get_hookimpls()
            if impl.plugin is not self._plugin and not (impl.wrapper or impl.hookwrapper)
        ]


class Provider(Handle):
    """A provider plugin, typed."""

    def __init__(self, manager: pluggy.PluginManager, plugin: object) -> None:
        super().__init__(manager, plugin)
        self.info = cast(ProviderInfo, self.call("provider_info"))

    def open(self, config: Any, secrets: SecretReader) -> object:
        """`provider_open`."""
        return cast(object, self.call("provider_open", config=config, secrets=secrets))

    def observe(self, session: object, ref: ServerRef) -> Server | None:
        """`provider_observe`."""
        return cast("Server | None", self.call("provider_observe", session=session, ref=ref))

    def plan(self, desired: ServerSpec | None, observed: Server | None) -> Plan:
        """`provider_plan`."""
        return cast(Plan, self.call("provider_plan", desired=desired, observed=observed))

    def apply(self, session: object, ref: ServerRef, action: Action) -> None:
        """`provider_apply`."""
        self.call("provider_apply", session=session, ref=ref, action=action)

    def credentials(self, session: object, ref: ServerRef) -> Credentials:
        """`provider_credentials`."""
        return cast(Credentials, self.call("provider_credentials", session=session, ref=ref))

    def close(self, session: object) -> None:
        """`provider_close`."""
        self.call("provider_close", session=session)


class Engine(Handle):
    """An engine plugin, typed."""

    def __init__(self, manager: pluggy.PluginManager, plugin: object) -> None:
        super().__init__(manager, plugin)
        self.info = cast(EngineInfo, self.call("engine_info"))

    def open(
        self,
        endpoint: Endpoint,
        admin: Credentials,
        traits: Mapping[str, str],
        installation: Installation,
        slots: int,
    ) -> object:
        """`engine_open`."""
        arguments = {"endpoint": endpoint, "admin": admin, "traits": traits}
        return cast(object, self.call("engine_open", **arguments, installation=installation, slots=slots))

    def survey(self, session: object) -> Survey:
        """`engine_survey`."""
        return cast(Survey, self.call("engine_survey", session=session))

    def hold(self, session: object, identity: str) -> str:
        """`engine_hold`."""
        return cast(str, self.call("engine_hold", session=session, identity=identity))

    def lock(self, session: object, ref: DatabaseRef) -> AbstractContextManager[object]:
        """`engine_lock`."""
        return cast("AbstractContextManager[object]", self.call("engine_lock", session=session, ref=ref))

    def observe(self, session: object, ref: DatabaseRef) -> Database | None:
        """`engine_observe`."""
        return cast("Database | None", self.call("engine_observe", session=session, ref=ref))

    def plan(self, desired: DatabaseSpec | None, observed: Database | None) -> Plan:
        """`engine_plan`."""
        return cast(Plan, self.call("engine_plan", desired=desired, observed=observed))

    def apply(self, session: object, ref: DatabaseRef, action: Action) -> None:
        """`engine_apply`."""
        self.call("engine_apply", session=session, ref=ref, action=action)

    def verifier(self, login: Credentials) -> str:
        """`engine_verifier`."""
        return cast(str, self.call("engine_verifier", login=login))

    def probe(self, session: object, ref: DatabaseRef, login: Credentials) -> Probe:
        """`engine_probe`."""
        return cast(Probe, self.call("engine_probe", session=session, ref=ref, login=login))

    def sessions(self, session: object, ref: DatabaseRef) -> Mapping[str, int]:
        """`engine_sessions`."""
        return cast("Mapping[str, int]", self.call("engine_sessions", session=session, ref=ref))

    def connection(
        self, endpoint: Endpoint, database: str, login: Credentials, ca_path: str | None
    ) -> Mapping[str, str]:
        """`engine_connection`."""
        arguments = {"endpoint": endpoint, "database": database, "login": login, "ca_path": ca_path}
        return cast("Mapping[str, str]", self.call("engine_connection", **arguments))

    def close(self, session: object) -> None:
        """`engine_close`."""
        self.call("engine_close", session=session)


@attrs.frozen
class Plugins:
    """What was loaded, by name, and what could not be."""

    manager: pluggy.PluginManager
    providers: Mapping[str, Provider]
    engines: Mapping[str, Engine]
    listings: tuple[Listing, ...]

    def unavailable(self, name: str) -> str:
        """Why a plugin of this name cannot be used, as a sentence."""
        for listing in self.listings:
            if listing.name == name and listing.unavailable:
                return listing.unavailable
        known = ", ".join(sorted({*self.providers, *self.engines}))
        return f"no plugin named {name!r} is installed (there are: {known}); correct the name or install the plugin"


def load(allow: Collection[str] = (OURS,), found: Iterable[EntryPoint] | None = None) -> Plugins:
    """Load every plugin of the allowed distributions; raises `PluginError`.

    `allow` names distributions; ours is always among them. `found` replaces the installed entry points.
    """
    points = list(entry_points(group=PROJECT) if found is None else found)
    _refuse_doubles(points)
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    listings = [_load_one(manager, point, {OURS, *map(_canonical, allow)}) for point in sorted(points, key=_by_name)]
    _refuse_unknown_hooks(manager)
    providers: dict[str, Provider] = {}
    engines: dict[str, Engine] = {}
    for listing in listings:
        plugin = manager.get_plugin(listing.name)
        if plugin is not None and listing.kind == "provider":
            providers[listing.name] = _checked(listing, Provider(manager, plugin))
        elif plugin is not None and listing.kind == "engine":
            engines[listing.name] = _checked(listing, Engine(manager, plugin))
    infos: dict[str, ProviderInfo | EngineInfo] = {name: provider.info for name, provider in providers.items()}
    infos |= {name: engine.info for name, engine in engines.items()}
    described = [_described(listing, infos.get(listing.name)) for listing in listings]
    return Plugins(manager, providers, engines, tuple(described))


def _by_name(point: EntryPoint) -> str:
    return point.name


def _canonical(distribution: str) -> str:
    return distribution.lower().replace("_", "-")


def _distribution(point: EntryPoint) -> str:
    return _canonical(point.dist.name) if point.dist else "(unknown)"


def _refuse_doubles(points: list[EntryPoint]) -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for point in points:
        owners[point.name].add(_distribution(point))
    for name, distributions in owners.items():
        if OURS in distributions and len(distributions) > 1:
            others = ", ".join(sorted(distributions - {OURS}))
            raise PluginError(f"plugin name {name!r} is built in and cannot be taken by {others}; uninstall it")
        if len(distributions) > 1:
            both = " and ".join(sorted(distributions))
            raise PluginError(f"plugin name {name!r} is claimed by {both}; uninstall one of them")


def _load_one(manager: pluggy.PluginManager, point: EntryPoint, allowed: set[str]) -> Listing:
    distribution = _distribution(point)
    listing = Listing(point.name, "-", distribution, point.dist.version if point.dist else "-")
    if distribution not in allowed:
        way_out = f"not allowed to load; name its distribution in --plugins {distribution} (chart: plugins.allow)"
        return attrs.evolve(listing, unavailable=way_out)
    try:
        plugin = point.load()
    except ImportError as error:
        return attrs.evolve(listing, unavailable=_missing_package(point.name, distribution, error))
    except Exception as error:
        raise PluginError(f"plugin {point.name!r} of {distribution} breaks while it is imported: {error!r}") from error
    kind = _kind(point.name, distribution, plugin)
    with _validated():
        manager.register(plugin, point.name)
    return attrs.evolve(listing, kind=kind)


def _missing_package(name: str, distribution: str, error: ImportError) -> str:
    extra = f"{distribution}[{name}]" if distribution == OURS else distribution
    return f"needs a package that is not installed ({error}); run: pip install '{extra}'"


def _kind(name: str, distribution: str, plugin: object) -> str:
    kinds = [kind for kind in _KINDS if hasattr(plugin, f"{kind}_info")]
    if len(kinds) == 2:
        raise PluginError(f"plugin {name!r} of {distribution} is provider and engine at once; make it two plugins")
    if not kinds:
        return "observer"
    missing = sorted(hook for hook in _hooks(kinds[0]) - OPTIONAL if not hasattr(plugin, hook))
    if missing:
        raise PluginError(f"{kinds[0]} {name!r} of {distribution} does not implement {', '.join(missing)}")
    return kinds[0]


def _hooks(kind: str) -> set[str]:
    functions: list[tuple[str, Callable[..., Any]]] = inspect.getmembers(hookspecs, inspect.isfunction)
    return {name for name, _ in functions if name.startswith(f"{kind}_")}


def _refuse_unknown_hooks(manager: pluggy.PluginManager) -> None:
    with _validated():
        manager.check_pending()


@contextmanager
def _validated() -> Iterator[None]:
    """Turn pluggy's refusal of a hook, unknown by name or by its arguments, into ours."""
    try:
        yield
    except pluggy.PluginValidationError as error:
        sentence = " ".join(str(error).split())
        raise PluginError(f"{sentence}; correct the hook's name or its arguments") from error


def _checked(listing: Listing, handle: H) -> H:
    info = handle.info
    if info.name != listing.name:
        raise PluginError(
            f"plugin {listing.name!r} of {listing.distribution} calls itself {info.name!r}; "
            "give the entry point and the plugin one name"
        )
    if info.spi != SPI_VERSION:
        raise PluginError(
            f"plugin {listing.name!r} of {listing.distribution} was written for SPI {info.spi}, "
            f"this is SPI {SPI_VERSION}; install a version that fits"
        )
    return handle


def _described(listing: Listing, info: ProviderInfo | EngineInfo | None) -> Listing:
    return attrs.evolve(listing, features=tuple(sorted(info.features))) if info else listing
