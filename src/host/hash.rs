//! One well-spread word of two.

/// One word of two, well spread (the finaliser of SplitMix64, <https://prng.di.unimi.it/splitmix64.c>, public domain).
pub const fn mix(a: u64, b: u64) -> u64 {
    let mut word = a.wrapping_add(b.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
