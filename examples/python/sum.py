"""Adds up the bytes of a file by caio's libaio back end, 32 reads in flight, and says how long the event loop stood still."""

import asyncio
import os
import random
import sys
import time

from caio.linux_aio_asyncio import AsyncioContext

BLOCK = 4096
DEPTH = 32


async def pulse(turns):
    """Notes how long each turn of the event loop takes."""
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(0)
        turns.append(time.perf_counter() - begun)


async def read(context, fd, offsets, sums):
    while offsets:
        data = await context.read(BLOCK, fd, offsets.pop())
        sums.append((len(data), sum(data)))


async def main(path):
    fd = os.open(path, os.O_RDONLY)
    size = os.fstat(fd).st_size
    offsets = list(range(0, size, BLOCK))
    random.shuffle(offsets)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)  # nothing of the file is in the page cache,
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)  # and nothing is read ahead
    sums, turns = [], []
    async with AsyncioContext(max_requests=DEPTH) as context:
        watch = asyncio.create_task(pulse(turns))
        begun = time.perf_counter()
        await asyncio.gather(*(read(context, fd, offsets, sums) for _ in range(DEPTH)))
        seconds = time.perf_counter() - begun
        watch.cancel()
    turns.sort()
    print(f"{sum(length for length, _ in sums)} bytes, sum {sum(part for _, part in sums)}")
    print(
        f"{len(sums) / seconds:,.0f} reads/s; of {len(turns):,} turns of the event loop half took less than "
        f"{1e3 * turns[len(turns) // 2]:.2f} ms, 99 % less than {1e3 * turns[len(turns) * 99 // 100]:.2f} ms"
    )


asyncio.run(main(sys.argv[1]))
