"""Checks of what the program says and how it ends when a proxy, or what is behind it, does not do as it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from components import FORBIDDEN_HOST, PASSWORD, USER
from harness.checks import Check, require, require_equal
from harness.processes import free_port
from laboratory import USER_INFORMATION, Laboratory
from paths import CREDENTIALS, trust

WRONG = "wr0ng-passw0rd"
NO_HOST = "no-such-host.invalid"
SECONDS = 30.0

# Exit codes of the program.
USAGE, CANNOT_CONNECT, HANDSHAKE_FAILED, TIMED_OUT, TLS_FAILED, PROXY_FAILED = 2, 3, 4, 6, 10, 11


# What depends on where things run.
Told = Callable[[Laboratory], str]


@dataclass(frozen=True)
class Failure:
    """Words that must fail, what the error line has to name, and the exit code."""

    name: str
    code: int
    words: Callable[[Laboratory], list[str]]
    named: Callable[[Laboratory], list[str]]


def squid(lab: Laboratory, method: str, user_information: str = "") -> str:
    return f"http://{user_information}{lab.squid(method).address}"


def dante(lab: Laboratory, method: str, user_information: str = "", scheme: str = "socks5h") -> str:
    return f"{scheme}://{user_information}{lab.dante(method).address}"


def to_server(lab: Laboratory) -> str:
    return f"ws://{lab.server()}/"


def through(proxy: Told, uri: Told = to_server) -> Callable[[Laboratory], list[str]]:
    return lambda lab: [uri(lab), *trust(lab), "--proxy", proxy(lab)]


def credential_failures() -> list[Failure]:
    wrong = f"{USER}:{WRONG}@"
    failures = []
    for method in ("basic", "digest"):
        named = lambda lab, method=method: [lab.squid(method).address]
        for name, user_information in (("no", ""), ("a wrong", wrong)):
            proxy = lambda lab, method=method, given=user_information: squid(lab, method, given)
            failures.append(Failure(f"squid with {method}, {name} password", PROXY_FAILED, through(proxy), named))
    for name, user_information in (("no", ""), ("a wrong", wrong)):
        proxy = lambda lab, given=user_information: dante(lab, "username", given)
        named = lambda lab: [lab.dante("username").address]
        failures.append(Failure(f"dante, {name} password", PROXY_FAILED, through(proxy), named))
    for name, words in (("no", []), ("a wrong", ["--user", f"{USER}:{WRONG}"])):
        failures.append(Failure(
            f"nginx with Basic, {name} password", HANDSHAKE_FAILED,
            lambda lab, words=words: [f"wss://{lab.nginx()}/basic", *trust(lab), *words], lambda lab: [lab.nginx(), "401"],
        ))
        failures.append(Failure(
            f"server with Digest, {name} password", HANDSHAKE_FAILED,
            lambda lab, words=words: [f"ws://{lab.digest_gate()}/", *words], lambda lab: [lab.digest_gate(), "401"],
        ))
    return failures


def destination_failures() -> list[Failure]:
    """What a proxy refuses, and what it cannot reach."""
    own_squid, own_dante = lambda lab: squid(lab, "none"), lambda lab: dante(lab, "none")
    local_dante = lambda lab: dante(lab, "none", scheme="socks5")
    squid_named, dante_named = lambda lab: lab.squid("none").address, lambda lab: lab.dante("none").address
    forbidden = lambda lab: f"ws://127.0.0.1:{lab.forbidden_port}/"
    dead = free_port()
    nobody = lambda _lab: f"ws://127.0.0.1:{dead}/"
    unknown = lambda _lab: f"ws://{NO_HOST}/"
    return [
        Failure("squid, forbidden port", PROXY_FAILED, through(own_squid, forbidden), lambda lab: [squid_named(lab), "403"]),
        Failure(
            "squid, forbidden host", PROXY_FAILED, through(own_squid, lambda _lab: f"wss://{FORBIDDEN_HOST}/"),
            lambda lab: [squid_named(lab), "403"],
        ),
        Failure(
            "squid with basic, forbidden port", PROXY_FAILED,
            through(lambda lab: squid(lab, "basic", f"{USER_INFORMATION}@"), forbidden),
            lambda lab: [lab.squid("basic").address, "403"],
        ),
        Failure("dante, forbidden port", PROXY_FAILED, through(own_dante, forbidden), lambda lab: [dante_named(lab)]),
        Failure("squid, nobody there", PROXY_FAILED, through(own_squid, nobody), lambda lab: [squid_named(lab), "503"]),
        Failure("dante, nobody there", PROXY_FAILED, through(own_dante, nobody), lambda lab: [dante_named(lab)]),
        Failure("squid, no such host", PROXY_FAILED, through(own_squid, unknown), lambda lab: [squid_named(lab)]),
        Failure("dante, no such host there", PROXY_FAILED, through(own_dante, unknown), lambda lab: [dante_named(lab)]),
        Failure("dante, no such host here", CANNOT_CONNECT, through(local_dante, unknown), lambda _lab: [NO_HOST]),
        Failure(
            "nginx, nobody behind it", HANDSHAKE_FAILED, lambda lab: [f"wss://{lab.nginx()}/dead", *trust(lab)],
            lambda lab: [lab.nginx(), "502"],
        ),
    ]


def address_failures() -> list[Failure]:
    """Proxies that are not there, and addresses that are none."""
    dead = free_port()
    failures = [
        Failure(
            f"dead proxy, {scheme}", CANNOT_CONNECT, through(lambda _lab, scheme=scheme: f"{scheme}://127.0.0.1:{dead}"),
            lambda _lab: [f"127.0.0.1:{dead}"],
        )
        for scheme in ("http", "https", "socks5", "socks5h")
    ]
    failures.append(Failure(
        "proxy without an address", CANNOT_CONNECT, through(lambda _lab: f"http://{NO_HOST}:3128"), lambda _lab: [NO_HOST],
    ))
    secret = f"{USER}:{WRONG}@"
    for proxy, named in (
        (f"socks4://{secret}127.0.0.1", "SOCKS4"), (f"ftp://{secret}127.0.0.1", "ftp"), (f"http://{secret}", "host"),
        (f"http://{secret}127.0.0.1:99999", "port"), (f"http://{USER}:{WRONG}/@127.0.0.1", "percent-encoded"),
        ("", "--proxy"),
    ):
        shown = proxy.replace(secret, "").replace(f"{USER}:{WRONG}/@", "…/@")
        failures.append(Failure(
            f"no proxy's address, {shown!r}", USAGE, through(lambda _lab, proxy=proxy: proxy),
            lambda _lab, named=named: [named],
        ))
    return failures


def check(lab: Laboratory, failure: Failure, seconds: float = SECONDS) -> str:
    return judge(lab, failure, ["connect", *failure.words(lab)], seconds)


def judge(lab: Laboratory, failure: Failure, words: list[str], seconds: float) -> str:
    done = lab.program.run(words, seconds=seconds)
    text = done.stderr.decode("utf-8", "replace")
    lines = text.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    said = f"it said: {text!r}"
    require_equal("standard output", b"", done.stdout)
    require(len(errors) == 1, f"expected one `error: ` line, got {len(errors)}; {said}")
    others = [line for line in lines if not line.startswith(("error: ", "hint: "))]
    require(not others, f"lines that are neither `error: ` nor `hint: `; {said}")
    for named in failure.named(lab):
        require(named in errors[0], f"the error does not name `{named}`; {said}")
    require_secrets_kept(text)
    # 101 is a panic.
    is_expected = done.returncode == failure.code
    require(is_expected, f"expected exit code {failure.code or 'of a failure'}, got {done.returncode}; {said}")
    return f"exit code {done.returncode}, {errors[0]}"


def require_secrets_kept(text: str) -> None:
    for secret in (WRONG, PASSWORD, USER_INFORMATION):
        require(secret not in text, f"a password is shown: {text!r}")


def check_verbose(lab: Laboratory) -> str:
    """What `-v` tells shows no password either, neither of a success nor of a failure."""
    shown = []
    for proxy in (squid(lab, "basic", f"{USER_INFORMATION}@"), squid(lab, "digest", f"{USER}:{WRONG}@")):
        done = lab.program.run(["connect", f"ws://{lab.server()}/", "-v", "--proxy", proxy, "--user", CREDENTIALS])
        text = done.stderr.decode("utf-8", "replace")
        require(text != "", "expected `-v` to tell something")
        require_secrets_kept(text)
        shown.append(len(text.splitlines()))
    return f"{shown[0]} lines of a success, {shown[1]} of a failure"


def check_untrusted(lab: Laboratory) -> str:
    """A proxy's certificate is checked like a server's."""
    address = lab.squid_behind_tls()
    words = ["connect", f"ws://{lab.server()}/", "--proxy", f"https://{USER_INFORMATION}@{address}"]
    done = lab.program.run(words)
    text = done.stderr.decode("utf-8", "replace")
    require(text.startswith("error: "), f"expected an error, got {text!r}")
    require_equal("exit code", TLS_FAILED, done.returncode)
    require(address in text, f"the error does not name `{address}`: {text!r}")
    require_secrets_kept(text)
    return f"exit code {done.returncode}, {text.strip()}"


def checks(lab: Laboratory) -> list[Check]:
    failures = credential_failures() + destination_failures() + address_failures()
    return [
        *(Check(f"failure: {failure.name}", lambda failure=failure: check(lab, failure)) for failure in failures),
        Check("failure: a proxy's certificate is not trusted", lambda: check_untrusted(lab)),
        Check("`-v` shows no password", lambda: check_verbose(lab)),
    ]
