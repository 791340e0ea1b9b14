"""Histories drawn from a seed: people, DBAs, outages and crashes at work on a few claims, and a model of what holds.

The model knows only what people did, never what the controller says, but for one thing: an object that says Ready is
held to it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import attrs

from dbclaims.core.kinds import CLAIM, CLASS, GRANT, ROLE, SECRET
from dbclaims.core.objectstore import Kind, StoreError

from .stories import rest
from .wire import Killed
from .world import NAMESPACE, RESYNC, ROTATION, World

STEPS = 24
CLAIMS = ("ann", "bob", "cid")
NEIGHBOUR = "bi"
STRANGER, SQUATTER = "stranger", "squatter"
_SCHEMAS: tuple[list[str], ...] = (["app"], ["app", "audit"], ["audit", "app"], [])
_INTERVALS = ("0s", "1h", "24h")


@attrs.define
class Wish:
    """What people want of one claim, and what they may rely on.

    Attributes:
        wanted: whether the claim is to be.
        secret: the name of its Secret.
        certain: whether no policy ever allowed to drop its database.
        rows: how many rows an application left in it.
        hurt: whether somebody broke what was published, and nobody has looked since.
    """

    wanted: bool = False
    secret: str = ""
    certain: bool = True
    rows: int = 0
    hurt: bool = False


@attrs.define
class RoleWish:
    """What people want of one RoleClaim."""

    namespace: str
    claim: str
    wanted: bool = False
    hurt: bool = False


class History:
    """One history; `told` is what happened so far."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.told = world, [f"seed {seed}"]
        self._draw = random.Random(seed)
        self._claims = {name: Wish() for name in CLAIMS}
        self._roles = {"reader": RoleWish(NAMESPACE, "ann"), "guest": RoleWish(NEIGHBOUR, "bob")}
        self._granted, self._paused = False, set[str]()
        self._default_policy = "Retain"
        self._tokens = 0
        self._strangers = self._found_strangers()

    def play(self) -> None:
        """Let everything happen, and hold the world to the model after each step and at the end."""
        self.world.settle()
        for _ in range(STEPS):
            self._step()
        self._tell("all is mended")
        self._mend()
        self._judge_end()

    # --- one step ----------------------------------------------------------------------------------------------

    def _step(self) -> None:
        acts: dict[Callable[[], str | None], int] = {
            self._create: 8,
            self._delete: 4,
            self._edit: 5,
            self._rotate: 6,
            self._harm_secret: 3,
            self._meddle: 4,
            self._pause: 2,
            self._outage: 2,
            self._edit_class: 2,
            self._change_role: 5,
            self._change_grant: 2,
            self._squat: 1,
            self._work: 4,
            self._pass_time: 8,
            self._restart: 1,
        }
        (act,) = self._draw.choices(list(acts), list(acts.values()))
        fate = self._draw.randrange(50) if self._draw.random() < 0.35 else None
        if fate is not None:
            self.world.process.calls.arm(fate)
        what = None
        with suppress(Killed):
            what = act()
            self.world.settle()
        self._tell(what or f"nothing to {act.__name__.strip('_')}")
        if died := self.world.process.calls.disarm():
            self._tell(f"the controller died {died}")
        self._judge_now()
        if died:
            self.world.restart()
            with suppress(Killed):
                self.world.settle()
            self._judge_now()

    def _tell(self, what: str) -> None:
        self.told.append(what)

    # --- what people do ----------------------------------------------------------------------------------------

    def _create(self) -> str | None:
        name = self._pick(name for name, wish in self._claims.items() if not wish.wanted and not self._there(name))
        if name is None:
            return None
        wish, policy = self._claims[name], self._draw.choice(["Retain", "Delete", None])
        wish.wanted, wish.secret = True, name
        wish.certain = (policy or self._default_policy) == "Retain"
        rotation = {"interval": self._draw.choice(_INTERVALS)}
        spec: dict[str, Any] = {"schemas": self._draw.choice(_SCHEMAS), "rotation": rotation}
        self.world.claim(name, **spec, **({"deletionPolicy": policy} if policy else {}))
        return f"claim {name} with {policy}"

    def _delete(self) -> str | None:
        name = self._pick(name for name, wish in self._claims.items() if wish.wanted)
        if name is None:
            return None
        wish = self._claims[name]
        wish.wanted = False
        if not wish.certain:
            wish.rows = 0
        for role in self._roles.values():
            role.hurt |= role.claim == name
        self.world.delete(CLAIM, name)
        return f"delete {name}"

    def _edit(self) -> str | None:
        name = self._pick(name for name, wish in self._claims.items() if wish.wanted)
        if name is None:
            return None
        wish = self._claims[name]
        field = self._draw.choice(["schemas", "rotation", "secretName", "deletionPolicy"])
        value: Any = self._draw.choice(_SCHEMAS[:2])
        if field == "rotation":
            value = {"interval": self._draw.choice(_INTERVALS)}
        elif field == "secretName":
            value = wish.secret = f"{name}-{self._draw.randrange(3)}"
        elif field == "deletionPolicy":
            value = self._draw.choice(["Retain", "Delete"])
            wish.certain = value == "Retain"
        self.world.edit(CLAIM, name, **{field: value})
        return f"edit {name}: {field} {value}"

    def _rotate(self) -> str | None:
        objects = [(CLAIM, name, NAMESPACE) for name, wish in self._claims.items() if wish.wanted]
        objects += [(ROLE, name, wish.namespace) for name, wish in self._roles.items() if wish.wanted]
        if not objects:
            return None
        kind, name, namespace = self._draw.choice(objects)
        self._tokens += 1
        patch = {"metadata": {"annotations": {"dbclaims.io/rotate": str(self._tokens)}}}
        self.world.store.patch(kind, namespace, name, patch)
        return f"rotate {name}"

    def _change_role(self) -> str | None:
        name = self._draw.choice(list(self._roles))
        wish = self._roles[name]
        if wish.wanted:
            wish.wanted = False
            self.world.delete(ROLE, name, wish.namespace)
            return f"delete role {name}"
        if self.world.find(ROLE, name, wish.namespace):
            return None
        wish.wanted, access = True, self._draw.choice(["reader", "writer", "owner"] if name == "reader" else ["reader"])
        spec = {"claimRef": {"name": wish.claim, "namespace": NAMESPACE}, "access": access}
        self.world.create(ROLE, name, spec, wish.namespace)
        return f"role {name} as {access}"

    def _change_grant(self) -> str:
        self._granted = not self._granted
        self._roles["guest"].hurt = True
        if self._granted:
            self.world.create(GRANT, "grant", {"from": [{"namespace": NEIGHBOUR}], "access": "writer"})
            return "grant"
        self.world.delete(GRANT, "grant")
        return "withdraw the grant"

    def _pause(self) -> str | None:
        name = self._pick(name for name, wish in self._claims.items() if wish.wanted)
        if name is None:
            return None
        self._paused ^= {name}
        self.world.annotate(name, paused="true" if name in self._paused else None)
        return f"{'pause' if name in self._paused else 'go on with'} {name}"

    def _edit_class(self) -> str:
        self._default_policy = self._draw.choice(["Retain", "Delete"])
        for wish in self._claims.values():
            # A claim that was not bound yet follows its class; whether it was, the model does not know.
            wish.certain &= self._default_policy == "Retain" or not wish.wanted or self._says_retain(wish)
        limit = self._draw.choice([20, 30])
        self.world.edit(CLASS, "shared", deletionPolicy=self._default_policy, connectionLimit=limit, rotation=ROTATION)
        return f"edit the class: {self._default_policy}, {limit} connections"

    def _says_retain(self, wish: Wish) -> bool:
        name = next(name for name, each in self._claims.items() if each is wish)
        claim = self.world.find(CLAIM, name)
        return claim is not None and claim["spec"].get("deletionPolicy") == "Retain"

    def _squat(self) -> str | None:
        """Claim what belongs to somebody else."""
        if self.world.find(CLAIM, SQUATTER):
            return None
        target = self._draw.choice([STRANGER, *CLAIMS])
        if target != STRANGER and not self._ready(CLAIM, target):
            return None
        database = f"{self.world.tag}_{target}"
        self.world.create(
            CLAIM, SQUATTER, {"className": "shared", "databaseName": database, "deletionPolicy": "Delete"}
        )
        return f"squat on {target}"

    # --- what else happens -------------------------------------------------------------------------------------

    def _harm_secret(self) -> str | None:
        name = self._pick(name for name, wish in self._claims.items() if wish.wanted)
        secret = self.world.find(SECRET, self._claims[name].secret) if name else None
        if name is None or secret is None:
            return None
        self._claims[name].hurt = True
        if self._draw.random() < 0.5:
            self.world.delete(SECRET, self._claims[name].secret)
            return f"delete the Secret of {name}"
        secret["data"]["password"] = secret["data"]["username"]
        self.world.store.replace(SECRET, secret)
        return f"edit the Secret of {name}"

    def _meddle(self) -> str | None:
        """What a DBA does behind our back."""
        login = self._pick(sorted(self._our_logins()) if self.world.postgres.running else ())
        if login is None:
            return None
        role = login.rpartition("_")[0]
        statement = self._draw.choice(
            [
                f"ALTER ROLE \"{login}\" PASSWORD 'meddled'",
                f'ALTER ROLE "{login}" NOLOGIN',
                f'ALTER ROLE "{login}" RESET role',
                f'REVOKE "{role}_owner" FROM "{login}"' if "_owner" not in role and role.count("_") == 1 else "SELECT",
            ]
        )
        wishes: list[Wish | RoleWish] = [*self._claims.values(), *self._roles.values()]
        for each in wishes:
            each.hurt = True
        self.world.postgres.execute(statement)
        return statement

    def _outage(self) -> str:
        if self.world.postgres.running:
            self.world.postgres.stop()
            return "the server stops"
        self.world.postgres.start()
        return "the server comes back"

    def _work(self) -> str | None:
        """An application leaves a row."""
        name = self._pick(name for name in CLAIMS if self._is_held_to(CLAIM, name))
        if name is None:
            return None
        with self.world.login(self._published(CLAIM, name)) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS public.kept (number int)")
            connection.execute("INSERT INTO public.kept VALUES (%s)", [self._claims[name].rows])
        self._claims[name].rows += 1
        return f"work in {name}"

    def _pass_time(self) -> str:
        seconds = self._draw.choice([1, 30, 90, 700, 700, 3600, 90000])
        self.world.pass_time(timedelta(seconds=seconds))
        if seconds > RESYNC.total_seconds() * 1.1 and self.world.postgres.running:
            self.world.pass_time(timedelta(seconds=120))
            self._everybody_was_looked_at()
        return f"{seconds} s pass"

    def _restart(self) -> str:
        self.world.restart()
        return "restart"

    def _everybody_was_looked_at(self) -> None:
        """Whatever was broken has been found, unless it was not to be touched."""
        for name, wish in self._claims.items():
            wish.hurt &= name in self._paused
        for role in self._roles.values():
            role.hurt &= role.claim in self._paused

    # --- the model's word --------------------------------------------------------------------------------------

    def _judge_now(self) -> None:
        if not self.world.postgres.running:
            return
        databases = self.world.databases()
        for name, wish in self._claims.items():
            assert not wish.rows or not wish.certain or f"{self.world.tag}_{name}" in databases, f"{name} was dropped"
        for name in CLAIMS:
            if self._is_held_to(CLAIM, name):
                assert self.world.logs_in(self._published(CLAIM, name)), f"claim {name} is Ready and its Secret is not"
        for name in self._roles:
            if self._is_held_to(ROLE, name):
                assert self.world.logs_in(self._published(ROLE, name)), f"role {name} is Ready and its Secret is not"

    def _is_held_to(self, kind: Kind, name: str) -> bool:
        """Whether an object says Ready, and nobody broke it since it was looked at."""
        if not self.world.postgres.running or not self._ready(kind, name):
            return False
        if kind == CLAIM:
            return self._claims[name].wanted and not self._claims[name].hurt
        role = self._roles[name]
        return role.wanted and not role.hurt and self._claims[role.claim].wanted and not self._claims[role.claim].hurt

    def _ready(self, kind: Kind, name: str) -> bool:
        status = self.world.status(name, kind, self._namespace(kind, name))
        return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", ()))

    def _published(self, kind: Kind, name: str) -> dict[str, str]:
        namespace = self._namespace(kind, name)
        return self.world.secret(self.world.status(name, kind, namespace)["secretName"], namespace)

    def _namespace(self, kind: Kind, name: str) -> str:
        return self._roles[name].namespace if kind == ROLE else NAMESPACE

    def _there(self, name: str) -> bool:
        return self.world.find(CLAIM, name) is not None

    def _pick(self, names: Any) -> str | None:
        found = list(names)
        return str(self._draw.choice(found)) if found else None

    # --- the end -----------------------------------------------------------------------------------------------

    def _mend(self) -> None:
        """The server is up, nobody holds anything back, and there is time."""
        if not self.world.postgres.running:
            self.world.postgres.start()
        for name in filter(self._there, CLAIMS):
            self.world.annotate(name, paused=None)
            self.world.edit(CLAIM, name, rotation={"interval": "0s"})
        self.world.edit(CLASS, "shared", rotation={**ROTATION, "interval": "0s"})
        if not self._granted:
            self._change_grant()
        for _ in range(3):
            rest(self.world)

    def _judge_end(self) -> None:
        expected = set()
        for name, wish in self._claims.items():
            self._judge_claim(name, wish)
            if wish.wanted:
                expected.add(self._published(CLAIM, name)["username"])
        for name, role in self._roles.items():
            if role.wanted and self._claims[role.claim].wanted:
                assert self._ready(ROLE, name), (name, self.world.status(name, ROLE, role.namespace))
                secret = self._published(ROLE, name)
                assert self.world.logs_in(secret), f"the role {name} does not log in"
                expected.add(secret["username"])
            elif not role.wanted:
                assert self.world.find(ROLE, name, role.namespace) is None, f"role {name} is still there"
        assert self.world.open_logins() - {f"{self.world.tag}_{STRANGER}"} == expected, (
            "not one open login for each wish"
        )
        assert self._found_strangers() == self._strangers, "a stranger's database was touched"
        if self.world.find(CLAIM, SQUATTER):
            assert not self._ready(CLAIM, SQUATTER), "the squatter got what is another's"

    def _judge_claim(self, name: str, wish: Wish) -> None:
        database = f"{self.world.tag}_{name}"
        if wish.wanted:
            assert self.world.is_current(name), (name, self.world.status(name))
            assert self.world.logs_in(self.world.secret(wish.secret)), f"{name} does not log in"
        else:
            assert not self._there(name), (name, self.world.status(name))
        if wish.rows and wish.certain:
            rows = self.world.postgres.execute("SELECT count(DISTINCT number) FROM public.kept", dbname=database)
            assert rows == [(wish.rows,)], f"{name} lost rows"

    def _our_logins(self) -> set[str]:
        return self.world.open_logins() - {f"{self.world.tag}_{STRANGER}"}

    def _found_strangers(self) -> list[tuple[Any, ...]]:
        """Everything about the stranger's database and login, as the catalogue has it."""
        name = f"{self.world.tag}_{STRANGER}"
        return self.world.postgres.execute(
            "SELECT d.*, a.*, shobj_description(d.oid, 'pg_database') FROM pg_database d JOIN pg_authid a"
            " ON a.oid = d.datdba WHERE d.datname = %s",
            [name],
        )


def found(world: World) -> None:
    """Make the stranger whose database is nobody's business."""
    name = f"{world.tag}_{STRANGER}"
    world.postgres.create_login(name)
    world.postgres.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    with suppress(StoreError):
        world.create(GRANT, "other", {"from": [{"namespace": "elsewhere"}]})
