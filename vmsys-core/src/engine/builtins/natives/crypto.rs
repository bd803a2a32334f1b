//! Random bytes, from the realm's generator, digests, and codes that need a key.

use std::rc::Rc;

use chacha20::rand_core::Rng as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use rquickjs::{Ctx, Exception, Result, Value};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::{Native, bytes_argument, charge, text_argument};
use crate::engine::cross;
use crate::engine::realm::World;
use crate::value::Value as Data;

pub(in crate::engine::builtins) const NATIVES: &[Native] =
    &[Native { name: "randomBytes", body: random_bytes }, Native { name: "digest", body: digest }];

/// What Node's module has beside them: MD5 too, which nobody should rely on.
pub(in crate::engine::builtins) const NODE_NATIVES: &[Native] = &[
    Native { name: "randomBytes", body: random_bytes },
    Native { name: "hash", body: hash },
    Native { name: "hmac", body: hmac },
];

/// As many random bytes as the standard gives at once.
const MOST_RANDOM: usize = 65_536;

/// `randomBytes(length)`: a `Uint8Array` that cannot be foretold.
fn random_bytes<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let length = args.first().and_then(Value::as_number).unwrap_or_default() as usize;
    if length > MOST_RANDOM {
        return Err(Exception::throw_range(ctx, "too many random bytes at once"));
    }
    charge(ctx, world, length)?;
    let mut bytes = vec![0; length];
    world.random.borrow_mut().fill_bytes(&mut bytes);
    cross::to_guest(ctx, &world.intrinsics, &Data::Bytes(bytes))
}

/// `digest(algorithm, bytes)`: a `Uint8Array`, or null for an algorithm that there is not.
fn digest<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let bytes = bytes_argument(args, 1, ctx, world)?;
    let digest = match text_argument(args, 0, ctx, world)?.as_str() {
        "SHA-1" => Sha1::digest(&bytes).to_vec(),
        "SHA-256" => Sha256::digest(&bytes).to_vec(),
        "SHA-384" => Sha384::digest(&bytes).to_vec(),
        "SHA-512" => Sha512::digest(&bytes).to_vec(),
        _ => return Ok(Value::new_null(ctx.clone())),
    };
    cross::to_guest(ctx, &world.intrinsics, &Data::Bytes(digest))
}

/// `hash(algorithm, bytes)`: a `Uint8Array`.
fn hash<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let bytes = bytes_argument(args, 1, ctx, world)?;
    let digest = match text_argument(args, 0, ctx, world)?.as_str() {
        "md5" => Md5::digest(&bytes).to_vec(),
        "sha1" => Sha1::digest(&bytes).to_vec(),
        "sha256" => Sha256::digest(&bytes).to_vec(),
        "sha384" => Sha384::digest(&bytes).to_vec(),
        "sha512" => Sha512::digest(&bytes).to_vec(),
        _ => return Err(Exception::throw_type(ctx, "no such algorithm")),
    };
    cross::to_guest(ctx, &world.intrinsics, &Data::Bytes(digest))
}

/// `hmac(algorithm, key, bytes)`: a `Uint8Array`.
fn hmac<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    macro_rules! code {
        ($hash:ty, $key:expr, $bytes:expr) => {
            Hmac::<$hash>::new_from_slice($key).map(|code| code.chain_update($bytes).finalize().into_bytes().to_vec())
        };
    }
    let key = bytes_argument(args, 1, ctx, world)?;
    let bytes = bytes_argument(args, 2, ctx, world)?;
    let code = match text_argument(args, 0, ctx, world)?.as_str() {
        "md5" => code!(Md5, &key, &bytes),
        "sha1" => code!(Sha1, &key, &bytes),
        "sha256" => code!(Sha256, &key, &bytes),
        "sha384" => code!(Sha384, &key, &bytes),
        "sha512" => code!(Sha512, &key, &bytes),
        _ => return Err(Exception::throw_type(ctx, "no such algorithm")),
    };
    let code = code.map_err(|_| Exception::throw_type(ctx, "no key of this length"))?;
    cross::to_guest(ctx, &world.intrinsics, &Data::Bytes(code))
}
