#include "server/cli/run/line_editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cwchar>
#include <string_view>

namespace edgegate {

struct LineEditor::Impl {
  explicit Impl(const StopSignals& stop_signals)
      : signals(stop_signals), came(signalfd(-1, &signals.set(), SFD_CLOEXEC | SFD_NONBLOCK)) {}

  // Reads the next character. Returns 1; 0: the input has ended; -1: `result` tells why.
  int ReadCharacter(wchar_t* out);
  // Functions that libedit calls.
  static char* PromptOf(EditLine* editor) { return Of(editor)->prompt.data(); }
  static int ReadCharacterOf(EditLine* editor, wchar_t* out) {
    return Of(editor)->ReadCharacter(out);
  }
  static Impl* Of(EditLine* editor) {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    return static_cast<Impl*>(data);
  }
  // Waits until standard input has a byte. False: a signal came.
  bool WaitForByte();

  const StopSignals& signals;
  const int came;  // readable while a signal has come
  EditLine* editor = nullptr;
  History* history = nullptr;
  HistEvent event{};
  std::string prompt;
  Result result = Result::kLine;
};

namespace {

// libedit converts characters by the locale. Locales without UTF-8 are replaced.
void UseUtf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

bool LineEditor::Impl::WaitForByte() {
  pollfd files[] = {{STDIN_FILENO, POLLIN, 0}, {came, POLLIN, 0}};
  while (poll(files, 2, -1) < 0 && errno == EINTR) {
  }
  if (files[1].revents == 0) return true;
  const int number = signals.Take();
  result = number == SIGTERM ? Result::kStopped : Result::kInterrupted;
  return false;
}

int LineEditor::Impl::ReadCharacter(wchar_t* out) {
  std::mbstate_t state{};
  for (;;) {
    if (!WaitForByte()) return -1;
    char byte = 0;
    const ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n <= 0) return 0;
    const size_t length = std::mbrtowc(out, &byte, 1, &state);
    if (length == static_cast<size_t>(-2)) continue;  // the character has more bytes
    if (length != static_cast<size_t>(-1)) return 1;
    state = {};  // bytes that are no character are dropped
  }
}

LineEditor::LineEditor(const StopSignals& signals) : impl_(std::make_unique<Impl>(signals)) {
  UseUtf8();
  impl_->editor = el_init("edgegate", stdin, stdout, stderr);
  impl_->history = history_init();
  history(impl_->history, &impl_->event, H_SETSIZE, kHistory);
  history(impl_->history, &impl_->event, H_SETUNIQUE, 1);
  el_set(impl_->editor, EL_CLIENTDATA, impl_.get());
  el_set(impl_->editor, EL_PROMPT, &Impl::PromptOf);
  el_set(impl_->editor, EL_EDITOR, "emacs");
  el_set(impl_->editor, EL_HIST, &history, impl_->history);
  el_source(impl_->editor, nullptr);  // the user's ~/.editrc
  el_set(impl_->editor, EL_GETCFN, &Impl::ReadCharacterOf);
}

LineEditor::~LineEditor() {
  history_end(impl_->history);
  el_end(impl_->editor);
  close(impl_->came);
}

LineEditor::Result LineEditor::Read(const std::string& prompt, std::string* line) {
  impl_->prompt = prompt;
  impl_->result = Result::kLine;
  el_resize(impl_->editor);
  // libedit prints the prompt first. Characters that are typed before it has set the terminal's
  // mode would be shown twice.
  el_set(impl_->editor, EL_PREP_TERM, 1);
  int length = 0;
  const char* text = el_gets(impl_->editor, &length);
  if (impl_->result != Result::kLine) {
    el_reset(impl_->editor);
    std::fputs("\n", stdout);
    return impl_->result;
  }
  if (text == nullptr || length <= 0) return Result::kEnd;
  std::string_view typed(text, static_cast<size_t>(length));
  while (typed.ends_with('\n') || typed.ends_with('\r')) typed.remove_suffix(1);
  *line = typed;
  return Result::kLine;
}

void LineEditor::Remember(const std::string& line) {
  history(impl_->history, &impl_->event, H_ENTER, line.c_str());
}

}  // namespace edgegate
