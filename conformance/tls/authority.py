"""Certificates for the checks, made on the spot by openssl."""

from __future__ import annotations

from pathlib import Path

from harness.environments import run_quietly

EXTENSIONS = """
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[server]
subjectAltName = DNS:localhost, IP:127.0.0.1
extendedKeyUsage = serverAuth
[elsewhere]
subjectAltName = DNS:elsewhere.example
extendedKeyUsage = serverAuth
[client]
subjectAltName = DNS:client.example
extendedKeyUsage = clientAuth
"""


class Authority:
    """A root with the certificates that it has issued; each is `NAME.pem` with its key `NAME.key`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self._extensions = folder / "extensions.cnf"
        self._extensions.write_text(EXTENSIONS)
        self._key("root", "EC")
        run_quietly([
            "openssl", "req", "-x509", "-new", "-key", self.key("root"), "-out", self.certificate("root"),
            "-days", "30", "-subj", f"/CN=root in {folder.name}",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ])

    def certificate(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def issue(self, name: str, kind: str, sort: str = "EC") -> None:
        """A certificate of the kind of that section, with a key of the sort RSA or EC."""
        self._key(name, sort)
        request = self.folder / f"{name}.csr"
        run_quietly(["openssl", "req", "-new", "-key", self.key(name), "-out", request, "-subj", f"/CN={name}"])
        run_quietly([
            "openssl", "x509", "-req", "-in", request, "-out", self.certificate(name), "-days", "30",
            "-CA", self.certificate("root"), "-CAkey", self.key("root"), "-CAcreateserial",
            "-extfile", self._extensions, "-extensions", kind,
        ])

    def _key(self, name: str, sort: str) -> None:
        how = {
            "EC": ["ecparam", "-name", "prime256v1", "-genkey", "-noout"],
            "RSA": ["genrsa", "-traditional", "2048"],
        }[sort]
        # SEC1 and PKCS#1: the older forms of keys are read too.
        run_quietly(["openssl", how[0], "-out", self.key(name), *how[1:]])
