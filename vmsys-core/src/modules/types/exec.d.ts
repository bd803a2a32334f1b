declare module 'exec' {
  interface Options {
    /** A directory of the worktree; the worktree itself unless told. */
    cwd?: string;
    /** Variables, beside PATH, HOME and TMPDIR. */
    env?: Record<string, string | number | boolean | null | undefined>;
    /** What the program reads. */
    input?: string | Uint8Array;
    /** Milliseconds after which it is killed; 0 for never. */
    timeout?: number;
  }

  interface Finished {
    stdout: string;
    stderr: string;
    /** Null when a signal ended it. */
    code: number | null;
    signal: string | null;
  }

  /** What is thrown when a program cannot be started or, by `run`, does not end well. */
  interface Failure extends Error {
    code: string | number | null;
    status: number | null;
    signal: string | null;
    stdout: string;
    stderr: string;
  }

  /** Runs a program without a shell, waits for it, and returns what it wrote to its standard output. */
  function run(command: string, args?: string[], options?: Options): string;
  function run(command: string, options: Options): string;

  /** Starts a program without a shell; the promise is for its end, however it ends. */
  function spawn(command: string, args?: string[], options?: Options): Promise<Finished>;
  function spawn(command: string, options: Options): Promise<Finished>;
}
