/* Writes and reads a file by MPI's non-blocking I/O, many requests at once, contiguous and with gaps, and compares. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS = 64, BYTES = 16384 };

static unsigned char pattern(int rank, int request, int i)
{
    return rank * 151 + request * 31 + i * 7;
}

static void must(int result, const char *what)
{
    if (result != MPI_SUCCESS) {
        char text[MPI_MAX_ERROR_STRING];
        int length;

        MPI_Error_string(result, text, &length);
        fprintf(stderr, "%s: %s\n", what, text);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static void wait_for(MPI_Request *requests, const char *what)
{
    MPI_Status statuses[REQUESTS];

    must(MPI_Waitall(REQUESTS, requests, statuses), what);
    for (int r = 0; r < REQUESTS; r++) {
        int count;

        MPI_Get_count(&statuses[r], MPI_BYTE, &count);
        if (count != BYTES) {
            fprintf(stderr, "%s: %d bytes of %d\n", what, count, BYTES);
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
}

static void compare(int rank, unsigned char (*in)[BYTES], const char *what)
{
    for (int r = 0; r < REQUESTS; r++)
        for (int i = 0; i < BYTES; i++)
            if (in[r][i] != pattern(rank, r, i)) {
                fprintf(stderr, "%s: rank %d, request %d differs at byte %d\n", what, rank, r, i);
                MPI_Abort(MPI_COMM_WORLD, 1);
            }
}

int main(int argc, char **argv)
{
    unsigned char(*out)[BYTES] = malloc(REQUESTS * BYTES), (*in)[BYTES] = calloc(REQUESTS, BYTES);
    MPI_Request requests[REQUESTS];
    MPI_Datatype gaps;
    MPI_File file;
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int r = 0; r < REQUESTS; r++)
        for (int i = 0; i < BYTES; i++)
            out[r][i] = pattern(rank, r, i);
    must(MPI_File_open(MPI_COMM_WORLD, argv[1], MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file), "open");

    for (int r = 0; r < REQUESTS; r++)
        must(MPI_File_iwrite_at(file, ((MPI_Offset)r * size + rank) * BYTES, out[r], BYTES, MPI_BYTE, &requests[r]),
             "iwrite_at");
    wait_for(requests, "iwrite_at");
    must(MPI_File_sync(file), "sync");
    MPI_Barrier(MPI_COMM_WORLD);
    for (int r = 0; r < REQUESTS; r++)
        must(MPI_File_iread_at(file, ((MPI_Offset)r * size + rank) * BYTES, in[r], BYTES, MPI_BYTE, &requests[r]),
             "iread_at");
    wait_for(requests, "iread_at");
    compare(rank, in, "contiguous");

    /* A view with gaps: each request becomes many AIO requests. */
    must(MPI_Type_vector(1 << 12, 512, 512 * size, MPI_BYTE, &gaps), "vector");
    MPI_Type_commit(&gaps);
    must(MPI_File_set_view(file, (MPI_Offset)rank * 512, MPI_BYTE, gaps, "native", MPI_INFO_NULL), "set_view");
    for (int r = 0; r < REQUESTS; r++)
        must(MPI_File_iwrite_at(file, (MPI_Offset)r * BYTES, out[r], BYTES, MPI_BYTE, &requests[r]), "iwrite_at, gaps");
    wait_for(requests, "iwrite_at, gaps");
    must(MPI_File_sync(file), "sync");
    MPI_Barrier(MPI_COMM_WORLD);
    memset(in, 0, REQUESTS * BYTES);
    for (int r = 0; r < REQUESTS; r++)
        must(MPI_File_iread_at(file, (MPI_Offset)r * BYTES, in[r], BYTES, MPI_BYTE, &requests[r]), "iread_at, gaps");
    wait_for(requests, "iread_at, gaps");
    compare(rank, in, "gaps");

    MPI_Type_free(&gaps);
    MPI_File_close(&file);
    MPI_Finalize();
    if (rank == 0)
        puts("identical");
    return 0;
}
