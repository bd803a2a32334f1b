//! The token that a daemon may ask for.

use std::path::Path;

use http::HeaderValue;

use crate::commands::serve::AuthToken;
use crate::error::{Error, Result};

/// Returns what to show the daemon: the token of the file, or else of the variable, or nothing.
///
/// # Errors
/// The file or the variable has no token. To go on without it would only be refused, with less to say about why.
pub(crate) fn find(file: Option<&Path>) -> Result<Option<HeaderValue>> {
    let refuse = |from: String, error: std::io::Error| {
        Error::failed("TOKEN_UNUSABLE", format!("cannot use the token of {from}: {error}"))
            .hint("a token is the first line of its file, of at least 16 visible characters")
    };
    let token = match (file, std::env::var_os(AuthToken::VARIABLE)) {
        (Some(file), _) => AuthToken::read(file).map_err(|error| refuse(file.display().to_string(), error))?,
        (None, Some(text)) => {
            AuthToken::parse(&text.to_string_lossy()).map_err(|error| refuse(AuthToken::VARIABLE.to_owned(), error))?
        }
        (None, None) => return Ok(None),
    };
    let mut header = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
        .map_err(|_| Error::failed("TOKEN_UNUSABLE", "the token cannot be sent"))?;
    // It is left out of `Debug` output.
    header.set_sensitive(true);
    Ok(Some(header))
}
