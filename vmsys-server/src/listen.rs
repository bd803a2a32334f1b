//! Where a daemon listens: at an address of the network, or at a socket file.

use std::fmt;
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixSocket, UnixStream};
use tokio::time::{sleep, timeout};

use crate::server::StartError;

/// What stands before the path of a socket file.
pub(crate) const UNIX: &str = "unix:";

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long a daemon that is there may take to be noticed.
const ANSWER: Duration = Duration::from_secs(1);

/// How often, and how long after one another, a directory is tried that another daemon is just starting in.
const TRIES: usize = 40;
const RETRY: Duration = Duration::from_millis(50);

/// Who sends a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Peer {
    Tcp(SocketAddr),
    Unix,
}

impl Peer {
    /// Tells whether it found the daemon by a name, which can be another's than the caller thinks.
    pub(crate) fn has_host(self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

/// Bytes both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What connections are accepted from.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, SocketFile),
}

impl Listener {
    /// Listens. Other machines may be let in only where `guarded` says that callers have to show a token.
    pub(crate) async fn bind(address: &str, guarded: bool) -> Result<Self, StartError> {
        let refused = |source| StartError::Listen { address: address.to_owned(), source };
        if let Some(path) = address.strip_prefix(UNIX) {
            let (listener, file) = SocketFile::listen(Path::new(path)).await.map_err(refused)?;
            return Ok(Self::Unix(listener, file));
        }
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let local_addr = listener.local_addr().map_err(refused)?;
        if !local_addr.ip().is_loopback() {
            if !guarded {
                return Err(StartError::NotLoopback { address: local_addr });
            }
            tracing::warn!(address = %local_addr, "other machines can reach this address, and the token goes there unencrypted");
        }
        Ok(Self::Tcp(listener, local_addr))
    }

    /// Returns the address, unless it is a file.
    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(_, address) => Some(*address),
            Self::Unix(..) => None,
        }
    }

    /// Takes the next connection.
    pub(crate) async fn accept(&self) -> io::Result<(Box<dyn Stream>, Peer)> {
        match self {
            Self::Tcp(listener, _) => {
                let (stream, remote) = listener.accept().await?;
                // Without it a small answer may wait for the acknowledgement of the one before. A socket that cannot is
                // gone.
                let _ = stream.set_nodelay(true);
                Ok((Box::new(stream), Peer::Tcp(remote)))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Box::new(stream), Peer::Unix))
            }
        }
    }
}

/// As clients are told: `http://127.0.0.1:3210`, `unix:/run/vm.sock`.
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(_, address) => write!(f, "http://{address}"),
            Self::Unix(_, file) => write!(f, "{UNIX}{}", file.path.display()),
        }
    }
}

/// The file of a socket that is listened on; it is removed when this is dropped, unless it is another's by then.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

impl SocketFile {
    /// Makes the file, which only its owner can use from its first moment on. One that a daemon left behind is replaced.
    async fn listen(path: &Path) -> io::Result<(UnixListener, Self)> {
        // An absolute path, so that the file is found again from wherever the process is by then.
        let path = std::path::absolute(path)?;
        let _alone = lock_directory(&path).await?;
        remove_stale(&path).await?;
        let socket = UnixSocket::new_stream()?;
        socket.bind(&path)?;
        let metadata = fs::symlink_metadata(&path)?;
        let file = Self { inode: (metadata.dev(), metadata.ino()), path };
        // Nobody can connect before `listen`: there is no moment at which others are let in.
        fs::set_permissions(&file.path, Permissions::from_mode(0o600))?;
        Ok((socket.listen(BACKLOG)?, file))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.inode);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), cause = %error, "the socket's file could not be removed");
        }
    }
}

/// Keeps others that start at the same time from taking each other's new socket for one that was left behind.
async fn lock_directory(path: &Path) -> io::Result<File> {
    let directory = File::open(path.parent().unwrap_or(Path::new("/")))?;
    for _ in 0..TRIES {
        match directory.try_lock() {
            Ok(()) => return Ok(directory),
            Err(TryLockError::WouldBlock) => sleep(RETRY).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "another program holds a lock on its directory"))
}

async fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        Ok(_) => {}
    }
    match timeout(ANSWER, UnixStream::connect(path)).await {
        // Nobody has it open: whoever made it has ended.
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        // Its queue is full, or it is slow: that is somebody.
        Ok(Ok(_)) | Err(_) => Err(io::ErrorKind::AddrInUse.into()),
        Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::AddrInUse.into()),
        Ok(Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bind(path: &Path) -> Result<Listener, StartError> {
        Listener::bind(&format!("{UNIX}{}", path.display()), false).await
    }

    fn kind(error: StartError) -> io::ErrorKind {
        match error {
            StartError::Listen { source, .. } => source.kind(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_socket_file_is_its_owners_and_goes_with_its_listener() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vm.sock");
        let listener = bind(&path).await.unwrap();
        assert_eq!(listener.to_string(), format!("unix:{}", path.display()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(kind(bind(&path).await.unwrap_err()), io::ErrorKind::AddrInUse);
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_was_left_behind_is_replaced_and_what_is_no_socket_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vm.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "the standard library leaves it behind");
        let listener = bind(&path).await.unwrap();
        // Another's by now: it stays.
        fs::remove_file(&path).unwrap();
        fs::write(&path, "mine").unwrap();
        drop(listener);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        assert_eq!(kind(bind(&path).await.unwrap_err()), io::ErrorKind::AlreadyExists);
        assert_eq!(kind(bind(&directory.path().join("no/vm.sock")).await.unwrap_err()), io::ErrorKind::NotFound);
        assert!(bind(&directory.path().join("x".repeat(200))).await.is_err());
    }

    #[tokio::test]
    async fn of_many_that_start_at_once_one_listens() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vm.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                tokio::spawn({
                    let path = path.clone();
                    async move { bind(&path).await }
                })
            })
            .collect();
        let mut listening = Vec::new();
        for task in tasks {
            listening.extend(task.await.unwrap().ok());
        }
        assert_eq!(listening.len(), 1);
        assert!(UnixStream::connect(&path).await.is_ok());
    }
}
