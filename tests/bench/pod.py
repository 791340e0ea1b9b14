"""`dbclaims` as in a pod: the service account's files stand in the folder that the first argument names."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from dbclaims.core import cli
from dbclaims.core.kube import config

if __name__ == "__main__":
    _, folder, *arguments = sys.argv
    config.in_cluster = partial(config.in_cluster, Path(folder))
    sys.exit(cli.main(arguments))
