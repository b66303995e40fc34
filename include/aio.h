/* The system's <aio.h>, and what uringaio has beyond it (<uringaio.h>): so that programs written for FreeBSD find LIO_READV
   and aio_readv where they look for them. In a folder that pkg-config puts first. */
#ifndef URINGAIO_AIO_H
#define URINGAIO_AIO_H

#pragma GCC system_header
#include_next <aio.h>
#include <uringaio.h>

#endif
