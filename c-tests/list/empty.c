/* A list with nothing to do, empty or only NULL and LIO_NOP: LIO_WAIT returns 0, LIO_NOWAIT sends the list's notification
   at once [B11]. */
#include "list.h"
#include "process.h"

static sem_t called;

static void callback(union sigval value)
{
    CHECK(value.sival_ptr == &called);
    sem_post(&called);
}

int main(void)
{
    struct aiocb nop = make_entry(LIO_NOP, -1, NULL, 0, 0), *list[] = { NULL, &nop, NULL };
    struct sigevent by_signal = signal_event(SIGRTMIN, 7), by_thread = thread_event(callback, &called);

    sem_init(&called, 0, 0);
    block_signal(SIGRTMIN);
    int lengths[] = { 0, 1, 3 };
    for (int i = 0; i < 3; i++) {
        CHECK_INT(lio_listio(LIO_WAIT, list, lengths[i], NULL), 0);
        CHECK_INT(lio_listio(LIO_WAIT, list, lengths[i], &by_signal), 0);
        CHECK_INT(signal_is_pending(SIGRTMIN), 0);
        CHECK_INT(lio_listio(LIO_NOWAIT, list, lengths[i], NULL), 0);
        CHECK_INT(lio_listio(LIO_NOWAIT, list, lengths[i], &by_signal), 0);
        CHECK_INT(take_signal(SIGRTMIN).si_value.sival_int, 7);
        CHECK_INT(signal_is_pending(SIGRTMIN), 0);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_INT(lio_listio(LIO_NOWAIT, list, lengths[i], &by_thread), 0);
        AWAIT(&called);
    }
    return 0;
}
