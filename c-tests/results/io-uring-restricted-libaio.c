// face: libaio
// columns: oracle preload engine -- where io_uring is asked for
/* A process that was started with a list of the operations that its rings may carry out has its AIO done. Io_uring serves
   as long as the list has what docs/containers.md says is needed: what else is missing is done another way.

   [F8] io_uring_register(2), IORING_REGISTER_RESTRICTIONS; Linux 7.0, io_uring/register.c, io_register_restrictions_task. AIO
   makes no call of io_uring in the original. */
#include "io-uring-restricted-lists.h"
