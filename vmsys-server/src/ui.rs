//! The page at `/`: what this is, for a person who opened the port in a browser.

use http::StatusCode;

use crate::error::ApiError;
use crate::route::{Answer, Request};

const PAGE: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>vm-system</title>
<style>body{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}</style>
<main>
<h1>vm-system</h1>
<p>This daemon keeps JavaScript sessions: templates say what code may do, sessions hold its state, executions record
what it did. Its API lives under <code>/api/v1</code>:</p>
<ul>
<li><a href=\"/api/v1/health\">health</a></li>
<li><a href=\"/api/v1/runtime/summary\">what is alive in memory</a></li>
<li><a href=\"/api/v1/templates\">templates</a></li>
<li><a href=\"/api/v1/sessions\">sessions</a></li>
</ul>
</main>
</html>
";

/// Answers the page.
pub(crate) fn page<C>(_: &C, _: &Request) -> Result<Answer, ApiError> {
    Ok(Answer::new(StatusCode::OK, "text/html; charset=utf-8", PAGE))
}
