"""The extension's parameters (RFC 7692 §7.1): as the programs are told them, and as they stand in the header."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

NAME = "permessage-deflate"


@dataclass(frozen=True)
class Parameters:
    """Those of an offer, of an answer, or of what an end is set to."""

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int | None = None
    # True: named without a value, as only an offer may.
    client_max_window_bits: int | bool | None = None

    def text(self) -> str:
        """As they stand in the header behind the extension's name."""
        return "; ".join(
            name if value is True else f"{name}={value}" for name, value in asdict(self).items() if value not in (None, False)
        )

    def options(self) -> str:
        """As the peers' scripts take them."""
        return json.dumps(asdict(self))


def both(bits: int | None, takeover: bool) -> Parameters:
    """The same in both directions."""
    return Parameters(not takeover, not takeover, bits, bits)


def read_header(value: str) -> Parameters:
    """The parameters of a header's only extension, which must be this one."""
    name, *words = [word.strip() for word in value.split(";")]
    if name != NAME:
        raise ValueError(f"expected one {NAME}, got {value!r}")
    found = dict(word.split("=", 1) if "=" in word else (word, True) for word in words)
    if len(found) != len(words) or not found.keys() <= asdict(Parameters()).keys():
        raise ValueError(f"expected each of the parameters at most once, got {value!r}")
    return Parameters(**{key: value if value is True else int(value.strip('"')) for key, value in found.items()})
