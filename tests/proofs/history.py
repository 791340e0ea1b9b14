"""Histories drawn from a seed: people, DBAs, outages and crashes at work on a few claims, and a model of what holds.

The model knows only what people did, never what the controller says, but for one thing: an object that says Ready is
held to it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from dbclaims.core.kinds import CLAIM, CLASS, GRANT, ROLE, SECRET

from .model import CLAIMS, NEIGHBOUR, SQUATTER, STRANGER, Model
from .stories import rest
from .wire import Killed
from .world import NAMESPACE, RESYNC, ROTATION, World

STEPS = 24
_SCHEMAS: tuple[list[str], ...] = (["app"], ["app", "audit"], ["audit", "app"], [])
_INTERVALS = ("0s", "1h", "24h")


class History:
    """One history; `told` is what happened so far."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.told = world, [f"seed {seed}"]
        self._draw = random.Random(seed)
        self._model = model = Model(world)
        self._claims, self._roles, self._paused = model.claims, model.roles, model.paused
        self._default_policy = "Retain"
        self._granted, self._tokens = False, 0

    def play(self) -> None:
        """Let everything happen, and hold the world to the model after each step and at the end."""
        self.world.settle()
        for _ in range(STEPS):
            self._step()
        self._tell("all is mended")
        self._mend()
        self._model.judge_end()

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
        self._model.judge()
        if died:
            self.world.restart()
            with suppress(Killed):
                self.world.settle()
            self._model.judge()

    def _tell(self, what: str) -> None:
        self.told.append(what)

    # --- what people do ----------------------------------------------------------------------------------------

    def _create(self) -> str | None:
        name = self._pick(
            name for name, wish in self._claims.items() if not wish.wanted and not self._model.is_there(name)
        )
        if name is None:
            return None
        wish, policy = self._claims[name], self._draw.choice(["Retain", "Delete", None])
        wish.policy, wish.dropped = policy, False
        wish.wanted, wish.secret = True, name
        wish.certain = (policy or self._default_policy) == "Retain"
        rotation = {"interval": self._draw.choice(_INTERVALS)}
        spec: dict[str, Any] = {"schemas": self._draw.choice(_SCHEMAS), "rotation": rotation}
        self.world.claim(name, **spec, **({"deletionPolicy": policy} if policy else {}))
        return f"claim {name} with {policy}"

    def _delete(self) -> str | None:
        name = self._pick(self._model.wanted())
        if name is None:
            return None
        wish = self._claims[name]
        wish.wanted, wish.dropped = False, wish.policy == "Delete" and self._model.says_ready(CLAIM, name)
        if not wish.certain:
            wish.rows = 0
        for role in self._roles.values():
            role.hurt |= role.claim == name
        self.world.delete(CLAIM, name)
        return f"delete {name}"

    def _edit(self) -> str | None:
        name = self._pick(self._model.wanted())
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
            wish.policy, wish.certain = value, value == "Retain"
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
        name = self._pick(self._model.wanted())
        if name is None:
            return None
        self._paused ^= {name}
        self.world.annotate(name, paused="true" if name in self._paused else None)
        return f"{'pause' if name in self._paused else 'go on with'} {name}"

    def _edit_class(self) -> str:
        self._default_policy = self._draw.choice(["Retain", "Delete"])
        for wish in self._claims.values():
            # A claim that was not bound yet follows its class; whether it was, the model does not know.
            wish.certain &= self._default_policy == "Retain" or not wish.wanted or wish.policy == "Retain"
        limit = self._draw.choice([20, 30])
        self.world.edit(CLASS, "shared", deletionPolicy=self._default_policy, connectionLimit=limit, rotation=ROTATION)
        return f"edit the class: {self._default_policy}, {limit} connections"

    def _squat(self) -> str | None:
        """Claim what belongs to somebody else."""
        if self.world.find(CLAIM, SQUATTER):
            return None
        spec = {"className": "shared", "databaseName": f"{self.world.tag}_{STRANGER}", "deletionPolicy": "Delete"}
        self.world.create(CLAIM, SQUATTER, spec)
        return "claim what is a stranger's"

    # --- what else happens -------------------------------------------------------------------------------------

    def _harm_secret(self) -> str | None:
        name = self._pick(self._model.wanted())
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
        login = self._pick(sorted(self._model.logins()) if self.world.postgres.running else ())
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
        self._model.all_were_hurt()
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
        name = self._pick(name for name in CLAIMS if self._model.is_held_to(CLAIM, name))
        if name is None:
            return None
        login, number = self._model.published(CLAIM, name), self._claims[name].rows
        self.world.ground.run(login, "CREATE TABLE IF NOT EXISTS public.kept (number int)")
        self.world.ground.run(login, f"INSERT INTO public.kept VALUES ({number})")
        self._claims[name].rows += 1
        return f"work in {name}"

    def _pick(self, names: Iterable[str]) -> str | None:
        found = list(names)
        return self._draw.choice(found) if found else None

    def _pass_time(self) -> str:
        seconds = self._draw.choice([1, 30, 90, 700, 700, 3600, 90000])
        self.world.pass_time(timedelta(seconds=seconds))
        if seconds > RESYNC.total_seconds() * 1.1 and self.world.postgres.running:
            self.world.pass_time(timedelta(seconds=120))
            self._model.all_were_looked_at()
        return f"{seconds} s pass"

    def _restart(self) -> str:
        self.world.restart()
        return "restart"

    # --- the end -----------------------------------------------------------------------------------------------

    def _mend(self) -> None:
        """The server is up, nobody holds anything back, and there is time."""
        if not self.world.postgres.running:
            self.world.postgres.start()
        for name in filter(self._model.is_there, CLAIMS):
            self.world.annotate(name, paused=None)
            self.world.edit(CLAIM, name, rotation={"interval": "0s"})
        self.world.edit(CLASS, "shared", rotation={**ROTATION, "interval": "0s"})
        if not self._granted:
            self._change_grant()
        for _ in range(3):
            rest(self.world)
