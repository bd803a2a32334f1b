//! From the host of a URL to addresses that may be connected to: resolved once, and checked before anything is sent.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use url::Host;
use vmsys_core::NetPolicy;

use super::address::is_public;
use super::error::Failure;

/// Look-ups at a time: each keeps a thread, and cannot be stopped.
const LOOKUPS: usize = 32;

/// An answer that comes later.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Turns names into addresses.
///
/// It need not filter: every address is checked before it is used.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// Gives the addresses of a name, in the order in which they are to be tried.
    fn resolve(&self, name: &str) -> Resolving;
}

/// The operating system's resolver, with its files and its servers.
#[derive(Debug)]
pub(super) struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { lookups: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> Resolving {
        let (lookups, name) = (self.lookups.clone(), name.to_owned());
        Box::pin(async move {
            // Kept by the thread, not by who waits for it: a look-up that nobody waits for goes on.
            let permit = lookups.acquire_owned().await.map_err(io::Error::other)?;
            let lookup = move || {
                let found = (name.as_str(), 0).to_socket_addrs();
                drop(permit);
                found.map(|addresses| addresses.map(|address| address.ip()).collect())
            };
            spawn_blocking(lookup).await.map_err(io::Error::other)?
        })
    }
}

/// What no request may reach, whatever a template says: the daemon itself.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnPorts(pub(super) Vec<u16>);

impl OwnPorts {
    fn contains(&self, address: IpAddr, port: u16) -> bool {
        self.0.contains(&port) && is_this_machine(address.to_canonical())
    }
}

/// Tells whether an address is one of this machine's.
fn is_this_machine(address: IpAddr) -> bool {
    // Only what is one's own can be bound to; nothing is sent.
    address.is_loopback() || address.is_unspecified() || UdpSocket::bind(SocketAddr::new(address, 0)).is_ok()
}

/// Gives the addresses at which a host that a policy lists may be reached.
///
/// # Errors
/// `EPERM` when one of them, of however many, is not public and the policy does not allow that; `ENOTFOUND` when there
/// are none.
pub(super) async fn addresses_of(
    host: &Host<&str>,
    port: u16,
    policy: &NetPolicy,
    resolver: &dyn Resolve,
    own: &OwnPorts,
) -> Result<Vec<SocketAddr>, Failure> {
    let (addresses, by_name) = match host {
        Host::Ipv4(address) => (vec![IpAddr::V4(*address)], false),
        Host::Ipv6(address) => (vec![IpAddr::V6(*address)], false),
        // Whatever a resolver says: it is listed to reach this machine, and may reach nothing else.
        Host::Domain(name) if is_localhost(name) => {
            (vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()], true)
        }
        Host::Domain(name) => (lookup(name, resolver).await?, true),
    };
    let allows_private = policy.allows_private(&host.to_string(), port);
    for address in &addresses {
        let address = address.to_canonical();
        let shown = if by_name { format!("{host}, which is at {address},") } else { address.to_string() };
        if own.contains(address, port) {
            return Err(Failure::refused(format!("fetch is refused: {shown} port {port} is vm-system's own")));
        }
        if !allows_private && !is_public(address) {
            return Err(Failure::refused(format!(
                "fetch is refused: {shown} is not on the public internet: list the address itself in the hosts of the \
                 template's net capability, or set its allow_private"
            )));
        }
    }
    Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
}

fn is_localhost(name: &str) -> bool {
    name.strip_suffix('.').unwrap_or(name) == "localhost"
}

async fn lookup(name: &str, resolver: &dyn Resolve) -> Result<Vec<IpAddr>, Failure> {
    let not_found = || {
        Failure::coded("ENOTFOUND", format!("getaddrinfo ENOTFOUND {name}"))
            .with("syscall", "getaddrinfo")
            .with("hostname", name)
    };
    match resolver.resolve(name).await {
        Ok(addresses) if addresses.is_empty() => Err(not_found()),
        Ok(addresses) => Ok(addresses),
        // The library of C says no more than this.
        Err(_) => Err(not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operating_system_knows_this_machine() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(SystemResolver::default().resolve("localhost")).unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
        assert!(runtime.block_on(SystemResolver::default().resolve("a b")).is_err());
    }

    #[test]
    fn addresses_of_this_machine_are_told_from_others() {
        for own in ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::"] {
            assert!(is_this_machine(own.parse().unwrap()), "{own}");
        }
        for other in ["192.0.2.1", "8.8.8.8", "2001:db8::1"] {
            assert!(!is_this_machine(other.parse().unwrap()), "{other}");
        }
    }
}
