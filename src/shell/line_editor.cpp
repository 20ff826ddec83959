#include "shell/line_editor.h"

#include <histedit.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace blueshift::shell {

namespace {

constexpr int kHistoryEntries = 5000;
constexpr char kInterrupt[] = "blueshift-interrupt";

LineEditor* editorOf(EditLine* editor) {
    LineEditor* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return self;
}

char* promptOf(EditLine* editor) {
    return const_cast<char*>(editorOf(editor)->prompt()); // libedit only reads it
}

/// Bound to Ctrl-C: leaves the line on the screen, marked, and ends it.
unsigned char interruptLine(EditLine* editor, int) {
    editorOf(editor)->interrupt();
    std::fputs("^C\n", stdout);
    std::fflush(stdout);
    return CC_NEWLINE;
}

} // namespace

LineEditor::LineEditor(std::string history_file)
    : history_file_(std::move(history_file)),
      editor_(el_init("blueshift", stdin, stdout, stderr)),
      history_(history_init()) {
    HistEvent event;
    ::history(history_, &event, H_SETSIZE, kHistoryEntries);
    ::history(history_, &event, H_SETUNIQUE, 1);
    loadHistory();
    if (editor_ == nullptr) return;
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, promptOf);
    el_set(editor_, EL_HIST, ::history, history_);
    bindKeys();
    el_source(editor_, nullptr);
}

LineEditor::~LineEditor() {
    saveHistory();
    if (editor_ != nullptr) el_end(editor_);
    history_end(history_);
}

void LineEditor::bindKeys() {
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_SIGNAL, 0);
    // Ctrl-C arrives as a key while a line is edited, and as a signal while a statement runs.
    el_set(editor_, EL_SETTY, "-d", "-isig", nullptr);
    el_set(editor_, EL_ADDFN, kInterrupt, "Discards the line", interruptLine);
    constexpr struct {
        const char* keys;
        const char* command;
    } kBindings[] = {
        {"^C", kInterrupt},
        {"^I", "ed-insert"}, // a tab is a tab
        {"^R", "em-inc-search-prev"},
        {"^W", "ed-delete-prev-word"},
        {"\\e[3~", "ed-delete-next-char"},
        {"\\e[1~", "ed-move-to-beg"},
        {"\\e[4~", "ed-move-to-end"},
        {"\\e[1;5C", "em-next-word"},
        {"\\e[1;5D", "ed-prev-word"},
    };
    for (const auto& binding : kBindings)
        el_set(editor_, EL_BIND, binding.keys, binding.command, nullptr);
}

/// A statement a line: libedit's own format could not be read by other tools.
void LineEditor::loadHistory() {
    if (history_file_.empty()) return;
    std::ifstream file(history_file_);
    HistEvent event;
    for (std::string line; std::getline(file, line);)
        if (!line.empty()) ::history(history_, &event, H_ENTER, line.c_str());
}

void LineEditor::saveHistory() {
    if (history_file_.empty()) return;
    std::ofstream file(history_file_, std::ios::trunc);
    ::chmod(history_file_.c_str(), 0600);
    HistEvent event;
    for (int found = ::history(history_, &event, H_LAST); found != -1;
         found = ::history(history_, &event, H_PREV))
        file << event.str << '\n';
}

LineEditor::Answer LineEditor::read(const std::string& prompt, std::string& line) {
    if (editor_ == nullptr) return Answer::kEnd;
    prompt_ = prompt;
    interrupted_ = false;
    el_resize(editor_);
    int bytes = 0;
    const char* typed = el_gets(editor_, &bytes);
    if (interrupted_) return Answer::kInterrupted;
    if (typed == nullptr || bytes <= 0) return Answer::kEnd;
    line.assign(typed, size_t(bytes));
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    return Answer::kLine;
}

void LineEditor::remember(const std::string& statement) {
    // Passwords have no place in a file.
    std::string lower = statement;
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    for (const std::string_view secret : {"password", "credentials", "secret", "access_key"})
        if (lower.find(secret) != std::string::npos) return;
    std::string entry = statement;
    std::ranges::replace(entry, '\n', ' ');
    HistEvent event;
    if (!entry.empty()) ::history(history_, &event, H_ENTER, entry.c_str());
}

std::string defaultHistoryFile() {
    const char* home = std::getenv("HOME");
    return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.blueshift_history";
}

} // namespace blueshift::shell
