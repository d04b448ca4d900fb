//! Rate limits by key (an address, an account), in memory, one instant a key.
//!
//! The generic cell rate algorithm: each event moves the key's instant one interval on; an event is
//! refused while that instant lies more than a burst ahead of now.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

use crate::config::Limit;

/// The most keys that are remembered; beyond it, old ones make room.
const MAX_KEYS: usize = 100_000;

/// A limit for each key of one kind.
#[derive(Debug)]
pub struct Limiter<K> {
    limit: Limit,
    instants: Mutex<HashMap<K, OffsetDateTime>>,
}

/// Too often; ask again after this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften(pub Duration);

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// A limiter that has seen nothing yet.
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            instants: Mutex::default(),
        }
    }

    /// Counts an event of `key`, or refuses it.
    pub fn take(&self, key: K, now: OffsetDateTime) -> Result<(), TooOften> {
        if self.limit.count == 0 {
            return Ok(());
        }
        let interval = self.limit.period / self.limit.count;
        let ahead_at_most = interval * self.limit.burst.saturating_sub(1);
        let mut instants = self.lock();
        if instants.len() >= MAX_KEYS {
            make_room(&mut instants, now);
        }
        let instant = instants.entry(key).or_insert(now);
        let from = (*instant).max(now);
        let ahead = (from - now).unsigned_abs();
        match ahead.checked_sub(ahead_at_most) {
            None | Some(Duration::ZERO) => {}
            Some(too_far) => return Err(TooOften(too_far)),
        }
        *instant = from + interval;
        Ok(())
    }

    /// Takes the last counted event of `key` back.
    pub fn give_back(&self, key: &K) {
        if self.limit.count == 0 {
            return;
        }
        if let Some(instant) = self.lock().get_mut(key) {
            *instant -= self.limit.period / self.limit.count;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, OffsetDateTime>> {
        self.instants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets keys that would be allowed a whole burst again, and, where that is not enough, others.
fn make_room<K: Hash + Eq + Clone>(instants: &mut HashMap<K, OffsetDateTime>, now: OffsetDateTime) {
    instants.retain(|_, instant| *instant > now);
    if instants.len() >= MAX_KEYS {
        let some: Vec<K> = instants.keys().take(MAX_KEYS / 10).cloned().collect();
        for key in some {
            instants.remove(&key);
        }
    }
}

/// What an address is limited by: of IPv6, its network, since a caller has 2⁶⁴ addresses of one.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => {
            let network = u128::from(ip) & (u128::MAX << 64);
            IpAddr::V6(network.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const START: OffsetDateTime = datetime!(2030-01-01 00:00 UTC);

    fn limiter() -> Limiter<&'static str> {
        Limiter::new(Limit {
            count: 60,
            period: Duration::from_mins(1),
            burst: 5,
        })
    }

    #[test]
    fn a_burst_then_the_rate_for_each_key() {
        let limiter = limiter();
        for _ in 0..5 {
            assert_eq!(limiter.take("a", START), Ok(()));
        }
        let refused = limiter.take("a", START);
        assert_eq!(refused, Err(TooOften(Duration::from_secs(1))));
        assert_eq!(limiter.take("b", START), Ok(()));
        let later = START + Duration::from_secs(1);
        assert_eq!(limiter.take("a", later), Ok(()));
        assert!(limiter.take("a", later).is_err());
    }

    #[test]
    fn events_given_back_do_not_count() {
        let limiter = limiter();
        for _ in 0..100 {
            assert_eq!(limiter.take("a", START), Ok(()));
            limiter.give_back(&"a");
        }
    }

    #[test]
    fn a_limit_of_nothing_is_no_limit() {
        let limiter = Limiter::new(Limit {
            count: 0,
            period: Duration::from_mins(1),
            burst: 0,
        });
        for _ in 0..100 {
            assert_eq!(limiter.take("a", START), Ok(()));
        }
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::new(limiter().limit);
        for key in 0..MAX_KEYS + 50 {
            let _ = limiter.take(key, START);
        }
        assert!(limiter.lock().len() <= MAX_KEYS);
    }

    #[test]
    fn an_ipv6_caller_is_its_network() {
        let one: IpAddr = "2001:db8:1:2::1".parse().expect("an address");
        let other: IpAddr = "2001:db8:1:2:ffff::9".parse().expect("an address");
        assert_eq!(network(one), network(other));
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().expect("an address");
        assert_eq!(network(mapped).to_string(), "192.0.2.1");
    }
}
