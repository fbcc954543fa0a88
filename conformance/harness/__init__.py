"""What the conformance runners share: processes, the programs under test, lists of checks."""
