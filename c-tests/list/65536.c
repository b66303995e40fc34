/* A list of 65,536 requests, waited for and not [B5] [B11]. */
// columns: preload threads without -- glibc does it too, but its time grows with the square: 50 s
#define SIZES 65536
#define MOST 65536
#include "sizes.h"
