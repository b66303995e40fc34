// An echo over stream sockets by ACE's proactor (ACE_POSIX_AIOCB_Proactor and its kin), which is made of POSIX AIO on sockets.
//
// usage: proactor aiocb|signal|callback
//   How ACE learns of completions: aio_suspend, with a read of a pipe in the list to be woken by; real-time signals; SIGEV_THREAD.
//
// CONNECTIONS clients send numbered messages and wait for each to come back. Prints "N echoes" if all came back as they were sent.

#include <ace/Asynch_IO.h>
#include <ace/INET_Addr.h>
#include <ace/Message_Block.h>
#include <ace/POSIX_CB_Proactor.h>
#include <ace/POSIX_Proactor.h>
#include <ace/Proactor.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sys/socket.h>

namespace {

constexpr int CONNECTIONS = 8;
constexpr int MESSAGES = 200;
constexpr size_t MESSAGE_BYTES = 3000;

int echoes = 0;
int connected = CONNECTIONS;

void fill(char *bytes, int connection, int message)
{
    for (size_t i = 0; i < MESSAGE_BYTES; i++)
        bytes[i] = static_cast<char>(connection * 31 + message * 7 + static_cast<int>(i));
}

// One end of a connection: the server's sends back what comes, the client's sends messages and compares.
class End : public ACE_Service_Handler {
public:
    End(int socket, int client) : client_(client), block_(MESSAGE_BYTES)
    {
        handle(socket);
        if (reader_.open(*this, socket) != 0 || writer_.open(*this, socket) != 0)
            fail("open");
    }

    void send_message()
    {
        block_.reset();
        fill(block_.wr_ptr(), client_, message_);
        block_.wr_ptr(MESSAGE_BYTES);
        write();
    }

    void read()
    {
        block_.reset();
        read_rest();
    }

    void handle_read_stream(const ACE_Asynch_Read_Stream::Result &result) override
    {
        if (!result.success() || result.bytes_transferred() == 0) {
            if (client_ >= 0)
                fail("read");
            return; // the client has closed
        }
        if (block_.space() > 0)
            return read_rest();
        if (client_ < 0)
            return write();
        char expected[MESSAGE_BYTES];
        fill(expected, client_, message_);
        if (std::memcmp(block_.rd_ptr(), expected, MESSAGE_BYTES) != 0)
            fail("compare");
        echoes++;
        if (++message_ < MESSAGES)
            return send_message();
        shutdown(handle(), SHUT_RDWR);
        if (--connected == 0)
            ACE_Proactor::instance()->proactor_end_event_loop();
    }

    void handle_write_stream(const ACE_Asynch_Write_Stream::Result &result) override
    {
        if (!result.success())
            fail("write");
        if (block_.length() > 0)
            return write();
        read();
    }

private:
    [[noreturn]] static void fail(const char *what)
    {
        std::perror(what);
        std::_Exit(1);
    }

    void read_rest()
    {
        if (reader_.read(block_, block_.space()) != 0)
            fail("aio_read");
    }

    void write()
    {
        if (writer_.write(block_, block_.length()) != 0)
            fail("aio_write");
    }

    const int client_; // its number, or -1
    int message_ = 0;
    ACE_Message_Block block_;
    ACE_Asynch_Read_Stream reader_;
    ACE_Asynch_Write_Stream writer_;
};

ACE_POSIX_Proactor *proactor(const char *kind)
{
    if (std::strcmp(kind, "aiocb") == 0)
        return new ACE_POSIX_AIOCB_Proactor(256);
    if (std::strcmp(kind, "signal") == 0)
        return new ACE_POSIX_SIG_Proactor(256);
    return new ACE_POSIX_CB_Proactor(256);
}

} // namespace

int main(int, char **argv)
{
    sigset_t signals;
    sigemptyset(&signals);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
        sigaddset(&signals, signal);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    ACE_Proactor::instance(new ACE_Proactor(proactor(argv[1]), true), true);
    std::unique_ptr<End> ends[2 * CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) {
        int sockets[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
            return 1;
        ends[2 * i] = std::make_unique<End>(sockets[0], -1);
        ends[2 * i + 1] = std::make_unique<End>(sockets[1], i);
        ends[2 * i]->read();
        ends[2 * i + 1]->send_message();
    }
    ACE_Proactor::instance()->proactor_run_event_loop();
    std::printf("%d echoes\n", echoes);
    std::fflush(stdout);
    std::_Exit(echoes == CONNECTIONS * MESSAGES ? 0 : 1); // reads of the server's ends may still be under way
}
