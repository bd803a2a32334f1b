//! What the commands that follow something have in common.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::client::{News, OnNews};
use crate::error::Result;
use crate::output::Output;

/// How long a line may be cut without a word about it to a program; a person sees a command stand still earlier.
const UNNOTICED: Duration = Duration::from_secs(1);

/// Reads a stream, whose messages the function shows until one is the last, or nobody reads any more. Tells whether it
/// came in one piece: where the line was cut, the daemon may have been killed, and have lost what it had told last.
///
/// A person who hears nothing for a while is told once that all is well, if there are words for it.
pub(super) fn follow(
    out: &mut Output,
    all_is_well: Option<&str>,
    stream: impl FnOnce(&mut OnNews<'_>) -> Result<()>,
    mut show: impl FnMut(&str, &str, &mut Output) -> Result<ControlFlow<()>>,
) -> Result<bool> {
    let aside = out.aside();
    let mut comfort = all_is_well.filter(|_| aside.is_to_a_person());
    let (mut in_one_piece, mut told_of_cut) = (true, false);
    let followed = stream(&mut |news| {
        match news {
            News::Message(name, document) => return show(name, document, out),
            News::Quiet => {
                if let Some(words) = comfort.take() {
                    aside.info(words);
                }
            }
            News::Cut(lasted) => {
                in_one_piece = false;
                if !told_of_cut && (aside.is_to_a_person() || lasted >= UNNOTICED) {
                    told_of_cut = true;
                    aside.info("the daemon has gone away; asking for it again");
                }
            }
            News::Back => {
                if std::mem::take(&mut told_of_cut) {
                    aside.info("the daemon is there again");
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    });
    match followed {
        Err(_) if out.is_cut() => Ok(in_one_piece),
        followed => followed.map(|()| in_one_piece),
    }
}
