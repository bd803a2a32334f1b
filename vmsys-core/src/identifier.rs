//! Names, as JavaScript has them.

/// Words that no variable can be named after, in sloppy or in strict code or in modules.
const RESERVED: &[&str] = &[
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// Whether a text is a name of JavaScript's, if not a word that is taken: what can stand behind a dot.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(begins_identifier) && chars.all(continues_identifier)
}

/// Whether a name is a word that nothing can be named after, or one that means something else in a function.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

// The engine knows a few more letters (`Other_ID_Start`), which nobody misses.
pub(crate) fn begins_identifier(c: char) -> bool {
    matches!(c, '$' | '_') || unicode_ident::is_xid_start(c)
}

pub(crate) fn continues_identifier(c: char) -> bool {
    matches!(c, '$' | '\u{200c}' | '\u{200d}') || unicode_ident::is_xid_continue(c)
}
