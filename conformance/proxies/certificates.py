"""A certificate authority for one run, and a certificate of its for this machine, made by openssl."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.environments import install_debian_packages, run_quietly

DAYS = "2"
NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"


@dataclass(frozen=True)
class Certificates:
    """Files in PEM: the authority, and a server's certificate with its key, apart and in one file."""

    authority: Path
    certificate: Path
    key: Path
    both: Path


def make_certificates(folder: Path) -> Certificates:
    if shutil.which("openssl") is None:
        install_debian_packages("openssl")
    folder.mkdir()
    made = Certificates(*(folder / name for name in ("ca.pem", "server.pem", "server.key", "both.pem")))
    authority_key, request, extensions = folder / "ca.key", folder / "server.csr", folder / "extensions"
    run_quietly([
        "openssl", "req", "-x509", *NEW_KEY, "-keyout", authority_key, "-out", made.authority, "-days", DAYS,
        "-subj", "/CN=twinsock checks", "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    ])
    run_quietly(["openssl", "req", *NEW_KEY, "-keyout", made.key, "-out", request, "-subj", "/CN=localhost"])
    extensions.write_text(f"basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n{NAMES}\n")
    run_quietly([
        "openssl", "x509", "-req", "-in", request, "-CA", made.authority, "-CAkey", authority_key, "-CAcreateserial",
        "-out", made.certificate, "-days", DAYS, "-extfile", extensions,
    ])
    made.both.write_text(made.certificate.read_text() + made.key.read_text())
    return made
