/* Lists of 1, 1,000 and 4,000 requests, waited for and not [B5] [B11]. */
#define SIZES 1, 1000, 4000
#define MOST 4000
#include "sizes.h"
