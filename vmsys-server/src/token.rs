//! The token that callers show: where it comes from, and whether one is the other.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::server::StartError;

/// The characters that a token has at least.
const LEAST: usize = 16;

/// The bytes that a token, and the first line of its file, have at most: more fits into no header.
const MOST: usize = 4096;

/// The environment variable that has the token.
const VARIABLE: &str = "VM_SYSTEM_TOKEN";

/// A bearer token: 16 to 4096 visible ASCII characters.
///
/// Its text is in no `Debug` output, and two of them are compared in a time that says nothing about where they differ. It is
/// *not* wiped from memory when it is dropped.
///
/// ```
/// use vmsys_server::AuthToken;
/// let token = AuthToken::parse("  correct-horse-battery-staple\n")?;
/// assert_eq!(token.reveal(), "correct-horse-battery-staple");
/// assert_eq!(format!("{token:?}"), "AuthToken(..)");
/// assert!(AuthToken::parse("short").is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct AuthToken {
    text: String,
    /// What is compared: of one length, whatever the token's.
    digest: [u8; 32],
}

impl AuthToken {
    /// The environment variable in which daemons and clients look for the token when no file is named. The library does
    /// not read it by itself.
    pub const VARIABLE: &'static str = VARIABLE;

    /// Takes a token; white space around it is none of it.
    ///
    /// # Errors
    /// [`InvalidData`](io::ErrorKind::InvalidData): it is shorter than 16 characters, longer than 4096, or has characters
    /// that cannot be sent.
    pub fn parse(text: &str) -> io::Result<Self> {
        let text = text.trim();
        let refuse = |why: String| Err(io::Error::new(io::ErrorKind::InvalidData, why));
        if text.is_empty() {
            return refuse("the token is empty".to_owned());
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return refuse("a token is made of visible ASCII characters, without spaces".to_owned());
        }
        if text.len() < LEAST {
            return refuse(format!("a token has at least {LEAST} characters"));
        }
        if text.len() > MOST {
            return refuse(format!("a token has at most {MOST} characters"));
        }
        Ok(Self { text: text.to_owned(), digest: digest(text.as_bytes()) })
    }

    /// Reads the token that is the first line of a file. What follows is for notes of its owner.
    ///
    /// # Errors
    /// The file cannot be read, or its first line is no token.
    pub fn read(file: &Path) -> io::Result<Self> {
        let mut bytes = Vec::new();
        // A bound, so that naming the wrong file (a device, a disk image) costs nothing.
        File::open(file)?.take(2 * MOST as u64).read_to_end(&mut bytes)?;
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let text = std::str::from_utf8(line)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the first line is no text"))?;
        Self::parse(text)
    }

    /// Takes what the variable [`VARIABLE`](Self::VARIABLE) is set to, if it is.
    ///
    /// # Errors
    /// [`StartError::Token`]: it is set, and to no token. To be set to nothing is that as well: who sets it means to have
    /// one.
    pub fn of_variable(value: Option<OsString>) -> Result<Option<Self>, StartError> {
        let Some(value) = value else { return Ok(None) };
        // What is no text is no ASCII either, and is refused as that.
        let token = Self::parse(&value.to_string_lossy());
        token.map(Some).map_err(|source| StartError::Token { from: VARIABLE.to_owned(), source })
    }

    /// Returns the text, for the header of a request.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Tells whether these bytes are the token, in a time that depends on their length alone.
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        digest(shown).ct_eq(&self.digest).into()
    }
}

impl PartialEq for AuthToken {
    fn eq(&self, other: &Self) -> bool {
        self.digest.ct_eq(&other.digest).into()
    }
}

impl Eq for AuthToken {}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthToken(..)")
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Tells whether other users of this machine may read the file, or write it.
pub(crate) fn is_open_to_others(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.mode() & 0o066 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const GOOD: &str = "0123456789abcdef";

    #[test]
    fn a_token_is_the_whole_token() {
        let token = AuthToken::parse(GOOD).unwrap();
        assert!(token.is(GOOD.as_bytes()));
        for other in ["", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "1123456789abcdef", " "] {
            assert!(!token.is(other.as_bytes()), "{other}");
        }
        assert_eq!(token, AuthToken::parse(&format!(" {GOOD}\r")).unwrap());
        assert_ne!(token, AuthToken::parse("another-token-of-ours").unwrap());
    }

    #[test]
    fn weak_and_odd_tokens_are_refused_and_not_repeated() {
        let long = "x".repeat(MOST + 1);
        for text in
            ["", "   ", "0123456789abcde", "with a space in it 123", "umlaut-äöü-äöü-äöü", "a\tb3456789abcdef", &long]
        {
            let error = AuthToken::parse(text).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{text}");
            assert!(text.trim().is_empty() || !error.to_string().contains(text.trim()), "{error}");
        }
        assert!(AuthToken::parse(&"x".repeat(MOST)).is_ok());
    }

    #[test]
    fn a_variable_that_is_set_means_to_be_a_token() {
        assert!(AuthToken::of_variable(None).unwrap().is_none());
        assert!(AuthToken::of_variable(Some(GOOD.into())).unwrap().is_some());
        for value in ["", "short"] {
            let error = AuthToken::of_variable(Some(value.into())).unwrap_err();
            assert!(matches!(&error, StartError::Token { from, .. } if from == VARIABLE), "{error:?}");
        }
    }

    #[test]
    fn a_file_gives_its_first_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        for (content, good) in [
            (format!("{GOOD}\n"), true),
            (format!("  {GOOD}  \r\nof the demo\n"), true),
            (GOOD.to_owned(), true),
            (format!("\n{GOOD}\n"), false),
            (String::new(), false),
            ("short\n".to_owned(), false),
            (format!("{GOOD}{}", "x".repeat(1 << 20)), false),
        ] {
            std::fs::write(&file, &content).unwrap();
            assert_eq!(AuthToken::read(&file).ok(), good.then(|| AuthToken::parse(GOOD).unwrap()), "{content:.40}");
        }
        std::fs::write(&file, b"\xff\xfe0123456789abcdef").unwrap();
        assert!(AuthToken::read(&file).is_err());
        assert!(AuthToken::read(directory.path()).is_err());
        assert_eq!(AuthToken::read(&directory.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_file_that_others_can_read_is_noticed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, open) in [(0o600, false), (0o400, false), (0o644, true), (0o604, true), (0o620, true)] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_open_to_others(file.path()), open, "{mode:o}");
        }
    }
}
