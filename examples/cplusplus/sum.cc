// Adds up the bytes of a file with POSIX AIO: sixteen reads in flight, each of which is a std::future.
#include <aio.h>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <future>
#include <sys/stat.h>
#include <system_error>
#include <utility>
#include <vector>

namespace {

constexpr off_t chunk = 64 * 1024;
constexpr std::size_t depth = 16;

class Read {
public:
    // The read is under way until the future is ready, and must live as long.
    std::future<ssize_t> start(int fd, off_t offset)
    {
        promise = {};
        request = {};
        request.aio_fildes = fd;
        request.aio_buf = bytes.data();
        request.aio_nbytes = bytes.size();
        request.aio_offset = offset;
        request.aio_sigevent.sigev_notify = SIGEV_THREAD;
        request.aio_sigevent.sigev_notify_function = ended;
        request.aio_sigevent.sigev_value.sival_ptr = this;
        auto future = promise.get_future();
        if (aio_read(&request) != 0)
            throw std::system_error(errno, std::generic_category(), "aio_read");
        return future;
    }

    std::vector<unsigned char> bytes = std::vector<unsigned char>(chunk);

private:
    static void ended(sigval value)
    {
        auto *read = static_cast<Read *>(value.sival_ptr);
        // The other thread may start this read anew as soon as it sees the result: nothing of it is used after that.
        auto promise = std::move(read->promise);
        const int error = aio_error(&read->request);
        const ssize_t result = aio_return(&read->request);

        if (error != 0)
            promise.set_exception(std::make_exception_ptr(std::system_error(error, std::generic_category(), "read")));
        else
            promise.set_value(result);
    }

    aiocb request{};
    std::promise<ssize_t> promise;
};

} // namespace

int main(int argc, char **argv)
{
    const int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    struct stat status{};

    if (fd < 0 || fstat(fd, &status) != 0) {
        std::fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    std::vector<Read> reads(depth);
    std::vector<std::future<ssize_t>> futures(depth);
    unsigned long long sum = 0, bytes = 0;
    off_t next = 0;

    for (std::size_t i = 0; i < depth && next < status.st_size; i++, next += chunk)
        futures[i] = reads[i].start(fd, next);
    for (std::size_t i = 0; futures[i].valid(); i = (i + 1) % depth) {
        const ssize_t length = futures[i].get();

        for (ssize_t at = 0; at < length; at++)
            sum += reads[i].bytes[at];
        bytes += length;
        if (next < status.st_size) {
            futures[i] = reads[i].start(fd, next);
            next += chunk;
        }
    }
    std::printf("%llu bytes, sum %llu\n", bytes, sum);
}
