/* A C++20 program: lambdas as notification functions, results passed on by futures, aiocbs in smart pointers [B1]. */
#include <aio.h>
#include <fcntl.h>

#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "check.h"

struct Request {
    aiocb cb{};
    std::string buffer;
    std::promise<ssize_t> done;

    explicit Request(int fd, std::size_t size, off_t offset) : buffer(size, '\0')
    {
        cb.aio_fildes = fd;
        cb.aio_buf = buffer.data();
        cb.aio_nbytes = size;
        cb.aio_offset = offset;
        cb.aio_sigevent.sigev_notify = SIGEV_THREAD;
        cb.aio_sigevent.sigev_value.sival_ptr = this;
        cb.aio_sigevent.sigev_notify_function = [](sigval value) {
            auto *self = static_cast<Request *>(value.sival_ptr);
            self->done.set_value(aio_error(&self->cb) ? -1 : aio_return(&self->cb));
        };
    }
};

int main()
{
    std::string path = std::string(std::getenv("TEST_DIR") ? std::getenv("TEST_DIR") : ".") + "/cplusplus";
    int fd = MUST(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    std::vector<std::unique_ptr<Request>> requests;
    std::string all(50 * 100, '\0');

    for (std::size_t i = 0; i < all.size(); i++)
        all[i] = static_cast<char>('a' + i % 26);
    CHECK_INT(pwrite(fd, all.data(), all.size(), 0), static_cast<long long>(all.size()));
    for (int i = 0; i < 50; i++) {
        requests.push_back(std::make_unique<Request>(fd, 100, i * 100));
        CHECK_INT(aio_read(&requests.back()->cb), 0);
    }
    for (int i = 0; i < 50; i++) {
        auto result = requests[i]->done.get_future();
        CHECK(result.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
        CHECK_INT(result.get(), 100);
        CHECK(requests[i]->buffer == all.substr(i * 100, 100));
    }
    return 0;
}
