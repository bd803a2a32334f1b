//! Descriptors that go from one process to another over a line, and the end of a line.
//!
//! The one place of the library that names `rustix::net`: only by that interface does the kernel hand descriptors over.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    Shutdown, recvmsg, sendmsg, shutdown,
};

/// What the descriptors go along with: some byte has to.
const MARK: u8 = b'+';

/// Sends two descriptors.
pub(super) fn send(line: impl AsFd, files: [BorrowedFd<'_>; 2]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other("there is no room for two descriptors"));
    }
    let sent = sendmsg(line, &[IoSlice::new(&[MARK])], &mut ancillary, SendFlags::empty())?;
    if sent == 1 { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Ends a line for both sides: whoever listens hears it.
pub(super) fn cut(line: impl AsFd) -> io::Result<()> {
    Ok(shutdown(line, Shutdown::Both)?)
}

/// Waits for two descriptors.
pub(super) fn receive(line: impl AsFd) -> io::Result<[OwnedFd; 2]> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut mark = [0];
    let received = recvmsg(line, &mut [IoSliceMut::new(&mut mark)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let files = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    let files: Vec<OwnedFd> = files.flatten().collect();
    let missing = || io::Error::new(io::ErrorKind::InvalidData, "two descriptors were to come");
    if received.bytes != 1 || mark != [MARK] {
        return Err(missing());
    }
    files.try_into().map_err(|_| missing())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_handed_over_is_the_same_file() {
        let (one, other) = UnixStream::pair().unwrap();
        let (mut near, far) = UnixStream::pair().unwrap();
        send(&one, [far.as_fd(), one.as_fd()]).unwrap();
        let [received, _] = receive(&other).unwrap();
        UnixStream::from(received).write_all(b"hello").unwrap();
        let mut text = [0; 5];
        near.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"hello");
    }

    #[test]
    fn bytes_alone_are_no_descriptors() {
        let (one, other) = UnixStream::pair().unwrap();
        (&one).write_all(b"+").unwrap();
        assert!(receive(&other).is_err());
        drop(one);
        assert!(receive(&other).is_err());
    }
}
