//! Random bytes, from the realm's generator, and digests.

use std::rc::Rc;

use chacha20::rand_core::Rng as _;
use rquickjs::{Ctx, Exception, Result, Value};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::{Native, bytes_argument, charge, text_argument};
use crate::engine::cross;
use crate::engine::realm::World;
use crate::value::Value as Data;

pub(in crate::engine::builtins) const NATIVES: &[Native] =
    &[Native { name: "randomBytes", body: random_bytes }, Native { name: "digest", body: digest }];

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
