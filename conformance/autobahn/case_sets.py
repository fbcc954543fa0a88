"""Which of the suite's cases to run."""

from __future__ import annotations

import fnmatch

# Group 9 (limits) is left to `plain`: it takes as long as all of `basic`. 12 and 13 are compression.
BASIC = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
PLAIN = [*BASIC, "9.*"]
# Each content and each offer, in messages of up to 4 KiB, and once in the largest ones in fragments.
DAILY = [*PLAIN, "12.*.[1-5]", "13.*.[1-5]", "12.1.18", "13.7.18"]
NAMED_SETS = {"basic": BASIC, "plain": PLAIN, "deflate": ["12.*", "13.*"], "daily": DAILY, "all": ["*"]}


def patterns(words: list[str]) -> list[str]:
    """Spells out named sets; everything else is a pattern already. Commas separate as spaces do."""
    parts = [part for word in words for part in word.replace(",", " ").split()]
    return [pattern for part in parts for pattern in NAMED_SETS.get(part, [part])]


def select(case_ids: list[str], chosen: list[str], excluded: list[str]) -> list[str]:
    """The cases whose whole id matches a chosen pattern and no excluded one, in the suite's order."""

    def matches(case_id: str, candidates: list[str]) -> bool:
        return any(fnmatch.fnmatchcase(case_id, candidate) for candidate in candidates)

    return [case_id for case_id in case_ids if matches(case_id, chosen) and not matches(case_id, excluded)]


def deal(case_ids: list[str], hands: int) -> list[list[str]]:
    """The cases in so many hands, none empty. Dealt forth and back: a group's cases get slower to its end."""
    turns = [*range(hands), *reversed(range(hands))]
    dealt: list[list[str]] = [[] for _ in range(hands)]
    for place, case_id in enumerate(case_ids):
        dealt[turns[place % len(turns)]].append(case_id)
    return [hand for hand in dealt if hand]
