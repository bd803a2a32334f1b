//! Overwrites types with spaces, and knows where that would join what was apart.
//!
//! A type ends a line, a statement or a class member as well as any token does. Where it is gone, the next line could
//! be read as more of the one before: `x as T` and then `(y)` would be a call. There a `;` takes the place of the
//! type's first character, or a parenthesis is moved, as ts-blank-space and Node.js do it.

use oxc_ast::ast::*;
use oxc_ast_visit::VisitJs;
use oxc_ast_visit::walk_js::*;
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use super::grouping;
use crate::isolation::protocol::Goal;

/// Overwrites the types of one text.
pub(super) struct Eraser<'s> {
    source: &'s str,
    out: Option<Vec<u8>>,
    goal: Goal,
    /// The first thing that cannot be done without making code.
    refused: Option<(usize, String)>,
    /// Whether the last statement, or class member, ended without a `;`.
    open: bool,
    /// Where the innermost statement or class member ends.
    statement_end: u32,
    /// Where the innermost expression begins that must not begin with `{`, `function` or `class`.
    head: u32,
}

impl<'s> Eraser<'s> {
    pub(super) fn new(source: &'s str, goal: Goal) -> Self {
        Self { source, out: None, goal, refused: None, open: false, statement_end: u32::MAX, head: u32::MAX }
    }

    pub(super) fn erase<'a>(&mut self, program: &Program<'a>) {
        self.visit_program(program);
    }

    /// The text without types, `None` when there were none; or where and why it cannot be had.
    pub(super) fn finish(self) -> Result<Option<String>, (usize, String)> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        let Some(out) = self.out else { return Ok(None) };
        match String::from_utf8(out) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err((error.utf8_error().valid_up_to(), "a type was not found whole".to_owned())),
        }
    }

    fn refuse(&mut self, span: Span, message: &str) {
        let at = span.start as usize;
        if self.refused.as_ref().is_none_or(|(earlier, _)| at < *earlier) {
            self.refused = Some((at, message.to_owned()));
        }
    }

    // --- Overwriting

    fn blank(&mut self, start: u32, end: u32) {
        let (start, end) = (start as usize, end as usize);
        let out = self.out.get_or_insert_with(|| self.source.as_bytes().to_vec());
        for (at, char) in self.source[start..end].char_indices() {
            if !is_line_end(char) {
                out[start + at..start + at + char.len_utf8()].fill(b' ');
            }
        }
    }

    fn blank_span(&mut self, span: Span) {
        self.blank(span.start, span.end);
    }

    /// Puts a character where something was overwritten.
    fn put(&mut self, at: u32, char: u8) {
        if let Some(out) = &mut self.out
            && out.get(at as usize) == Some(&b' ')
        {
            out[at as usize] = char;
        }
    }

    /// Overwrites a statement or class member.
    fn blank_item(&mut self, span: Span, needs_semicolon: bool) {
        self.blank_span(span);
        if needs_semicolon {
            self.put(span.start, b';');
        }
    }

    /// Overwrites what follows an expression, up to the end; where the statement ends as well, it ends in a `;`.
    fn blank_tail(&mut self, start: u32, end: u32) {
        self.blank(start, end);
        if end == self.statement_end {
            let first = self.source[start as usize..end as usize].find(|char| !is_line_end(char)).unwrap_or(0);
            self.put(start + first as u32, b';');
        }
    }

    /// Overwrites an element of a list, and the comma behind it.
    fn blank_element(&mut self, span: Span) {
        let next = self.skip_trivia(span.end);
        let end = if self.source.as_bytes().get(next as usize) == Some(&b',') { next + 1 } else { span.end };
        self.blank(span.start, end);
    }

    // --- Reading what the tree has no places for

    /// The next place at or behind this one that is neither space nor comment.
    fn skip_trivia(&self, from: u32) -> u32 {
        let mut at = from as usize;
        loop {
            let rest = &self.source[at..];
            let trimmed = rest.trim_start_matches(|char: char| char.is_whitespace() || char == '\u{feff}');
            at += rest.len() - trimmed.len();
            at += if trimmed.starts_with("//") {
                trimmed.find(is_line_end).unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |length| length + 2)
            } else {
                return at as u32;
            };
        }
    }

    /// Overwrites a mark that stands next, `?` or `!`.
    fn blank_mark(&mut self, from: u32) {
        let at = self.skip_trivia(from);
        if matches!(self.source.as_bytes().get(at as usize), Some(b'?' | b'!')) {
            self.blank(at, at + 1);
        }
    }

    /// The words that stand next, up to the end.
    fn words(&self, from: u32, end: u32) -> Vec<(Span, &'s str)> {
        let mut words = Vec::new();
        let mut at = self.skip_trivia(from);
        while at < end {
            let rest = &self.source[at as usize..end as usize];
            let length = rest.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(rest.len());
            if length > 0 {
                words.push((Span::new(at, at + length as u32), &rest[..length]));
            }
            at += length.max(rest.chars().next().map_or(1, char::len_utf8)) as u32;
            at = self.skip_trivia(at);
        }
        words
    }

    fn begins_with(&self, at: u32, words: &[&str]) -> bool {
        let rest = &self.source[at as usize..];
        words.iter().any(|word| {
            rest.strip_prefix(word).is_some_and(|rest| {
                !rest.starts_with(|char: char| char.is_alphanumeric() || char == '_' || char == '$')
            })
        })
    }

    fn has_line_end(&self, start: u32, end: u32) -> bool {
        self.source[start as usize..end as usize].contains(is_line_end)
    }

    fn ends_open(&self, span: Span) -> bool {
        self.source.as_bytes().get((span.end as usize).wrapping_sub(1)) != Some(&b';')
    }

    // --- Statements

    fn optional_types(&mut self, types: Option<Span>) {
        if let Some(span) = types {
            self.blank_span(span);
        }
    }

    fn is_erased(statement: &Statement<'_>) -> bool {
        match statement {
            Statement::ImportDeclaration(import) => import.import_kind.is_type(),
            Statement::ExportNamedDeclaration(export) => export.export_kind.is_type(),
            Statement::ExportFromDeclaration(export) => export.export_kind.is_type(),
            Statement::ExportAllDeclaration(export) => export.export_kind.is_type(),
            Statement::ExportDeclaration(export) => is_erased_declaration(&export.declaration),
            Statement::ExportDefaultDeclaration(export) => match &export.declaration {
                ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => true,
                ExportDefaultDeclarationKind::FunctionDeclaration(function) => function.body.is_none(),
                ExportDefaultDeclarationKind::ClassDeclaration(class) => class.declare,
                _ => false,
            },
            Statement::TSNamespaceExportDeclaration(_) => true,
            _ => statement.as_declaration().is_some_and(is_erased_declaration),
        }
    }

    fn walk_in_statement<'a>(&mut self, statement: &Statement<'a>) {
        let (end, head) = (self.statement_end, self.head);
        self.statement_end = statement.span().end;
        walk_statement(self, statement);
        (self.statement_end, self.head) = (end, head);
    }

    // --- Expressions: chains that grow to the left may be long, so they are followed without recursion

    fn follow<'t, 'a>(&mut self, expression: &'t Expression<'a>) -> Option<&'t Expression<'a>> {
        match expression {
            Expression::BinaryExpression(binary) => {
                self.check(&grouping::of_binary(binary));
                self.visit_expression(&binary.right);
                Some(&binary.left)
            }
            Expression::LogicalExpression(logical) => {
                self.check(&grouping::of_logical(logical));
                self.visit_expression(&logical.right);
                Some(&logical.left)
            }
            Expression::CallExpression(call) => Some(self.call(call)),
            Expression::TaggedTemplateExpression(tagged) => {
                self.optional_types(tagged.type_arguments.as_ref().map(|types| types.span));
                self.visit_template_literal(&tagged.quasi);
                Some(&tagged.tag)
            }
            Expression::TSNonNullExpression(inner) => Some(self.non_null(inner)),
            Expression::TSAsExpression(inner) => Some(self.assertion(inner.span, &inner.expression)),
            Expression::TSSatisfiesExpression(inner) => Some(self.assertion(inner.span, &inner.expression)),
            Expression::TSInstantiationExpression(inner) => Some(self.assertion(inner.span, &inner.expression)),
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::CallExpression(call) => Some(self.call(call)),
                ChainElement::TSNonNullExpression(inner) => Some(self.non_null(inner)),
                element => self.member(element.as_member_expression()?),
            },
            other => match other.as_member_expression() {
                Some(member) => self.member(member),
                None => {
                    walk_expression(self, expression);
                    None
                }
            },
        }
    }

    fn call<'t, 'a>(&mut self, call: &'t CallExpression<'a>) -> &'t Expression<'a> {
        self.optional_types(call.type_arguments.as_ref().map(|types| types.span));
        self.visit_arguments(&call.arguments);
        &call.callee
    }

    fn member<'t, 'a>(&mut self, member: &'t MemberExpression<'a>) -> Option<&'t Expression<'a>> {
        if let MemberExpression::ComputedMemberExpression(computed) = member {
            self.visit_expression(&computed.expression);
        }
        Some(member.object())
    }

    fn non_null<'t, 'a>(&mut self, it: &'t TSNonNullExpression<'a>) -> &'t Expression<'a> {
        self.blank(it.span.end - 1, it.span.end);
        &it.expression
    }

    fn assertion<'t, 'a>(&mut self, span: Span, inner: &'t Expression<'a>) -> &'t Expression<'a> {
        self.blank_tail(inner.span().end, span.end);
        inner
    }

    fn check(&mut self, problem: &Option<(Span, &str)>) {
        if let Some((span, message)) = problem {
            self.refuse(*span, message);
        }
    }

    fn refuse_decorators(&mut self, decorators: &[Decorator<'_>]) {
        if let Some(decorator) = decorators.first() {
            self.refuse(decorator.span, "Decorators are not supported: call the decorator as a function");
        }
    }

    // --- Class members

    fn visit_element<'a>(&mut self, element: &ClassElement<'a>) {
        let span = element.span();
        let is_erased = match element {
            ClassElement::TSIndexSignature(_) => true,
            ClassElement::MethodDefinition(method) => {
                method.value.body.is_none() || method.r#type == MethodDefinitionType::TSAbstractMethodDefinition
            }
            ClassElement::PropertyDefinition(property) => {
                property.declare || property.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition
            }
            ClassElement::AccessorProperty(property) => {
                property.r#type == AccessorPropertyType::TSAbstractAccessorProperty
            }
            ClassElement::StaticBlock(_) => false,
        };
        if is_erased {
            self.blank_item(span, self.open);
            self.open = false;
            return;
        }
        self.modifiers(element);
        let outer = (self.statement_end, self.head);
        self.statement_end = span.end;
        walk_class_element(self, element);
        (self.statement_end, self.head) = outer;
        self.open = self.ends_open(span)
            && !matches!(element, ClassElement::StaticBlock(_) | ClassElement::MethodDefinition(_));
    }

    /// Overwrites `public`, `readonly` and the like.
    fn modifiers(&mut self, element: &ClassElement<'_>) {
        let Some(key) = element.property_key() else { return };
        let decorators = match element {
            ClassElement::MethodDefinition(it) => &it.decorators,
            ClassElement::PropertyDefinition(it) => &it.decorators,
            ClassElement::AccessorProperty(it) => &it.decorators,
            ClassElement::StaticBlock(_) | ClassElement::TSIndexSignature(_) => return,
        };
        self.refuse_decorators(decorators);
        let start = decorators.last().map_or(element.span().start, |last| last.span.end);
        let words = self.words(start, key.span().start);
        let is_erased = |word: &str| {
            matches!(word, "public" | "private" | "protected" | "readonly" | "override" | "abstract" | "declare")
        };
        for (span, _) in words.iter().filter(|(_, word)| is_erased(word)) {
            self.blank_span(*span);
        }
        // What comes first now could go on with the initialiser of the member before.
        let leading = words.iter().take_while(|(_, word)| is_erased(word));
        let (Some((first, _)), Some((last, _))) = (words.first(), leading.last()) else { return };
        let next = self.skip_trivia(last.end);
        let continues =
            self.source[next as usize..].starts_with(['[', '*', '(']) || self.begins_with(next, &["in", "instanceof"]);
        if self.open && continues {
            self.put(first.start, b';');
        }
    }
}

impl<'a> VisitJs<'a> for Eraser<'_> {
    fn visit_directive(&mut self, it: &Directive<'a>) {
        self.open = self.ends_open(it.span);
    }

    fn visit_program(&mut self, it: &Program<'a>) {
        self.open = false;
        walk_program(self, it);
    }

    fn visit_function_body(&mut self, it: &FunctionBody<'a>) {
        let outer = (self.open, self.statement_end, self.head);
        self.open = false;
        walk_function_body(self, it);
        (self.open, self.statement_end, self.head) = outer;
    }

    fn visit_statements(&mut self, it: &oxc_allocator::ArenaVec<'a, Statement<'a>>) {
        for statement in it {
            if Self::is_erased(statement) {
                self.blank_item(statement.span(), self.open);
                self.open = false;
            } else {
                self.walk_in_statement(statement);
                self.open = self.ends_open(statement.span());
            }
        }
    }

    fn visit_block_statement(&mut self, it: &BlockStatement<'a>) {
        // A block in which nothing is left must not look like an object.
        self.open = it.body.iter().all(Self::is_erased);
        walk_block_statement(self, it);
    }

    fn visit_switch_case(&mut self, it: &SwitchCase<'a>) {
        self.open = false;
        walk_switch_case(self, it);
    }

    fn visit_static_block(&mut self, it: &StaticBlock<'a>) {
        self.open = false;
        walk_static_block(self, it);
    }

    /// The body of a loop, of an `if` or of a label: something has to be left of it.
    fn visit_statement(&mut self, it: &Statement<'a>) {
        if Self::is_erased(it) {
            self.blank_item(it.span(), true);
        } else {
            self.walk_in_statement(it);
        }
    }

    fn visit_expression_statement(&mut self, it: &ExpressionStatement<'a>) {
        self.head = it.span.start;
        walk_expression_statement(self, it);
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        self.head = it.declaration.span().start;
        walk_export_default_declaration(self, it);
    }

    fn visit_export_specifier(&mut self, it: &ExportSpecifier<'a>) {
        if it.export_kind.is_type() {
            self.blank_element(it.span);
        }
    }

    fn visit_import_specifier(&mut self, it: &ImportSpecifier<'a>) {
        if it.import_kind.is_type() {
            self.blank_element(it.span);
        }
    }

    fn visit_expression(&mut self, it: &Expression<'a>) {
        let mut next = Some(it);
        while let Some(expression) = next {
            next = self.follow(expression);
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if it.definite {
            self.blank_mark(it.id.span().end);
        }
        self.optional_types(it.type_annotation.as_ref().map(|types| types.span));
        walk_variable_declarator(self, it);
    }

    fn visit_catch_parameter(&mut self, it: &CatchParameter<'a>) {
        self.optional_types(it.type_annotation.as_ref().map(|types| types.span));
        walk_catch_parameter(self, it);
    }

    fn visit_new_expression(&mut self, it: &NewExpression<'a>) {
        self.optional_types(it.type_arguments.as_ref().map(|types| types.span));
        walk_new_expression(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        self.optional_types(it.type_parameters.as_ref().map(|types| types.span));
        if let Some(this) = &it.this_param {
            self.blank_element(this.span);
        }
        self.optional_types(it.return_type.as_ref().map(|types| types.span));
        walk_function(self, it, flags);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        if let Some(types) = &it.type_parameters {
            self.blank_span(types.span);
            // `async` and `return` must not be alone on their line.
            if self.has_line_end(types.span.start, it.params.span.start) {
                self.put(types.span.start, b'(');
                self.blank(it.params.span.start, it.params.span.start + 1);
            }
        }
        if let Some(types) = &it.return_type {
            self.blank_span(types.span);
            // No line may end before the `=>`.
            if self.has_line_end(it.params.span.end, types.span.end) {
                self.blank(it.params.span.end - 1, it.params.span.end);
                self.put(types.span.end - 1, b')');
            }
        }
        let head = self.head;
        self.visit_formal_parameters(&it.params);
        self.head = it.body.span().start;
        self.visit_arrow_function_body(&it.body);
        self.head = head;
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        self.refuse_decorators(&it.decorators);
        if it.accessibility.is_some() || it.readonly || it.r#override {
            self.refuse(
                it.span,
                "TypeScript parameter properties are not supported: declare a field, and assign to it in the constructor",
            );
        }
        if it.optional {
            self.blank_mark(it.pattern.span().end);
        }
        self.optional_types(it.type_annotation.as_ref().map(|types| types.span));
        walk_formal_parameter(self, it);
    }

    fn visit_formal_parameter_rest(&mut self, it: &FormalParameterRest<'a>) {
        self.refuse_decorators(&it.decorators);
        self.optional_types(it.type_annotation.as_ref().map(|types| types.span));
        walk_formal_parameter_rest(self, it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        self.refuse_decorators(&it.decorators);
        let mut at = it.decorators.last().map_or(it.span.start, |last| last.span.end);
        if it.r#abstract
            && let Some((span, _)) = self.words(at, it.body.span.start).iter().find(|(_, word)| *word == "abstract")
        {
            self.blank_span(*span);
        }
        if let Some(id) = &it.id {
            at = id.span.end;
        }
        if let Some(types) = &it.type_parameters {
            self.blank_span(types.span);
            at = types.span.end;
        }
        if let Some(heritage) = &it.heritage {
            at = heritage.expression.span().end;
            if let Some(types) = &heritage.type_arguments {
                self.blank_span(types.span);
                at = types.span.end;
            }
        }
        if let (Some(first), Some(last)) = (it.implements.first(), it.implements.last())
            && let Some((span, _)) = self.words(at, first.span.start).iter().find(|(_, word)| *word == "implements")
        {
            self.blank(span.start, last.span.end);
        }
        walk_class(self, it);
    }

    fn visit_class_body(&mut self, it: &ClassBody<'a>) {
        let outer = self.open;
        self.open = false;
        for element in &it.body {
            self.visit_element(element);
        }
        self.open = outer;
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        if it.optional {
            self.blank_mark(self.key_end(&it.key, it.computed));
        }
        walk_method_definition(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        let end = self.key_end(&it.key, it.computed);
        if it.optional || it.definite {
            self.blank_mark(end);
        }
        if let Some(types) = &it.type_annotation {
            self.blank_span(types.span);
            // `get: T` and then a method would be a getter.
            if it.value.is_none()
                && self.ends_open(it.span)
                && !it.computed
                && self.begins_with(it.key.span().start, &["get", "set", "static", "async", "accessor"])
            {
                self.put(types.span.start, b';');
            }
        }
        walk_property_definition(self, it);
    }

    fn visit_accessor_property(&mut self, it: &AccessorProperty<'a>) {
        if it.definite {
            self.blank_mark(self.key_end(&it.key, it.computed));
        }
        self.optional_types(it.type_annotation.as_ref().map(|types| types.span));
        walk_accessor_property(self, it);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        let inner = self.assertion(it.span, &it.expression);
        self.visit_expression(inner);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        let inner = self.assertion(it.span, &it.expression);
        self.visit_expression(inner);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        let inner = self.non_null(it);
        self.visit_expression(inner);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        let start = it.expression.span().start;
        if self.has_line_end(it.span.start, start) {
            self.refuse(it.span, "A type assertion in angle brackets must be on one line: write `x as T`");
        }
        if it.span.start == self.head {
            self.head = start;
            let inner = self.skip_trivia(start);
            if self.begins_with(inner, &["function", "class", "async", "let"])
                || self.source[inner as usize..].starts_with('{')
            {
                self.refuse(it.span, "A type assertion in angle brackets cannot stand here: write `(x as T)`");
            }
        }
        self.blank(it.span.start, start);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        self.refuse(
            it.span,
            "TypeScript enums are not supported: use an object, as in `const Color = { Red: 0, Blue: 1 } as const`",
        );
    }

    fn visit_ts_namespace_declaration(&mut self, it: &TSNamespaceDeclaration<'a>) {
        self.refuse(it.span, "TypeScript namespaces with values are not supported: use a module, or an object");
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        let is_require = matches!(it.module_reference, TSModuleReference::ExternalModuleReference(_));
        if is_require && self.goal == Goal::Script && self.source[it.span.start as usize..].starts_with("import") {
            // Both words have as many letters, with a space.
            self.blank(it.span.start, it.span.start + 6);
            for (n, letter) in b"const".iter().enumerate() {
                self.put(it.span.start + n as u32, *letter);
            }
            return;
        }
        let message = if is_require {
            "TypeScript's `import x = require()` is not supported in a module: write `import x from '…'`"
        } else {
            "TypeScript's `import x = y.z` is not supported: write `const x = y.z`"
        };
        self.refuse(it.span, message);
    }

    fn visit_ts_export_assignment(&mut self, it: &TSExportAssignment<'a>) {
        self.refuse(it.span, "TypeScript's `export =` is not supported: write `module.exports =`, or `export default`");
    }
}

impl Eraser<'_> {
    /// Where a member's name ends, with its bracket.
    fn key_end(&self, key: &PropertyKey<'_>, computed: bool) -> u32 {
        let end = key.span().end;
        if !computed {
            return end;
        }
        let bracket = self.skip_trivia(end);
        if self.source.as_bytes().get(bracket as usize) == Some(&b']') { bracket + 1 } else { end }
    }
}

fn is_line_end(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

fn is_erased_declaration(declaration: &Declaration<'_>) -> bool {
    match declaration {
        Declaration::VariableDeclaration(it) => it.declare,
        Declaration::FunctionDeclaration(it) => it.declare || it.body.is_none(),
        Declaration::ClassDeclaration(it) => it.declare,
        Declaration::TSTypeAliasDeclaration(_)
        | Declaration::TSInterfaceDeclaration(_)
        | Declaration::TSExternalModuleDeclaration(_)
        | Declaration::TSGlobalDeclaration(_) => true,
        Declaration::TSEnumDeclaration(it) => it.declare,
        Declaration::TSNamespaceDeclaration(it) => it.declare || !has_values(it),
        Declaration::TSImportEqualsDeclaration(it) => it.import_kind.is_type(),
    }
}

/// Whether a namespace holds anything at run time.
fn has_values(namespace: &TSNamespaceDeclaration<'_>) -> bool {
    let mut inner = namespace;
    loop {
        match &inner.body {
            TSNamespaceDeclarationBody::TSNamespaceDeclaration(next) => inner = next,
            TSNamespaceDeclarationBody::TSModuleBlock(block) => {
                return !block.directives.is_empty()
                    || block.body.iter().any(|statement| !Eraser::is_erased(statement));
            }
        }
    }
}
