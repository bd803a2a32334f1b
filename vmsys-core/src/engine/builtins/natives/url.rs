//! URLs as the WHATWG standard parses and changes them.
//!
//! The `url` crate passes the standard's own tests but for some of `file:` URLs: where a path begins with several slashes
//! it makes them one, and it drops a host that stands before a drive letter.

use std::rc::Rc;

use rquickjs::{Array, Ctx, IntoJs, Result, Value};
use url::{Url, form_urlencoded, quirks};

use super::{Native, charge, text_argument, texts};
use crate::engine::builtins::argument;
use crate::engine::cross;
use crate::engine::realm::World;

pub(in crate::engine::builtins) const NATIVES: &[Native] = &[
    Native { name: "urlParse", body: parse },
    Native { name: "urlSet", body: set },
    Native { name: "formParse", body: form_parse },
    Native { name: "formSerialize", body: form_serialize },
];

/// `urlParse(input, base)`: the parts of a URL, or null where there is none.
fn parse<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let input = text_argument(args, 0, ctx, world)?;
    let parsed = if argument(args, 1, ctx).is_undefined() {
        Url::parse(&input)
    } else {
        Url::parse(&text_argument(args, 1, ctx, world)?).and_then(|base| join(&base, &input))
    };
    match parsed {
        Ok(url) if is_special(&url) || !has_wrong_authority(&input) => parts(ctx, &url),
        _ => Ok(Value::new_null(ctx.clone())),
    }
}

/// Whether a URL's scheme is one of those for which the standard has rules of their own.
fn is_special(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https" | "ws" | "wss" | "ftp" | "file")
}

/// Whether what stands for user and host in a URL that is not special makes it invalid: a backslash, which ends nothing
/// there and is forbidden in a host, or a user without a host. The crate takes both.
fn has_wrong_authority(input: &str) -> bool {
    let text = trimmed(input);
    let scheme = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).filter(|at| *at > 0);
    let after_scheme = scheme.and_then(|at| text[at..].strip_prefix(':')).unwrap_or(&text);
    let Some(rest) = after_scheme.strip_prefix("//") else { return false };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let (user, host) = authority.rsplit_once('@').unzip();
    let host = host.unwrap_or(authority);
    host.contains('\\') || (user.is_some() && (host.is_empty() || host.starts_with(':')))
}

/// Resolves a reference. What the crate gets wrong is put into other words first: only in URLs of the web is a backslash
/// at the beginning a slash, and there more than two slashes are two.
fn join(base: &Url, input: &str) -> std::result::Result<Url, url::ParseError> {
    let reference = trimmed(input);
    let path = reference.trim_start_matches(['/', '\\']);
    match reference.len() - path.len() {
        3.. if is_special(base) && base.scheme() != "file" => base.join(&format!("//{path}")),
        1.. if reference.starts_with('\\') && !is_special(base) => base.join(&format!("./{reference}")),
        _ => base.join(input),
    }
}

/// A text as the standard begins to read it.
fn trimmed(input: &str) -> String {
    input.chars().skip_while(|c| *c <= ' ').filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect()
}

/// `urlSet(href, part, value)`: the parts after one was set, or null where it cannot have that value.
fn set<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let nothing = Value::new_null(ctx.clone());
    let value = text_argument(args, 2, ctx, world)?;
    let Ok(mut url) = Url::parse(&text_argument(args, 0, ctx, world)?) else { return Ok(nothing) };
    let changed = match argument(args, 1, ctx).as_int() {
        Some(1) => quirks::set_protocol(&mut url, &value),
        Some(2) => quirks::set_username(&mut url, &value),
        Some(3) => quirks::set_password(&mut url, &value),
        Some(4) => quirks::set_host(&mut url, &value),
        Some(5) => quirks::set_hostname(&mut url, &value),
        Some(6) => quirks::set_port(&mut url, &value),
        Some(7) => set_pathname(&mut url, &value),
        Some(8) => {
            quirks::set_search(&mut url, &value);
            Ok(())
        }
        Some(9) => {
            quirks::set_hash(&mut url, &value);
            Ok(())
        }
        _ => Err(()),
    };
    if changed.is_ok() { parts(ctx, &url) } else { Ok(nothing) }
}

/// Sets the path. Where there is no authority, a path that begins with two slashes must not become one: the crate's own
/// setter does not see to that, its parser does.
fn set_pathname(url: &mut Url, path: &str) -> std::result::Result<(), ()> {
    let path = path.replace(['\t', '\n', '\r'], "");
    if url.has_authority() || url.cannot_be_a_base() {
        quirks::set_pathname(url, &path);
        return Ok(());
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    // What the parser would take for the end of the path, or trim.
    let mut text = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '?' | '#' | '\0'..=' ' => text.extend(percent_encode(c)),
            c => text.push(c),
        }
    }
    let rest = format!("{}{}", quirks::search(url), quirks::hash(url));
    *url = Url::parse(&format!("{}:/.{slash}{text}{rest}", url.scheme())).map_err(|_| ())?;
    Ok(())
}

/// A character below 128 as `%XX`.
fn percent_encode(c: char) -> impl Iterator<Item = char> {
    let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0').to_ascii_uppercase();
    ['%', digit(u32::from(c) / 16), digit(u32::from(c) % 16)].into_iter()
}

/// The origin of a URL, as text. That of a `blob:` URL is the origin of the URL in its path, if that is one of the web.
fn origin(url: &Url) -> String {
    let is_opaque =
        url.scheme() == "blob" && !Url::parse(url.path()).is_ok_and(|inner| matches!(inner.scheme(), "http" | "https"));
    if is_opaque { "null".to_owned() } else { quirks::origin(url) }
}

/// What a `URL` shows, in the order that `url.js` counts on.
fn parts<'js>(ctx: &Ctx<'js>, url: &Url) -> Result<Value<'js>> {
    let origin = origin(url);
    let shown = [
        quirks::href(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
        origin.as_str(),
    ];
    texts(ctx, shown.into_iter())
}

/// `formParse(query)`: names and values in turn.
fn form_parse<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let query = text_argument(args, 0, ctx, world)?;
    texts(ctx, form_urlencoded::parse(query.as_bytes()).flat_map(|(name, value)| [name, value]))
}

/// `formSerialize(list)`: the query of names and values in turn.
fn form_serialize<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let Some(list) = argument(args, 0, ctx).into_array() else { return "".into_js(ctx) };
    let mut query = String::new();
    for (at, text) in own_texts(&list).enumerate() {
        charge(ctx, world, text.len())?;
        match at {
            0 => {}
            at if at % 2 == 0 => query.push('&'),
            _ => query.push('='),
        }
        query.extend(form_urlencoded::byte_serialize(text.as_bytes()));
    }
    query.into_js(ctx)
}

/// The texts of an array of ours. It is read without a look at prototypes; what is no text is empty.
fn own_texts<'js>(list: &Array<'js>) -> impl Iterator<Item = String> {
    (0..list.len()).map(|at| {
        let element = crate::engine::raw::own_index(list.as_value(), at as u32);
        element.and_then(|element| cross::string(&element).ok()).unwrap_or_default()
    })
}
