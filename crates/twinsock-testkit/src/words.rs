//! What a program of the conformance checks is told: words such as `uri=ws://…`.

use std::collections::HashMap;
use std::error::Error;

/// Words of the form `name=value`.
#[derive(Debug)]
pub struct Words(HashMap<String, String>);

impl Words {
    /// The command line's first word, which is a role, and the others; those of another form are
    /// passed over.
    #[must_use]
    pub fn of_arguments() -> (String, Self) {
        let mut arguments = std::env::args().skip(1);
        let role = arguments.next().unwrap_or_default();
        let words = arguments.filter_map(|word| {
            let (name, value) = word.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        (role, Self(words.collect()))
    }

    /// The value of this name.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a name that has to be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn required(&self, name: &str) -> Result<&str, Box<dyn Error + Send + Sync>> {
        let value = self.optional(name);
        value.ok_or_else(|| format!("expected {name}=…, got none").into())
    }
}
