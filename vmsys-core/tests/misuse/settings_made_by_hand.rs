//! Settings may grow: they are made from their defaults.

use vmsys_core::Limits;

fn main() {
    let _ = Limits { cpu_ms: 1, wall_ms: 1, mem_mb: 16, max_events: 1, max_output_kb: 1 };
}
