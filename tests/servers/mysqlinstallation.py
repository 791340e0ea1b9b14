"""MySQL and MariaDB binaries, and the data directories that servers start from.

`python -m tests.servers.mysqlinstallation` fetches what is not here yet.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from attrs import frozen

from ..parts import MissingPart, locked, public_cache_dir
from .debian import Tree, tree
from .process import server_user

SOURCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "9.7": ("sid", "mysql-server-core"),
        "mariadb-10.11": ("bookworm", "mariadb-server-core"),
        "mariadb-11.8": ("sid", "mariadb-server-core"),
    }
)
"""Suite and package of each version that the tests know."""

# A server of a few megabytes: no redo log, temporary or system tablespace of the usual size.
SMALL = (
    "--no-defaults",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-buffer-size=1M",
    "--innodb-flush-log-at-trx-commit=0",
)


@frozen
class MySQLInstallation:
    """One MySQL or MariaDB on this machine.

    Attributes:
        version: as the tests name it: `9.7`, `mariadb-10.11`.
        tree: its programs.
    """

    version: str
    tree: Tree

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB."""
        return self.version.startswith("mariadb")

    @property
    def command(self) -> list[str]:
        """How to run the server, with the places of what belongs to it."""
        usr = self.tree.root / "usr"
        program = "usr/sbin/mariadbd" if self.is_mariadb else "usr/sbin/mysqld"
        places = [f"--basedir={usr}", f"--lc-messages-dir={self._share}", f"--plugin-dir={usr}/lib/mysql/plugin"]
        size = "--innodb-log-file-size=4M" if self.is_mariadb else "--innodb-redo-log-capacity=8M"
        return [*self.tree.command(program), *SMALL, *places, size]

    def initialise(self, data: Path) -> None:
        """Make a new data directory at `data` by copying this installation's template."""
        subprocess.run(["cp", "-a", self._template(), data], check=True)

    @property
    def _share(self) -> Path:
        share = self.tree.root / "usr/share"
        return share / "mariadb" if (share / "mariadb").exists() else share / "mysql"

    def _template(self) -> Path:
        folder = public_cache_dir("mysql")
        template = folder / f"{self.tree.release}-data"
        with locked(folder):
            if not template.exists():
                self._make(template)
        return template

    def _make(self, template: Path) -> None:
        work = Path(tempfile.mkdtemp(prefix="dbclaims-mysql-init-"))
        user, data = server_user(), work / "data"
        if self.is_mariadb:
            data.mkdir()
        for path in (work, data):
            if user and path.exists():
                shutil.chown(path, user)
        how = "--bootstrap" if self.is_mariadb else "--initialize-insecure"
        answer = subprocess.run(
            [*self.command, how, f"--datadir={data}"],
            input=self._system_tables() if self.is_mariadb else b"",
            capture_output=True,
            cwd="/",
            user=user,
            extra_groups=[] if user else None,
        )
        if answer.returncode:
            raise MissingPart(f"{self.version} made no data directory: {answer.stderr.decode()[-500:]}")
        # An interrupted run may have left a half copy, into which cp would copy a second one.
        unfinished = template.with_name(template.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        subprocess.run(["cp", "-a", data, unfinished], check=True)
        unfinished.rename(template)
        shutil.rmtree(work)

    def _system_tables(self) -> bytes:
        """What mariadb-install-db feeds to the server, without its shell."""
        prefix = self._share / ("mariadb" if (self._share / "mariadb_system_tables.sql").exists() else "mysql")
        parts = ("_system_tables.sql", "_performance_tables.sql", "_system_tables_data.sql")
        head = b"create database mysql;\nuse mysql;\nset @auth_root_socket=NULL;\nset @skip_auth_anonymous=1;\n"
        return head + b"".join(Path(f"{prefix}{part}").read_bytes() for part in parts)


def mysql_installation(version: str) -> MySQLInstallation:
    """Return the server of a version, fetched if need be.

    Raises:
        MissingPart: it cannot be had here.
    """
    if version not in SOURCES:
        raise MissingPart(f"MySQL {version} has no source; {', '.join(SOURCES)} have one")
    suite, package = SOURCES[version]
    return MySQLInstallation(version, tree(suite, [package]))


def main() -> None:
    """Fetch every version, one line for each; what cannot be had is named, and its tests say so again."""
    for version in SOURCES:
        try:
            print(f"MySQL {version} in {mysql_installation(version).tree.root}", flush=True)
        except MissingPart as missing:
            print(f"MySQL {version}: {missing}", flush=True)


if __name__ == "__main__":
    main()
