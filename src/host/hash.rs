//! Hashes of words.

/// One word of two, well spread (the finaliser of SplitMix64, <https://prng.di.unimi.it/splitmix64.c>, public domain).
pub const fn mix(a: u64, b: u64) -> u64 {
    let mut word = a.wrapping_add(b.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A place in a table for a word, of which the caller takes as many low bits as it needs: the high half of a multiplication
/// by 2^64 divided by the golden ratio. Cheaper than [`mix`], and good for addresses.
#[inline]
pub const fn spread(word: usize) -> usize {
    ((word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}
