"""What is going on when a controller dies: how each story begins, and what must hold at that moment and at the end.

Setting up and setting off are repeated in one world, each time with another number.
"""

from __future__ import annotations

from typing import Any

from dbclaims.core.kinds import CLAIM, ROLE, SECRET

from .world import GRACE, RESYNC, World

ON_DEMAND: dict[str, Any] = {"rotation": {"interval": "0s"}}


class Story:
    """One story; `name` is the claim's."""

    def __init__(self, world: World) -> None:
        self.world, self.name = world, "orders"
        self.before: dict[str, str] = {}

    def prepare(self, number: int) -> None:
        """Bring the world to where the story begins."""
        raise NotImplementedError

    def begin(self, number: int) -> None:
        """Set it off."""
        raise NotImplementedError

    def judge_now(self) -> None:
        """What holds at every moment: a published login works."""
        secret = self.world.secret(self.name)
        assert not secret or self.world.logs_in(secret)

    def judge_end(self) -> None:
        """What holds when all is done: the claim works, with one open login and no password left waiting."""
        assert self.world.is_current(self.name), self.world.status(self.name)
        secret = self.world.secret(self.name)
        assert self.world.logs_in(secret)
        mine = f"{self.world.tag}_{self.name}_"
        assert {name for name in self.world.open_logins() if name.startswith(mine)} == {secret["username"]}
        assert self.world.find(SECRET, self._pending) is None

    @property
    def _pending(self) -> str:
        claim = self.world.find(CLAIM, self.name)
        assert claim is not None
        return f"dbclaims-pending-{claim['metadata']['uid']}"

    def _work(self) -> None:
        """Leave a row, as an application would."""
        self.world.ground.run(self.world.secret(self.name), "CREATE TABLE IF NOT EXISTS kept AS SELECT 'row' AS what")

    def _assert_kept(self) -> None:
        rows = self.world.ground.read(f"{self.world.tag}_{self.name}", "SELECT what FROM kept")
        assert rows == [("row",)]


class Create(Story):
    """A claim is made real."""

    def prepare(self, number: int) -> None:
        self.name = f"c{number}"

    def begin(self, number: int) -> None:
        # MySQL's databases are schemas.
        inside = {"schemas": ["app"]} if self.world.ground.engine == "postgres" else {}
        self.world.claim(self.name, **inside, **ON_DEMAND)


class Rotate(Story):
    """A login is rotated: what was published before and what is published now both work until the grace is over."""

    def prepare(self, number: int) -> None:
        if not self.world.find():
            self.world.claim(**ON_DEMAND)
            self.world.settle()
        self.before = self.world.secret()

    def begin(self, number: int) -> None:
        self.world.annotate(rotate=str(number))

    def judge_now(self) -> None:
        assert self.world.logs_in(self.world.secret())
        assert self.world.logs_in(self.before)

    def judge_end(self) -> None:
        super().judge_end()
        assert self.world.secret()["username"] != self.before["username"]
        assert not self.world.logs_in(self.before)


class Repair(Rotate):
    """A DBA changed the password; the published one is set again."""

    def begin(self, number: int) -> None:
        user = self.before["username"]
        ground = self.world.ground
        ground.read(f"{self.world.tag}_{self.name}", ground.damage.format(user=user))
        self.world.clock.advance((RESYNC * 1.2).total_seconds())

    def judge_now(self) -> None:
        assert self.world.secret() == self.before

    def judge_end(self) -> None:
        Story.judge_end(self)
        assert self.world.secret() == self.before


class Replace(Rotate):
    """Somebody edited the Secret: it is replaced by a rotation."""

    def begin(self, number: int) -> None:
        secret = self.world.find(SECRET, "orders")
        assert secret is not None
        del secret["data"]["uri"]
        self.world.store.replace(SECRET, secret)
        self.world.annotate(rotate=str(number))

    def judge_now(self) -> None:
        assert self.world.logs_in(self.before)


class Close(Rotate):
    """A replaced login's grace is over, and it is closed."""

    def prepare(self, number: int) -> None:
        super().prepare(number)
        self.world.annotate(rotate=str(number))
        self.world.settle()

    def begin(self, number: int) -> None:
        self.world.pass_time(GRACE / 2, steps=2)
        self.world.clock.advance((GRACE * 0.6).total_seconds())

    def judge_now(self) -> None:
        assert self.world.logs_in(self.world.secret())


class Rename(Story):
    """The Secret's name is edited: the old one works for one more grace."""

    def prepare(self, number: int) -> None:
        if not self.world.find():
            self.world.claim(secretName="s", **ON_DEMAND)
            self.world.settle()
        self.name = self._secret_name
        self.before = self.world.secret(self.name)

    def begin(self, number: int) -> None:
        self.world.edit(CLAIM, "orders", secretName=f"s{number}")

    def judge_now(self) -> None:
        assert self.world.logs_in(self.world.secret(self.name))
        renamed = self.world.secret(self._secret_name)
        assert not renamed or self.world.logs_in(renamed)

    def judge_end(self) -> None:
        assert self.world.is_current()
        assert self.world.secret(self._secret_name)["password"] == self.before["password"]
        assert self.world.secret(self.name) == {}

    @property
    def _secret_name(self) -> str:
        claim = self.world.find()
        assert claim is not None
        return str(claim["spec"]["secretName"])


class LetGo(Story):
    """A claim is deleted under Retain: its data stay and nobody logs in."""

    def prepare(self, number: int) -> None:
        self.name = "orders"
        if self.world.find() is None:
            self.world.claim(**ON_DEMAND)
            self.world.settle()
        self._work()

    def begin(self, number: int) -> None:
        self.world.delete()

    def judge_now(self) -> None:
        self._assert_kept()

    def judge_end(self) -> None:
        assert self.world.find() is None
        assert self.world.secret() == {}
        assert self.world.open_logins() == set()
        self._assert_kept()


class TakeBack(LetGo):
    """A claim that was deleted under Retain comes again: its data are there."""

    def prepare(self, number: int) -> None:
        super().prepare(number)
        self.world.delete()
        self.world.settle()
        assert self.world.find() is None

    def begin(self, number: int) -> None:
        self.world.claim(**ON_DEMAND)

    def judge_now(self) -> None:
        self._assert_kept()
        Story.judge_now(self)

    def judge_end(self) -> None:
        Story.judge_end(self)
        self._assert_kept()


class Drop(Story):
    """A claim is deleted under Delete: nothing of it stays."""

    def prepare(self, number: int) -> None:
        self.world.claim(deletionPolicy="Delete", **ON_DEMAND)
        self.world.settle()

    def begin(self, number: int) -> None:
        self.world.delete()

    def judge_now(self) -> None:
        """Nothing is promised of a database that is being dropped."""

    def judge_end(self) -> None:
        assert self.world.find() is None
        assert self.world.databases() == set()
        assert self.world.open_logins() == set()


class RotateRole(Rotate):
    """A RoleClaim's login is rotated."""

    def prepare(self, number: int) -> None:
        if not self.world.find():
            self.world.claim(**ON_DEMAND)
            self.world.create(ROLE, "reports", {"claimRef": {"name": "orders"}, "access": "reader", **ON_DEMAND})
            self.world.settle()
        self.before = self.world.secret("reports")

    def begin(self, number: int) -> None:
        self.world.annotate("reports", ROLE, rotate=str(number))

    def judge_now(self) -> None:
        for secret in (self.before, self.world.secret("reports"), self.world.secret()):
            assert self.world.logs_in(secret)

    def judge_end(self) -> None:
        assert self.world.is_current("reports", ROLE)
        secrets = [self.world.secret(), self.world.secret("reports")]
        assert all(self.world.logs_in(secret) for secret in secrets)
        assert self.world.open_logins() == {secret["username"] for secret in secrets}
        assert secrets[1]["username"] != self.before["username"]


def rest(world: World) -> None:
    """Let the world come to rest: everything is looked at, and then old logins are seen idle for a whole grace."""
    world.settle()
    for minutes in (RESYNC * 1.2, GRACE * 0.2, GRACE * 1.2, GRACE * 0.2):
        world.pass_time(minutes)
