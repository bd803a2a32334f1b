//! Memory that the C library keeps after a burst of work, in heaps of each thread that had a part in it: it is given back
//! once the daemon has nothing to do.
#![expect(unsafe_code, reason = "malloc_trim of the C library")]

use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::process;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);
/// What the process may have used of a processor since the last look, to count as idle.
const IDLE: f64 = 0.05;
/// What it must have grown by since the last time, so that it is worth the look through all heaps.
const WORTH: u64 = 32 << 20;

/// Gives memory back for as long as it is polled.
pub(crate) async fn give_back_when_idle() {
    let mut before = process::usage();
    let mut least = before.resident_bytes;
    loop {
        sleep(EVERY).await;
        let now = process::usage();
        let is_idle = now.cpu_seconds - before.cpu_seconds < IDLE * EVERY.as_secs_f64();
        before = now;
        if is_idle && now.resident_bytes > least + WORTH {
            let _ = spawn_blocking(give_back).await;
            before = process::usage();
            least = before.resident_bytes;
            tracing::debug!(from = now.resident_bytes, to = least, "memory was given back");
        }
    }
}

/// Gives back what is free in all heaps; where the C library keeps nothing back, or cannot be told, there is nothing to do.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes a number, and may be called from any thread at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn what_threads_have_freed_is_given_back() {
        // Small pieces, so that they come from heaps; every hundredth stays, and keeps what is below it in place.
        let work = || (0..200_000).map(|number| vec![number as u8; 500]).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(work)).collect();
        let pieces: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let full = process::usage().resident_bytes;
        let kept: Vec<_> = pieces.into_iter().step_by(100).collect();
        give_back();
        let left = process::usage().resident_bytes;
        assert!(full - left > 200 << 20, "{full} {left}");
        assert_eq!(kept.len(), 8_000);
    }
}
