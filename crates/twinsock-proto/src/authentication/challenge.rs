//! Reads lists of challenges (RFC 9110 §11.3, §11.6.1).
//!
//! A comma stands both between challenges and between the parameters of one: what follows it is a parameter if `=`
//! comes after its first word, and else the name of another scheme.

use std::borrow::Cow;

use super::error::AuthenticationError;
use crate::handshake::Excerpt;
use crate::handshake::header_list::{Malformed, Scanner};

/// One challenge, as it stands in its line.
#[derive(Debug)]
pub(super) struct Challenge<'a> {
    pub(super) scheme: &'a str,
    parameters: Parameters<'a>,
    /// The line that it came in, for errors.
    pub(super) line: &'a [u8],
}

/// What follows the scheme.
#[derive(Debug)]
enum Parameters<'a> {
    /// A single word of any meaning, which none of our schemes has in a challenge.
    Token68,
    List(Vec<Parameter<'a>>),
}

#[derive(Debug)]
struct Parameter<'a> {
    name: &'a str,
    value: Cow<'a, [u8]>,
}

impl Challenge<'_> {
    /// The value of a parameter, without quotes and escapes. Its name is in any case.
    pub(super) fn parameter(&self, name: &str) -> Option<&[u8]> {
        let Parameters::List(list) = &self.parameters else {
            return None;
        };
        let parameter = list
            .iter()
            .find(|parameter| parameter.name.eq_ignore_ascii_case(name))?;
        Some(&parameter.value)
    }

    pub(super) fn malformed(&self) -> AuthenticationError {
        malformed(self.line)
    }
}

/// All challenges of all lines. Each line is a list of its own, since a scheme stands before its parameters.
pub(super) fn read_challenges<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Challenge<'a>>, AuthenticationError> {
    let mut challenges = Vec::new();
    let mut room: usize = MAX_LEN;
    for line in lines {
        room = room
            .checked_sub(line.len())
            .ok_or(AuthenticationError::TooManyChallenges { limit: MAX_LEN })?;
        read_line(line, &mut challenges)?;
    }
    Ok(challenges)
}

fn read_line<'a>(
    line: &'a [u8],
    challenges: &mut Vec<Challenge<'a>>,
) -> Result<(), AuthenticationError> {
    let refused = |Malformed| malformed(line);
    let mut scanner = Scanner { rest: line };
    let before = challenges.len();
    loop {
        // RFC 9110 §5.6.1.2: empty elements are skipped.
        while scanner.skip_separator(b',') {}
        if scanner.rest.is_empty() {
            break;
        }
        let word = scanner.token().map_err(refused)?;
        let current = challenges.get_mut(before..).and_then(<[_]>::last_mut);
        if let Some(challenge) = current.filter(|_| is_followed_by_equals(&scanner)) {
            add_parameter(challenge, word, &mut scanner)?;
        } else if challenges.len() < MAX_CHALLENGES {
            challenges.push(read_challenge(line, word, &mut scanner)?);
        } else {
            return Err(AuthenticationError::TooManyChallenges {
                limit: MAX_CHALLENGES,
            });
        }
        scanner.skip_whitespace();
        if !matches!(scanner.rest.first(), None | Some(b',')) {
            return Err(malformed(line));
        }
    }
    if challenges.len() == before {
        return Err(malformed(line));
    }
    Ok(())
}

/// What follows the name of a scheme: nothing, a token68, or the first parameter; the others come after commas.
fn read_challenge<'a>(
    line: &'a [u8],
    scheme: &'a str,
    scanner: &mut Scanner<'a>,
) -> Result<Challenge<'a>, AuthenticationError> {
    let mut challenge = Challenge {
        scheme,
        parameters: Parameters::List(Vec::new()),
        line,
    };
    if !matches!(scanner.rest.first(), None | Some(b' ' | b'\t' | b',')) {
        return Err(malformed(line));
    }
    scanner.skip_whitespace();
    if matches!(scanner.rest.first(), None | Some(b',')) {
        return Ok(challenge);
    }
    if let Some(after) = after_token68(scanner.rest) {
        scanner.rest = after;
        challenge.parameters = Parameters::Token68;
        return Ok(challenge);
    }
    let name = scanner.token().map_err(|Malformed| malformed(line))?;
    add_parameter(&mut challenge, name, scanner)?;
    Ok(challenge)
}

/// Reads the rest of a parameter, from its equals sign on.
fn add_parameter<'a>(
    challenge: &mut Challenge<'a>,
    name: &'a str,
    scanner: &mut Scanner<'a>,
) -> Result<(), AuthenticationError> {
    let line = challenge.line;
    // RFC 9110 §11.2: each name comes once.
    let is_repeated = challenge.parameter(name).is_some();
    let Parameters::List(list) = &mut challenge.parameters else {
        return Err(malformed(line));
    };
    if is_repeated || !scanner.skip_separator(b'=') {
        return Err(malformed(line));
    }
    if list.len() == MAX_PARAMETERS {
        return Err(AuthenticationError::TooManyChallenges {
            limit: MAX_PARAMETERS,
        });
    }
    let value = read_value(scanner).map_err(|Malformed| malformed(line))?;
    list.push(Parameter { name, value });
    Ok(())
}

/// RFC 9110 §5.6.4, §11.2: a token or a quoted string.
fn read_value<'a>(scanner: &mut Scanner<'a>) -> Result<Cow<'a, [u8]>, Malformed> {
    let Some((b'"', quoted)) = scanner.rest.split_first() else {
        return Ok(Cow::Borrowed(scanner.token()?.as_bytes()));
    };
    scanner.rest = quoted;
    let mut value = Cow::Borrowed(&quoted[..0]);
    let mut len = 0;
    loop {
        let byte = match scanner.next()? {
            b'"' => return Ok(value),
            b'\\' => {
                value.to_mut().push(checked(scanner.next()?)?);
                continue;
            }
            byte => checked(byte)?,
        };
        match &mut value {
            Cow::Owned(value) => value.push(byte),
            Cow::Borrowed(value) => {
                len += 1;
                *value = quoted.get(..len).ok_or(Malformed)?;
            }
        }
    }
}

/// What a quoted string may hold; else an answer that repeats it could not be written.
fn checked(byte: u8) -> Result<u8, Malformed> {
    if byte.is_ascii_control() && byte != b'\t' {
        Err(Malformed)
    } else {
        Ok(byte)
    }
}

fn is_followed_by_equals(scanner: &Scanner<'_>) -> bool {
    scanner.rest.trim_ascii_start().first() == Some(&b'=')
}

/// What comes after a token68, if there is one up to the end of the element (RFC 9110 §11.2).
fn after_token68(text: &[u8]) -> Option<&[u8]> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    let characters = text.iter().take_while(|byte| is_part(byte)).count();
    let (characters, rest) = text.split_at(characters);
    let padding = rest.iter().take_while(|&&byte| byte == b'=').count();
    let (_, rest) = rest.split_at(padding);
    let is_whole = matches!(rest.trim_ascii_start().first(), None | Some(b','));
    (!characters.is_empty() && is_whole).then_some(rest)
}

fn malformed(line: &[u8]) -> AuthenticationError {
    AuthenticationError::MalformedChallenge {
        got: Excerpt::new(line),
    }
}

/// Bytes of all lines together: as much as a head may have by default.
const MAX_LEN: usize = 64 * 1024;

/// Each costs memory beyond its bytes; a peer that offers more does it to cost more.
const MAX_CHALLENGES: usize = 32;

/// The same for the parameters of one challenge; Digest knows ten.
const MAX_PARAMETERS: usize = 32;
