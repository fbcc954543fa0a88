#!/usr/bin/env python3
"""Wrong input to the program `twinsock`: each gives one `error: ` line that names the offender, and an exit code of its own.

Part of `run.py`; alone it needs no peers.
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness.checks import Check, require, run_checks  # noqa: E402
from harness.processes import Child, end_cleanly_on_sigterm, free_port  # noqa: E402
from harness.programs import BuildFailed, release_binary  # noqa: E402
from harness.tcp_server import Handler, tcp_server  # noqa: E402
from subject import Bench, ended, require_no_panic  # noqa: E402

# Names are looked up for longer than this only where the network is broken.
END_SECONDS = 30
HOLD_SECONDS = 60

HTTP_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n"
HTTP_MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
HTTP_MOVED = b"HTTP/1.1 301 Moved Permanently\r\nLocation: http://127.0.0.1/elsewhere\r\nContent-Length: 0\r\n\r\n"
WRONG_ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
)
SSH_BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
ENDLESS_HEAD = b"HTTP/1.1 101 Switching Protocols\r\n" + b"X-Padding: 0123456789abcdef\r\n" * 100_000


def answer_request(reply: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(reply)

    return handle


def speak_first(banner: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        connection.sendall(banner)
        connection.recv(65536)

    return handle


def close_at_once(_connection: socket.socket) -> None:
    pass


def stay_silent(connection: socket.socket) -> None:
    connection.settimeout(HOLD_SECONDS)
    while connection.recv(65536):
        pass


@dataclass(frozen=True)
class WrongInput:
    """A command line that must fail, and what its error line has to name."""

    name: str
    words: list[str]
    named: str
    seconds: float = END_SECONDS


def expect_error(bench: Bench, wrong: WrongInput) -> str:
    with bench.start(*wrong.words) as program:
        code = ended(program, wrong.seconds, "the program")
        judge(program, code, wrong.named)
        said = "\n".join(f"       {line}" for line in program.stderr().splitlines())
        return f"exit code {code}\n{said}"


def judge(program: Child, code: int, named: str) -> None:
    require_no_panic(program)
    said = f"it said:\n{program.last_lines(12)}"
    require(code != 0, f"the exit code is 0; {said}")
    lines = program.stderr().splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    others = [line for line in lines if not line.startswith(("error: ", "hint: "))]
    require(len(errors) == 1, f"expected one `error: ` line, got {len(errors)}; {said}")
    require(not others, f"lines that are neither `error: ` nor `hint: `; {said}")
    require(named in errors[0], f"the error does not name `{named}`; {said}")
    require(program.stdout() == "", f"standard output is not empty; {said}")


def expect_error_from(bench: Bench, name: str, handle: Handler, *options: str) -> Check:
    def run() -> str:
        with tcp_server(handle) as port:
            wrong = WrongInput(name, ["connect", f"ws://127.0.0.1:{port}/", *options], f"127.0.0.1:{port}")
            return expect_error(bench, wrong)

    return Check(f"wrong input: {name}", run)


def address_in_use(bench: Bench) -> str:
    with tcp_server(close_at_once) as port:
        return expect_error(bench, WrongInput("", ["serve", "--listen", f"127.0.0.1:{port}"], f"127.0.0.1:{port}"))


def command_lines(unused: str) -> list[WrongInput]:
    """Command lines that are wrong in themselves, or lead to nobody. `unused` is an address that refuses connections."""
    return [
        WrongInput("no such host", ["connect", "ws://no-such-host.invalid"], "no-such-host.invalid"),
        WrongInput("refused port", ["connect", f"ws://{unused}"], unused),
        WrongInput("not a URI", ["connect", "not a uri"], "not a uri"),
        WrongInput("empty URI", ["connect", ""], ""),
        WrongInput("no host in the URI", ["connect", "ws://"], "ws://"),
        WrongInput("port out of range", ["connect", "ws://127.0.0.1:65536/"], "ws://127.0.0.1:65536/"),
        WrongInput("fragment in the URI", ["connect", f"ws://{unused}/#part"], f"ws://{unused}/…"),
        WrongInput("scheme http", ["connect", f"http://{unused}/"], f"http://{unused}/"),
        WrongInput("header without colon", ["connect", f"ws://{unused}", "--header", "no colon"], "no colon"),
        WrongInput("header name with a space", ["connect", f"ws://{unused}", "--header", "bad name: x"], "got \"bad\""),
        WrongInput("header of the handshake", ["connect", f"ws://{unused}", "--header", "Sec-WebSocket-Key: x"], "Sec-WebSocket-Key"),
        WrongInput("protocol with a space", ["connect", f"ws://{unused}", "--protocol", "two words"], "two words"),
        WrongInput("protocol given twice", ["connect", f"ws://{unused}", "--protocol", "chat", "--protocol", "chat"], "chat"),
        WrongInput("timeout not a number", ["connect", f"ws://{unused}", "--connect-timeout", "soon"], "soon"),
        WrongInput("negative timeout", ["connect", f"ws://{unused}", "--connect-timeout=-1"], "-1"),
        WrongInput("size not a number", ["connect", f"ws://{unused}", "--max-message-size", "big"], "big"),
        WrongInput("serve: no address", ["serve", "--listen", "nowhere"], "nowhere"),
        WrongInput("serve: foreign address", ["serve", "--listen", "192.0.2.1:0"], "192.0.2.1:0"),
        WrongInput("serve: protocol with a space", ["serve", "--listen", "127.0.0.1:0", "--protocol", "two words"], "two words"),
        WrongInput("unknown option", ["connect", f"ws://{unused}", "--no-such-option"], "--no-such-option"),
    ]


def checks(bench: Bench) -> list[Check]:
    unused = f"127.0.0.1:{free_port()}"
    found = [
        Check(f"wrong input: {wrong.name}", lambda wrong=wrong: expect_error(bench, wrong))
        for wrong in command_lines(unused)
    ]
    return found + [
        expect_error_from(bench, "HTTP server, status 200", answer_request(HTTP_OK)),
        expect_error_from(bench, "HTTP server, status 404", answer_request(HTTP_MISSING)),
        expect_error_from(bench, "HTTP server, status 301", answer_request(HTTP_MOVED)),
        expect_error_from(bench, "wrong Sec-WebSocket-Accept", answer_request(WRONG_ACCEPT)),
        expect_error_from(bench, "response head without end", answer_request(ENDLESS_HEAD)),
        expect_error_from(bench, "SSH server", speak_first(SSH_BANNER)),
        expect_error_from(bench, "server that closes at once", close_at_once),
        expect_error_from(bench, "silent server", stay_silent, "--connect-timeout", "1"),
        Check("wrong input: serve: address in use", lambda: address_in_use(bench)),
    ]


def main() -> int:
    end_cleanly_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, metavar="PATH", help="the program to check (default: built with cargo)")
    chosen = parser.parse_args().program
    try:
        program = chosen or release_binary("twinsock-cli", "twinsock")
    except BuildFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="twinsock-errors-") as folder:
        return run_checks(checks(Bench(program.resolve(), Path(folder))))


if __name__ == "__main__":
    sys.exit(main())
