"""The certificate authority of one run: it signs for the hosts that the run's program asks for, and for nobody else.

Its key, and the one key of the certificates, are in this process's memory and end with it.
"""

import os
import ssl
from collections import OrderedDict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AGE = timedelta(hours=1)
"""How far before now certificates begin: clocks differ."""
LIFE = timedelta(days=30)
HOSTS = 256
"""Contexts that are kept; the one that was not asked for longest is made anew when it is."""
COMMON_NAME = 64
"""Characters (RFC 5280, ub-common-name)."""


class RunAuthority:
    """Made at the start of a run. `pem` is what its program has to trust."""

    def __init__(self, now: datetime) -> None:
        self._key, self._leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self._now = now
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mutx run: egress gateway")])
        usage = x509.KeyUsage(
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
        own = self._unsigned(self._name, self._key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        own = own.add_extension(usage, critical=True)
        self._certificate = own.sign(self._key, hashes.SHA256())
        self.pem = _pem(self._certificate)
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()

    def context(self, host: str) -> ssl.SSLContext:
        """A server's side of TLS with a certificate for this host, HTTP/1.1 only."""
        found = self._contexts.get(host)
        if found is None:
            found = self._contexts[host] = self._made(host)
            if len(self._contexts) > HOSTS:
                self._contexts.popitem(last=False)
        self._contexts.move_to_end(host)
        return found

    def _made(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        key = self._leaf_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _load(context, key + self._signed(host).encode())
        return context

    def _signed(self, host: str) -> str:
        names: x509.GeneralName = x509.DNSName(host)
        with suppress(ValueError):
            names = x509.IPAddress(ip_address(host))
        shown = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:COMMON_NAME])])
        made = self._unsigned(shown, self._leaf_key.public_key())
        made = made.add_extension(x509.SubjectAlternativeName([names]), critical=False)
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return _pem(made.add_extension(signer, critical=False).sign(self._key, hashes.SHA256()))

    def _unsigned(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        made = made.serial_number(x509.random_serial_number())
        made = made.not_valid_before(self._now - AGE).not_valid_after(self._now + LIFE)
        return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def begin(at: float) -> RunAuthority:
    """`at`: seconds since 1970."""
    return RunAuthority(datetime.fromtimestamp(at, UTC))


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _load(context: ssl.SSLContext, chain: bytes) -> None:
    """OpenSSL reads keys from files only; this one is in memory, and nobody else can open it."""
    place = os.memfd_create("mutx-run", os.MFD_CLOEXEC)
    try:
        os.write(place, chain)
        context.load_cert_chain(f"/proc/self/fd/{place}")
    finally:
        os.close(place)
