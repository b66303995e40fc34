/* A pair of a terminal's two ends: what is written to the master is typed at the terminal. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <pty.h>
#include <termios.h>

#include "behaviour.h"

struct terminal {
    int master, terminal;
};

/* A terminal without echo: line by line. */
static inline struct terminal canonical_terminal(void)
{
    struct terminal t;
    struct termios modes;

    MUST(openpty(&t.master, &t.terminal, NULL, NULL, NULL));
    MUST(tcgetattr(t.terminal, &modes));
    modes.c_lflag &= ~(ECHO | ISIG);
    MUST(tcsetattr(t.terminal, TCSANOW, &modes));
    return t;
}

/* A terminal that reads as VMIN and VTIME (tenths of seconds) say. */
static inline struct terminal raw_terminal(int vmin, int vtime)
{
    struct terminal t = canonical_terminal();
    struct termios modes;

    MUST(tcgetattr(t.terminal, &modes));
    cfmakeraw(&modes);
    modes.c_cc[VMIN] = vmin;
    modes.c_cc[VTIME] = vtime;
    MUST(tcsetattr(t.terminal, TCSANOW, &modes));
    return t;
}

static inline void type(const struct terminal *t, const char *text)
{
    CHECK_INT(write(t->master, text, strlen(text)), (long long)strlen(text));
}

#endif
