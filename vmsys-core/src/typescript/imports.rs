//! Reads a snippet that declares imports, as people type them at a console, as one that awaits them.
//!
//! A script has no `import x from 'y'`: a module has, but a module's names are not there for the next snippet. So each
//! declaration becomes a `const` on the same lines. What is lost is that a binding follows its module: it is what the
//! module exported when the snippet ran.
//!
//! What is imported by name comes through a module of its own that exports these names from the wanted one, so that the
//! engine links them as it does for a file: to read them from a namespace would make `undefined` of those that are missing.

use oxc_allocator::Allocator;
use oxc_ast::ast::{ImportDeclaration, ImportDeclarationSpecifier as Specifier, Statement};
use oxc_span::{GetSpan, SourceType};

use super::{SyntaxProblem, nesting, parsed};

/// Makes awaits of the imports that a text without types declares; `None` when it declares none, or cannot be read.
///
/// What is called with the text of a module that exports the wanted names gives the name under which it can be imported.
pub(crate) fn awaiting_imports(source: &str, mut bind: impl FnMut(String) -> String) -> Option<String> {
    nesting::check(source).ok()?;
    let allocator = Allocator::default();
    let parsed = parsed(&allocator, source, SourceType::mjs()).ok()?;
    let mut made = String::with_capacity(source.len() + 64);
    let mut end = 0;
    for statement in &parsed.program.body {
        let Statement::ImportDeclaration(import) = statement else { continue };
        let span = import.span;
        made.push_str(source.get(end..span.start as usize)?);
        made.push_str(&awaited(source, import, &mut bind)?);
        // The lines that follow keep their numbers.
        let lines = source.get(span.start as usize..span.end as usize)?.matches('\n').count();
        made.extend(std::iter::repeat_n('\n', lines));
        end = span.end as usize;
    }
    (end > 0).then(|| made + &source[end..])
}

fn awaited(source: &str, import: &ImportDeclaration<'_>, bind: &mut impl FnMut(String) -> String) -> Option<String> {
    // `import defer`, `import source`: the engine says what it thinks of them.
    if import.phase.is_some() {
        return None;
    }
    let text = |node: &dyn GetSpan| source.get(node.span().start as usize..node.span().end as usize);
    let from = text(&import.source)?;
    let attributes = match &import.with_clause {
        None => None,
        Some(clause) => {
            let clause = source.get(clause.span.start as usize..clause.span.end as usize)?;
            Some(clause.get(clause.find('{')?..)?.replace('\n', " "))
        }
    };
    let mut namespace = None;
    let mut exported = Vec::new();
    let mut names = Vec::new();
    for specifier in import.specifiers.iter().flatten() {
        let (imported, local) = match specifier {
            Specifier::ImportDefaultSpecifier(name) => ("default", text(&name.local)?),
            Specifier::ImportNamespaceSpecifier(name) => {
                namespace = Some(text(&name.local)?);
                continue;
            }
            Specifier::ImportSpecifier(name) => (text(&name.imported)?, text(&name.local)?),
        };
        exported.push(format!("{imported} as {local}"));
        names.push(local);
    }
    if names.is_empty() {
        let options = attributes.map_or_else(String::new, |attributes| format!(", {{with: {attributes}}}"));
        let binding = namespace.map_or_else(|| "void ".to_owned(), |namespace| format!("const {namespace} = "));
        return Some(format!("{binding}await import({from}{options});"));
    }
    let with = attributes.map_or_else(String::new, |attributes| format!(" with {attributes}"));
    let mut module = format!("export {{{}}} from {from}{with};", exported.join(", "));
    if let Some(namespace) = namespace {
        module.push_str(&format!(" export * as {namespace} from {from}{with};"));
        names.push(namespace);
    }
    Some(format!("const {{{}}} = await import('{}');", names.join(", "), bind(module)))
}

/// Whether a line begins like a declaration that only modules have.
pub(crate) fn mentions_import(source: &str) -> bool {
    // Of a line, what comes behind a semicolon may be one, too.
    source.contains("port") && source.split(['\n', ';']).any(is_declaration)
}

fn is_declaration(line: &str) -> bool {
    let line = line.trim_start();
    let rest = line.strip_prefix("import").or_else(|| line.strip_prefix("export"));
    rest.is_some_and(|rest| rest.starts_with([' ', '\t', '{', '*', '"', '\'']) || rest.is_empty())
}

/// What a script ends with that would be a module under another name.
pub(crate) fn no_module(source: &str) -> SyntaxProblem {
    let line = source.split('\n').position(is_declaration).unwrap_or_default();
    let column = source.split('\n').nth(line).map_or(0, |line| line.len() - line.trim_start().len());
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    SyntaxProblem {
        message: "Cannot use import or export in a script. A file is a module when it ends in .mjs or .mts, when its \
                  package.json says \"type\": \"module\", or when its template sets runtime.esm; a script can use \
                  await import(…)"
            .to_owned(),
        line: number(line),
        column: number(column),
        unsupported: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text becomes, with the texts of modules in the places of their names.
    fn awaiting(source: &str) -> Option<String> {
        awaiting_imports(source, |module| format!("<{module}>"))
    }

    #[test]
    fn imports_become_awaits_on_the_same_lines() {
        let table = [
            ("import fs from 'fs'", "const {fs} = await import('<export {default as fs} from 'fs';>');"),
            ("import * as p from \"path\"; p.sep", "const p = await import(\"path\"); p.sep"),
            (
                "import {a, b as c, 'd-e' as f} from './m.mjs'",
                "const {a, c, f} = await import('<export {a as a, b as c, 'd-e' as f} from './m.mjs';>');",
            ),
            (
                "import d, * as all from 'x'",
                "const {d, all} = await import('<export {default as d} from 'x'; export * as all from 'x';>');",
            ),
            ("import 'x'; import {} from 'y'", "void await import('x'); void await import('y');"),
            ("1;\nimport {\n a\n} from 'x'\na", "1;\nconst {a} = await import('<export {a as a} from 'x';>');\n\n\na"),
            (
                "import j from './j.json' with { type: 'json' }",
                "const {j} = await import('<export {default as j} from './j.json' with { type: 'json' };>');",
            ),
            (
                "import * as j from './j.json' with { type: 'json' }",
                "const j = await import('./j.json', {with: { type: 'json' }});",
            ),
        ];
        for (source, expected) in table {
            assert_eq!(awaiting(source).as_deref(), Some(expected), "{source}");
        }
    }

    #[test]
    fn what_declares_none_is_left_alone() {
        for source in [
            "",
            "1 + 1",
            "await import('x')",
            "`\nimport a from 'b'\n`",
            "/*\nimport a from 'b'\n*/",
            "import a from",
            "import.meta.url",
            "import defer * as x from 'y'",
        ] {
            assert_eq!(awaiting(source), None, "{source}");
        }
    }
}
