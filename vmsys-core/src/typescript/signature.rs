//! How many parameters a function has, as it is declared.

use oxc_allocator::Allocator;
use oxc_ast::ast::Statement;
use oxc_span::SourceType;

use super::{SyntaxProblem, nesting, parsed, place};

/// The parameters of a signature, such as `(sku: string, wanted?: number): Item`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub(crate) count: usize,
    /// Whether the rest of the arguments, however many, are one more.
    pub(crate) has_rest: bool,
}

/// Reads what stands in a declaration behind the name of a function.
///
/// # Errors
/// It is no signature, or nested too deeply to be read.
pub(crate) fn parameters(signature: &str) -> Result<Parameters, SyntaxProblem> {
    let source = format!("declare function f{};", signature.trim().trim_end_matches(';'));
    let problem = |at, message| SyntaxProblem { message, unsupported: false, ..place(&source, at) };
    nesting::check(&source).map_err(|at| problem(at, "TypeScript that is nested too deeply to be read".to_owned()))?;
    let allocator = Allocator::default();
    let parsed = parsed(&allocator, &source, SourceType::d_ts()).map_err(|(at, message)| problem(at, message))?;
    let function = match parsed.program.body.as_slice() {
        [Statement::FunctionDeclaration(function)] => function,
        _ => return Err(problem(0, "a signature is that of one function, as in (a: string): number".to_owned())),
    };
    Ok(Parameters { count: function.params.items.len(), has_rest: function.params.rest.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted() {
        for (signature, count, has_rest) in [
            ("(): void", 0, false),
            ("(sku: string, wanted?: number): Item;", 2, false),
            ("<T extends (a: 1, b: 2) => void>({a, b}: {a: T; b: [x: 1, y: 2]}, ...rest: any[]): Promise<T>", 1, true),
            ("(this: Window, a: 1): a is 1", 1, false),
        ] {
            assert_eq!(parameters(signature).ok(), Some(Parameters { count, has_rest }), "{signature}");
        }
        for signature in ["", "(a: string", "(): void; declare const x: 1", "(): void }", ": number"] {
            assert!(parameters(signature).is_err(), "{signature}");
        }
    }
}
