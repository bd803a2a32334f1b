// `os`: a machine that is the same everywhere. Nothing of the host is told.
(function (internal) {
  'use strict';
  const { now, origin } = internal.natives;
  const { cwd } = internal.part('process_module');
  const MEMORY = 1024 ** 3;
  const signals = {
    SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10,
    SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20,
  };
  const errno = {
    EPERM: 1, ENOENT: 2, EINTR: 4, EIO: 5, EBADF: 9, EAGAIN: 11, ENOMEM: 12, EACCES: 13, EBUSY: 16, EEXIST: 17, EXDEV: 18,
    ENOTDIR: 20, EISDIR: 21, EINVAL: 22, ENFILE: 23, EMFILE: 24, EFBIG: 27, ENOSPC: 28, EROFS: 30, EPIPE: 32, ENOSYS: 38,
    ENOTEMPTY: 39, ELOOP: 40, ETIMEDOUT: 110,
  };
  return {
    EOL: '\n',
    devNull: '/dev/null',
    constants: { signals, errno },
    arch: () => 'x64',
    availableParallelism: () => 1,
    cpus: () => [],
    endianness: () => 'LE',
    freemem: () => MEMORY,
    homedir: () => cwd(),
    hostname: () => 'localhost',
    loadavg: () => [0, 0, 0],
    machine: () => 'x86_64',
    networkInterfaces: () => ({}),
    platform: () => 'linux',
    release: () => '',
    tmpdir: () => cwd(),
    totalmem: () => MEMORY,
    type: () => 'Linux',
    uptime: () => (now() - origin()) / 1000,
    userInfo: () => ({ uid: 0, gid: 0, username: 'user', homedir: cwd(), shell: null }),
    version: () => '',
  };
})
