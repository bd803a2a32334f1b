//! Capabilities of the kind `net`: which hosts may be asked, and how much they may answer.

// Addresses as data, from `core`: nothing here opens a connection.
use core::net::{IpAddr, Ipv6Addr};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::JsonObject;
use crate::error::{Error, Result};
use crate::fields::{Fields, wrong};

/// The ports of a host that is listed without one.
const WEB_PORTS: [u16; 2] = [80, 443];
const DEFAULT_BYTES: u64 = 10 << 20;
const MAX_BYTES: u64 = 1 << 30;
const DEFAULT_MS: u64 = 30_000;
const MAX_MS: u64 = 3_600_000;

/// What requests to some hosts may do.
///
/// A session may have several, one of each enabled capability. They are not mixed: a request goes by the first one that
/// lists its host, so that a private network opened to one host is not opened to another. What this does *not* do:
/// resolve names. Whoever connects must check the address that a name led to, and each redirect anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetPolicy {
    /// The hosts that may be asked.
    pub hosts: Vec<HostPattern>,
    /// The bytes that the body of one answer may have.
    pub max_bytes: u64,
    /// The milliseconds that one request may take.
    pub timeout_ms: u64,
    /// Whether a listed name may lead to a private, loopback or link-local address.
    pub allow_private: bool,
}

impl NetPolicy {
    pub(in crate::template) fn parse(config: &JsonObject) -> Result<Self> {
        let fields = Fields::of(config, &["hosts", "max_bytes", "timeout_ms", "allow_private"])?;
        let host = |field: &str, text: &str| {
            text.parse::<HostPattern>().map_err(|error| wrong(field.trim_start_matches("config."), error.message()))
        };
        let policy = Self {
            hosts: fields.strings("hosts", host)?.unwrap_or_default(),
            max_bytes: fields.number("max_bytes", 1..=MAX_BYTES)?.unwrap_or(DEFAULT_BYTES),
            timeout_ms: fields.number("timeout_ms", 1..=MAX_MS)?.unwrap_or(DEFAULT_MS),
            allow_private: fields.bool("allow_private")?.unwrap_or(false),
        };
        if policy.hosts.is_empty() {
            return Err(wrong("hosts", "must list at least one host, such as \"api.example.com\""));
        }
        Ok(policy)
    }

    /// Tells whether a host may be asked on a port. The host is that of a URL: a name in its ASCII form, or an address,
    /// with or without brackets.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        self.hosts.iter().any(|pattern| pattern.matches(host, port))
    }

    /// Tells whether a host that may be asked may also be at a private, loopback or link-local address: by
    /// `allow_private`, or because the address itself, or `localhost`, is listed.
    pub fn allows_private(&self, host: &str, port: u16) -> bool {
        let listed = |pattern: &HostPattern| pattern.is_literal() && pattern.matches(host, port);
        self.allows(host, port) && (self.allow_private || self.hosts.iter().any(listed))
    }

    /// Finds the policy that a request goes by: the first one that lists its host.
    pub fn governing<'a>(policies: &'a [Self], host: &str, port: u16) -> Option<&'a Self> {
        policies.iter().find(|policy| policy.allows(host, port))
    }
}

/// One entry of a list of hosts: `api.example.com`, `*.example.org`, `127.0.0.1:8080`, `[::1]:8080`.
///
/// ```
/// let pattern: vmsys_core::HostPattern = "*.Example.org".parse()?;
/// assert!(pattern.matches("a.b.example.org", 443) && !pattern.matches("a.b.example.org", 8080));
/// assert!(!pattern.matches("example.org", 443) && !pattern.matches("evil-example.org", 443));
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Host {
    Name(String),
    /// Every name below this one, and not this one.
    Below(String),
    Address(IpAddr),
}

impl HostPattern {
    /// Tells whether a host on a port is meant. Without a port of its own, an entry means 80 and 443.
    pub fn matches(&self, host: &str, port: u16) -> bool {
        if !self.port.map_or(WEB_PORTS.contains(&port), |own| own == port) {
            return false;
        }
        match &self.host {
            Host::Address(own) => address(host) == Some(*own),
            Host::Name(own) => own.eq_ignore_ascii_case(without_root(host)),
            Host::Below(parent) => {
                let host = without_root(host).as_bytes();
                let Some(at) = host.len().checked_sub(parent.len()) else { return false };
                at > 1 && host[at - 1] == b'.' && host[at..].eq_ignore_ascii_case(parent.as_bytes())
            }
        }
    }

    /// Tells whether it lists an address, or `localhost`, and not a name that may lead anywhere.
    fn is_literal(&self) -> bool {
        match &self.host {
            Host::Address(_) => true,
            Host::Name(name) => name == "localhost",
            Host::Below(_) => false,
        }
    }
}

impl FromStr for HostPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            let shown: String = text.chars().take(100).collect();
            Err(Error::validation("hosts", format!("has {shown:?}, which {why}")))
        };
        if let Some(host) = address(text) {
            return Ok(Self { host: Host::Address(host), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            None => (text, None),
            Some((host, port)) => {
                let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
                match port.parse::<u16>() {
                    Ok(port) if digits && port > 0 => (host, Some(port)),
                    _ => return refuse("is no host with a port from 1 to 65535; an IPv6 address needs brackets there"),
                }
            }
        };
        if let Some(address) = address(host) {
            if address.is_ipv6() && !host.starts_with('[') && port.is_some() {
                return refuse("needs brackets around its address, as in [::1]:8080");
            }
            return Ok(Self { host: Host::Address(address), port });
        }
        let (name, below) = host.strip_prefix("*.").map_or((host, false), |name| (name, true));
        let name = without_root(name).to_ascii_lowercase();
        if !name.is_ascii() {
            return refuse("is not ASCII: write the name as browsers send it (xn--…)");
        }
        if name.contains('*') {
            return refuse("has a star elsewhere than in front of a name, as in *.example.org");
        }
        if name.contains(['/', '@', '?', '#']) {
            return refuse("is more than a host and a port: leave scheme, user and path out");
        }
        if !is_name(&name) {
            return refuse("is no name of a host");
        }
        // What browsers read as an address is one: 127.1 and 0x7f000001 are 127.0.0.1.
        let last = name.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
            return refuse("is no name and no address: write an address with four decimal parts");
        }
        Ok(Self { host: if below { Host::Below(name) } else { Host::Name(name) }, port })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => f.write_str(name)?,
            Host::Below(name) => write!(f, "*.{name}")?,
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl TryFrom<String> for HostPattern {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

/// Reads an address, with or without brackets around one of version 6. One of version 4 in the clothes of version 6 is
/// one of version 4.
fn address(text: &str) -> Option<IpAddr> {
    let address = match text.strip_prefix('[') {
        Some(rest) => IpAddr::V6(rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?),
        None => text.parse().ok()?,
    };
    Some(address.to_canonical())
}

/// Leaves out the dot of the root: `example.com.` is `example.com`.
fn without_root(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn parse(config: &Value) -> Result<NetPolicy> {
        NetPolicy::parse(config.as_object().unwrap())
    }

    #[test]
    fn hosts_are_names_and_addresses_with_or_without_a_port() {
        for (text, shown) in [
            ("api.example.com", "api.example.com"),
            ("API.Example.COM.", "api.example.com"),
            ("localhost", "localhost"),
            ("my_host-1:8080", "my_host-1:8080"),
            ("*.example.org", "*.example.org"),
            ("*.example.org:8443", "*.example.org:8443"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("::1", "[::1]"),
            ("[::1]", "[::1]"),
            ("[0:0::1]:65535", "[::1]:65535"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("[::ffff:10.0.0.1]:1", "10.0.0.1:1"),
        ] {
            let pattern: HostPattern = text.parse().unwrap();
            assert_eq!(pattern.to_string(), shown);
            assert_eq!(shown.parse::<HostPattern>().unwrap(), pattern);
            let json = serde_json::to_string(&pattern).unwrap();
            assert_eq!(serde_json::from_str::<HostPattern>(&json).unwrap(), pattern);
        }
        let long = format!("{}.example", "a".repeat(64));
        for text in [
            "",
            ".",
            "*",
            "*.",
            "a.*.b",
            "*a.b",
            "*.*.b",
            "a..b",
            ".a",
            "-a.b",
            "a-.b",
            "a b",
            "a\0",
            "bücher.example",
            "http://a.example",
            "a.example/x",
            "u@a.example",
            "a.example:",
            "a.example:0",
            "a.example:65536",
            "a.example:+80",
            "a.example:http",
            "127.1",
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "127.0.0.1.",
            "1.2.3.256",
            "256.1.1.1:80",
            "[::1",
            "::1]",
            "[127.0.0.1]",
            "::1:99999",
            "[::1]:",
            "[::1]:0",
            "fe80::1%eth0",
            &long,
        ] {
            let error = parse(&json!({"hosts": ["a.example", text]})).unwrap_err();
            assert_eq!(
                (error.code(), error.detail("field")),
                ("VALIDATION_ERROR", Some("config.hosts[1]")),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_pattern_matches_what_it_says_and_no_more() {
        for (pattern, host, port, expected) in [
            ("a.example", "A.example.", 443, true),
            ("a.example", "a.example", 80, true),
            ("a.example", "a.example", 8080, false),
            ("a.example:8080", "a.example", 8080, true),
            ("a.example:8080", "a.example", 443, false),
            ("a.example", "b.a.example", 443, false),
            ("a.example", "a.example.evil", 443, false),
            ("*.a.example", "b.a.example", 443, true),
            ("*.a.example", "c.b.a.example", 443, true),
            ("*.a.example", "a.example", 443, false),
            ("*.a.example", ".a.example", 443, false),
            ("*.a.example", "ba.example", 443, false),
            ("*.a.example", "é.a.example", 443, true),
            ("127.0.0.1", "127.0.0.1", 80, true),
            ("127.0.0.1", "[::ffff:7f00:1]", 80, true),
            ("127.0.0.1", "127.0.0.1.example", 80, false),
            ("[::1]:9", "[::1]", 9, true),
            ("[::1]:9", "::1", 9, true),
            ("::1", "localhost", 80, false),
        ] {
            let matches = pattern.parse::<HostPattern>().unwrap().matches(host, port);
            assert_eq!(matches, expected, "{pattern} for {host}:{port}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_pattern_means_what_it_shows(
            text in prop_oneof![any::<String>(), "[*]?[.]?[a-z0-9.:*\\[\\]é-]{0,20}", "([a-z]{1,3}[.]){1,3}[a-z]{2}(:[0-9]{1,5})?"],
            host in prop_oneof![any::<String>(), "[a-z0-9.:é-]{0,20}"],
            port: u16,
        ) {
            let Ok(pattern) = text.parse::<HostPattern>() else { return Ok(()) };
            let again: HostPattern = pattern.to_string().parse().unwrap();
            prop_assert_eq!(&again, &pattern);
            prop_assert_eq!(again.matches(&host, port), pattern.matches(&host, port));
            if let Host::Below(parent) = &pattern.host {
                let port = pattern.port.unwrap_or(443);
                let (child, neighbour) = (format!("x.{parent}"), format!("x{parent}"));
                prop_assert!(pattern.matches(&child, port));
                prop_assert!(!pattern.matches(parent, port) && !pattern.matches(&neighbour, port));
            }
        }
    }

    #[test]
    fn numbers_have_bounds_and_defaults() {
        let policy = parse(&json!({"hosts": ["a.example"]})).unwrap();
        assert_eq!((policy.max_bytes, policy.timeout_ms, policy.allow_private), (10_485_760, 30_000, false));
        for (config, field) in [
            (json!({}), "config.hosts"),
            (json!({"hosts": []}), "config.hosts"),
            (json!({"hosts": "a.example"}), "config.hosts"),
            (json!({"hosts": ["a.example"], "max_bytes": 0}), "config.max_bytes"),
            (json!({"hosts": ["a.example"], "max_bytes": MAX_BYTES + 1}), "config.max_bytes"),
            (json!({"hosts": ["a.example"], "timeout_ms": 0}), "config.timeout_ms"),
            (json!({"hosts": ["a.example"], "timeout_ms": MAX_MS + 1}), "config.timeout_ms"),
            (json!({"hosts": ["a.example"], "timeout_ms": "1"}), "config.timeout_ms"),
            (json!({"hosts": ["a.example"], "allow_private": 1}), "config.allow_private"),
        ] {
            assert_eq!(parse(&config).unwrap_err().detail("field"), Some(field), "{config}");
        }
    }

    #[test]
    fn private_addresses_need_the_switch_or_their_own_name() {
        let policy = parse(&json!({"hosts": ["a.example", "127.0.0.1:8080", "localhost", "10.0.0.1"]})).unwrap();
        for (host, port, expected) in [
            ("a.example", 443, false),
            ("127.0.0.1", 8080, true),
            ("127.0.0.1", 80, false),
            ("LOCALHOST", 80, true),
            ("10.0.0.1", 80, true),
            ("10.0.0.2", 80, false),
        ] {
            assert_eq!(policy.allows_private(host, port), expected, "{host}:{port}");
        }
        let policy = parse(&json!({"hosts": ["a.example"], "allow_private": true})).unwrap();
        assert!(policy.allows_private("a.example", 443) && !policy.allows_private("b.example", 443));
    }

    #[test]
    fn a_request_goes_by_the_first_policy_that_lists_its_host() {
        let policies = [
            parse(&json!({"hosts": ["*.example.org"], "max_bytes": 1})).unwrap(),
            parse(&json!({"hosts": ["intranet.example.org", "b.example"], "allow_private": true})).unwrap(),
        ];
        let bytes = |host| NetPolicy::governing(&policies, host, 443).map(|policy| policy.max_bytes);
        assert_eq!(bytes("intranet.example.org"), Some(1));
        assert_eq!(bytes("b.example"), Some(DEFAULT_BYTES));
        assert_eq!(bytes("c.example"), None);
    }
}
