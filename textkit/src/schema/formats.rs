//! The formats of JSON Schema. Each is asserted: the output always has the format.

/// Regular expressions of whole strings, in the syntax of the regex-syntax crate.
pub struct Format {
    /// The strings that are written. May leave out unusual ones.
    pub emitted: String,
    /// All strings of the format. None: a regular expression cannot describe them.
    pub exact: Option<String>,
}

/// Day and month of any year, and 29 February of leap years. Years are 0000 to 9999 in RFC 3339;
/// many libraries have no year 0000, so it is not written.
fn date(with_year_zero: bool) -> String {
    let days = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])\
                |(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)\
                |02-(?:0[1-9]|1[0-9]|2[0-8])";
    let year = if with_year_zero {
        "[0-9]{4}".to_string()
    } else {
        "(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})".to_string()
    };
    let by_four = "(?:0[48]|[2468][048]|[13579][26])";
    let mut centuries = "(?:0[48]|[2468][048]|[13579][26])00".to_string();
    if with_year_zero {
        centuries.push_str("|0000");
    }
    format!("(?:{year}-(?:{days})|(?:[0-9]{{2}}{by_four}|{centuries})-02-29)")
}

const CLOCK: &str = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]";
const ZONE: &str = "(?:[zZ]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";

/// Without leap seconds, and with up to six digits of a fraction, which every library reads.
fn time() -> String {
    format!(r"{CLOCK}(?:\.[0-9]{{1,6}})?{ZONE}")
}

const OCTET: &str = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

fn ipv4() -> String {
    format!(r"(?:{OCTET}\.){{3}}{OCTET}")
}

fn ipv6() -> String {
    let h = "[0-9a-fA-F]{1,4}";
    let last = format!("(?:{h}:{h}|{})", ipv4());
    let mut all = vec![format!("(?:{h}:){{6}}{last}")];
    // k groups before "::", and what is left of six groups and the last 32 bits behind it.
    for before in 0..=5 {
        let head = match before {
            0 => String::new(),
            1 => h.to_string(),
            _ => format!("(?:{h}:){{0,{}}}{h}", before - 1),
        };
        let head = if before == 0 {
            head
        } else {
            format!("(?:{head})?")
        };
        all.push(format!("{head}::(?:{h}:){{{}}}{last}", 5 - before));
    }
    all.push(format!("(?:(?:{h}:){{0,5}}{h})?::{h}"));
    all.push(format!("(?:(?:{h}:){{0,6}}{h})?::"));
    all.join("|")
}

fn duration() -> String {
    let time = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)";
    let date = "(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)";
    format!("P(?:{date}(?:{time})?|{time}|[0-9]+W)")
}

/// Labels of 1 to 63 letters, digits and single inner hyphens. At most three labels are written, so
/// that the name stays below 253 characters.
const HOST: &str =
    "[a-zA-Z](?:[a-zA-Z0-9]|-[a-zA-Z0-9]){0,30}(?:\\.[a-zA-Z](?:[a-zA-Z0-9]|-[a-zA-Z0-9]){0,30}){0,2}";

fn email() -> String {
    let atom = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}";
    format!(r"{atom}(?:\.{atom}){{0,2}}@{HOST}")
}

const PCHAR: &str = "(?:[a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2})";

fn uri() -> String {
    format!(
        "(?:[a-zA-Z][a-zA-Z0-9+.-]{{0,30}}://{HOST}(?::[0-9]{{1,4}})?(?:/{PCHAR}*)*\
         |(?:mailto|urn:[a-z]{{2,20}}|tel|data):{PCHAR}+)(?:\\?(?:{PCHAR}|[/?])*)?(?:#(?:{PCHAR}|[/?])*)?"
    )
}

fn uri_reference() -> String {
    let relative = "(?:/{P}+)*/?(?:\\?(?:{P}|[/?])*)?(?:#(?:{P}|[/?])*)?".replace("{P}", PCHAR);
    format!("{}|{relative}", uri())
}

/// Regular expressions of a plain kind: atoms, classes, one level of groups, `*`, `+`, `?` and `|`.
fn regex() -> String {
    let class = r"\[(?:[a-zA-Z0-9_]|a-z|A-Z|0-9)+\]";
    let escape = r"\\[dDsSwW./+*?]";
    let atom = format!(r"(?:[a-zA-Z0-9 _@:,/=-]|\.|{escape}|{class})[*+?]?");
    format!(r"\^?(?:{atom}|\((?:{atom})+(?:\|(?:{atom})+)*\)[*+?]?)*\$?")
}

const POINTER: &str = "(?:/(?:[^/~]|~[01])*)*";

pub fn find(name: &str) -> Option<Format> {
    let same = |text: String| Format {
        exact: Some(text.clone()),
        emitted: text,
    };
    let some_of = |emitted: String| Format {
        emitted,
        exact: None,
    };
    Some(match name {
        "date" => Format {
            emitted: date(false),
            exact: Some(date(true)),
        },
        "time" => some_of(time()),
        "date-time" => some_of(format!("{}[tT]{}", date(false), time())),
        "duration" => same(duration()),
        "email" | "idn-email" => some_of(email()),
        "hostname" | "idn-hostname" => some_of(HOST.into()),
        "ipv4" | "ip-address" => same(ipv4()),
        "ipv6" => same(ipv6()),
        "uuid" => same("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}".into()),
        "uri" | "iri" => some_of(uri()),
        "uri-reference" | "iri-reference" => some_of(uri_reference()),
        "json-pointer" => same(format!("(?s:{POINTER})")),
        "relative-json-pointer" => same(format!("(?s:(?:0|[1-9][0-9]*)(?:#|{POINTER}))")),
        "regex" => some_of(regex()),
        "uri-template" => some_of(format!("(?:{PCHAR}|[/?]|\\{{[a-zA-Z][a-zA-Z0-9_]*\\}})*")),
        // Others are annotations, as those of OpenAPI.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use llguidance::derivre::Regex;

    fn is(name: &str, text: &str) -> bool {
        let format = find(name).unwrap();
        let written = Regex::new(&format.emitted).unwrap().is_match(text);
        if let Some(exact) = format.exact {
            let exact = Regex::new(&exact).unwrap().is_match(text);
            assert!(exact || !written, "{name} {text}");
        }
        written
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for year in 1..=9999u32 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            if year < 450 || year % 97 == 0 || year % 100 == 0 {
                assert_eq!(is("date", &format!("{year:04}-02-29")), leap, "{year}");
            }
        }
        for (month, days) in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            .iter()
            .enumerate()
        {
            let month = month + 1;
            assert!(is("date", &format!("2021-{month:02}-{days:02}")));
            assert!(!is("date", &format!("2021-{month:02}-{:02}", days + 1)));
            assert!(!is("date", &format!("2021-{month:02}-00")));
        }
        assert!(is("date-time", "2020-02-29T23:59:59.5Z"));
        assert!(!is("date-time", "2021-02-29T00:00:00Z"));
        assert!(!is("date-time", "2021-02-28T24:00:00Z"));
        assert!(!is("time", "23:59:60Z"));
        assert!(!is("date", "0000-01-01") && !is("date", "2021-13-01"));
    }

    #[test]
    fn others() {
        for (name, yes, no) in [
            ("ipv4", "255.0.10.199", "256.0.0.1"),
            ("ipv4", "0.0.0.0", "01.0.0.0"),
            ("ipv6", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7"),
            ("ipv6", "::", ":"),
            ("ipv6", "1::8", "1::2::3"),
            ("ipv6", "::ffff:1.2.3.4", "::ffff:1.2.3"),
            ("ipv6", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:8::"),
            ("ipv6", "::2:3:4:5:6:7:8", "1::2:3:4:5:6:7:8"),
            ("ipv6", "1:2:3:4::6:7:8", "1:2:3:4::5:6:7:8"),
            ("duration", "P1Y2M3DT4H5M6S", "P"),
            ("duration", "P4W", "P1Y2W"),
            (
                "uuid",
                "2eb8aa08-aa98-11ea-b4aa-73b441d16380",
                "2eb8aa08-aa98-11ea-b4aa",
            ),
            ("email", "a.b@example.org", "a..b@example.org"),
            ("hostname", "a-b.c1", "-a"),
            ("hostname", "xyz", "a--b"),
            ("uri", "https://a.b/c?d#e", "//a"),
            ("json-pointer", "/a~1b/", "a"),
            ("relative-json-pointer", "1/a", "-1"),
        ] {
            assert!(is(name, yes), "{name} {yes}");
            assert!(!is(name, no), "{name} {no}");
        }
        assert!(is("regex", r"^[a-z]+(a|b)*\d$") && !is("regex", "^(abc]"));
        assert!(is("uri-template", "/a/{b}") && !is("uri-template", "/a/{b"));
        assert!(find("int32").is_none());
    }
}
