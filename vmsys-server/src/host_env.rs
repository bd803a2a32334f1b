//! The environment that templates may show to their sessions.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use crate::token::AuthToken;

/// Variables of the host, for capabilities of the kind `env` that ask for one by `from_host`. What is not in here is not
/// there for them; a daemon reads no environment by itself.
///
/// ```
/// use vmsys_server::{Config, HostEnv};
/// let mut config = Config::default();
/// config.host_env = HostEnv::new(std::env::vars_os());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HostEnv(BTreeMap<String, String>);

impl HostEnv {
    /// Takes variables; those that are no Unicode are left out, since no script could see them, and so is the daemon's own
    /// token, which none may see.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self(variables.into_iter().filter_map(text).filter(|(name, _)| name != AuthToken::VARIABLE).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

/// Without values, which may be secrets.
impl fmt::Debug for HostEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostEnv").field("variables", &self.0.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_and_kept_out_of_logs() {
        let env = HostEnv::new([("TOKEN".into(), "s3cret".into())]);
        assert_eq!((env.get("TOKEN").as_deref(), env.get("token")), (Some("s3cret"), None));
        assert!(!format!("{env:?}").contains("s3cret"));
    }

    #[test]
    fn the_daemons_token_is_not_for_scripts() {
        let env = HostEnv::new([(AuthToken::VARIABLE.into(), "0123456789abcdef".into())]);
        assert_eq!(env, HostEnv::default());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_left_out() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(vec![0xff]);
        assert_eq!(HostEnv::new([("A".into(), odd.clone()), (odd, "b".into())]), HostEnv::default());
    }
}
