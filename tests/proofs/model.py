"""What must hold in a history: it knows what people did, and holds every object that says Ready to its word."""

from __future__ import annotations

from typing import Any

import attrs

from dbclaims.core.kinds import CLAIM, ROLE
from dbclaims.core.objectstore import Kind

from .world import NAMESPACE, World

CLAIMS = ("ann", "bob", "cid")
NEIGHBOUR = "bi"
STRANGER, SQUATTER = "stranger", "squatter"
"""A database that is nobody's business, and the claim that wants it all the same."""


@attrs.define
class Wish:
    """What people want of one claim, and what they may rely on.

    Attributes:
        wanted: whether the claim is to be.
        secret: the name of its Secret.
        policy: its own deletion policy, if it has one.
        certain: whether no policy ever allowed to drop its database.
        dropped: whether it worked and was deleted under Delete.
        rows: how many rows an application left in it.
        hurt: whether somebody broke what was published, and nobody has looked since.
    """

    wanted: bool = False
    secret: str = ""
    policy: str | None = None
    certain: bool = True
    dropped: bool = False
    rows: int = 0
    hurt: bool = False


@attrs.define
class RoleWish:
    """What people want of one RoleClaim."""

    namespace: str
    claim: str
    wanted: bool = False
    hurt: bool = False


class Model:
    """What people want, beside the world in which it is to come true.

    Attributes:
        claims: by name.
        roles: RoleClaims by name.
        paused: claims that nobody may touch.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.claims = {name: Wish() for name in CLAIMS}
        self.roles = {"reader": RoleWish(NAMESPACE, "ann"), "guest": RoleWish(NEIGHBOUR, "bob")}
        self.paused = set[str]()
        self._stranger = f"{world.tag}_{STRANGER}"
        world.postgres.create_login(self._stranger)
        world.postgres.execute(f'CREATE DATABASE "{self._stranger}" OWNER "{self._stranger}"')
        self._strangers = self._found_strangers()

    # --- what is known -----------------------------------------------------------------------------------------

    def wanted(self) -> list[str]:
        """The claims that are to be."""
        return [name for name, wish in self.claims.items() if wish.wanted]

    def is_there(self, name: str) -> bool:
        """Whether a claim is stored."""
        return self._world.find(CLAIM, name) is not None

    def says_ready(self, kind: Kind, name: str) -> bool:
        """Whether an object says that its login works."""
        status = self._world.status(name, kind, self._namespace(kind, name))
        return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", ()))

    def is_held_to(self, kind: Kind, name: str) -> bool:
        """Whether an object says Ready, and nobody broke it since it was looked at."""
        if not self._world.postgres.running or not self.says_ready(kind, name):
            return False
        claim = self.claims[name if kind == CLAIM else self.roles[name].claim]
        role = self.roles[name] if kind == ROLE else claim
        return claim.wanted and role.wanted and not claim.hurt and not role.hurt

    def published(self, kind: Kind, name: str) -> dict[str, str]:
        """The Secret that an object's status names."""
        namespace = self._namespace(kind, name)
        return self._world.secret(self._world.status(name, kind, namespace)["secretName"], namespace)

    def logins(self) -> set[str]:
        """The logins of our claims that are open in the server."""
        return self._world.open_logins() - {self._stranger}

    # --- what happened -----------------------------------------------------------------------------------------

    def all_were_hurt(self) -> None:
        """Somebody broke something."""
        for wish in self.claims.values():
            wish.hurt = True
        for role in self.roles.values():
            role.hurt = True

    def all_were_looked_at(self) -> None:
        """Whatever was broken has been found, unless it was not to be touched."""
        for name, wish in self.claims.items():
            wish.hurt &= name in self.paused
        for role in self.roles.values():
            role.hurt &= role.claim in self.paused

    # --- what must hold ----------------------------------------------------------------------------------------

    def judge(self) -> None:
        """At every moment: nothing is lost under Retain, and whoever says Ready has a Secret that logs in."""
        if not self._world.postgres.running:
            return
        databases = self._world.databases()
        for name, wish in self.claims.items():
            assert not wish.rows or not wish.certain or self._database(name) in databases, f"{name} was dropped"
        for kind, names in ((CLAIM, self.claims), (ROLE, self.roles)):
            for name in filter(lambda each, kind=kind: self.is_held_to(kind, each), names):
                works = self._world.logs_in(self.published(kind, name))
                assert works, f"{kind.kind} {name} is Ready and its Secret does not log in"

    def judge_end(self) -> None:
        """When all is done: every wish is true, and nothing else is open or touched."""
        for name, wish in self.claims.items():
            self._judge_claim(name, wish)
        for name, role in self.roles.items():
            self._judge_role(name, role)
        working = [(CLAIM, name) for name in self.wanted()]
        working += [(ROLE, name) for name, role in self.roles.items() if role.wanted and self.claims[role.claim].wanted]
        expected = {self.published(kind, name)["username"] for kind, name in working}
        assert self.logins() == expected, "not one open login for each wish"
        assert self._found_strangers() == self._strangers, "a stranger's database was touched"
        if self.is_there(SQUATTER):
            assert not self.says_ready(CLAIM, SQUATTER), "the squatter got what is another's"

    def _judge_claim(self, name: str, wish: Wish) -> None:
        if wish.wanted:
            assert self._world.is_current(name), (name, self._world.status(name))
            assert self._world.logs_in(self._world.secret(wish.secret)), f"{name} does not log in"
        else:
            assert not self.is_there(name), (name, self._world.status(name))
        if wish.rows and wish.certain:
            count = "SELECT count(DISTINCT number) FROM public.kept"
            assert self._world.postgres.execute(count, dbname=self._database(name)) == [(wish.rows,)], (
                f"{name} lost rows"
            )
        assert not wish.dropped or self._database(name) not in self._world.databases(), f"{name} was not dropped"

    def _judge_role(self, name: str, role: RoleWish) -> None:
        if not role.wanted:
            assert self._world.find(ROLE, name, role.namespace) is None, f"role {name} is still there"
        elif self.claims[role.claim].wanted:
            assert self.says_ready(ROLE, name), (name, self._world.status(name, ROLE, role.namespace))
            assert self._world.logs_in(self.published(ROLE, name)), f"role {name} does not log in"

    def _namespace(self, kind: Kind, name: str) -> str:
        return self.roles[name].namespace if kind == ROLE else NAMESPACE

    def _database(self, name: str) -> str:
        return f"{self._world.tag}_{name}"

    def _found_strangers(self) -> list[tuple[Any, ...]]:
        """Everything about the stranger's database and login, as the catalogue has it."""
        return self._world.postgres.execute(
            "SELECT d.*, a.*, shobj_description(d.oid, 'pg_database') FROM pg_database d JOIN pg_authid a"
            " ON a.oid = d.datdba WHERE d.datname = %s",
            [self._stranger],
        )
