// statement_watch.h: while a statement runs: Ctrl-C cancels it, and a bar shows how far it is.
//
// One object a statement; its thread lives as long as it does. SIGINT is blocked meanwhile, and
// must be in every other thread of the process (blockInterrupts), so that only this one sees it.
// The bar goes to standard error and only when that is a terminal, half a second after the start.
#pragma once

#include <atomic>
#include <csignal>
#include <mutex>
#include <thread>

#include "shell/backend.h"

namespace blueshift::shell {

/// Before other threads start: they inherit it.
void blockInterrupts();
/// Ctrl-C ends the process again, between statements that come from no terminal.
void allowInterrupts();

class StatementWatch {
public:
    StatementWatch(Backend& backend, bool show_progress);
    ~StatementWatch();
    /// Before the first row is printed: takes the bar away and shows no other.
    void hideProgress();

private:
    void run();
    void draw(f64 seconds);

    Backend& backend_;
    std::mutex drawing_;
    std::atomic<bool> show_progress_;
    bool drawn_ = false;
    sigset_t signals_before_;
    int stop_event_;
    std::thread thread_;
};

} // namespace blueshift::shell
