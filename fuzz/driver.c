/* Feeds one target of the library with what libFuzzer makes up: fuzz TARGET [libFuzzer's arguments]. The runtime is that of clang's
   -fsanitize=fuzzer, whose main is not used. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*feed)(const uint8_t *bytes, size_t length));
int uringaio_fuzz(const char *target, const uint8_t *bytes, size_t length);

static const char *target;

static int feed(const uint8_t *bytes, size_t length)
{
    return uringaio_fuzz(target, bytes, length) ? -1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 2 || uringaio_fuzz(argv[1], NULL, 0)) {
        fprintf(stderr, "usage: %s TARGET [ARGUMENT]...\n", argv[0]);
        return 2;
    }
    target = argv[1];
    argv[1] = argv[0];
    argc--, argv++;
    return LLVMFuzzerRunDriver(&argc, &argv, feed);
}
