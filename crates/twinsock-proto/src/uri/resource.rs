use super::error::UriError;

/// RFC 3986 §3.3 and §3.4: the characters of a path and a query. `offset` is where they begin in what came.
pub(super) fn check_resource(resource: &str, offset: usize) -> Result<(), UriError> {
    let bytes = resource.as_bytes();
    for (index, &byte) in bytes.iter().enumerate() {
        let position = offset + index;
        if byte == b'%' {
            let digits = bytes.get(index + 1..index + 3);
            if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                return Err(UriError::PercentEncoding { position });
            }
        } else if !byte.is_ascii_alphanumeric() && !b"-._~!$&'()*+,;=:@/?".contains(&byte) {
            return Err(UriError::ForbiddenCharacter {
                character: char::from(byte),
                position,
            });
        }
    }
    Ok(())
}

/// Takes `.` and `..` out of a path that starts with `/` (RFC 3986 §5.2.4).
pub(super) fn remove_dot_segments(path: &str) -> String {
    let mut kept = String::with_capacity(path.len());
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => kept.truncate(kept.rfind('/').unwrap_or_default()),
            _ => {
                kept.push('/');
                kept.push_str(segment);
                continue;
            }
        }
        if segments.peek().is_none() {
            kept.push('/');
        }
    }
    kept
}
