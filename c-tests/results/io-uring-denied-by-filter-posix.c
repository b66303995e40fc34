// columns: oracle preload -- where io_uring is asked for
/* A process that was started with a filter which denies its rings an operation has its AIO done, and io_uring serves
   unless it is the one that docs/containers.md calls needed.

   [F8] io_uring_register_bpf_filter(3); Linux 7.0, io_uring/bpf_filter.c. AIO makes no call of io_uring in the original. */
#define ONE_REQUEST_POSIX
#include "io-uring-denied-by-filter.h"
