//! Reads a snippet that declares imports, as people type them at a console, as one that awaits them.
//!
//! A script has no `import x from 'y'`: a module has, but a module's names are not there for the next snippet. So each
//! declaration becomes a `const` on the same lines. What is lost is that a binding follows its module: it is what the
//! module exported when the snippet ran.

use oxc_allocator::Allocator;
use oxc_ast::ast::{ImportDeclaration, ImportDeclarationSpecifier as Specifier, Statement};
use oxc_span::{GetSpan, SourceType};

use super::{nesting, parsed};

/// Makes awaits of the imports that a text without types declares; `None` when it declares none, or cannot be read.
pub(crate) fn awaiting_imports(source: &str) -> Option<String> {
    nesting::check(source).ok()?;
    let allocator = Allocator::default();
    let parsed = parsed(&allocator, source, SourceType::mjs()).ok()?;
    let mut made = String::with_capacity(source.len() + 64);
    let mut end = 0;
    for statement in &parsed.program.body {
        let Statement::ImportDeclaration(import) = statement else { continue };
        let span = import.span;
        made.push_str(source.get(end..span.start as usize)?);
        made.push_str(&awaited(source, import)?);
        // The lines that follow keep their numbers.
        let lines = source.get(span.start as usize..span.end as usize)?.matches('\n').count();
        made.extend(std::iter::repeat_n('\n', lines));
        end = span.end as usize;
    }
    (end > 0).then(|| made + &source[end..])
}

fn awaited(source: &str, import: &ImportDeclaration<'_>) -> Option<String> {
    // `import defer`, `import source`: the engine says what it thinks of them.
    if import.phase.is_some() {
        return None;
    }
    let text = |node: &dyn GetSpan| source.get(node.span().start as usize..node.span().end as usize);
    let from = text(&import.source)?;
    let options = match &import.with_clause {
        None => String::new(),
        Some(clause) => {
            let clause = source.get(clause.span.start as usize..clause.span.end as usize)?;
            format!(", {{with: {}}}", clause.get(clause.find('{')?..)?.replace('\n', " "))
        }
    };
    let module = format!("await import({from}{options})");
    let mut namespace = None;
    let mut names = Vec::new();
    for specifier in import.specifiers.iter().flatten() {
        match specifier {
            Specifier::ImportDefaultSpecifier(name) => names.push(format!("default: {}", text(&name.local)?)),
            Specifier::ImportNamespaceSpecifier(name) => namespace = Some(text(&name.local)?),
            Specifier::ImportSpecifier(name) => {
                names.push(format!("{}: {}", text(&name.imported)?, text(&name.local)?));
            }
        }
    }
    Some(match (namespace, names.as_slice()) {
        (None, []) => format!("void {module};"),
        (None, names) => format!("const {{{}}} = {module};", names.join(", ")),
        (Some(namespace), []) => format!("const {namespace} = {module};"),
        (Some(namespace), names) => format!("const {namespace} = {module}, {{{}}} = {namespace};", names.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_become_awaits_on_the_same_lines() {
        let table = [
            ("import fs from 'fs'", "const {default: fs} = await import('fs');"),
            ("import * as p from \"path\"; p.sep", "const p = await import(\"path\"); p.sep"),
            (
                "import {a, b as c, 'd-e' as f} from './m.mjs'",
                "const {a: a, b: c, 'd-e': f} = await import('./m.mjs');",
            ),
            ("import d, * as all from 'x'", "const all = await import('x'), {default: d} = all;"),
            ("import 'x'; import {} from 'y'", "void await import('x'); void await import('y');"),
            ("1;\nimport {\n a\n} from 'x'\na", "1;\nconst {a: a} = await import('x');\n\n\na"),
            (
                "import j from './j.json' with { type: 'json' }",
                "const {default: j} = await import('./j.json', {with: { type: 'json' }});",
            ),
        ];
        for (source, expected) in table {
            assert_eq!(awaiting_imports(source).as_deref(), Some(expected), "{source}");
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
            assert_eq!(awaiting_imports(source), None, "{source}");
        }
    }
}
