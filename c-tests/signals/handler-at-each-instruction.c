// face: libaio
// unsanitized: valgrind -- it steps through the program by the processor's trap flag
/* A handler that interrupts io_submit at every fifth instruction, and submits to the same context, loses no event and doubles
   none: on the thread's own stack, on an alternate one, and on one that leaves itself (SS_AUTODISARM), of which sigaltstack(2)
   says nothing in the handler. The alternate ones lie above the thread's own [A15] [D7].

   The kernel's AIO knows nothing of stacks; signal handlers of databases and profilers submit and reap. */
#include <ucontext.h>

#include "behaviour.h"
#include "iocb.h"

#define SIZE 65536
#define STRIDE 5 /* more instructions than that hold a lock */
#define AUTODISARM (1u << 31) /* SS_AUTODISARM of linux/signal.h */

#ifndef __x86_64__

int main(void)
{
    SKIP("not on x86-64: there is no trap flag");
}

#else

static io_context_t context;
static struct iocb outer, inner;
static volatile long steps, at = -1;

/* Between two instructions: at one of them it submits. */
static void trapped(int signal, siginfo_t *info, void *ucontext)
{
    (void)signal, (void)info;
    if (steps++ == at) {
        ((ucontext_t *)ucontext)->uc_mcontext.gregs[REG_EFL] &= ~0x100;
        submit_one(context, &inner);
    }
}

static void set_trap_flag(void)
{
    __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::: "memory", "cc");
}

static void clear_trap_flag(void)
{
    __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::: "memory", "cc");
}

static void *run(void *alternate)
{
    stack_t *stack = alternate;
    struct iocb *list[] = { &outer };
    struct io_event events[2];
    int submitted, counts[2];

    if (stack->ss_sp)
        MUST(sigaltstack(stack, NULL));
    for (at = 0;; at += STRIDE) {
        steps = 0;
        set_trap_flag();
        submitted = io_submit(context, 1, list);
        clear_trap_flag();
        CHECK_INT(submitted, 1);
        if (steps <= at)
            break;
        reap(context, 2, events);
        counts[0] = counts[1] = 0;
        for (int i = 0; i < 2; i++) {
            CHECK_INT((long)events[i].res, 16);
            counts[events[i].obj == &inner]++;
        }
        if (counts[0] != 1 || counts[1] != 1)
            FAIL("at instruction %ld: %d events of the interrupted call, %d of the handler's", at, counts[0], counts[1]);
    }
    reap(context, 1, events);
    printf("%ld instructions\n", at);
    return NULL;
}

int main(void)
{
    static const int flags[] = { 0, 0, (int)AUTODISARM };
    static char bytes[2][16];
    char *memory = aligned(4 * SIZE);
    int fd = pattern_file(O_RDWR, 100, 1);

    start_deadline();
    io_prep_pread(&outer, fd, bytes[0], 16, 0);
    io_prep_pread(&inner, fd, bytes[1], 16, 0);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        struct sigaction action = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO | (i ? SA_ONSTACK : 0) };
        stack_t stack = { .ss_sp = i ? memory + 2 * SIZE : NULL, .ss_size = 2 * SIZE, .ss_flags = flags[i] };
        pthread_attr_t attributes;
        pthread_t thread;

        MUST(sigaction(SIGTRAP, &action, NULL));
        context = make_context(8);
        submit_one(context, &outer);
        reap(context, 1, &(struct io_event){ 0 });
        pthread_attr_init(&attributes);
        CHECK_INT(pthread_attr_setstack(&attributes, memory, 2 * SIZE), 0);
        CHECK_INT(pthread_create(&thread, &attributes, run, &stack), 0);
        join_thread(thread);
        CHECK_INT(io_destroy(context), 0);
    }
    return 0;
}

#endif
