use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use proptest::prelude::*;

use crate::SharedText;

#[test]
fn owned_text_and_bytes_are_taken_over_without_a_copy() {
    let text = String::from("schön");
    let place = text.as_ptr();
    let shared = SharedText::from(text);
    assert_eq!(shared.as_str().as_ptr(), place);
    let bytes = Bytes::from(shared);
    assert_eq!(bytes.as_ptr(), place);
    assert_eq!(
        SharedText::try_from(bytes).unwrap().as_str().as_ptr(),
        place
    );
}

#[test]
fn it_compares_hashes_and_prints_as_its_text() {
    let (first, second) = ("a\"ö", "b");
    let (shared, other) = (SharedText::from(first), SharedText::from_static(second));
    assert_eq!(shared.cmp(&other), first.cmp(second));
    let hasher = RandomState::new();
    assert_eq!(hasher.hash_one(&shared), hasher.hash_one(first));
    assert_eq!(format!("{shared:?} {shared}"), format!("{first:?} {first}"));
}

proptest! {
    #[test]
    fn bytes_become_text_exactly_when_the_standard_library_says_so(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            ".{0,200}".prop_map(String::into_bytes),
        ]
    ) {
        let expected = str::from_utf8(&bytes);
        let shared = SharedText::try_from(Bytes::copy_from_slice(&bytes));
        prop_assert_eq!(shared.as_ref().map(|text| text.as_str()), expected.as_ref().copied());
    }
}
