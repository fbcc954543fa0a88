#!/usr/bin/env python3
"""Makes the Autobahn test suite ready to run.

The suite is a Python 2 program. Its interpreter is the first that works among $PYTHON27, `python2.7` on PATH,
pyenv's 2.7, and Debian bullseye's packages, which are unpacked beside the environment and not installed.
Everything lives under $AUTOBAHN_HOME (default ~/.cache/twinsock-autobahn). Run as a program, it prints the
interpreter in use; `--python` restricts the choice.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness.environments import (  # noqa: E402
    SetupFailed, cache_folder, locked, make_virtual_environment, run_quietly, say,
)

REQUIREMENTS = HERE / "requirements.txt"
VIRTUALENV = "virtualenv==20.15.1"  # no later release makes environments for Python 2.7

DEBIAN_RELEASE = "bullseye"  # the last release with Python 2.7
DEBIAN_MIRROR = "http://deb.debian.org/debian"
DEBIAN_PACKAGES = (
    "python2.7", "python2.7-minimal", "libpython2.7", "libpython2.7-minimal", "libpython2.7-stdlib",
    "libpython2.7-dev", "libssl1.1", "libffi7",
)


@dataclass(frozen=True)
class Interpreter:
    """A Python 2.7 and what has to be in its environment for it to run and to compile extensions."""

    path: str
    environment: dict[str, str]

    def works(self) -> bool:
        probe = "import sys, ssl, zlib, ctypes; sys.exit(sys.version_info[:2] != (2, 7))"
        try:
            return subprocess.run(
                [self.path, "-c", probe], env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            ).returncode == 0
        except OSError:
            return False


@dataclass(frozen=True)
class Suite:
    """An installed suite."""

    python: str
    environment: dict[str, str]
    case_ids: list[str]

    def command(self, mode: str, specification: Path) -> list[str]:
        wstest = Path(self.python).with_name("wstest")
        # Without `-u 0` the suite also opens a web server on port 8080.
        return [self.python, "-u", str(wstest), "-m", mode, "-s", str(specification), "-u", "0"]

    def works(self) -> bool:
        return Interpreter(self.python, self.environment).works()


def named_interpreters() -> list[str]:
    return [os.environ.get("PYTHON27", "")]


def interpreters_on_path() -> list[str]:
    return [shutil.which("python2.7") or ""]


def pyenv_interpreters() -> list[str]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return [str(path) for path in sorted(root.glob("versions/2.7.*/bin/python2.7"), reverse=True)]


INSTALLED = {"named": named_interpreters, "path": interpreters_on_path, "pyenv": pyenv_interpreters}
SOURCES = [*INSTALLED, "debian"]


def debian_mirrors() -> list[str]:
    """The mirrors that this machine's apt uses, then the general one."""
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)"]
    try:
        lines = [line.split() for line in run_quietly(command).splitlines()]
    except SetupFailed:
        lines = []
    own = [words[2].rstrip("/") for words in lines if words[:2] == ["Debian", "Debian"] and len(words) == 3]
    return list(dict.fromkeys([*own, DEBIAN_MIRROR]))


def unpack_from_debian(home: Path) -> Interpreter:
    """Downloads the packages with apt, which checks their signatures, into folders of their own and unpacks them."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise SetupFailed(f"{tool} is not on this machine")
    base = home / "debian"
    shutil.rmtree(base, ignore_errors=True)
    folders = {name: base / name for name in ("lists", "cache", "packages", "root")}
    for folder in (folders["lists"] / "partial", folders["cache"] / "archives/partial", folders["packages"], folders["root"]):
        folder.mkdir(parents=True)

    sources = base / "sources.list"
    settings = {
        "Dir::Etc::sourcelist": sources, "Dir::Etc::sourceparts": "/dev/null", "Dir::State::lists": folders["lists"],
        "Dir::Cache": folders["cache"], "APT::Get::List-Cleanup": "0",
        "APT::Update::Post-Invoke": "", "APT::Update::Post-Invoke-Success": "",
    }
    if os.geteuid() == 0:
        settings["APT::Sandbox::User"] = "root"
    apt = ["apt-get", "-qq", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]

    complaints = []
    for mirror in debian_mirrors():
        say(f"fetching Python 2.7 of Debian {DEBIAN_RELEASE} from {mirror}")
        keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
        sources.write_text(f"deb [signed-by={keyring}] {mirror} {DEBIAN_RELEASE} main\n")
        try:
            run_quietly([*apt, "update"])
            run_quietly([*apt, "download", *DEBIAN_PACKAGES], folder=folders["packages"])
            break
        except SetupFailed as failure:
            complaints.append(str(failure))
    else:
        raise SetupFailed("\n".join(complaints))
    for package in sorted(folders["packages"].glob("*.deb")):
        run_quietly(["dpkg-deb", "--extract", package, folders["root"]])

    usr = folders["root"] / "usr"
    libraries = next(iter(sorted(usr.glob("lib/*-linux-gnu*"))), usr / "lib")
    headers = usr / "include"
    return Interpreter(str(usr / "bin/python2.7"), {
        "LD_LIBRARY_PATH": str(libraries),
        "C_INCLUDE_PATH": f"{headers / 'python2.7'}:{headers}",
        "LIBRARY_PATH": str(libraries),
    })


def find_interpreter(home: Path, sources: list[str]) -> Interpreter:
    for source in sources:
        if source == "debian":
            continue
        for path in filter(None, INSTALLED[source]()):
            found = Interpreter(path, {})
            if found.works():
                return found
    if "debian" in sources:
        found = unpack_from_debian(home)
        if found.works():
            return found
        raise SetupFailed(f"the unpacked {found.path} does not run")
    raise SetupFailed("no Python 2.7 found; set PYTHON27 to one")


def install(home: Path, folder: Path, interpreter: Interpreter) -> Suite:
    say(f"installing the Autobahn suite for {interpreter.path}")
    tool = home / "virtualenv"
    make_virtual_environment(tool)
    run_quietly([tool / "bin/pip", "install", "--quiet", VIRTUALENV])
    shutil.rmtree(folder, ignore_errors=True)
    run_quietly([tool / "bin/virtualenv", "--quiet", "--python", interpreter.path, folder], interpreter.environment)

    python = folder / "bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--requirement"]
    try:
        run_quietly([*pip, REQUIREMENTS], interpreter.environment)
    except SetupFailed as failure:
        say(f"{failure}\nonce more without the part that needs a C compiler; the limits group (9.*) will be slow")
        without = folder / "requirements-without-compiler.txt"
        pins = REQUIREMENTS.read_text().splitlines()
        without.write_text("\n".join(pin for pin in pins if not pin.startswith("wsaccel")) + "\n")
        run_quietly([*pip, without], interpreter.environment)

    # Asked of the suite itself, so that a case that did not run can be told by name.
    listing = "from autobahntestsuite.case import Cases\nfor case in Cases: print(case.__name__)"
    names = run_quietly([python, "-W", "ignore", "-c", listing], interpreter.environment).split()
    case_ids = [name.removeprefix("Case").replace("_", ".") for name in names]
    return Suite(str(python), interpreter.environment, case_ids)


def ensure(sources: list[str] | None = None) -> Suite:
    """The suite, installed first if it is not there yet."""
    home = cache_folder("AUTOBAHN_HOME", "twinsock-autobahn")
    edition = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = home / "-".join(["suite", edition, *(sources or [])])
    record = folder / "suite.json"
    with locked(home):
        if record.exists():
            suite = Suite(**json.loads(record.read_text()))
            if suite.works():
                return suite
        suite = install(home, folder, find_interpreter(home, sources or SOURCES))
        record.write_text(json.dumps(asdict(suite)))
        return suite


def main() -> int:
    parser = argparse.ArgumentParser(description="Installs the Autobahn test suite.")
    parser.add_argument("--python", choices=SOURCES, help="take Python 2.7 from here and nowhere else")
    choice = parser.parse_args().python
    try:
        suite = ensure([choice] if choice else None)
    except SetupFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    print(f"{suite.python}: {len(suite.case_ids)} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
