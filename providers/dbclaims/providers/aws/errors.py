"""What an error of AWS means to us: one row for each kind, the first that matches counts.

`mapped` is the only place where boto3's errors become ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as ConnectionFailed,
)

from dbclaims.core.spi import InvalidSpec, NotReady, Refused, SPIError, Terminal, Transient, Unreachable, Unsupported

SLOWLY = 300.0
"""Seconds between attempts where only people or a vendor's stock can help."""


@attrs.frozen
class Row:
    """One kind of error.

    Attributes:
        codes: pattern of the service's codes.
        retry_after: seconds; None for the queue's own backoff.
    """

    codes: str
    error: type[SPIError]
    reason: str | None = None
    retry_after: float | None = None

    def matches(self, code: str) -> bool:
        """Whether the row is about this code."""
        return re.fullmatch(self.codes, code) is not None


ROWS = (
    Row(
        r"Throttl\w*|RequestLimitExceeded|TooManyRequestsException|SlowDown",
        Transient,
        reason="Throttled",
        retry_after=30.0,
    ),
    Row(r"[\w.]*Quota[\w.]*|\w+Limit(Reached|Exceeded)", Transient, reason="QuotaExceeded", retry_after=SLOWLY),
    Row(
        r"Insufficient\w+|InvalidDBClusterCapacityFault|(ProvisionedIops|StorageType)NotAvailable\w+",
        Transient,
        reason="CapacityMissing",
        retry_after=SLOWLY,
    ),
    Row(
        r"AccessDenied\w*|Unauthorized\w*|AuthFailure|InvalidClientTokenId|UnrecognizedClientException|ExpiredToken\w*"
        r"|RequestExpired|SignatureDoesNotMatch|MissingAuthenticationToken|IncompleteSignature|OptInRequired"
        r"|SNSNoAuthorization|IamRoleMissingPermissions|KMSKeyNotAccessibleFault|VpcEncryptionControlViolationException",
        Refused,
        retry_after=60.0,
    ),
    Row(r"InvalidVPCNetworkStateFault|InvalidRestoreFault|InvalidDBSubnetStateFault", InvalidSpec),
    Row(
        r"Invalid\w+State(Fault)?|DBInstanceNotReady|IntegrationConflictOperationFault",
        NotReady,
        reason="Busy",
        retry_after=15.0,
    ),
    # Whose it is, the next look decides: a create whose reply was lost finds itself.
    Row(
        r"\w+AlreadyExists?(Fault)?|\w+AlreadyRegisteredFault|SubnetAlreadyInUse"
        r"|InvalidPermission\.(Duplicate|NotFound)|InvalidSecurityGroupRuleId\.NotFound",
        NotReady,
        reason="Busy",
        retry_after=5.0,
    ),
    Row(r"[\w.]*NotFound(Fault)?", Terminal, reason="ReferenceNotFound", retry_after=30.0),
    Row(r"\w*(NotSupported|Unsupported|NotAllowed)\w*|\w*NotEnabled", Unsupported),
    Row(r"InternalFailure|InternalError|ServiceUnavailable|ServerError", Transient),
    Row(r"Invalid[\w.]+|ValidationError|MissingParameter|\w+DoesNotCoverEnoughAZs", InvalidSpec),
    Row(r"DBUpgradeDependencyFailure|CreateCustomDBEngineVersionFault|SNSInvalidTopic", InvalidSpec),
)

_NO_LOGIN = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    SSOTokenLoadError,
)


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Raise our errors in place of boto3's; `what` names the work, for the sentence."""
    try:
        yield
    except ClientError as error:
        raise of_code(error, what) from error
    except _NO_LOGIN as error:
        message = f"{what}: AWS credentials are missing ({type(error).__name__}); give the controller a role"
        raise Refused(message, retry_after=60.0) from error
    except (ProfileNotFound, NoRegionError) as error:
        raise InvalidSpec(f"{what}: {error}; correct spec.config") from error
    except (ConnectionFailed, HTTPClientError) as error:
        raise Unreachable(f"{what}: AWS did not answer ({type(error).__name__})") from error
    except ParamValidationError:
        # Its text repeats arguments, among them passwords.
        raise InvalidSpec(
            f"{what}: the SDK refuses a value of the spec; see the limits in the provider's page"
        ) from None
    except BotoCoreError as error:
        raise Transient(f"{what}: AWS gave an answer that is none ({type(error).__name__})") from error


def code_of(error: BaseException | None) -> str:
    """The service's code of an error that `mapped` raised, or of boto3's own; empty where there is none."""
    if isinstance(error, SPIError):
        error = error.__cause__
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def of_code(error: ClientError, what: str) -> SPIError:
    """The error that a service's code means; an unknown one may pass by itself."""
    body = error.response.get("Error", {})
    code, message = str(body.get("Code", "")), str(body.get("Message", ""))
    row = row_of(code)
    sentence = f"{what}: {code}: {message}"[:600]
    if row is None:
        return Transient(sentence, retry_after=60.0)
    return row.error(sentence, reason=row.reason, retry_after=row.retry_after)


def row_of(code: str) -> Row | None:
    """The row of a code."""
    return next((row for row in ROWS if row.matches(code)), None)
