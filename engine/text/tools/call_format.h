// The forms in which models write calls of tools: one row of a table for each.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edgegate {

// The style in which the arguments of a call are written.
enum class ArgumentStyle {
  kJson,      // {"city": "Bern", "days": 3}
  kKeywords,  // city="Bern", days=3
  kBare,      // city:<escape>Bern<escape>,days:3
  kTagged,  // <parameter=city>\nBern\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>
};

// The texts around the members of the style kTagged. A member is
//   before_name NAME after_name VALUE after_value
// The value of a string is its text (PlainMembers), other values are JSON.
struct MemberTags {
  std::string before_name;
  std::string after_name;
  std::string after_value;
  std::string close;  // ends the arguments
};

// The text of an answer with calls is
//   [text] mark begin CALL [between CALL]... end
// and a CALL is
//   before_name NAME before_arguments ARGUMENTS after_arguments
struct CallFormat {
  const char* name;  // value of the model's setting
  // A template that contains all texts of one of these lists, and not `counter`, writes this form.
  // Without lists, only a setting chooses the form.
  std::vector<std::vector<std::string>> evidence;
  std::string counter;  // may be empty
  std::string mark;     // begins the calls, anywhere in a text; empty: no text does
  bool at_start;        // calls may also begin at the start of the answer, without the mark
  std::string begin;
  std::string before_name;
  std::string before_arguments;
  std::string after_arguments;
  std::string between;
  std::string end;
  ArgumentStyle style;
  bool parallel;                 // one answer may have several calls
  std::string string_mark = "";  // of kBare: stands around strings, which have no escapes
  MemberTags tags = {};          // of kTagged

  // Returns the text between the mark, or the last call, and the arguments.
  std::string FirstHead(const std::string& tool) const {
    return begin + before_name + tool + before_arguments;
  }
  std::string NextHead(const std::string& tool) const {
    return after_arguments + between + before_name + tool + before_arguments;
  }
  // True if the texts of the form contain `text`.
  bool Contains(std::string_view text) const;
  // Returns a whole call. `arguments` are in the form's style.
  std::string Write(const std::string& tool, const std::string& arguments) const {
    return before_name + tool + before_arguments + arguments + after_arguments;
  }
};

// Returns all rows. A template's form is the first row whose evidence the template has.
std::span<const CallFormat> CallFormats();

// Returns the form with this name. Null: there is none.
const CallFormat* FindCallFormat(std::string_view name);

// Returns the form that a template writes. Null: it shows none.
const CallFormat* DetectCallFormat(std::string_view chat_template);

// The marks that enclose the thoughts of a model in its answer.
struct ReasoningMarks {
  std::string begin;
  std::string end;
};

// Returns the marks that a template writes. Null: it shows none.
const ReasoningMarks* DetectReasoning(std::string_view chat_template);

}  // namespace edgegate
