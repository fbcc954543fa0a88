#![doc = "testkit"]
