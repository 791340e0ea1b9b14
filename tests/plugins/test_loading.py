"""What is loaded, what is refused and in which words, and who is asked when a plugin is called.

The plugins here are installed as pip lays them out; `test_acme.py` has one that pip itself installs.
"""

from __future__ import annotations

import sys
from typing import Any

import attrs
import pytest

from dbclaims.core import spi
from dbclaims.core.plugins import Listing, PluginError, Plugins, load

from .conftest import Stranger

PROVIDER = """
from dbclaims.core import spi

@spi.hookimpl
def provider_info():
    return spi.ProviderInfo("cloud")

@spi.hookimpl
def provider_open(config, secrets):
    return "session of cloud"

@spi.hookimpl
def provider_observe(session, ref):
    return None

@spi.hookimpl
def provider_plan(desired, observed):
    return ()

@spi.hookimpl
def provider_apply(session, ref, action):
    pass
"""
REF = spi.ServerRef("platform", "shared", "uid")


def listed(plugins: Plugins, name: str) -> Listing:
    (listing,) = [each for each in plugins.listings if each.name == name]
    return listing


def refusal(*allow: str) -> str:
    with pytest.raises(PluginError) as caught:
        load(allow)
    return str(caught.value)


# --- what is loaded ----------------------------------------------------------------------------------------------


def test_a_stranger_s_plugin_is_loaded_and_listed_beside_ours(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", PROVIDER, version="3.4")
    plugins = load(["cloud-dist"])
    assert listed(plugins, "cloud") == Listing("cloud", "provider", "cloud-dist", "3.4")
    assert {"cloud", "existing"} <= plugins.providers.keys()
    assert listed(plugins, "existing").distribution == "dbclaims"


def test_a_distribution_is_allowed_however_its_name_is_written(stranger: Stranger) -> None:
    stranger("Cloud-Dist", "cloud", PROVIDER)
    assert "cloud" in load(["cloud_dist"]).providers


def test_an_optional_hook_may_be_missing(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", PROVIDER)
    provider = load(["cloud-dist"]).providers["cloud"]
    assert not provider.has("provider_credentials")
    assert not provider.has("provider_close")


def test_the_features_are_listed_in_order(stranger: Stranger) -> None:
    features = "features=frozenset({spi.Feature.TAGS, spi.Feature.BACKUP})"
    stranger("cloud-dist", "cloud", PROVIDER.replace('"cloud")', f'"cloud", {features})'))
    assert listed(load(["cloud-dist"]), "cloud").features == ("Backup", "Tags")


def test_a_plugin_with_neither_kind_of_info_is_an_observer(stranger: Stranger) -> None:
    stranger("audit-dist", "audit", "told = []\n")
    assert listed(load(["audit-dist"]), "audit").kind == "observer"


# --- what is refused ---------------------------------------------------------------------------------------------


def test_a_distribution_that_is_not_named_is_not_even_imported(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", "raise SystemExit('imported')")
    plugins = load()
    assert "cloud" not in plugins.providers
    sentence = "not allowed to load; name its distribution in --plugins cloud-dist (chart: plugins.allow)"
    assert plugins.unavailable("cloud") == sentence


def test_a_missing_package_makes_a_plugin_unavailable_with_its_pip_line(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", "import no_such_package\n" + PROVIDER)
    plugins = load(["cloud-dist"])
    assert "cloud" not in plugins.providers
    assert "No module named 'no_such_package'" in plugins.unavailable("cloud")
    assert plugins.unavailable("cloud").endswith("run: pip install 'cloud-dist'")


def test_a_missing_extra_of_ours_is_named_in_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("dbclaims.engines.postgres")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    plugins = load()
    assert "postgres" not in plugins.engines
    assert plugins.unavailable("postgres").endswith("run: pip install 'dbclaims[postgres]'")
    assert "existing" in plugins.providers


def test_a_name_that_nobody_has_is_told_with_those_that_there_are() -> None:
    sentence = load().unavailable("exitsing")
    assert sentence.startswith("no plugin named 'exitsing' is installed (there are: aws, existing")


@pytest.mark.parametrize("hook", ["provider_open", "provider_observe", "provider_plan", "provider_apply"])
def test_a_missing_hook_stops_the_start(stranger: Stranger, hook: str) -> None:
    stranger("cloud-dist", "cloud", PROVIDER.replace(f"def {hook}(", "def private("))
    assert refusal("cloud-dist") == f"provider 'cloud' of cloud-dist does not implement {hook}"


def test_every_missing_hook_is_named(stranger: Stranger) -> None:
    source = "from dbclaims.core import spi\n@spi.hookimpl\ndef engine_info(): ...\n"
    stranger("cloud-dist", "cloud", source)
    sentence = refusal("cloud-dist")
    assert sentence.startswith("engine 'cloud' of cloud-dist does not implement engine_apply, engine_connection, ")
    assert "engine_close" not in sentence


def test_a_misspelt_hook_stops_the_start(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", PROVIDER + "\n@spi.hookimpl\ndef provider_credential(session, ref): ...\n")
    sentence = refusal("cloud-dist")
    assert "unknown hook 'provider_credential' in plugin " in sentence
    assert "cloud_dist_cloud" in sentence
    assert "; correct the hook's name" in sentence


def test_a_hook_that_wants_what_nobody_gives_stops_the_start(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", PROVIDER.replace("(session, ref):", "(session, ref, region):"))
    sentence = refusal("cloud-dist")
    assert "'cloud'" in sentence
    assert "{'region'}" in sentence


def test_a_plugin_that_breaks_while_it_is_imported_stops_the_start_with_one_sentence(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", "raise RuntimeError('boom')")
    sentence = refusal("cloud-dist")
    assert "'cloud' of cloud-dist" in sentence
    assert "boom" in sentence


def test_two_distributions_with_one_name_stop_the_start(stranger: Stranger) -> None:
    stranger("one-dist", "cloud", PROVIDER)
    stranger("two-dist", "cloud", PROVIDER)
    assert refusal() == "plugin name 'cloud' is claimed by one-dist and two-dist; uninstall one of them"


def test_a_built_in_name_cannot_be_taken(stranger: Stranger) -> None:
    stranger("cloud-dist", "existing", PROVIDER)
    assert refusal() == "plugin name 'existing' is built in and cannot be taken by cloud-dist; uninstall it"


def test_a_plugin_has_one_name(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", PROVIDER.replace('"cloud"', '"klaud"'))
    sentence = "plugin 'cloud' of cloud-dist calls itself 'klaud'; give the entry point and the plugin one name"
    assert refusal("cloud-dist") == sentence


def test_a_plugin_for_another_spi_stops_the_start(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", PROVIDER.replace('"cloud")', '"cloud", spi=99)'))
    assert refusal("cloud-dist").startswith("plugin 'cloud' of cloud-dist was written for SPI 99, this is SPI 1")


def test_a_plugin_is_one_kind_of_thing(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", PROVIDER + "\n@spi.hookimpl\ndef engine_info(): ...\n")
    assert refusal("cloud-dist") == "plugin 'cloud' of cloud-dist is provider and engine at once; make it two plugins"


# --- who is asked ------------------------------------------------------------------------------------------------

WRAPPER = """
from dbclaims.core import spi
seen = []

@spi.hookimpl(wrapper=True)
def provider_observe(session, ref):
    seen.append((session, ref.name))
    return (yield)
"""


def test_none_does_not_fall_through_to_a_stranger(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", PROVIDER)
    answering = PROVIDER.replace('"cloud"', '"other"').replace("return None", 'return spi.Server(ref, "postgres")')
    stranger("other-dist", "other", answering)
    plugins = load(["cloud-dist", "other-dist"])
    assert plugins.providers["cloud"].observe("session", REF) is None
    assert plugins.providers["other"].observe("session", REF) == spi.Server(REF, "postgres")


def test_a_wrapper_sees_every_call_of_every_plugin(stranger: Stranger) -> None:
    stranger("cloud-dist", "cloud", PROVIDER)
    stranger("other-dist", "other", PROVIDER.replace('"cloud"', '"other"'))
    stranger("audit-dist", "audit", WRAPPER)
    plugins = load(["cloud-dist", "other-dist", "audit-dist"])
    plugins.providers["cloud"].observe("one", REF)
    plugins.providers["other"].observe("two", attrs.evolve(REF, name="b"))
    seen: Any = sys.modules["audit_dist_audit"]
    assert seen.seen == [("one", "shared"), ("two", "b")]


# --- the boundary ------------------------------------------------------------------------------------------------


def test_what_an_author_imports_is_sorted_and_complete() -> None:
    assert spi.__all__ == sorted(spi.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    public = {name for name, value in vars(spi).items() if not name.startswith("_") and not hasattr(value, "__path__")}
    modules = {name for name, value in vars(spi).items() if type(value) is type(sys)}
    assert public - modules == set(spi.__all__)


@pytest.mark.parametrize("name", ["model", "errors", "mark", "features"])
def test_every_public_class_of_the_boundary_is_exported(name: str) -> None:
    module = sys.modules[f"dbclaims.core.spi.{name}"]
    own = [each for each, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    assert [each for each in own if not each.startswith("_") and each not in spi.__all__] == []
