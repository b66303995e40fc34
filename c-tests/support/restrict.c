/* Runs a command whose rings may carry out certain operations alone: restricted.h says how.

   usage: restrict OPERATION,OPERATION... COMMAND [ARGUMENT]...    by their numbers */
#include "behaviour.h"
#include "restricted.h"

int main(int argc, char **argv)
{
    struct allowed allowed = { .flags = NEEDED_FLAGS, .registers = EVERY_REGISTER };
    unsigned count = 0;
    int status;

    if (argc < 3) {
        fprintf(stderr, "usage: restrict OPERATION,OPERATION... COMMAND [ARGUMENT]...\n");
        return 2;
    }
    for (char *word = strtok(argv[1], ","); word && count < sizeof allowed.operations - 1; word = strtok(NULL, ","))
        allowed.operations[count++] = (unsigned char)atoi(word);
    status = run_command_restricted(&allowed, argv + 2);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
