//! How the counters are laid out and read: buckets meet without a gap, percentiles are what they say.
#![allow(missing_docs, clippy::expect_used, reason = "a test")]

#[allow(dead_code, reason = "the test uses a part of it")]
#[path = "../src/stats/layout.rs"]
mod layout;

use layout::{LATENCIES, latency_bound, latency_bucket, percentile, size_bucket, uringaio_counters};

#[test]
fn every_time_falls_below_the_bound_of_its_bucket_and_not_below_the_one_before() {
    let mut times: Vec<u64> = (0..10_000).collect();
    for shift in 13..36 {
        for offset in 0..64u64 {
            times.push((1 << shift) + (offset << (shift - 6)));
            times.push((1 << shift) - 1);
        }
    }
    for time in times {
        let bucket = latency_bucket(time);
        assert!(time < latency_bound(bucket), "{time} in bucket {bucket}");
        assert!(bucket == 0 || time >= latency_bound(bucket - 1), "{time} in bucket {bucket}");
    }
    assert_eq!(latency_bucket(u64::MAX), LATENCIES - 1);
}

#[test]
fn a_percentile_is_the_bound_within_which_that_share_lies() {
    let mut buckets = [0; LATENCIES];
    assert_eq!(percentile(&buckets, 0.5), None);
    buckets[latency_bucket(100)] = 90;
    buckets[latency_bucket(1_000)] = 9;
    buckets[latency_bucket(1_000_000)] = 1;
    let bound = |time| Some(latency_bound(latency_bucket(time)));
    assert_eq!(percentile(&buckets, 0.5), bound(100));
    assert_eq!(percentile(&buckets, 0.9), bound(100));
    assert_eq!(percentile(&buckets, 0.95), bound(1_000));
    assert_eq!(percentile(&buckets, 0.99), bound(1_000));
    assert_eq!(percentile(&buckets, 1.0), bound(1_000_000));
}

#[test]
fn batches_are_counted_by_their_size() {
    let buckets: Vec<usize> = [1, 2, 3, 4, 5, 8, 9, 512, 513, 1024, 1025, 1 << 40].map(size_bucket).to_vec();
    assert_eq!(buckets, [0, 1, 2, 2, 3, 3, 4, 9, 10, 10, 11, 11]);
}

#[test]
fn what_is_between_two_readings_is_their_difference() {
    let before = uringaio_counters { submitted: [3, 4], wakes: 7, ..uringaio_counters::default() };
    let mut after = before;
    after.submitted[1] = 10;
    after.by_engine[1][2] = 6;
    after.engine_finished[1] = 5;
    let between = after.since(&before);
    assert_eq!((between.submitted, between.wakes, between.by_engine[1][2]), ([0, 6], 0, 6));
    assert_eq!(after.in_flight(), [0, 1]);
}
