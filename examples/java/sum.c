/* The native half of Sum.java: sixteen reads in flight, by libaio. */
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <libaio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH = 16, CHUNK = 64 * 1024 };

static jlongArray failed(JNIEnv *env, const char *what, int error)
{
    char text[200];

    strcpy(text, what);
    strncat(text, strerror(error), sizeof text - strlen(text) - 1);
    (*env)->ThrowNew(env, (*env)->FindClass(env, "java/io/IOException"), text);
    return NULL;
}

/* bytes[0] counts them, bytes[1] is their sum. 0, or an error number. */
static int sum_of_file(int fd, off_t size, unsigned char (*buffers)[CHUNK], jlong *bytes)
{
    struct iocb requests[DEPTH], *batch[DEPTH];
    struct io_event events[DEPTH];
    io_context_t context = 0;
    off_t next = 0;
    int error = -io_setup(DEPTH, &context);

    if (error)
        return error;
    while (next < size && !error) {
        int count = 0, submitted = 0, ended = 0, answer = 0;

        for (; count < DEPTH && next < size; count++, next += CHUNK) {
            io_prep_pread(batch[count] = &requests[count], fd, buffers[count], CHUNK, next);
            requests[count].data = buffers[count];
        }
        for (; submitted < count && answer >= 0; submitted += answer > 0 ? answer : 0)
            answer = io_submit(context, count - submitted, batch + submitted);
        if (answer < 0)
            error = -answer;
        for (; ended < submitted; ended += answer > 0 ? answer : 0) {
            answer = io_getevents(context, 1, submitted - ended, events + ended, NULL);
            if (answer < 0 && answer != -EINTR)
                abort(); /* the buffers cannot be given back */
        }
        for (int i = 0; i < ended; i++) {
            long length = (long)events[i].res;

            if (length < 0 && !error)
                error = (int)-length;
            for (long at = 0; at < length; at++)
                bytes[1] += ((unsigned char *)events[i].data)[at];
            bytes[0] += length > 0 ? length : 0;
        }
    }
    io_destroy(context);
    return error;
}

JNIEXPORT jlongArray JNICALL Java_Sum_sum(JNIEnv *env, jclass class, jstring path)
{
    const char *name = (*env)->GetStringUTFChars(env, path, NULL);
    unsigned char (*buffers)[CHUNK] = malloc(sizeof *buffers * DEPTH);
    int fd = name ? open(name, O_RDONLY) : -1;
    jlong bytes[2] = { 0, 0 };
    jlongArray result = NULL;
    struct stat status;
    int error = fd < 0 || !buffers || fstat(fd, &status) != 0 ? errno : 0;

    (void)class;
    if (!error)
        error = sum_of_file(fd, status.st_size, buffers, bytes);
    if (fd >= 0)
        close(fd);
    if (name)
        (*env)->ReleaseStringUTFChars(env, path, name);
    free(buffers);
    if (error)
        return failed(env, "sum: ", error);
    if ((result = (*env)->NewLongArray(env, 2)))
        (*env)->SetLongArrayRegion(env, result, 0, 2, bytes);
    return result;
}
