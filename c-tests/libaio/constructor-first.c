/* The first call may come from another library's constructor, and the last from an exit handler or a destructor
 * (C6; libfaketime's lesson). */
#include "libaio-test.h"

extern int constructor_result;

int main(void)
{
    EQ(constructor_result, 0);
    return 0;
}
