"""One plugin under proof: found by its name, loaded as the core loads it, and watched at every call."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

import attrs

from dbclaims.core.plugins import Engine, Listing, PluginError, Provider, load
from dbclaims.core.spi import Feature
from dbclaims.core.spi.hookspecs import PROJECT

from .harness import EngineHarness, Harness, HarnessError, ProviderHarness, find
from .recorder import Recorder


@attrs.frozen
class Driver:
    """A plugin with its harness and its recorder."""

    listing: Listing
    plugin: Provider | Engine
    harness: Harness
    recorder: Recorder

    @property
    def features(self) -> frozenset[Feature]:
        """What the plugin declares."""
        return self.plugin.info.features

    @property
    def servers(self) -> tuple[str, ...]:
        """What it is proved on, by name: an engine's servers, the kinds of server of a provider that has several."""
        return tuple(self.harness.servers if isinstance(self.harness, EngineHarness) else self.harness.kinds)


def drive(name: str, others: Collection[str] = ()) -> Driver:
    """Load a plugin by name, with the observers of its own distribution and of `others`.

    Raises `PluginError` and `HarnessError`, each one sentence.
    """
    points = entry_points(group=PROJECT)
    allowed = {_distribution(point) for point in points if point.name == name}
    plugins = load([*allowed, *others])
    recorder = Recorder()
    # Registered last, it is the outermost wrapper: it sees what the core would see.
    plugins.manager.register(recorder, "conformance-recorder")
    plugin = plugins.providers.get(name) or plugins.engines.get(name)
    if plugin is None:
        raise PluginError(plugins.unavailable(name))
    harness = find(name)
    wanted = ProviderHarness if isinstance(plugin, Provider) else EngineHarness
    if not isinstance(harness, wanted):
        raise HarnessError(f"the harness of {name!r} must be of {wanted.__name__}")
    listing = next(listing for listing in plugins.listings if listing.name == name)
    return Driver(listing, plugin, harness, recorder)


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else ""
