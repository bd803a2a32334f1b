//! How many requests a client may send in a second.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::access::HEALTH;
use crate::error::ApiError;
use crate::listen::Peer;

/// After how many requests the clients are forgotten that have sent none for so long that they could send a second's worth
/// again. Besides these there are never more of them than requests in between.
const SWEEP_EVERY: u32 = 4096;

/// Lets each client send so many requests a second, all at once or spread over it.
#[derive(Debug)]
pub(crate) struct Rate<C: Clock = DefaultClock> {
    most: NonZeroU32,
    clients: RateLimiter<Client, HashMapStateStore<Client>, C, NoOpMiddleware<C::Instant>>,
    checked: AtomicU32,
}

/// Whom requests are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    V4(Ipv4Addr),
    /// The first half of an address: the other half is the client's to choose.
    V6([u16; 4]),
    /// The owner of the socket file.
    Unix,
}

impl Client {
    fn of(peer: Peer) -> Self {
        let Peer::Tcp(address) = peer else { return Self::Unix };
        match address.ip().to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

impl Rate {
    pub(crate) fn new(most: NonZeroU32) -> Self {
        Self::with_clock(most, DefaultClock::default())
    }
}

impl<C: Clock> Rate<C> {
    fn with_clock(most: NonZeroU32, clock: C) -> Self {
        let clients = RateLimiter::hashmap_with_clock(Quota::per_second(most), clock);
        Self { most, clients, checked: AtomicU32::new(0) }
    }

    /// Counts a request, and refuses it when its client has sent too many. Whether the daemon is there may always be asked.
    pub(crate) fn check(&self, path: &str, peer: Peer) -> Result<(), ApiError> {
        if path == HEALTH {
            return Ok(());
        }
        if self.checked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.clients.retain_recent();
        }
        self.clients.check_key(&Client::of(peer)).map_err(|_| ApiError::too_many_requests(self.most.get()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn rate(most: u32) -> (Rate<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Rate::with_clock(NonZeroU32::new(most).unwrap(), clock.clone()), clock)
    }

    fn tcp(address: &str) -> Peer {
        Peer::Tcp((address.parse::<IpAddr>().unwrap(), 5).into())
    }

    /// How many of many requests are let in.
    fn let_in(rate: &Rate<FakeRelativeClock>, peer: Peer) -> usize {
        (0..100).filter(|_| rate.check("/api/v1/sessions", peer).is_ok()).count()
    }

    #[test]
    fn a_seconds_worth_comes_at_once_and_is_there_again_a_second_later() {
        for most in [1, 2, 7, 50] {
            let (rate, clock) = rate(most);
            let client = tcp("192.0.2.1");
            for _ in 0..3 {
                assert_eq!(let_in(&rate, client), most as usize);
                // What a refusal says: after one second there is room for one request at least.
                clock.advance(Duration::from_secs(1));
            }
            clock.advance(Duration::from_secs(3600));
            assert_eq!(let_in(&rate, client), most as usize, "what was not used is not saved up");
        }
        let (rate, clock) = rate(10);
        assert_eq!(let_in(&rate, Peer::Unix), 10);
        clock.advance(Duration::from_millis(301));
        assert_eq!(let_in(&rate, Peer::Unix), 3);
    }

    #[test]
    fn a_refusal_names_the_limit() {
        let (rate, _) = rate(1);
        rate.check("/", Peer::Unix).unwrap();
        let error = rate.check("/", Peer::Unix).unwrap_err();
        assert_eq!((error.status().as_u16(), error.code()), (429, "LIMIT_REACHED"));
        assert_eq!((error.detail("limit"), error.detail("most")), (Some("max_rate"), Some("1")));
    }

    #[test]
    fn whether_there_is_a_daemon_may_always_be_asked() {
        let (rate, _) = rate(1);
        assert!((0..100).all(|_| rate.check("/api/v1/health", Peer::Unix).is_ok()));
        assert_eq!(let_in(&rate, Peer::Unix), 1);
    }

    #[test]
    fn a_client_is_an_address_or_the_network_that_it_can_choose_from() {
        let (rate, _) = rate(1);
        let table = [
            ("192.0.2.1", true),
            ("192.0.2.1", false),
            ("192.0.2.2", true),
            ("::ffff:192.0.2.2", false),
            ("2001:db8::1", true),
            ("2001:db8::2", false),
            ("2001:db8:0:0:ffff::", false),
            ("2001:db8:0:1::1", true),
            ("::1", true),
            ("127.0.0.1", true),
        ];
        for (address, expected) in table {
            assert_eq!(rate.check("/", tcp(address)).is_ok(), expected, "{address}");
        }
    }

    #[test]
    fn clients_that_are_gone_are_forgotten() {
        let (rate, clock) = rate(100);
        for number in 0..20 * SWEEP_EVERY {
            let _ = rate.check("/", Peer::Tcp((Ipv4Addr::from_bits(number), 5).into()));
            clock.advance(Duration::from_millis(1));
            assert!(rate.clients.len() <= SWEEP_EVERY as usize + 100, "{}", rate.clients.len());
        }
    }
}
