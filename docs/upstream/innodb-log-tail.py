#!/usr/bin/env python3
"""innodb-log-tail.py IB_LOGFILE0: what stands behind the last record that recovery takes, in the log of a killed server.

For logs of MariaDB 10.8 and later without encryption, in their first turn (the sequence bit is 1).
"""

import struct
import sys

HEADER, BLOCK, SEQUENCE_BIT = 12288, 4096, 1

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(log, at):
    """A number of variable length, and how many bytes it has (mlog_decode_varint)."""
    first, base = log[at], 0
    for length, limit in ((1, 0x80), (2, 0xC0), (3, 0xE0), (4, 0xF0)):
        if first < limit:
            rest = int.from_bytes(log[at + 1 : at + length], "big")
            return base + ((first & limit - 1 & 0xFF >> length) << 8 * (length - 1) | rest), length
        base += 1 << 7 * length
    return base + int.from_bytes(log[at + 1 : at + 5], "big"), 5


def end_of_mini_transaction(log, at):
    """Where the mini-transaction that begins here ends; None if there is no whole one."""
    start = at
    try:
        while log[at] > 1:
            length = log[at] & 15
            at += 1
            if length == 0:
                more, size = varint(log, at)
                length = more + 15
            at += length
        whole = at > start and log[at] == SEQUENCE_BIT
        return at + 5 if whole and crc32c(log[start:at]) == int.from_bytes(log[at + 1 : at + 5], "big") else None
    except IndexError:
        return None


def main():
    log = open(sys.argv[1], "rb").read()
    first_lsn = struct.unpack(">Q", log[8:16])[0]
    lsn = max(struct.unpack(">Q", log[at : at + 8])[0] for at in (4096, 8192))
    if lsn - first_lsn >= len(log) - HEADER:
        sys.exit("the log is not in its first turn")
    ends = [HEADER + lsn - first_lsn]
    while after := end_of_mini_transaction(log, ends[-1]):
        ends.append(after)
    end = ends[-1]
    print(f"checkpoint {lsn}, end {first_lsn + end - HEADER}: {len(ends) - 1} mini-transactions")
    print("terminated" if log[end] == 0 else f"not terminated: 0x{log[end]:02x} follows")
    # The longest run of whole mini-transactions before the end that also stands some blocks earlier.
    for back in range(BLOCK, 64 * BLOCK, BLOCK):
        copied = [at for at in ends if at - back >= HEADER and log[at:end] == log[at - back : end - back]]
        if copied and copied[0] < end:
            print(f"the last {end - copied[0]} bytes are those of {back} bytes earlier")


main()
