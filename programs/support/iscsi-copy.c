/* iscsi-copy write|verify URL FILE: writes FILE to a logical unit, or compares the unit with it, 16 requests in flight. */
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, CHUNK = 64 * SECTOR, DEPTH = 16 };

static struct iscsi_context *iscsi;
static struct iscsi_url *url;
static unsigned char *data;
static size_t chunks, next, in_flight, done;
static int verify, failed;

static void send_next(void);

static void ended(struct iscsi_context *context, int status, void *command, void *private)
{
    struct scsi_task *task = command;
    size_t chunk = (size_t)private;

    (void)context;
    in_flight--;
    done++;
    if (status != SCSI_STATUS_GOOD) {
        fprintf(stderr, "chunk %zu: status %d: %s\n", chunk, status, iscsi_get_error(iscsi));
        failed = 1;
    } else if (verify && (task->datain.size != CHUNK || memcmp(task->datain.data, data + chunk * CHUNK, CHUNK))) {
        fprintf(stderr, "chunk %zu differs\n", chunk);
        failed = 1;
    }
    scsi_free_scsi_task(task);
    send_next();
}

static void send_next(void)
{
    while (!failed && next < chunks && in_flight < DEPTH) {
        size_t chunk = next++;
        uint32_t lba = chunk * (CHUNK / SECTOR);
        struct scsi_task *task =
            verify ? iscsi_read10_task(iscsi, url->lun, lba, CHUNK, SECTOR, 0, 0, 0, 0, 0, ended, (void *)chunk)
                   : iscsi_write10_task(iscsi, url->lun, lba, data + chunk * CHUNK, CHUNK, SECTOR, 0, 0, 0, 0, 0, ended,
                                        (void *)chunk);

        if (!task) {
            fprintf(stderr, "%s\n", iscsi_get_error(iscsi));
            failed = 1;
            return;
        }
        in_flight++;
    }
}

int main(int argc, char **argv)
{
    FILE *file;
    long length;

    if (argc != 4 || !(file = fopen(argv[3], "rb")))
        return 2;
    verify = !strcmp(argv[1], "verify");
    fseek(file, 0, SEEK_END);
    length = ftell(file);
    rewind(file);
    chunks = length / CHUNK;
    data = malloc(length);
    if (fread(data, 1, length, file) != (size_t)length)
        return 2;
    iscsi = iscsi_create_context("iqn.2024-01.org.example:client");
    url = iscsi_parse_full_url(iscsi, argv[2]);
    if (!url) {
        fprintf(stderr, "%s\n", iscsi_get_error(iscsi));
        return 2;
    }
    iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
    iscsi_set_targetname(iscsi, url->target);
    if (iscsi_full_connect_sync(iscsi, url->portal, url->lun) != 0) {
        fprintf(stderr, "%s\n", iscsi_get_error(iscsi));
        return 1;
    }
    send_next();
    while (in_flight > 0 && !failed) {
        struct pollfd wait = { .fd = iscsi_get_fd(iscsi), .events = iscsi_which_events(iscsi) };

        if (poll(&wait, 1, 60000) <= 0 || iscsi_service(iscsi, wait.revents) < 0) {
            fprintf(stderr, "%zu of %zu: %s\n", done, chunks, iscsi_get_error(iscsi));
            failed = 1;
        }
    }
    if (!failed)
        iscsi_logout_sync(iscsi);
    iscsi_destroy_context(iscsi);
    return failed || done != chunks;
}
