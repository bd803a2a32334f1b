//! How Rust types look in TypeScript, as far as their names tell.
//!
//! A hint for editors and language models, and no promise: whoever wants more says it with `HostModule::signature`.

use std::any::type_name;

use super::HostArgs;

/// The signature of a function of these types, with these names of its parameters.
pub(super) fn signature<A: HostArgs, T>(is_async: bool, names: &[&str]) -> String {
    let result = match of(type_name::<T>()).as_str() {
        "null" => "void".to_owned(),
        result => result.to_owned(),
    };
    let result = if is_async { format!("Promise<{result}>") } else { result };
    format!("({}): {result}", A::types(names))
}

/// Parameters of these types. Only those behind which nothing is needed can be left out. Names of more than there are make
/// more of them, which is told when the module is registered.
pub(super) fn parameters(types: &[&str], names: &[&str]) -> String {
    let mut types: Vec<String> = types.iter().map(|name| of(name)).collect();
    types.resize(types.len().max(names.len()), "any".to_owned());
    let needed = types.iter().rposition(|name| !name.ends_with(" | null")).map_or(0, |last| last + 1);
    let parameter = |(at, name): (usize, &String)| {
        let mark = if at >= needed { "?" } else { "" };
        match names.get(at) {
            Some(own) => format!("{own}{mark}: {name}"),
            None => format!("arg{}{mark}: {name}", at + 1),
        }
    };
    types.iter().enumerate().map(parameter).collect::<Vec<_>>().join(", ")
}

fn of(name: &str) -> String {
    let inside = |front: &str| name.strip_prefix(front)?.strip_suffix('>');
    match name {
        "()" => return "null".to_owned(),
        "bool" => return "boolean".to_owned(),
        "f32" | "f64" | "u8" | "u16" | "u32" | "i8" | "i16" | "i32" => return "number".to_owned(),
        "u64" | "i64" | "usize" | "isize" | "u128" | "i128" => return "number | bigint".to_owned(),
        "char" | "alloc::string::String" | "&str" => return "string".to_owned(),
        _ if name.ends_with("::Bytes") || name.ends_with("::ByteBuf") => return "Uint8Array".to_owned(),
        _ => {}
    }
    if let Some(inner) = inside("core::option::Option<") {
        return format!("{} | null", of(inner));
    }
    if let Some(inner) = inside("alloc::vec::Vec<") {
        return format!("Array<{}>", of(inner));
    }
    if let Some(inner) = inside("alloc::boxed::Box<") {
        return of(inner);
    }
    let maps = ["std::collections::hash::map::HashMap<", "alloc::collections::btree::map::BTreeMap<"];
    if let Some(inner) = maps.iter().find_map(|map| inside(map)) {
        let parts = split(inner);
        return match parts.as_slice() {
            [_, value, ..] => format!("Record<string, {}>", of(value)),
            _ => "any".to_owned(),
        };
    }
    if let Some(inner) = name.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return format!("[{}]", split(inner).into_iter().map(of).collect::<Vec<_>>().join(", "));
    }
    "any".to_owned()
}

/// The parts between commas that stand in no brackets.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in list.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;
    use crate::value::{Bytes, Value};

    #[test]
    fn signatures_follow_from_types() {
        struct Item;
        assert_eq!(signature::<(), ()>(false, &[]), "(): void");
        assert_eq!(signature::<(String, u32), bool>(false, &[]), "(arg1: string, arg2: number): boolean");
        assert_eq!(
            signature::<(Option<u8>, f64, Option<String>), Option<Vec<String>>>(true, &[]),
            "(arg1: number | null, arg2: number, arg3?: string | null): Promise<Array<string> | null>"
        );
        assert_eq!(
            signature::<(Bytes, HashMap<String, Vec<u8>>, BTreeMap<u8, (i64, char)>), Item>(false, &[]),
            "(arg1: Uint8Array, arg2: Record<string, Array<number>>, arg3: Record<string, [number | bigint, string]>): any"
        );
        assert_eq!(signature::<Vec<Value>, (u8,)>(false, &[]), "(...args: any[]): [number]");
        assert_eq!(signature::<(u8, Option<u8>), ()>(false, &["a"]), "(a: number, arg2?: number | null): void");
        assert_eq!(signature::<Vec<Value>, ()>(false, &["values"]), "(...values: any[]): void");
    }
}
