"""A certificate authority for one test server, made in memory within milliseconds."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)
_CA_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@frozen
class KeyPair:
    """A certificate and its private key, both as PEM.

    Attributes:
        certificate: the certificate.
        key: the private key, unencrypted.
    """

    certificate: bytes
    key: bytes = field(repr=False)


class Authority:
    """An own CA: whoever trusts its `certificate` trusts what it issues, and nothing else does."""

    def __init__(self, name: str = "dbclaims test authority") -> None:
        self._name = _subject(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self._certificate = self._sign(self._name, self._key.public_key(), constraints)

    @property
    def certificate(self) -> bytes:
        """The CA certificate as PEM."""
        return self._certificate.public_bytes(Encoding.PEM)

    def issue(self, *names: str) -> KeyPair:
        """Issue a server certificate for host names and IP addresses; the first is also its common name."""
        key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=False, path_length=None)
        certificate = self._sign(_subject(names[0]), key.public_key(), constraints, [_alternative(n) for n in names])
        return KeyPair(certificate.public_bytes(Encoding.PEM), private_pem(key))

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        constraints: x509.BasicConstraints,
        names: list[x509.GeneralName] | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        builder = builder.not_valid_before(now - _DAY).not_valid_after(now + 30 * _DAY)
        builder = builder.add_extension(constraints, critical=True)
        # Python's ssl in strict mode (3.13) refuses a chain without key identifiers and key usage.
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        if constraints.ca:
            builder = builder.add_extension(_CA_USAGE, critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PEM in SEC 1 form, the one that kube-apiserver reads for service accounts."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
