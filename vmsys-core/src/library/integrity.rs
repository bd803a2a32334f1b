//! Checksums of files, in the form that the web uses for subresources.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};

/// Returns the checksum of some bytes: `sha512-` and the digest in base64.
///
/// ```
/// assert!(vmsys_core::library::integrity(b"").starts_with("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP"));
/// ```
pub fn integrity(bytes: &[u8]) -> String {
    let mut text = "sha512-".to_owned();
    STANDARD.encode_string(Sha512::digest(bytes), &mut text);
    text
}

/// Tells whether a text has the form of a checksum.
pub(super) fn is_integrity(text: &str) -> bool {
    let digest = text.strip_prefix("sha512-").and_then(|digest| STANDARD.decode(digest).ok());
    digest.is_some_and(|digest| digest.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_other_programs_compute() {
        // printf abc | openssl dgst -sha512 -binary | base64 -w0
        let known = "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";
        assert_eq!(integrity(b"abc"), known);
        assert!(is_integrity(known));
        for text in ["", "sha512-", "sha512-YWJj", "sha256-YWJj", &known[1..], &known[..94]] {
            assert!(!is_integrity(text), "{text}");
        }
    }
}
