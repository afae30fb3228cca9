//! The limits of the schema compiler. Each constant is a maximum. The error of a schema that
//! exceeds one names it.

/// Bytes of schema text.
pub const MAX_TEXT: usize = 1 << 19;
/// Nesting of the schema text. Bounds the recursion over the text's values.
pub const MAX_DEPTH: usize = 128;
/// JSON values in the schema.
pub const MAX_NODES: usize = 100_000;
/// Subschemas that apply to one instance, one inside the other: `$ref`, `allOf`, `anyOf`, `not`, ...
pub const MAX_CHAIN: usize = 200;
/// Alternatives of one subschema after `anyOf`, `oneOf`, `if` and the like are multiplied out.
pub const MAX_CASES: usize = 2_000;
/// Combinations of two alternatives that are formed for the whole schema.
pub const MAX_MERGES: usize = 200_000;
/// Different sets of subschemas that apply together at some place.
pub const MAX_STATES: usize = 10_000;
/// Symbols of the grammar. llguidance numbers symbols with 16 bits.
pub const MAX_SYMBOLS: usize = 50_000;
/// Different terminals of the grammar.
pub const MAX_LEXEMES: usize = 8_000;
/// Numerator of a `multipleOf` that is enforced digit by digit.
pub const MAX_DIVISOR: i128 = 1_000;
/// Number of values of a bounded `multipleOf` that are listed. More values are enforced digit by
/// digit.
pub const MAX_MULTIPLES: i128 = 256;
/// `minLength`, `maxLength`, `minItems` and `maxItems`.
pub const MAX_COUNT: u64 = 1_000_000;
/// Overlapping patterns of `patternProperties` on one object.
pub const MAX_PATTERNS: usize = 64;
/// Places times counts, where members or items are counted.
pub const MAX_COUNTED: usize = 10_000;
/// Fuel for one decision whether a regular expression matches nothing.
pub const REGEX_FUEL: u64 = 50_000;
/// Such decisions in one schema, by the size of what is built for them.
pub const REGEX_TOTAL: u64 = 8_000_000;
/// Patterns and formats that one string must meet together.
pub const MAX_STRING_PATTERNS: usize = 16;
/// Alternatives that are kept of a `oneOf` branch that overlaps others. Further ones are not written.
pub const MAX_ONE_OF: usize = 64;
/// Alternatives that are kept of a negated schema. Further ones are not written.
pub const MAX_NEGATED: usize = 256;
/// Members of one object that are not required. Each may come next at many places of an output.
pub const MAX_OPTIONAL: usize = 2_000;
/// Alternatives at one place from which on contradictions inside of items and members are looked for.
pub const PRUNE_CASES: usize = 32;
/// Classes of names that the patterns of one object's members make.
pub const MAX_NAME_CLASSES: usize = 256;
