"""What every error of RDS means to us, and that none of boto3's comes through as itself."""

from __future__ import annotations

import botocore.exceptions as sdk
import botocore.session
import pytest

from dbclaims.core.spi import InvalidSpec, NotReady, Refused, SPIError, Terminal, Transient, Unreachable, Unsupported
from dbclaims.providers.aws.errors import code_of, mapped, row_of

MODEL = botocore.session.get_session().get_service_model("rds")
CODES = sorted(shape.metadata["error"].get("code", shape.name) for shape in MODEL.error_shapes)


def raised(error: Exception) -> SPIError:
    with pytest.raises(SPIError) as caught, mapped("doing it"):
        raise error
    return caught.value


def client_error(code: str, message: str = "words") -> sdk.ClientError:
    return sdk.ClientError({"Error": {"Code": code, "Message": message}}, "CreateDBInstance")


def test_the_model_is_the_one_that_the_rows_were_written_for() -> None:
    assert len(CODES) >= 150


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_model_has_a_row(code: str) -> None:
    row = row_of(code)
    assert row is not None
    error = raised(client_error(code))
    assert type(error) is row.error
    assert code_of(error) == code


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [
        ("Throttling", Transient, "Throttled"),
        ("ThrottlingException", Transient, "Throttled"),
        ("RequestLimitExceeded", Transient, "Throttled"),
        ("InstanceQuotaExceeded", Transient, "QuotaExceeded"),
        ("QuotaExceeded.DBSecurityGroup", Transient, "QuotaExceeded"),
        ("DBClusterQuotaExceededFault", Transient, "QuotaExceeded"),
        ("InsufficientDBInstanceCapacity", Transient, "CapacityMissing"),
        ("StorageTypeNotAvailableFault", Transient, "CapacityMissing"),
        ("InvalidDBInstanceState", NotReady, "Busy"),
        ("InvalidDBClusterStateFault", NotReady, "Busy"),
        ("InvalidDBParameterGroupState", NotReady, "Busy"),
        ("DBInstanceAlreadyExists", NotReady, "Busy"),
        ("AccessDenied", Refused, "AccessRefused"),
        ("ExpiredToken", Refused, "AccessRefused"),
        ("InvalidClientTokenId", Refused, "AccessRefused"),
        ("KMSKeyNotAccessibleFault", Refused, "AccessRefused"),
        ("DBSubnetGroupNotFoundFault", Terminal, "ReferenceNotFound"),
        ("CertificateNotFound", Terminal, "ReferenceNotFound"),
        ("InvalidParameterValue", InvalidSpec, "InvalidSpec"),
        ("InvalidParameterCombination", InvalidSpec, "InvalidSpec"),
        ("DBSubnetGroupDoesNotCoverEnoughAZs", InvalidSpec, "InvalidSpec"),
        ("InvalidVPCNetworkStateFault", InvalidSpec, "InvalidSpec"),
        ("StorageTypeNotSupported", Unsupported, "Unsupported"),
        ("InternalFailure", Transient, "BackendError"),
        ("ACodeOfTomorrow", Transient, "BackendError"),
    ],
)
def test_a_code_means_what_people_can_do_about_it(code: str, error: type[SPIError], reason: str) -> None:
    found = raised(client_error(code))
    assert (type(found), found.reason) == (error, reason)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (sdk.EndpointConnectionError(endpoint_url="x"), Unreachable),
        (sdk.ConnectTimeoutError(endpoint_url="x"), Unreachable),
        (sdk.ReadTimeoutError(endpoint_url="x"), Unreachable),
        (sdk.ConnectionClosedError(endpoint_url="x"), Unreachable),
        (sdk.SSLError(endpoint_url="x", error=OSError("y")), Unreachable),
        (sdk.ResponseParserError() if hasattr(sdk, "ResponseParserError") else sdk.BotoCoreError(), Transient),
        (sdk.NoCredentialsError(), Refused),
        (sdk.CredentialRetrievalError(provider="p", error_msg="m"), Refused),
        (sdk.ProfileNotFound(profile="p"), InvalidSpec),
        (sdk.NoRegionError(), InvalidSpec),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_the_sdks_own_errors_are_told_apart(given: Exception, error: type[SPIError]) -> None:
    assert type(raised(given)) is error


def test_no_error_class_of_the_sdk_comes_through() -> None:
    classes = [each for each in vars(sdk).values() if isinstance(each, type) and issubclass(each, sdk.BotoCoreError)]
    assert len(classes) > 50
    for each in classes:
        assert isinstance(raised(each.__new__(each)), SPIError), each


def test_a_value_that_the_sdk_refuses_is_not_repeated() -> None:
    report = "Invalid type for parameter MasterUserPassword, value: hunter2"
    error = raised(sdk.ParamValidationError(report=report))
    assert "hunter2" not in str(error)
    assert error.__cause__ is None
