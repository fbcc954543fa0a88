#![doc = "lib"]
