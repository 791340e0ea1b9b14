"""kubectl's own flags: they cannot stand before a plugin's name, so the plugin takes them itself."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError

_FORMS = ("json", "yaml", "name", "wide")
_SECONDS = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


def declare_cluster(parser: ArgumentParser) -> None:
    """Where the API server is, and who asks."""
    group = parser.add_argument_group("cluster")
    group.add_argument("-n", "--namespace", default="", help="the namespace (default: the context's)")
    group.add_argument("--kubeconfig", metavar="FILE", default="", help="the kubeconfig to use")
    group.add_argument("--context", metavar="NAME", default="", help="the kubeconfig's context to use")
    group.add_argument("--cluster", metavar="NAME", default="", help="the kubeconfig's cluster to use")
    group.add_argument("--user", metavar="NAME", default="", help="the kubeconfig's user to use")
    group.add_argument("--as", metavar="USER", dest="as_user", default="", help="act as this user")
    group.add_argument("--as-group", metavar="GROUP", default="", help="act as a member of this group")
    group.add_argument(
        "--request-timeout", metavar="TIME", type=seconds, default=30.0, help="how long one request may take (30s)"
    )
    group.add_argument(
        "-v", "--v", dest="verbosity", metavar="N", type=int, default=0, help="6 and more: tell of each request"
    )
    declare_colour(parser)


def declare_colour(parser: ArgumentParser) -> None:
    """`--color`, which NO_COLOR and a pipe decide otherwise."""
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")


def declare_name(parser: ArgumentParser, what: str = "NAME of a claim, or KIND/NAME") -> None:
    """The one object that a verb is about."""
    parser.add_argument("name", metavar="NAME", help=what)


def declare_output(parser: ArgumentParser, *forms: str) -> None:
    """`-o`; `jsonpath` among the forms takes a template after `=`."""
    shown = "|".join((*forms, "jsonpath=TEMPLATE") if "wide" in forms else forms)

    def read(text: str) -> str:
        if text in ("", *forms) or ("wide" in forms and text.startswith("jsonpath=")):
            return text
        raise ArgumentTypeError(f'unable to match a printer suitable for the output format "{text}", allowed: {shown}')

    parser.add_argument("-o", "--output", metavar=shown, type=read, default="", help="the form of the answer")


def declare_objects(parser: ArgumentParser, what: str) -> None:
    """What the verbs that list several objects share."""
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"{what} (default: all)")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="in every namespace")
    parser.add_argument("--no-headers", action="store_true", help="no line of column names")
    parser.add_argument("--show-labels", action="store_true", help="labels as a further column")
    declare_output(parser, *_FORMS)


def declare_selection(parser: ArgumentParser) -> None:
    """What the API server selects for us."""
    parser.add_argument("-l", "--selector", metavar="LABELS", default="", help="by labels, such as team=shop")
    parser.add_argument("--field-selector", metavar="FIELDS", default="", help="by fields, such as spec.className=x")
    parser.add_argument("-w", "--watch", action="store_true", help="go on with a line for each change")


def declare_files(parser: ArgumentParser) -> None:
    """`-f`: documents that are not applied yet."""
    parser.add_argument(
        "-f",
        "--filename",
        metavar="FILE",
        action="append",
        default=[],
        help="as if this were applied: a file, a folder, or - for the standard input; may be repeated",
    )


def declare_dry_run(parser: ArgumentParser) -> None:
    """`--dry-run`."""
    parser.add_argument(
        "--dry-run",
        choices=("none", "client", "server"),
        default="none",
        help="client: only say what would be written; server: the API server checks it too, and stores nothing",
    )


def declare_timeout(parser: ArgumentParser, default: str) -> None:
    """`--timeout` of the verbs that wait."""
    parser.add_argument(
        "--timeout", metavar="TIME", type=seconds, default=seconds(default), help=f"exit 3 after this ({default})"
    )


def seconds(text: str) -> float:
    """`30`, `30s`, `5m` or `1h30m` in seconds; raises `ArgumentTypeError`, which argparse makes a sentence."""
    found = _SECONDS.fullmatch(text)
    if not text or found is None or not any(found.groups()):
        raise ArgumentTypeError(f'"{text}" is no length of time; write 30s, 5m or 1h')
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return float(3600 * hours + 60 * minutes + rest)
