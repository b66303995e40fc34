/* The demo's conductor: makes the file, runs each load on the original AIO and on uringaio in turns, draws the result. */
#include "load.h"

#include <locale.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>

enum { ROUNDS = 5, BAR = 34, LOADS = 3, SIDES = 2 };

struct figure {
    double rate, cpu;
};

struct side {
    const char *name;     /* as the table shows it */
    const char *variable; /* the environment variable that chooses the library */
    const char *value;
    struct figure rounds[ROUNDS], median;
};

struct load_of {
    const char *title, *program, *mode;
    struct side sides[SIDES];
};

/* The variable of each side's library; main fills in its value. */
static struct load_of loads[LOADS] = {
    { "POSIX AIO, O_DIRECT", "posix", "direct", { { .name = "glibc" }, { .name = "uringaio", .variable = "LD_PRELOAD" } } },
    { "libaio, buffered, not in the page cache", "libaio", "buffered",
      { { .name = "kernel", .variable = "LD_LIBRARY_PATH" }, { .name = "uringaio", .variable = "LD_LIBRARY_PATH" } } },
    { "libaio, O_DIRECT", "libaio", "direct",
      { { .name = "kernel", .variable = "LD_LIBRARY_PATH" }, { .name = "uringaio", .variable = "LD_LIBRARY_PATH" } } },
};

static int utf8, colour, progress, file_mib = 1024;
static const char *scratch;

static void remove_file(void)
{
    if (scratch)
        unlink(scratch);
}

static void stopped(int signal)
{
    remove_file();
    _exit(128 + signal);
}

static void show(const char *step, int done, int of)
{
    if (!progress)
        return;
    fprintf(stderr, "\r  %-38s ", step);
    for (int i = 0; i < 24; i++)
        fputs(i < done * 24 / of ? (utf8 ? "━" : "#") : (utf8 ? "─" : "."), stderr);
    fprintf(stderr, " %3d %%", done * 100 / of);
    if (done == of)
        fprintf(stderr, "\r%-76s\r", "");
    fflush(stderr);
}

static void write_file(const char *path)
{
    enum { CHUNK = 1 << 20 };
    char *chunk = calloc(1, CHUNK);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || !chunk)
        die(path, errno);
    scratch = path;
    for (int mib = 0; mib < file_mib; mib++) {
        for (uint64_t i = 0; i < CHUNK / BLOCK; i++) {
            uint64_t number = (uint64_t)mib * (CHUNK / BLOCK) + i;

            memcpy(chunk + i * BLOCK, &number, sizeof number);
        }
        if (write(fd, chunk, CHUNK) != CHUNK)
            die(path, errno ? errno : ENOSPC);
        show("writing the file", mib, file_mib);
    }
    if (fsync(fd) != 0)
        die(path, errno);
    close(fd);
    free(chunk);
}

/* What is clean in the page cache goes. */
static void drop_from_cache(void)
{
    int fd = open(scratch, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
}

static struct figure run(const char *directory, const struct load_of *load, const struct side *side, const char *seconds)
{
    char program[4096];
    struct figure figure;
    int ends[2], status, whole;
    pid_t child;
    FILE *output;

    snprintf(program, sizeof program, "%s/%s", directory, load->program);
    drop_from_cache();
    if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0)
        die("fork", errno);
    if (child == 0) {
        dup2(ends[1], 1);
        if (side->variable)
            setenv(side->variable, side->value, 1);
        execl(program, program, scratch, seconds, load->mode, (char *)NULL);
        die(program, errno);
    }
    close(ends[1]);
    output = fdopen(ends[0], "r");
    whole = output && fscanf(output, "%lf %lf", &figure.rate, &figure.cpu) == 2;
    fclose(output);
    if (waitpid(child, &status, 0) != child || status != 0 || !whole) {
        fprintf(stderr, "\ndemo: %s on %s failed\n", load->title, side->name);
        exit(1);
    }
    return figure;
}

static int by_rate(const void *a, const void *b)
{
    double x = ((const struct figure *)a)->rate, y = ((const struct figure *)b)->rate;

    return (x > y) - (x < y);
}

static const char *thousands(double value)
{
    static char texts[4][32];
    static int turn;
    char digits[32], *text = texts[turn++ % 4], *to = text;
    int length = snprintf(digits, sizeof digits, "%.0f", value);

    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return text;
}

static void draw_bar(double share, int ours)
{
    static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    int units = (int)(share * BAR * 8 + 0.5), drawn = units / 8;

    if (colour)
        printf(ours ? "\033[38;5;37m" : "\033[38;5;244m");
    for (int i = 0; i < drawn; i++)
        printf(utf8 ? "█" : (ours ? "#" : "="));
    if (utf8 && units % 8) {
        printf("%s", eighths[units % 8]);
        drawn++;
    }
    if (colour)
        printf("\033[0m");
    printf("%*s", BAR + 1 - drawn, "");
}

static void draw(void)
{
    for (int l = 0; l < LOADS; l++) {
        struct side *sides = loads[l].sides;
        double most = sides[0].median.rate > sides[1].median.rate ? sides[0].median.rate : sides[1].median.rate;

        printf("\n  %s%s%s\n", colour ? "\033[1m" : "", loads[l].title, colour ? "\033[0m" : "");
        for (int s = 0; s < SIDES; s++) {
            printf("    %-9s ", sides[s].name);
            draw_bar(sides[s].median.rate / most, s);
            printf("%9s reads/s %7.1f %s CPU", thousands(sides[s].median.rate), sides[s].median.cpu,
                   utf8 ? "µs" : "us");
            if (s)
                printf("   %s%.2f %s%s", colour ? "\033[1m" : "", sides[1].median.rate / sides[0].median.rate,
                       utf8 ? "×" : "x", colour ? "\033[0m" : "");
            printf("\n");
        }
    }
}

/* argv: DIRECTORY-OF-PROGRAMS FILE LIBURINGAIO DIRECTORY-OF-DROP-IN DIRECTORY-OF-KERNEL-LIBAIO [SECONDS [MIB]] */
int main(int argc, char **argv)
{
    const char *seconds = argc > 6 ? argv[6] : "1";
    struct utsname host;
    int direct, step = 0;

    if (argc < 6)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    setlocale(LC_CTYPE, "");
    const char *words = setlocale(LC_CTYPE, NULL);
    utf8 = strstr(words, "UTF-8") || strstr(words, "utf8") || isatty(1);
    colour = isatty(1) && !getenv("NO_COLOR");
    progress = isatty(2);
    loads[0].sides[1].value = argv[3];
    for (int l = 1; l < LOADS; l++) {
        loads[l].sides[0].value = argv[5];
        loads[l].sides[1].value = argv[4];
    }
    if (argc > 7)
        file_mib = atoi(argv[7]);
    atexit(remove_file);
    signal(SIGINT, stopped);
    signal(SIGTERM, stopped);
    write_file(argv[2]);
    direct = open(argv[2], O_RDONLY | O_DIRECT | O_CLOEXEC);
    uname(&host);
    printf("\n  4 KiB random reads, %d in flight, from a file of %d MiB; Linux %.*s, %ld CPUs%s\n", DEPTH, file_mib,
           (int)strspn(host.release, "0123456789."), host.release, sysconf(_SC_NPROCESSORS_ONLN),
           direct >= 0 ? "" : "\n  (this file system has no O_DIRECT: all reads are buffered)");
    for (int round = 0; round < ROUNDS; round++)
        for (int l = 0; l < LOADS; l++)
            for (int turn = 0; turn < SIDES; turn++) {
                struct side *side = &loads[l].sides[(turn + round) % SIDES]; /* neither side always goes first */
                char label[96];

                snprintf(label, sizeof label, "round %d of %d: %s, %s", round + 1, ROUNDS, loads[l].program, side->name);
                show(label, step++, ROUNDS * LOADS * SIDES);
                side->rounds[round] = run(argv[1], &loads[l], side, seconds);
            }
    show("", 1, 1);
    for (int l = 0; l < LOADS; l++)
        for (int s = 0; s < SIDES; s++) {
            qsort(loads[l].sides[s].rounds, ROUNDS, sizeof(struct figure), by_rate);
            loads[l].sides[s].median = loads[l].sides[s].rounds[ROUNDS / 2];
        }
    draw();
    printf("\n  Medians of %d rounds in turns; every block that was read was checked. Each program is the same on both\n"
           "  sides; only the library under it differs. glibc runs one request per file at a time. The kernel's AIO\n"
           "  waits in io_submit for a block that is not in the page cache; O_DIRECT on libaio is carried by the kernel's\n"
           "  own AIO on both sides. The loops are fio's: docs/benchmarks.md has fio's figures for the same work.\n\n",
           ROUNDS);
    return 0;
}
