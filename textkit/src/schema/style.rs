//! The forms in which an instance is written.

use super::json::quote;

#[derive(Clone, PartialEq, Eq)]
pub enum Style {
    Json,
    /// The keyword arguments of a call in Python. Members that the schema does not list are not
    /// written. Values are JSON.
    Keywords,
    /// The members of an object without its braces, as FunctionGemma writes them: `a:1,b:MARKtextMARK`.
    /// Names are bare. The mark stands around strings, which have no escapes.
    Bare(String),
    /// The members of an object, each between tags, as Qwen3-Coder writes them. Members that the
    /// schema does not list are not written.
    Tagged(Tags),
}

/// A member is `before_name NAME after_name VALUE after_value`.
#[derive(Clone, PartialEq, Eq)]
pub struct Tags {
    pub before_name: String,
    pub after_name: String,
    pub after_value: String,
    /// Members whose values are strings, written without quotes and escapes. The values of the other
    /// members are JSON.
    pub plain: Vec<String>,
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// True if a name can be written without quotes.
pub fn is_bare(name: &str) -> bool {
    let allowed = |c: char| !c.is_control() && !c.is_whitespace() && !"<>{}[],:\"\\".contains(c);
    !name.is_empty() && name.chars().all(allowed)
}

impl Style {
    /// Returns the style of objects inside of the whole instance.
    pub fn inner(&self) -> Style {
        match self {
            Style::Bare(_) => self.clone(),
            _ => Style::Json,
        }
    }

    pub fn comma(&self) -> &'static str {
        match self {
            Style::Json | Style::Keywords => ", ",
            Style::Bare(_) => ",",
            Style::Tagged(_) => "",
        }
    }

    /// Returns the text in front of a member's value.
    pub fn key(&self, name: &str) -> Result<String, String> {
        let fits = match self {
            Style::Json => true,
            Style::Keywords => is_identifier(name),
            Style::Bare(_) | Style::Tagged(_) => is_bare(name),
        };
        if !fits {
            let form = match self {
                Style::Keywords => "in Python, which is the model's form of calls",
                _ => "in the model's form of calls",
            };
            return Err(format!(
                "the member {} cannot be an argument of a call {form}",
                quote(name)
            ));
        }
        Ok(match self {
            Style::Json => format!("{}: ", quote(name)),
            Style::Keywords => format!("{name}="),
            Style::Bare(_) => format!("{name}:"),
            Style::Tagged(tags) => format!("{}{name}{}", tags.before_name, tags.after_name),
        })
    }
}
