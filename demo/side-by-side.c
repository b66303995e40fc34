/* The demo's conductor: makes the file, runs each load on the system's AIO and on uringaio in turns, draws the result. */
#include "load.h"

#include <locale.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>

enum { ROUNDS = 5, FILE_MIB = 256, BAR = 34, FACES = 2, SIDES = 2 };

struct figure {
    double rate, cpu;
};

struct side {
    const char *name;     /* as the table shows it */
    const char *variable; /* the environment variable that chooses the library */
    const char *value;
    struct figure rounds[ROUNDS], median;
};

struct face {
    const char *name, *program;
    struct side sides[SIDES];
};

static struct face faces[FACES] = {
    { "POSIX AIO", "posix", { { "glibc", NULL, NULL, { { 0, 0 } }, { 0, 0 } },
                              { "uringaio", "LD_PRELOAD", NULL, { { 0, 0 } }, { 0, 0 } } } },
    { "libaio", "libaio", { { "kernel", "LD_LIBRARY_PATH", NULL, { { 0, 0 } }, { 0, 0 } },
                            { "uringaio", "LD_LIBRARY_PATH", NULL, { { 0, 0 } }, { 0, 0 } } } },
};

static int utf8, colour, progress;
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
    for (int mib = 0; mib < FILE_MIB; mib++) {
        for (uint64_t i = 0; i < CHUNK / BLOCK; i++) {
            uint64_t number = (uint64_t)mib * (CHUNK / BLOCK) + i;

            memcpy(chunk + i * BLOCK, &number, sizeof number);
        }
        if (write(fd, chunk, CHUNK) != CHUNK)
            die(path, errno ? errno : ENOSPC);
        show("writing the file", mib, FILE_MIB);
    }
    if (fsync(fd) != 0)
        die(path, errno);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    free(chunk);
}

static struct figure run(const char *directory, const struct face *face, const struct side *side, const char *seconds)
{
    char program[4096];
    struct figure figure;
    int ends[2], status, whole;
    pid_t child;
    FILE *output;

    snprintf(program, sizeof program, "%s/%s", directory, face->program);
    if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0)
        die("fork", errno);
    if (child == 0) {
        dup2(ends[1], 1);
        if (side->variable)
            setenv(side->variable, side->value, 1);
        execl(program, program, scratch, seconds, (char *)NULL);
        die(program, errno);
    }
    close(ends[1]);
    output = fdopen(ends[0], "r");
    whole = output && fscanf(output, "%lf %lf", &figure.rate, &figure.cpu) == 2;
    fclose(output);
    if (waitpid(child, &status, 0) != child || status != 0 || !whole) {
        fprintf(stderr, "\ndemo: %s on %s failed\n", face->name, side->name);
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
    for (int f = 0; f < FACES; f++) {
        struct side *sides = faces[f].sides;
        double most = sides[0].median.rate > sides[1].median.rate ? sides[0].median.rate : sides[1].median.rate;

        printf("\n  %s%s%s\n", colour ? "\033[1m" : "", faces[f].name, colour ? "\033[0m" : "");
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

/* argv: DIRECTORY-OF-PROGRAMS FILE LIBURINGAIO DIRECTORY-OF-DROP-IN DIRECTORY-OF-KERNEL-LIBAIO [SECONDS] */
int main(int argc, char **argv)
{
    const char *seconds = argc > 6 ? argv[6] : "1.2";
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
    faces[0].sides[1].value = argv[3];
    faces[1].sides[1].value = argv[4];
    faces[1].sides[0].value = argv[5];
    atexit(remove_file);
    signal(SIGINT, stopped);
    signal(SIGTERM, stopped);
    write_file(argv[2]);
    direct = open(argv[2], O_RDONLY | O_DIRECT | O_CLOEXEC);
    uname(&host);
    printf("\n  4 KiB random reads, %d in flight, %s, from a file of %d MiB; Linux %s, %ld CPUs\n", DEPTH,
           direct >= 0 ? "O_DIRECT" : "buffered (no O_DIRECT here)", FILE_MIB, host.release,
           sysconf(_SC_NPROCESSORS_ONLN));
    for (int round = 0; round < ROUNDS; round++)
        for (int f = 0; f < FACES; f++)
            for (int turn = 0; turn < SIDES; turn++) {
                int s = (turn + round) % SIDES; /* neither side always goes first */
                char label[96];

                snprintf(label, sizeof label, "round %d of %d: %s on %s", round + 1, ROUNDS, faces[f].name,
                         faces[f].sides[s].name);
                show(label, step++, ROUNDS * FACES * SIDES);
                faces[f].sides[s].rounds[round] = run(argv[1], &faces[f], &faces[f].sides[s], seconds);
            }
    show("", 1, 1);
    for (int f = 0; f < FACES; f++)
        for (int s = 0; s < SIDES; s++) {
            qsort(faces[f].sides[s].rounds, ROUNDS, sizeof(struct figure), by_rate);
            faces[f].sides[s].median = faces[f].sides[s].rounds[ROUNDS / 2];
        }
    draw();
    printf("\n  Median of %d rounds in turns; every block that was read was checked. One program, unchanged:\n"
           "  only the library under it differs.\n\n", ROUNDS);
    return 0;
}
