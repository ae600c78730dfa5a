// Starts programs by posix_spawn(). Any thread.
#include "core/platform/child_process.h"

#include "core/failure.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace r1::child_process {

namespace {

/** The child's descriptor that is connected to its parent. */
constexpr int LINK = 3;

[[noreturn]] void fail(const char * what, int error) {
    const bool is_exhausted =
        error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
    throw Failure(is_exhausted ? ErrorCode::ResourceExhausted : ErrorCode::IoFailed,
                  std::string(what) + ": " + std::generic_category().message(error));
}

/** Owns a descriptor. */
class Descriptor {
public:
    explicit Descriptor(int value = -1) : value_(value) {}
    Descriptor(Descriptor && other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor & operator=(Descriptor && other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Descriptor() {
        if (value_ >= 0) {
            close(value_);
        }
    }
    int get() const { return value_; }
    int release() { return std::exchange(value_, -1); }

    /** Moves a descriptor above the child's own, so that none replaces another. */
    void lift() {
        const int lifted = fcntl(value_, F_DUPFD_CLOEXEC, LINK + 1);
        if (lifted < 0) {
            fail("fcntl", errno);
        }
        *this = Descriptor(lifted);
    }

private:
    int value_;
};

struct Pair {
    Descriptor mine;
    Descriptor theirs;
};

void never_block(const Descriptor & descriptor) {
    if (fcntl(descriptor.get(), F_SETFL, O_NONBLOCK) != 0) {
        fail("fcntl", errno);
    }
}

Pair error_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        fail("pipe2", errno);
    }
    Pair pair{Descriptor(ends[0]), Descriptor(ends[1])};
    never_block(pair.mine);
    pair.theirs.lift();
    return pair;
}

Pair link_pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        fail("socketpair", errno);
    }
    Pair pair{Descriptor(ends[0]), Descriptor(ends[1])};
    never_block(pair.mine);
    pair.theirs.lift();
    return pair;
}

void check(const char * what, int error) {
    if (error != 0) {
        fail(what, error);
    }
}

/** The actions in the child before its program begins. */
class Actions {
public:
    Actions() { check("posix_spawn_file_actions_init", posix_spawn_file_actions_init(&actions_)); }
    Actions(const Actions &) = delete;
    Actions & operator=(const Actions &) = delete;
    ~Actions() { posix_spawn_file_actions_destroy(&actions_); }

    void open_nothing(int descriptor, int mode) {
        check("posix_spawn_file_actions_addopen",
              posix_spawn_file_actions_addopen(&actions_, descriptor, "/dev/null", mode, 0));
    }
    void copy(const Descriptor & from, int to) {
        check("posix_spawn_file_actions_adddup2",
              posix_spawn_file_actions_adddup2(&actions_, from.get(), to));
    }
    const posix_spawn_file_actions_t * get() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_;
};

/** Default actions for all signals, none of them blocked: threads of this process may block some.
 */
class Attributes {
public:
    Attributes() {
        check("posix_spawnattr_init", posix_spawnattr_init(&attributes_));
        sigset_t none;
        sigemptyset(&none);
        sigset_t all;
        sigfillset(&all);
        sigdelset(&all, SIGKILL);
        sigdelset(&all, SIGSTOP);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    Attributes(const Attributes &) = delete;
    Attributes & operator=(const Attributes &) = delete;
    ~Attributes() { posix_spawnattr_destroy(&attributes_); }
    const posix_spawnattr_t * get() const { return &attributes_; }

private:
    posix_spawnattr_t attributes_;
};

/** A list of strings in the form of C's argv. The caller owns the strings. */
std::vector<char *> pointers(std::vector<std::string> & strings) {
    std::vector<char *> list;
    for (std::string & text : strings) {
        list.push_back(text.data());
    }
    list.push_back(nullptr);
    return list;
}

}  // namespace

bool is_supported() { return true; }

Child start(const std::string & file, const std::vector<std::string> & arguments,
            const std::vector<std::string> & environment) {
    Pair errors = error_pipe();
    Pair link = link_pair();
    Actions actions;
    actions.open_nothing(0, O_RDONLY);
    actions.open_nothing(1, O_WRONLY);
    actions.copy(errors.theirs, 2);
    actions.copy(link.theirs, LINK);
    const Attributes attributes;

    std::vector<std::string> words{file};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables = environment;
    pid_t pid = 0;
    check("posix_spawn", posix_spawn(&pid, file.c_str(), actions.get(), attributes.get(),
                                     pointers(words).data(), pointers(variables).data()));
    return {pid, errors.mine.release(), link.mine.release()};
}

std::optional<End> reap(int pid) {
    int status = 0;
    const pid_t reaped = waitpid(pid, &status, WNOHANG);
    if (reaped == 0 || (reaped < 0 && errno == EINTR)) {
        return std::nullopt;
    }
    // Other code in this process waited for it: how it ended is unknown.
    if (reaped < 0) {
        return End{-1, SIGKILL};
    }
    if (WIFSIGNALED(status)) {
        return End{-1, WTERMSIG(status)};
    }
    return End{WEXITSTATUS(status), 0};
}

}  // namespace r1::child_process
