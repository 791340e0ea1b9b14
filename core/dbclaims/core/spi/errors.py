"""What a plugin may raise; anything else is a bug of the plugin.

```
SPIError(message, *, reason, retry_after)
├ NotReady            nothing is wrong, look again later
├ Transient           this attempt failed, the next one may not
│  └ Unreachable      the backend did not answer, or not in time
└ Terminal            nothing changes until somebody changes something
   ├ InvalidSpec      the wish itself is wrong
   ├ Unsupported      the backend or the plugin cannot do this
   ├ NotOwned         it exists and belongs to somebody else
   └ Refused          the backend refused our credentials or our rights
```

What the core does with each stands in one table: `dbclaims.core.outcome`.
"""

from __future__ import annotations

from typing import ClassVar


class SPIError(Exception):
    """The root of everything that a plugin may raise.

    Attributes:
        message: one sentence for the person who must act: who, what, the way out. Never a secret.
        reason: a stable CamelCase word; it becomes the condition's reason.
        retry_after: seconds until the next attempt is worth while, or None for the queue's own backoff.
    """

    default_reason: ClassVar[str] = "PluginError"

    def __init__(self, message: str, *, reason: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.retry_after = retry_after


class NotReady(SPIError):
    """Nothing is wrong; the backend is not there yet."""

    default_reason = "NotReady"


class Transient(SPIError):
    """This attempt failed for a reason that may pass by itself."""

    default_reason = "BackendError"


class Unreachable(Transient):
    """The backend did not answer, or not in time: nothing is known about what it holds."""

    default_reason = "BackendUnreachable"


class Terminal(SPIError):
    """No retry will help until the claim, its class, the configuration or the backend is changed."""

    default_reason = "Refused"


class InvalidSpec(Terminal):
    """The wish itself is wrong."""

    default_reason = "InvalidSpec"


class Unsupported(Terminal):
    """The plugin or the backend cannot do what is wished."""

    default_reason = "Unsupported"


class NotOwned(Terminal):
    """It exists and belongs to somebody else; nothing was changed."""

    default_reason = "NameTaken"


class Refused(Terminal):
    """The backend is there and refused our credentials, or a right that we need."""

    default_reason = "AccessRefused"
