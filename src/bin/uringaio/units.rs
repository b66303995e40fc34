//! Numbers as people read them.

/// 1234567 as `1.23M`.
pub fn count(number: f64) -> String {
    match number {
        n if n < 999.5 => format!("{n:.0}"),
        n if n < 9_995.0 => format!("{:.2}k", n / 1e3),
        n if n < 99_950.0 => format!("{:.1}k", n / 1e3),
        n if n < 999_500.0 => format!("{:.0}k", n / 1e3),
        n if n < 9_995_000.0 => format!("{:.2}M", n / 1e6),
        n if n < 999_500_000.0 => format!("{:.0}M", n / 1e6),
        n => format!("{:.1}G", n / 1e9),
    }
}

/// Bytes, by 1024.
pub fn bytes(number: f64) -> String {
    match number {
        n if n < 1024.0 => format!("{n:.0} B"),
        n if n < 1024.0 * 1024.0 => format!("{:.1} KiB", n / 1024.0),
        n if n < 1024.0 * 1024.0 * 1024.0 => format!("{:.1} MiB", n / 1_048_576.0),
        n => format!("{:.2} GiB", n / 1_073_741_824.0),
    }
}

/// The same for a narrow column: `12.3M`.
pub fn short_bytes(number: f64) -> String {
    let units = ["", "K", "M", "G"];
    let (mut scaled, mut unit) = (number, 0);
    while scaled >= 999.5 && unit + 1 < units.len() {
        (scaled, unit) = (scaled / 1024.0, unit + 1);
    }
    let digits = usize::from(unit > 0 && scaled < 99.95);
    format!("{scaled:.digits$}{}", units[unit])
}

/// A time given in nanoseconds.
pub fn time(nanoseconds: u64) -> String {
    match nanoseconds {
        n @ ..1_000 => format!("{n} ns"),
        n @ ..100_000 => format!("{:.1} µs", n as f64 / 1e3),
        n @ ..1_000_000 => format!("{:.0} µs", n as f64 / 1e3),
        n @ ..100_000_000 => format!("{:.1} ms", n as f64 / 1e6),
        n => format!("{:.2} s", n as f64 / 1e9),
    }
}
