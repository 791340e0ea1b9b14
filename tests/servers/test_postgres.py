"""PostgresServer is what tests take it for: TLS, SCRAM, a countable log, and faults that are real.

Not covered: PostgreSQL itself.
"""

import tempfile
from pathlib import Path

import psycopg
import pytest

from ..conftest import StartPostgres
from .installation import any_installation
from .pgbouncer import PgBouncer
from .postgres import EXAMPLE_HOST, PostgresServer
from .process import ServerFailed


def test_every_version_is_the_one_that_was_asked_for(postgres: PostgresServer) -> None:
    [(version,)] = postgres.execute("SELECT current_setting('server_version_num')::int / 10000")
    assert version == postgres.installation.major


def test_an_admin_logs_in_with_verify_full_under_the_example_name(postgres: PostgresServer) -> None:
    admin = postgres.create_admin("verify_full_admin")
    with psycopg.connect(postgres.dsn(admin, host=EXAMPLE_HOST, channel_binding="require")) as connection:
        rights = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(rights).fetchone() == (False, True, True)


def test_a_host_name_that_the_certificate_lacks_is_refused(pg: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        psycopg.connect(pg.dsn(host="elsewhere.example.internal"))


def test_the_log_counts_the_statements_and_connections_of_one_application(postgres: PostgresServer) -> None:
    position = postgres.log_position()
    with psycopg.connect(postgres.dsn(application_name="counted here"), autocommit=True) as connection:
        connection.execute("SELECT 1;\nSELECT 2")
        connection.execute("SELECT %s::int", (3,))
    postgres.execute("SELECT 'somebody else'")
    found = postgres.log_since(position).by(application="counted here")
    assert [entry.text for entry in found.statements] == ["SELECT 1;\nSELECT 2", "SELECT $1::int"]
    assert [(entry.user, entry.database) for entry in found.connections] == [("postgres", "postgres")]


def test_a_refused_password_stands_in_the_log_and_the_password_does_not(pg: PostgresServer) -> None:
    account = pg.create_login("refused_login")
    position = pg.log_position()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(pg.dsn(account, password="not the one"))
    assert [entry.user for entry in pg.log_since(position).refusals] == ["refused_login"]
    whole = pg.log_since().text
    assert account.password not in whole
    assert account.password not in repr(account)


def test_a_paused_server_accepts_and_never_answers_until_it_is_resumed(new_postgres: StartPostgres) -> None:
    server = new_postgres()
    server.pause()
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        psycopg.connect(server.dsn(connect_timeout=2))
    server.resume()
    assert server.execute("SELECT 1") == [(1,)]


def test_data_and_port_survive_a_stop_and_a_power_cut(new_postgres: StartPostgres) -> None:
    server = new_postgres(durable=True)
    dsn = server.dsn()
    server.execute("CREATE TABLE kept AS SELECT 1 AS one")
    for end in (server.stop, server.kill):
        end()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(dsn)
        server.start()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_two_servers_share_a_port_on_addresses_of_their_own(new_postgres: StartPostgres) -> None:
    first = new_postgres(host="127.0.77.11")
    second = new_postgres(host="127.0.77.12", port=first.port)
    address = "SELECT host(inet_server_addr()), inet_server_port()"
    assert first.execute(address) == [("127.0.77.11", first.port)]
    assert second.execute(address) == [("127.0.77.12", first.port)]


def test_settings_and_access_lines_win_over_ours(new_postgres: StartPostgres) -> None:
    server = new_postgres(settings={"max_connections": "17"}, access=["host all barred 127.0.0.0/8 reject"])
    assert server.execute("SHOW max_connections") == [("17",)]
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
        psycopg.connect(server.dsn(server.create_login("barred")))


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not tmp_path: the server's unprivileged user cannot pass through pytest's own folders.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr("tempfile.tempdir", folder)
        monkeypatch.setattr("tests.servers.scratch.MEMORY", Path(folder))
        with pytest.raises(ServerFailed, match='unrecognized configuration parameter "no_such_setting"'):
            PostgresServer(any_installation(), settings={"no_such_setting": "1"})
        assert not list(Path(folder).iterdir())


def test_a_closed_server_leaves_no_file_behind() -> None:
    with PostgresServer(any_installation()) as server:
        folder = server.ca_file.parent
        assert folder.exists()
    assert not folder.exists()


def test_a_pooler_moves_one_clients_statements_between_backends(pg: PostgresServer) -> None:
    admin = pg.create_admin("pooled_admin")
    with PgBouncer(pg) as pooler, psycopg.connect(pooler.dsn(admin), autocommit=True) as client:
        with psycopg.connect(pooler.dsn(admin)) as busy:
            busy.execute("SELECT 1")
            client.execute("SELECT 1")
        backends = {client.execute("SELECT pg_backend_pid()").fetchone() for _ in range(4)}
    assert len(backends) == 2
