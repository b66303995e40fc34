/* A kernel without statmount(2), as Linux before 6.8: a filter has it answer so. */
#ifndef WITHOUT_STATMOUNT_H
#define WITHOUT_STATMOUNT_H

#include "seccomp-filter.h"

static inline void without_statmount(void)
{
    enum { STATMOUNT = 457 };

    refuse_call(STATMOUNT, ENOSYS);
}

#endif
