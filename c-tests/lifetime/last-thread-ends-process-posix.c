// face: posix
// unsanitized: tsan -- the runtime cannot join the main thread
/* The main thread ends by pthread_exit; a second thread does AIO, waits for it and returns or calls pthread_exit. The
   process ends with status 0, and its atexit handlers have run.

   [E4] exit(3), pthread_exit(3): "after the last thread in a process terminates, the process terminates as by calling
   exit(3) with an exit status of zero". A library's thread is not one of the program's. */
#define ONE_REQUEST_POSIX
#include "last-thread-ends-process.h"
