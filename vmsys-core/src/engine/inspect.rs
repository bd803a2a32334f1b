//! stub
use crate::execution::ExecutionError;
use crate::value::{JsonText, ResultValue, ValueType};
use rquickjs::{Ctx, Value};
pub(super) struct Intrinsics;
impl Intrinsics {
    pub(super) fn capture(_: &Ctx<'_>) -> rquickjs::Result<Self> {
        Ok(Self)
    }
}
pub(super) struct LogOptions {
    pub(super) max_bytes: usize,
}
pub(super) fn describe(_ctx: &Ctx<'_>, v: &Value<'_>, _i: &Intrinsics, _budget: usize) -> ResultValue {
    let preview = show(v);
    ResultValue {
        kind: match v.type_of() {
            rquickjs::Type::Int | rquickjs::Type::Float => ValueType::Number,
            rquickjs::Type::Undefined => ValueType::Undefined,
            _ => ValueType::Object,
        },
        json: v.as_number().filter(|n| n.is_finite()).map(|n| JsonText::trusted(n.to_string())),
        preview,
    }
}
fn show(v: &Value<'_>) -> String {
    if let Some(n) = v.as_number() {
        n.to_string()
    } else if let Some(s) = v.as_string() {
        s.to_string().unwrap_or_default()
    } else {
        format!("{v:?}")
    }
}
pub(super) fn describe_error(_ctx: &Ctx<'_>, v: &Value<'_>, _i: &Intrinsics) -> ExecutionError {
    let message = v.as_exception().map(|e| format!("{e}")).unwrap_or_else(|| show(v));
    ExecutionError { message, stack: None, name: None, code: None }
}
pub(super) fn format_log(_ctx: &Ctx<'_>, args: &[Value<'_>], _i: &Intrinsics, _o: &LogOptions) -> String {
    args.iter().map(show).collect::<Vec<_>>().join(" ")
}
pub(super) fn format_dir(
    _ctx: &Ctx<'_>,
    v: &Value<'_>,
    _d: Option<&Value<'_>>,
    _i: &Intrinsics,
    _o: &LogOptions,
) -> String {
    show(v)
}
pub(super) fn format_table(
    _ctx: &Ctx<'_>,
    _v: &Value<'_>,
    _c: Option<&Value<'_>>,
    _i: &Intrinsics,
    _o: &LogOptions,
) -> Option<String> {
    None
}
pub(super) fn own_data_property<'js>(_ctx: &Ctx<'js>, v: &Value<'js>, name: &str) -> Option<Value<'js>> {
    v.as_object()?.get(name).ok()
}
