// build: -ldl
// columns: oracle preload threads -- under a filter set-uid has no effect (no_new_privs)
// unsanitized: asan tsan -- the runtime in a set-uid child has no settings, and cannot do its work
/* In a program with more rights than its caller (set-uid, AT_SECURE) no variable of the environment has an effect: the
   library prints nothing, writes no file, publishes no counters, and its engine is not chosen from outside [C7]. The
   program finds the library by itself, because the dynamic linker preloads nothing there. */
#include "aiocb.h"
#include "process.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/auxv.h>

#define NOBODY 65534

static int find_library(struct dl_phdr_info *object, size_t size, void *path)
{
    (void)size;
    if (strstr(object->dlpi_name, "liburingaio.so"))
        snprintf(path, PATH_MAX, "%s", object->dlpi_name);
    return 0;
}

/* The program that is started with more rights. */
static int inside(const char *library)
{
    CHECK_INT(getauxval(AT_SECURE), 1);
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        FAIL("%s", dlerror());
    int (*read_by)(struct aiocb *) = (int (*)(struct aiocb *))dlsym(handle, "aio_read");
    int (*error_of)(const struct aiocb *) = (int (*)(const struct aiocb *))dlsym(handle, "aio_error");
    CHECK(read_by && error_of);
    char in = '?', name[64] = "";
    int ends[2], found = 0;

    make_pipe(ends);
    struct aiocb cb = make_cb(ends[0], &in, 1, 0);
    CHECK_INT(read_by(&cb), 0);
    CHECK_INT(error_of(&cb), EINPROGRESS);
    DIR *directory = opendir("/proc/self/task");
    struct dirent *entry;
    while (directory && (entry = readdir(directory)))
        if (atoi(entry->d_name) && status_line(atoi(entry->d_name), "Name", name, sizeof name))
            found |= strncmp(name, "uringaio", 8) == 0;
    if (directory)
        CHECK(found); /* URINGAIO_ENGINE=system says otherwise */
    CHECK_INT(write(ends[1], "x", 1), 1);
    WAIT_UNTIL(error_of(&cb) == 0);
    CHECK_INT(in, 'x');
    return 0;
}

static const char *copy_of_this_program(void)
{
    const char *path = test_path("set-uid");
    char block[65536];
    int from = MUST(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)), to = MUST(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
    ssize_t size;

    while ((size = MUST(read(from, block, sizeof block))) > 0)
        CHECK_INT(write(to, block, size), size);
    MUST(fchown(to, NOBODY, NOBODY));
    MUST(fchmod(to, 04755));
    close(from);
    close(to);
    return path;
}

int main(int argc, char **argv)
{
    char library[PATH_MAX] = "", said[4096] = "", variable[PATH_MAX + 32], by_number[32];
    int output[2], status, file;

    if (argc > 1)
        return inside(argv[1]);
    if (getuid() != 0)
        SKIP("needs root to make a program of another user's");
    dl_iterate_phdr(find_library, library);
    if (library[0] == 0)
        return 0;
    const char *path = copy_of_this_program(), *directory = test_path("");
    MUST(chmod(directory, 0777));
    int files = count_entries(directory);
    make_pipe(output);
    /* The program runs as another user, who may not be able to reach the library by its path. */
    file = MUST(open(library, O_RDONLY));
    snprintf(by_number, sizeof by_number, "/proc/self/fd/%d", file);
    pid_t child = MUST(fork());
    if (child == 0) {
        static const char *const names[] = { "ENGINE", "FACE", "LOG", "RAW", "MAX_EVENTS", "STATS" };

        dup2(output[1], 2);
        clearenv();
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            snprintf(variable, sizeof variable, "URINGAIO_%s", names[i]);
            setenv(variable, i == 0 ? "system" : i == 1 ? "libaio" : "1", 1);
        }
        setenv("LD_PRELOAD", library, 1);
        setenv("LD_DEBUG_OUTPUT", test_path("debug"), 1);
        setenv("RUST_BACKTRACE", "full", 1);
        execl(path, path, by_number, NULL);
        FAIL("exec: %s", strerror(errno));
    }
    close(output[1]);
    size_t have = 0;
    ssize_t now;
    while ((now = read(output[0], said + have, sizeof said - 1 - have)) > 0)
        have += now;
    status = await_child(child);
    if (strstr(said, "getauxval"))
        SKIP("set-uid has no effect on this file system");
    if (status != 0 || have != 0)
        FAIL("wait status %#x; it says: %s", status, said);
    CHECK_INT(count_entries(directory), files);
    return 0;
}
