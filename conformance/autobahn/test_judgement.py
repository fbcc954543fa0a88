#!/usr/bin/env python3
"""Tests of what the runner counts as a failure and which cases it selects."""

import contextlib
import io
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import case_sets  # noqa: E402
import report  # noqa: E402

LENIENT = report.Strictness(strict=False, codes=False)
STRICT = report.Strictness(strict=True, codes=False)
CODES = report.Strictness(strict=False, codes=True)


def case(behavior="OK", close="OK", told=None, awaited=()):
    return report.CaseReport("1.1.1", behavior, close, 5, "", "", told, list(awaited), Path("case.json"))


class Judgement(unittest.TestCase):
    def test_failed_cases_and_wrong_closes_always_fail(self):
        for wrong in (case("FAILED"), case(close="UNCLEAN"), case(close="WRONG CODE"), case(close="FAILED")):
            self.assertTrue(wrong.complaints(LENIENT))

    def test_deviations_fail_only_when_strict(self):
        for deviation in (case("NON-STRICT"), case("UNIMPLEMENTED"), case(close="FAILED BY CLIENT")):
            self.assertFalse(deviation.complaints(LENIENT))
            self.assertTrue(deviation.complaints(STRICT))

    def test_informational_cases_never_fail(self):
        informational = case("INFORMATIONAL", "INFORMATIONAL")
        self.assertFalse(informational.complaints(report.Strictness(strict=True, codes=True)))

    def test_missing_or_wrong_code_fails_only_with_codes(self):
        for told in (None, 1000, 1011):
            dropped = case(told=told, awaited=[1002])
            self.assertFalse(dropped.complaints(STRICT))
            self.assertTrue(dropped.complaints(CODES))
        self.assertFalse(case(told=1002, awaited=[1002]).complaints(CODES))

    def test_a_code_is_awaited_where_the_peer_must_fail_the_connection(self):
        def detail(codes, clean, behavior="OK"):
            return {"behavior": behavior, "expectedClose": {"closeCode": codes, "requireClean": clean}}

        self.assertEqual([1002], report.awaited_codes(detail([1002], False)))
        self.assertEqual([], report.awaited_codes(detail([1000], True)))
        self.assertEqual([], report.awaited_codes(detail([1000, 1002], False)))
        self.assertEqual([], report.awaited_codes(detail([1002], False, "INFORMATIONAL")))

    def test_cases_that_did_not_run_fail(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            failed = report.print_summary("peer", ["1.1.1", "1.1.2"], {"1.1.1": case()}, LENIENT)
        self.assertEqual(1, failed)
        self.assertIn("did not run: 1.1.2", said.getvalue())


class Selection(unittest.TestCase):
    ALL = ["1.1.1", "1.1.10", "2.1", "9.1.1", "10.1.1", "12.1.1", "13.1.1"]

    def selected(self, *chosen, excluded=()):
        return case_sets.select(self.ALL, case_sets.patterns(list(chosen)), case_sets.patterns(list(excluded)))

    def test_named_sets(self):
        self.assertEqual(["1.1.1", "1.1.10", "2.1", "10.1.1"], self.selected("basic"))
        self.assertEqual(["1.1.1", "1.1.10", "2.1", "9.1.1", "10.1.1"], self.selected("plain"))
        self.assertEqual(["12.1.1", "13.1.1"], self.selected("deflate"))
        self.assertEqual(self.ALL, self.selected("all"))

    def test_patterns_match_whole_ids(self):
        self.assertEqual(["1.1.1"], self.selected("1.1.1"))
        self.assertEqual(["1.1.10", "2.1"], self.selected("1.*,2.1", excluded=["1.1.1"]))
        self.assertEqual([], self.selected("14.*"))

    def test_cases_are_dealt_forth_and_back(self):
        self.assertEqual([["1", "4", "5"], ["2", "3"]], case_sets.deal(["1", "2", "3", "4", "5"], 2))
        self.assertEqual([["1", "2"]], case_sets.deal(["1", "2"], 1))

    def test_nobody_is_dealt_no_case(self):
        self.assertEqual([["1"], ["2"]], case_sets.deal(["1", "2"], 5))


if __name__ == "__main__":
    unittest.main()
