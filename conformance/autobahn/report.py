"""Reads the reports that the suite leaves and judges them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ALWAYS_WRONG = {"FAILED"}
WRONG_WHEN_STRICT = {"NON-STRICT", "UNIMPLEMENTED"}
CLOSE_ALWAYS_WRONG = {"FAILED", "WRONG CODE", "UNCLEAN"}
CLOSE_WRONG_WHEN_STRICT = {"FAILED BY CLIENT"}

LISTED_FAILURES = 40
# A case that never got past the handshake has the time of its end as its duration.
LONGEST_DURATION = 24 * 3600 * 1000


class ReportUnreadable(Exception):
    """There is no report, or it is not what the suite writes."""


@dataclass(frozen=True)
class Strictness:
    """What counts as a failure beyond the suite's own FAILED."""

    strict: bool
    codes: bool


@dataclass(frozen=True)
class CaseReport:
    """What the suite noted on one case."""

    case_id: str
    behavior: str
    close: str
    milliseconds: int
    result: str
    close_result: str
    told_code: int | None
    awaited_codes: list[int]
    path: Path

    @property
    def must_fail_connection(self) -> bool:
        """Whether the peer under test had to fail the connection, which includes telling why in a Close frame.

        The suite itself accepts it there when the peer just drops the connection.
        """
        return bool(self.awaited_codes)

    @property
    def told_right_code(self) -> bool:
        return self.told_code in self.awaited_codes

    def complaints(self, strictness: Strictness) -> list[str]:
        found = []
        if self.behavior in ALWAYS_WRONG or strictness.strict and self.behavior in WRONG_WHEN_STRICT:
            found.append(f"{self.behavior}: {self.result}")
        if self.close in CLOSE_ALWAYS_WRONG or strictness.strict and self.close in CLOSE_WRONG_WHEN_STRICT:
            found.append(f"close {self.close}: {self.close_result}")
        if strictness.codes and self.must_fail_connection and not self.told_right_code:
            wanted = " or ".join(map(str, self.awaited_codes))
            found.append(f"close code: expected {wanted}, got {self.told_code or 'none'}")
        return found

    def is_spotless(self) -> bool:
        return self.behavior == "INFORMATIONAL" or (self.behavior, self.close) == ("OK", "OK")


def awaited_codes(detail: dict) -> list[int]:
    """The close codes that are right in a case where the peer has to fail the connection; empty in others."""
    expected = detail.get("expectedClose") or {}
    codes = expected.get("closeCode") or []
    ends_normally = expected.get("requireClean") or 1000 in codes
    return [] if ends_normally or detail["behavior"] == "INFORMATIONAL" else codes


def read(folder: Path, agent: str) -> dict[str, CaseReport]:
    """The reports on one agent by case id."""
    try:
        index = json.loads((folder / "index.json").read_text())
        return {case_id: read_case(folder, case_id, entry) for case_id, entry in index.get(agent, {}).items()}
    except (OSError, ValueError, KeyError) as error:
        raise ReportUnreadable(f"no report of the suite in {folder}: {error}") from error


def read_case(folder: Path, case_id: str, entry: dict) -> CaseReport:
    path = folder / entry["reportfile"]
    detail = json.loads(path.read_text())
    return CaseReport(
        case_id=case_id,
        behavior=entry["behavior"],
        close=entry["behaviorClose"],
        milliseconds=entry["duration"],
        result=detail["result"],
        close_result=detail["resultClose"],
        told_code=entry["remoteCloseCode"],
        awaited_codes=awaited_codes(detail),
        path=path,
    )


def totals(values: list[str]) -> str:
    return ", ".join(f"{count} {value}" for value, count in Counter(values).most_common()) or "none"


def print_summary(agent: str, planned: list[str], reports: dict[str, CaseReport], strictness: Strictness) -> int:
    """Prints totals, deviations and failures; returns how many of the planned cases failed."""
    done = [reports[case_id] for case_id in planned if case_id in reports]
    missing = [case_id for case_id in planned if case_id not in reports]
    failed = {report.case_id: complaints for report in done if (complaints := report.complaints(strictness))}

    if not planned:
        return 0
    seconds = sum(report.milliseconds for report in done if report.milliseconds < LONGEST_DURATION) / 1000
    print(f"{agent}: {len(done)} of {len(planned)} cases in {seconds:.1f} s")
    print(f"  behavior: {totals([report.behavior for report in done])}")
    print(f"  close: {totals([report.close for report in done])}")
    to_fail = [report for report in done if report.must_fail_connection]
    told = sum(report.told_right_code for report in to_fail)
    print(f"  right close code told: {told} of {len(to_fail)} times that the peer had to fail the connection")

    tolerated = [report for report in done if report.case_id not in failed and not report.is_spotless()]
    for kind in sorted({(report.behavior, report.close) for report in tolerated}):
        ids = [report.case_id for report in tolerated if (report.behavior, report.close) == kind]
        print(f"  note {kind[0]}, close {kind[1]}: {' '.join(ids)}")
    for case_id in list(failed)[:LISTED_FAILURES]:
        print(f"  FAIL {case_id} {'; '.join(failed[case_id])} -> {reports[case_id].path}")
    if len(failed) > LISTED_FAILURES:
        print(f"  FAIL also {' '.join(list(failed)[LISTED_FAILURES:])}")
    if missing:
        names = " ".join(missing) if done else f"all {len(missing)}"
        print(f"  FAIL did not run: {names}")
    return len(failed) + len(missing)
