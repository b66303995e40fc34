// face: libaio
/* The first call may come from another library's constructor, and the last from an exit handler or a destructor
   [C6]. */
#include "iocb.h"

extern int constructor_result;

int main(void)
{
    CHECK_INT(constructor_result, 0);
    return 0;
}
