"""MySQLServer is what tests take it for: TLS, a countable log, and faults that are real. Not covered: MySQL itself."""

import ssl

import pymysql
import pytest

from ..conftest import StartMySQL
from ..parts import MissingPart
from .mysql import MySQLServer
from .mysqlinstallation import mysql_installation
from .mysqllog import GeneralLog


def test_every_version_is_the_one_that_was_asked_for(mysql: MySQLServer) -> None:
    [(version,)] = mysql.execute("SELECT VERSION()")
    assert version.startswith(mysql.installation.version.removeprefix("mariadb-"))
    assert ("MariaDB" in version) == mysql.is_mariadb


def test_an_admin_logs_in_over_tls_and_is_no_superuser(mysql: MySQLServer) -> None:
    with mysql.connect(mysql.create_admin("tls_admin")) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
        assert cursor.fetchall()[0][1]
        with pytest.raises(pymysql.OperationalError):
            cursor.execute("SET GLOBAL max_connections = 5")


def test_a_certificate_of_another_authority_is_refused(mysql: MySQLServer) -> None:
    with pytest.raises(pymysql.OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
        mysql.connect(ssl=ssl.create_default_context())


def test_the_log_counts_the_statements_and_connections_of_one_login(mysql: MySQLServer) -> None:
    account = mysql.create_login("counted")
    position = mysql.log_position()
    with mysql.connect(account) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1,\n 2")
        mysql.execute("SELECT 'somebody else'")
        middle = mysql.log_position()
        cursor.execute("SELECT 3")
    found = mysql.log_since(position).by("counted")
    assert [entry.text for entry in found.statements][-2:] == ["SELECT 1,\n 2", "SELECT 3"]
    assert len(found.connections) == 1
    assert [entry.text for entry in mysql.log_since(middle).by("counted").statements] == ["SELECT 3"]
    assert account.password not in mysql.log_since().text


def test_a_stretch_of_a_log_without_connections_is_empty() -> None:
    assert GeneralLog.parse("", "Tcp port: 1\n\t\t     5 Quit\t\n").statements == ()


def test_data_and_port_survive_a_stop(mysql: MySQLServer, new_mysql: StartMySQL) -> None:
    server = new_mysql(mysql.installation.version)
    server.execute("CREATE DATABASE kept")
    server.stop()
    with pytest.raises(pymysql.OperationalError):
        server.connect()
    server.start()
    assert server.execute("SHOW DATABASES LIKE 'kept'") == (("kept",),)


def test_a_version_that_nobody_offers_is_missing_with_those_that_are() -> None:
    with pytest.raises(MissingPart, match=r"mariadb-11\.8"):
        mysql_installation("5.5")
