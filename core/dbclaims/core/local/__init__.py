"""The local home: the objects as YAML in a directory, their state in SQLite beside it, their Secrets as files.

Not an imitation of the Kubernetes HTTP API: it is the same port (`ObjectStore`), with the same semantics of
generations, finalizers and resource versions, for one process. What a vanished or broken file means: DESIGN.md §6.
"""

from .deletions import request_deletion
from .documents import Problem
from .errors import DirectoryUnreadable, StateInUse, StateUnusable
from .follower import Follower
from .intake import Change
from .proposal import Proposal, propose
from .rehearsal import rehearsal
from .scanner import Scan
from .store import STATE_NAME, LocalStore
from .view import LocalView

__all__ = [
    "STATE_NAME",
    "Change",
    "DirectoryUnreadable",
    "Follower",
    "LocalStore",
    "LocalView",
    "Problem",
    "Proposal",
    "Scan",
    "StateInUse",
    "StateUnusable",
    "propose",
    "rehearsal",
    "request_deletion",
]
