//! Grammars of free text, fixed text and JSON values one behind the other: what an answer with calls of
//! tools looks like.
//!
//! A structure is a JSON value:
//!
//! - `{"literal": TEXT}`
//! - `{"schema": TEXT, "name": NAME, "style": STYLE}`: a value that meets the JSON schema; errors of the
//!   schema begin with NAME and a line break. STYLE is "json", "keywords", `{"bare": MARK}`, or `{"tagged":
//!   {"before_name": TEXT, "after_name": TEXT, "after_value": TEXT, "plain": [NAME, ...]}}`
//! - `{"text": {"without": [MARK, ...], "not_first": [TEXT, ...]}}`: any text without the marks that does not begin
//!   with one of `not_first`, nor with blanks and one of them
//! - `{"text_through": {"marks": [MARK, ...], "not_first": [TEXT, ...], "blanks": COUNT}}`: such a text, the
//!   first mark, and up to COUNT blanks
//! - `{"sequence": [STRUCTURE, ...]}`, `{"any": [STRUCTURE, ...]}`
//! - `{"list": STRUCTURE, "between": TEXT}`: once or more

use llguidance::derivre::RegexAst;
use llguidance::earley::lexerspec::LexerSpec;
use llguidance::earley::{Grammar, SymIdx};
use serde_json::Value;

use crate::schema::{self, Builder, Style, Tags};

/// The parts of one structure, tools and all.
const MAX_PARTS: usize = 20_000;

pub fn compile(text: &str) -> Result<(Grammar, LexerSpec), String> {
    let value: Value = serde_json::from_str(text).map_err(|_| malformed())?;
    let mut compiler = Compiler {
        builder: Some(Builder::new()?),
        parts: 0,
    };
    let whole = compiler.structure(&value)?;
    let mut builder = compiler.take()?;
    builder.rule(builder.start, &[whole])?;
    Ok((builder.grammar, builder.spec))
}

struct Compiler {
    /// It is absent while a schema is compiled, and after an error of the schema.
    builder: Option<Builder>,
    parts: usize,
}

fn malformed() -> String {
    "the structure of the output is malformed".into()
}

/// Returns the strings of a member of `value`.
fn strings<'a>(value: &'a Value, member: &str) -> Result<Vec<&'a str>, String> {
    let items = value.get(member).and_then(Value::as_array);
    let items = items.ok_or_else(malformed)?;
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    texts.ok_or_else(malformed)
}

fn style(value: &Value) -> Result<Style, String> {
    match value.as_str() {
        Some("json") => return Ok(Style::Json),
        Some("keywords") => return Ok(Style::Keywords),
        _ => {}
    }
    if let Some(mark) = value.get("bare").and_then(Value::as_str) {
        return Ok(Style::Bare(mark.into()));
    }
    let tags = value.get("tagged").ok_or_else(malformed)?;
    let member = |name| tags.get(name).and_then(Value::as_str).map(str::to_string);
    Ok(Style::Tagged(Tags {
        before_name: member("before_name").ok_or_else(malformed)?,
        after_name: member("after_name").ok_or_else(malformed)?,
        after_value: member("after_value").ok_or_else(malformed)?,
        plain: strings(tags, "plain")?
            .into_iter()
            .map(str::to_string)
            .collect(),
    }))
}

fn any_text() -> RegexAst {
    RegexAst::Regex("(?s:.)*".into())
}

fn some_text() -> RegexAst {
    RegexAst::Regex("(?s:.)+".into())
}

fn one_of(texts: &[&str]) -> RegexAst {
    let literal = |text: &&str| RegexAst::Literal((*text).into());
    RegexAst::Or(texts.iter().map(literal).collect())
}

fn not(ast: RegexAst) -> RegexAst {
    RegexAst::Not(Box::new(ast))
}

/// Restricts `all` to texts that do not begin with blanks and one of `first`.
fn forbid_first(all: &mut Vec<RegexAst>, first: &[&str]) {
    if !first.is_empty() {
        let blanks = RegexAst::Regex("[ \\t\\r\\n]*".into());
        all.push(not(RegexAst::Concat(vec![
            blanks,
            one_of(first),
            any_text(),
        ])));
    }
}

impl Compiler {
    fn take(&mut self) -> Result<Builder, String> {
        self.builder.take().ok_or_else(malformed)
    }

    fn builder(&mut self) -> Result<&mut Builder, String> {
        self.builder.as_mut().ok_or_else(malformed)
    }

    /// The recursion is bounded by that of the JSON parser.
    fn structure(&mut self, value: &Value) -> Result<SymIdx, String> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(format!(
                "the structure of the output has more than {MAX_PARTS} parts"
            ));
        }
        let object = value.as_object().ok_or_else(malformed)?;
        let (kind, inner) = object.iter().next().ok_or_else(malformed)?;
        match kind.as_str() {
            "literal" => {
                let text = inner.as_str().ok_or_else(malformed)?;
                self.builder()?.literal(text)
            }
            "schema" => self.schema(value),
            "text" => self.text(inner),
            "text_through" => self.text_through(inner),
            "sequence" => {
                let parts = self.structures(inner)?;
                self.builder()?.sequence(&parts)
            }
            "any" => {
                let options = self.structures(inner)?;
                self.builder()?.any_of(&options)
            }
            "list" => {
                let between = value.get("between").and_then(Value::as_str);
                let item = self.structure(inner)?;
                let builder = self.builder()?;
                let between = builder.literal(between.ok_or_else(malformed)?)?;
                let further = builder.sequence(&[between, item])?;
                let more = builder.star(further)?;
                builder.sequence(&[item, more])
            }
            _ => Err(malformed()),
        }
    }

    fn structures(&mut self, value: &Value) -> Result<Vec<SymIdx>, String> {
        let items = value.as_array().ok_or_else(malformed)?;
        items.iter().map(|item| self.structure(item)).collect()
    }

    fn schema(&mut self, value: &Value) -> Result<SymIdx, String> {
        let member = |name| value.get(name).and_then(Value::as_str);
        let text = member("schema").ok_or_else(malformed)?;
        let name = member("name").ok_or_else(malformed)?;
        let style = style(value.get("style").ok_or_else(malformed)?)?;
        let builder = self.take()?;
        let (builder, symbol) =
            schema::add(text, style, builder).map_err(|error| format!("{name}\n{error}"))?;
        self.builder = Some(builder);
        Ok(symbol)
    }

    fn text(&mut self, value: &Value) -> Result<SymIdx, String> {
        let marks = strings(value, "without")?;
        let mut all = vec![some_text()];
        if !marks.is_empty() {
            let marked = vec![any_text(), one_of(&marks), any_text()];
            all.push(not(RegexAst::Concat(marked)));
        }
        forbid_first(&mut all, &strings(value, "not_first")?);
        let builder = self.builder()?;
        let text = builder.terminal(RegexAst::And(all))?;
        let empty = builder.empty;
        builder.any_of(&[empty, text])
    }

    fn text_through(&mut self, value: &Value) -> Result<SymIdx, String> {
        let marks = strings(value, "marks")?;
        let count = value.get("blanks").and_then(Value::as_u64);
        let count = count.ok_or_else(malformed)?.min(16);
        let blanks = || RegexAst::Regex(format!("[ \\t\\r\\n]{{0,{count}}}"));
        let ends = RegexAst::Concat(vec![any_text(), one_of(&marks), blanks()]);
        // Only blanks follow the first mark.
        let goes_on = RegexAst::Concat(vec![
            any_text(),
            one_of(&marks),
            RegexAst::And(vec![any_text(), not(blanks())]),
        ]);
        let mut all = vec![ends, not(goes_on)];
        forbid_first(&mut all, &strings(value, "not_first")?);
        self.builder()?.terminal(RegexAst::And(all))
    }
}

#[cfg(test)]
mod tests {
    use crate::grammar::{allowed, Grammars, Kind};

    const EOS: usize = 256;

    fn bytes() -> Grammars {
        let mut words: Vec<Vec<u8>> = (0..=255u8).map(|b| vec![b]).collect();
        words.push(Vec::new());
        Grammars::new(words, EOS as u32).unwrap()
    }

    fn accepts(structure: &str, text: &str) -> bool {
        let mut matcher = bytes().matcher(Kind::Structure, structure).unwrap();
        for byte in text.bytes() {
            let mask = allowed(&mut matcher).unwrap();
            if mask[byte as usize / 32] >> (byte % 32) & 1 == 0 {
                return false;
            }
            matcher.consume_token(u32::from(byte)).unwrap();
        }
        allowed(&mut matcher).unwrap()[EOS / 32] & 1 == 1
    }

    #[test]
    fn text_goes_on_until_a_mark() {
        let structure = r#"{"any": [
            {"text": {"without": ["<call>"], "not_first": ["<think>"]}},
            {"sequence": [
                {"text_through": {"marks": ["<call>"], "not_first": ["<think>"], "blanks": 1}},
                {"list": {"sequence": [
                    {"schema": "{\"type\": \"integer\"}", "name": "n", "style": "json"},
                    {"literal": "</call>"}]}, "between": "\n<call>"}]}]}"#;
        for good in [
            "",
            "plain text, <cal",
            "\u{1F600}<<call>17</call>",
            "<call>-3</call>\n<call>4</call>",
            "x<think>",
            "<call> 3</call>",
        ] {
            assert!(accepts(structure, good), "{good}");
        }
        for bad in [
            "<call>",
            "<call>x",
            "<call>  3</call>",
            "<call>1</call> text",
            "<think>a",
            "\n <think>a",
        ] {
            assert!(!accepts(structure, bad), "{bad}");
        }
    }

    #[test]
    fn keywords_are_arguments_of_python() {
        let structure = r#"{"schema": "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"integer\"}, \"b\": {\"type\": \"object\", \"properties\": {\"c\": {\"type\": \"boolean\"}}, \"required\": [\"c\"], \"additionalProperties\": false}}, \"required\": [\"b\"]}", "name": "t", "style": "keywords"}"#;
        assert!(accepts(structure, r#"a=1, b={"c": true}"#));
        assert!(accepts(structure, r#"b={"c": true}"#));
        assert!(!accepts(structure, "a=1"));
        assert!(!accepts(structure, r#"{"a": 1}"#));
    }

    fn styled(schema: &str, style: &str) -> String {
        let text = serde_json::to_string(schema).unwrap();
        format!(r#"{{"schema": {text}, "name": "t", "style": {style}}}"#)
    }

    const SCHEMA: &str = r#"{"type": "object", "properties": {"s": {"type": "string"},
        "e": {"enum": ["a b", 1, ["x", {"k": null}]]}, "p": {"type": "string", "pattern": "^[a\"]b$"},
        "o": {"type": "object", "properties": {"t": {"type": "string", "minLength": 1}}, "required": ["t"]},
        "l": {"type": "array", "items": {"type": "integer"}}}, "required": ["s"]}"#;

    #[test]
    fn bare_members_have_marks_around_strings() {
        let structure = styled(SCHEMA, r#"{"bare": "<e>"}"#);
        for good in [
            "s:<e><e>",
            "s:<e>say \"é\" \\ \n}, <e<e>,e:<e>a b<e>,p:<e>ab<e>,o:{t:<e>{<e>},l:[1,-2]",
            "s:<e>x<e>,e:[<e>x<e>,{k:null}],l:[]",
        ] {
            assert!(accepts(&structure, good), "{good}");
        }
        for bad in [
            "",
            "{s:<e><e>}",
            "s:\"x\"",
            "s:<e>x",
            "s:<e>x<e>y<e>",
            "s:<e>x<e>,e:<e>a<e>",
            "s:<e>x<e>,o:{t:<e><e>}",
            "s:<e>x<e>, l:[1]",
            "s:<e>x<e>,p:<e>\"b<e>",
            "s:<e>x<e>,z:1",
        ] {
            assert!(!accepts(&structure, bad), "{bad}");
        }
        let open = styled(r#"{"type": "object"}"#, r#"{"bare": "<e>"}"#);
        assert!(accepts(&open, "a_1:{b:[<e>x<e>,true]},c:null"));
        assert!(!accepts(&open, "a b:1"));
    }

    #[test]
    fn tagged_members_have_plain_strings() {
        let tags = r#"{"tagged": {"before_name": "<p=", "after_name": ">\n", "after_value": "\n</p>\n",
            "plain": ["s", "p"]}}"#;
        let structure = styled(SCHEMA, tags);
        for good in [
            "<p=s>\n\n</p>\n",
            "<p=s>\nif a < \"b\":\n  c</p>\n</p>\n<p=e>\n\"a b\"\n</p>\n<p=p>\nab\n</p>\n",
            "<p=s>\n1\n</p>\n<p=o>\n{\"t\": \"x\"}\n</p>\n<p=l>\n[1, 2]\n</p>\n",
        ] {
            assert!(accepts(&structure, good), "{good}");
        }
        for bad in [
            "",
            "<p=l>\n[1]\n</p>\n",
            "<p=s>\nx</p>\n",
            "<p=s>\nx\n</p>\n<p=e>\na b\n</p>\n",
            "<p=s>\nx\n</p>\ny\n</p>\n",
            "<p=s>\nx\n</p>\n<p=z>\n1\n</p>\n",
        ] {
            assert!(!accepts(&structure, bad), "{bad}");
        }
        let name = r#"{"type": "object", "properties": {"a b": {}}, "required": ["a b"]}"#;
        let error = bytes()
            .matcher(Kind::Structure, &styled(name, tags))
            .err()
            .unwrap();
        assert!(error.contains("\"a b\""), "{error}");
    }

    #[test]
    fn errors_of_schemas_name_them() {
        let structure =
            r#"{"schema": "{\"type\": \"nothing\"}", "name": "tools[3]", "style": "json"}"#;
        let error = bytes().matcher(Kind::Structure, structure).err().unwrap();
        assert!(error.starts_with("tools[3]\n"), "{error}");
        for malformed in ["{}", "[]", "{\"any\": 1}", "{\"text\": {}}", "{"] {
            assert!(bytes().matcher(Kind::Structure, malformed).is_err());
        }
    }
}
