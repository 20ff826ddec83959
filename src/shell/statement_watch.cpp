#include "shell/statement_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "base/clock.h"

namespace blueshift::shell {

namespace {
constexpr int kFirstDrawMs = 500;
constexpr int kRedrawMs = 100;
constexpr int kBarCells = 30;

sigset_t interruptSet() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    return set;
}
} // namespace

void blockInterrupts() {
    const sigset_t set = interruptSet();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void allowInterrupts() {
    const sigset_t set = interruptSet();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

namespace {
sigset_t signalsBefore() {
    const sigset_t set = interruptSet();
    sigset_t before;
    pthread_sigmask(SIG_BLOCK, &set, &before);
    return before;
}
} // namespace

StatementWatch::StatementWatch(Backend& backend, bool show_progress)
    : backend_(backend),
      show_progress_(show_progress && ::isatty(STDERR_FILENO) != 0),
      signals_before_(signalsBefore()),
      stop_event_(::eventfd(0, EFD_CLOEXEC)),
      thread_([this] { run(); }) {}

StatementWatch::~StatementWatch() {
    const u64 one = 1;
    static_cast<void>(!::write(stop_event_, &one, sizeof(one)));
    thread_.join();
    hideProgress();
    ::close(stop_event_);
    pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr);
}

void StatementWatch::hideProgress() {
    const std::lock_guard lock(drawing_);
    show_progress_ = false;
    if (drawn_) std::fputs("\r\033[K", stderr);
    drawn_ = false;
}

void StatementWatch::run() {
    const sigset_t set = interruptSet();
    const int signals = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    const std::unique_ptr<Clock> clock = makeSystemClock();
    const i64 start = clock->monotonicNanos();
    int wait_ms = kFirstDrawMs;
    while (true) {
        pollfd waits[] = {{stop_event_, POLLIN, 0}, {signals, POLLIN, 0}};
        const int ready = ::poll(waits, 2, show_progress_ ? wait_ms : -1);
        if ((waits[0].revents & POLLIN) != 0) break;
        if ((waits[1].revents & POLLIN) != 0) {
            signalfd_siginfo info;
            if (::read(signals, &info, sizeof(info)) == sizeof(info)) backend_.cancel();
            continue;
        }
        if (ready == 0) draw(f64(clock->monotonicNanos() - start) / 1e9);
        wait_ms = kRedrawMs;
    }
    ::close(signals);
}

void StatementWatch::draw(f64 seconds) {
    const std::optional<f64> share = backend_.progress();
    const std::lock_guard lock(drawing_);
    if (!show_progress_) return;
    std::string bar;
    if (share) {
        const f64 bounded = *share < 0 ? 0 : *share > 1 ? 1 : *share;
        const int full = int(bounded * kBarCells);
        for (int i = 0; i < kBarCells; ++i) bar += i < full ? "\xE2\x96\x88" : "\xE2\x96\x91";
        char percent[16];
        std::snprintf(percent, sizeof(percent), " %3.0f%%", bounded * 100);
        bar += percent;
    } else {
        bar = "running";
    }
    std::fprintf(stderr, "\r\033[K%s  %.1f s", bar.c_str(), seconds);
    std::fflush(stderr);
    drawn_ = true;
}

} // namespace blueshift::shell
