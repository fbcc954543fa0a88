"""The programs between client and server: each a process of its own on a free loopback port.

Configuration, process id and logs are in the run's folder, and nothing of the system's is changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from certificates import Certificates
from harness.environments import SetupFailed, install_debian_packages, run_quietly
from harness.processes import Child, Deadline, free_port, wait_until_listening

HERE = Path(__file__).resolve().parent
START_SECONDS = 30
USER, PASSWORD = "joe", "p@ss:wörd/%"
# Dante asks the system's C library, which takes the password's bytes as they are.
REALM = "twinsock checks"
FORBIDDEN_HOST = "forbidden.example"

PACKAGES = {"squid": "squid", "danted": "dante-server", "nginx": "nginx", "haproxy": "haproxy", "curl": "curl"}


@dataclass(frozen=True)
class Component:
    """A program that runs, and where it listens."""

    child: Child
    port: int
    log: Path | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


def find(program: str) -> str:
    """The program's path; Debian keeps servers where the search path of users does not lead."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    if shutil.which(program, path=places) is None:
        install_debian_packages(PACKAGES[program])
    path = shutil.which(program, path=places)
    if path is None:
        raise SetupFailed(f"{program} is not there, though its package {PACKAGES[program]} was installed")
    return path


def start(command: list[str | Path], folder: Path, port: int, log: Path | None = None) -> Component:
    """Starts the program, and waits until it listens."""
    child = Child([str(word) for word in command], folder / "output.log", folder=folder)
    if not wait_until_listening(port, child, Deadline(START_SECONDS)):
        child.stop()
        logged = log.read_text(errors="replace") if log is not None and log.exists() else ""
        raise SetupFailed(f"{command[0]} does not listen; its last words:\n{child.last_lines(12)}\n{logged[-2000:]}")
    return Component(child, port, log)


def new_folder(parent: Path, name: str) -> Path:
    """A folder that programs may write to that give up their rights as root."""
    folder = parent / name
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def write_password_file(path: Path) -> Path:
    """As nginx and squid read it; made by openssl."""
    hashed = run_quietly(["openssl", "passwd", "-apr1", PASSWORD]).strip()
    path.write_text(f"{USER}:{hashed}\n")
    return path


def digest_file_line() -> str:
    hashed = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
    return f"{USER}:{REALM}:{hashed}\n"


def squid_authentication(folder: Path, method: str) -> str:
    helpers = Path("/usr/lib/squid")
    if method == "basic":
        file = write_password_file(folder / "passwords")
        program = f"{helpers}/basic_ncsa_auth {file}"
    elif method == "digest":
        file = folder / "digests"
        file.write_text(digest_file_line())
        program = f"{helpers}/digest_file_auth -c {file}"
    else:
        return "http_access allow all"
    return (
        f"auth_param {method} program {program}\n"
        f"auth_param {method} children 2\n"
        f"auth_param {method} realm {REALM}\n"
        + ("auth_param basic utf8 off\n" if method == "basic" else "")
        + "acl known proxy_auth REQUIRED\n"
        "http_access allow known\n"
        "http_access deny all"
    )


def squid(parent: Path, method: str, forbidden_port: int) -> Component:
    """Squid with Basic or Digest credentials, or with `none`. It refuses a port and a host."""
    folder, port = new_folder(parent, f"squid-{method}"), free_port()
    log = folder / "access.log"
    configuration = folder / "squid.conf"
    configuration.write_text(f"""
http_port 127.0.0.1:{port}
visible_hostname localhost
pid_filename {folder}/pid
access_log stdio:{log}
cache_log {folder}/cache.log
coredump_dir {folder}
cache deny all
cache_mem 0 MB
pinger_enable off
netdb_filename none
shutdown_lifetime 0 seconds
acl forbidden_port port {forbidden_port}
acl forbidden_host dstdomain {FORBIDDEN_HOST}
http_access deny forbidden_port
http_access deny forbidden_host
{squid_authentication(folder, method)}
""")
    return start([find("squid"), "-N", "-f", configuration], folder, port, log)


def dante(parent: Path, method: str, forbidden_port: int) -> Component:
    """Dante with `username`, which is a password too, or with `none`. It refuses a port.

    Its users are the system's: it gets a mount namespace in which that is one more.
    """
    folder, port = new_folder(parent, f"dante-{method}"), free_port()
    log = folder / "socks.log"
    configuration = folder / "danted.conf"
    configuration.write_text(f"""
logoutput: {log}
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
clientmethod: none
socksmethod: {method}
user.privileged: root
user.unprivileged: nobody
client pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
}}
socks block {{
    from: 127.0.0.0/8 to: 127.0.0.0/8 port = {forbidden_port}
    log: connect error
}}
socks pass {{
    from: 127.0.0.0/8 to: 127.0.0.0/8
    command: connect
    protocol: tcp
    log: connect error
}}
""")
    command: list[str | Path] = [find("danted"), "-f", configuration, "-p", folder / "pid"]
    if method == "username":
        command = with_system_user(folder, command)
    return start(command, folder, port, log)


def with_system_user(folder: Path, command: list[str | Path]) -> list[str | Path]:
    """The command, in a mount namespace whose system has the user."""
    if os.geteuid() != 0:
        raise SetupFailed("Dante's users are the system's: only root can give it some of its own")
    hashed = run_quietly(["openssl", "passwd", "-6", PASSWORD]).strip()
    lines = {"passwd": f"{USER}:x:64999:65534::/nonexistent:/usr/sbin/nologin\n", "shadow": f"{USER}:{hashed}:20000:0:99999:7:::\n"}
    for name, line in lines.items():
        copy = folder / name
        copy.write_text(Path("/etc", name).read_text() + line)
        copy.chmod(0o600 if name == "shadow" else 0o644)
    mounts = " && ".join(f"mount --bind '{folder}/{name}' /etc/{name}" for name in lines)
    return ["unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh", *command]


NGINX = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
    proxy_set_header Host $host;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificates.certificate};
        ssl_certificate_key {certificates.key};
        location / {{ proxy_pass http://{server}; }}
        location /basic {{
            auth_basic "{realm}";
            auth_basic_user_file {passwords};
            proxy_pass http://{server};
        }}
        location /dead {{ proxy_pass http://127.0.0.1:{dead}; }}
    }}
}}
"""


def nginx(parent: Path, certificates: Certificates, server: str) -> Component:
    """nginx ends TLS in front of the server; `/basic` wants credentials, `/dead` leads to nobody."""
    folder, port = new_folder(parent, "nginx"), free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(
        folder=folder, port=port, certificates=certificates, server=server, realm=REALM, dead=free_port(),
        passwords=write_password_file(folder / "passwords"), user="user root;" if os.geteuid() == 0 else "",
    ))
    return start([find("nginx"), "-p", folder, "-c", configuration], folder, port, folder / "error.log")


def haproxy(parent: Path, name: str, certificates: Certificates, server: str) -> Component:
    """HAProxy ends TLS in front of the server: as `http` with all that it does to HTTP, or as `tcp`."""
    folder, port = new_folder(parent, f"haproxy-{name}"), free_port()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(f"""
global
    maxconn 256
defaults
    mode {name}
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 600s
frontend front
    bind 127.0.0.1:{port} ssl crt {certificates.both}
    default_backend back
backend back
    server server {server}
""")
    return start([find("haproxy"), "-db", "-f", configuration], folder, port)


def digest_gate(parent: Path, server: str) -> Component:
    """A small server that wants Digest credentials (RFC 7616), in front of the server."""
    folder, port = new_folder(parent, "digest-gate"), free_port()
    words = [str(port), server, USER, PASSWORD, REALM]
    return start([sys.executable, HERE / "digest_gate.py", *words], folder, port)
