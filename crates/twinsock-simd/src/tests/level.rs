//! Which level is chosen.

use crate::level::Level;

#[test]
fn the_current_level_is_the_best_available_one() {
    assert_eq!(Some(Level::current()), Level::available().pop());
    assert_eq!(
        Level::current(),
        Level::current(),
        "also when it was found before"
    );
}
