"""A stand-in for the program `mysql`, on machines without it: reads its option file, runs `-e`, prints rows."""

from __future__ import annotations

import configparser
import sys

import pymysql


def main() -> None:
    """Run one statement as `mysql --defaults-file=F DATABASE --batch --skip-column-names -e SQL` does."""
    options = configparser.ConfigParser(allow_no_value=True, interpolation=None)
    options.read(sys.argv[1].removeprefix("--defaults-file="))
    client = {name: (value or "").strip('"') for name, value in options["client"].items()}
    with pymysql.connect(
        host=client["host"],
        port=int(client["port"]),
        user=client["user"],
        password=client["password"],
        database=sys.argv[2],
        ssl_ca=client["ssl-ca"],
        ssl_verify_identity=True,
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(sys.argv[-1])
        for row in cursor.fetchall():
            print(*("NULL" if cell is None else cell for cell in row), sep="\t")


if __name__ == "__main__":
    main()
