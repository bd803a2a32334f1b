//! Whether operators still group as they did once a type assertion between them is gone.

use oxc_ast::ast::*;
use oxc_span::{GetSpan, Span};

const GROUPING: &str = "Without this type assertion the operators would group in another way: put it in parentheses";
const MIXING: &str = "Without this type assertion `??` would mix with `||` or `&&`: put it in parentheses";

/// `(a ** b as T) ** c` without its parentheses.
pub(super) fn of_binary(binary: &BinaryExpression<'_>) -> Option<(Span, &'static str)> {
    grouping(&binary.left, Power::of_binary(binary.operator))
}

/// The same, and `a ?? b as T || c`, which is no JavaScript without the type.
pub(super) fn of_logical(logical: &LogicalExpression<'_>) -> Option<(Span, &'static str)> {
    let is_coalesce = |operator: LogicalOperator| operator == LogicalOperator::Coalesce;
    let mixed = [&logical.left, &logical.right].into_iter().find(|side| {
        let bare = behind_assertions(side).unwrap_or(side);
        let Expression::LogicalExpression(inner) = bare else { return false };
        is_coalesce(inner.operator) != is_coalesce(logical.operator)
    });
    mixed.map(|side| (side.span(), MIXING)).or_else(|| grouping(&logical.left, Power::of_logical(logical.operator)))
}

fn grouping(left: &Expression<'_>, power: Power) -> Option<(Span, &'static str)> {
    let asserted = behind_assertions(left)?;
    let safe = match Power::of(asserted) {
        Some(inner) => inner > power || inner == power && power != Power::Exponent,
        None => power != Power::Exponent || !is_unary(asserted),
    };
    (!safe).then(|| (left.span(), GROUPING))
}

/// What is asserted to be of some type, if that is what the expression is.
fn behind_assertions<'t, 'a>(expression: &'t Expression<'a>) -> Option<&'t Expression<'a>> {
    let mut inner = expression;
    let mut asserted = None;
    loop {
        inner = match inner {
            Expression::TSAsExpression(it) => &it.expression,
            Expression::TSSatisfiesExpression(it) => &it.expression,
            _ => return asserted,
        };
        asserted = Some(inner);
    }
}

fn is_unary(expression: &Expression<'_>) -> bool {
    matches!(
        expression,
        Expression::UnaryExpression(_) | Expression::AwaitExpression(_) | Expression::TSTypeAssertion(_)
    )
}

/// How strongly an operator binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Power {
    Coalesce,
    Or,
    And,
    BitOr,
    BitXor,
    BitAnd,
    Equality,
    Relation,
    Shift,
    Sum,
    Product,
    Exponent,
}

impl Power {
    fn of(expression: &Expression<'_>) -> Option<Self> {
        match expression {
            Expression::BinaryExpression(it) => Some(Self::of_binary(it.operator)),
            Expression::LogicalExpression(it) => Some(Self::of_logical(it.operator)),
            Expression::PrivateInExpression(_) => Some(Self::Relation),
            _ => None,
        }
    }

    fn of_logical(operator: LogicalOperator) -> Self {
        match operator {
            LogicalOperator::Coalesce => Self::Coalesce,
            LogicalOperator::Or => Self::Or,
            LogicalOperator::And => Self::And,
        }
    }

    fn of_binary(operator: BinaryOperator) -> Self {
        use BinaryOperator as Op;
        match operator {
            Op::Equality | Op::Inequality | Op::StrictEquality | Op::StrictInequality => Self::Equality,
            Op::LessThan | Op::LessEqualThan | Op::GreaterThan | Op::GreaterEqualThan | Op::In | Op::Instanceof => {
                Self::Relation
            }
            Op::ShiftLeft | Op::ShiftRight | Op::ShiftRightZeroFill => Self::Shift,
            Op::Addition | Op::Subtraction => Self::Sum,
            Op::Multiplication | Op::Division | Op::Remainder => Self::Product,
            Op::Exponential => Self::Exponent,
            Op::BitwiseOR => Self::BitOr,
            Op::BitwiseXOR => Self::BitXor,
            Op::BitwiseAnd => Self::BitAnd,
        }
    }
}
