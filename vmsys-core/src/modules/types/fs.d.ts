declare module 'fs' {
  /** A path of the worktree: relative to it, or absolute within it. */
  type Path = string | Uint8Array | { readonly href: string };
  type Encoding = 'utf8' | 'utf-8' | 'utf16le' | 'latin1' | 'ascii' | 'hex' | 'base64' | 'base64url' | 'binary' | 'ucs2';
  type Mode = number | string;
  type Data = string | Uint8Array | DataView;
  type Callback = (error: Error | null) => void;
  type Answer<T> = (error: Error | null, result: T) => void;

  /** What files hold: a Buffer. */
  interface Bytes extends Uint8Array {
    toString(encoding?: Encoding, start?: number, end?: number): string;
  }

  interface Stats {
    dev: number; ino: number; mode: number; nlink: number; uid: number; gid: number; rdev: number;
    size: number; blksize: number; blocks: number;
    atimeMs: number; mtimeMs: number; ctimeMs: number; birthtimeMs: number;
    atime: Date; mtime: Date; ctime: Date; birthtime: Date;
    isFile(): boolean;
    isDirectory(): boolean;
    isSymbolicLink(): boolean;
    isFIFO(): boolean;
    isSocket(): boolean;
    isCharacterDevice(): boolean;
    isBlockDevice(): boolean;
  }

  interface Dirent {
    name: string;
    parentPath: string;
    isFile(): boolean;
    isDirectory(): boolean;
    isSymbolicLink(): boolean;
    isFIFO(): boolean;
    isSocket(): boolean;
    isCharacterDevice(): boolean;
    isBlockDevice(): boolean;
  }

  interface ReadOptions { encoding?: Encoding | null; flag?: string; signal?: AbortSignal }
  interface TextOptions extends ReadOptions { encoding: Encoding }
  interface WriteOptions { encoding?: Encoding | null; mode?: Mode; flag?: string; flush?: boolean; signal?: AbortSignal }
  interface ListOptions { encoding?: Encoding | null; recursive?: boolean; withFileTypes?: false }
  interface EntryOptions { encoding?: Encoding | null; recursive?: boolean; withFileTypes: true }
  interface RemoveOptions { recursive?: boolean; force?: boolean; maxRetries?: number; retryDelay?: number }
  interface StatOptions { throwIfNoEntry?: boolean }

  function accessSync(path: Path, mode?: number): void;
  function appendFileSync(path: Path, data: Data, options?: WriteOptions | Encoding | null): void;
  function chmodSync(path: Path, mode: Mode): void;
  function copyFileSync(src: Path, dest: Path, mode?: number): void;
  function existsSync(path: Path): boolean;
  function lstatSync(path: Path, options?: StatOptions): Stats;
  function mkdirSync(path: Path, options?: { recursive?: boolean; mode?: Mode } | Mode | null): string | undefined;
  function mkdtempSync(prefix: string, options?: Encoding): string;
  function readFileSync(path: Path, options: TextOptions | Encoding): string;
  function readFileSync(path: Path, options?: ReadOptions | null): Bytes;
  function readdirSync(path: Path, options: EntryOptions): Dirent[];
  function readdirSync(path: Path, options?: ListOptions | Encoding | null): string[];
  function readlinkSync(path: Path, options?: Encoding): string;
  function realpathSync(path: Path, options?: Encoding): string;
  function renameSync(oldPath: Path, newPath: Path): void;
  function rmSync(path: Path, options?: RemoveOptions): void;
  function rmdirSync(path: Path, options?: RemoveOptions): void;
  function statSync(path: Path, options?: StatOptions): Stats;
  function truncateSync(path: Path, len?: number): void;
  function unlinkSync(path: Path): void;
  function utimesSync(path: Path, atime: number | string | Date, mtime: number | string | Date): void;
  function writeFileSync(path: Path, data: Data, options?: WriteOptions | Encoding | null): void;

  function access(path: Path, callback: Callback): void;
  function access(path: Path, mode: number, callback: Callback): void;
  function appendFile(path: Path, data: Data, callback: Callback): void;
  function appendFile(path: Path, data: Data, options: WriteOptions | Encoding | null, callback: Callback): void;
  function chmod(path: Path, mode: Mode, callback: Callback): void;
  function copyFile(src: Path, dest: Path, callback: Callback): void;
  function copyFile(src: Path, dest: Path, mode: number, callback: Callback): void;
  function exists(path: Path, callback: (exists: boolean) => void): void;
  function lstat(path: Path, callback: Answer<Stats>): void;
  function lstat(path: Path, options: StatOptions, callback: Answer<Stats>): void;
  function mkdir(path: Path, callback: Callback): void;
  function mkdir(path: Path, options: { recursive?: boolean; mode?: Mode } | Mode, callback: Answer<string | undefined>): void;
  function mkdtemp(prefix: string, callback: Answer<string>): void;
  function readFile(path: Path, callback: Answer<Bytes>): void;
  function readFile(path: Path, options: TextOptions | Encoding, callback: Answer<string>): void;
  function readdir(path: Path, callback: Answer<string[]>): void;
  function readdir(path: Path, options: EntryOptions, callback: Answer<Dirent[]>): void;
  function readlink(path: Path, callback: Answer<string>): void;
  function realpath(path: Path, callback: Answer<string>): void;
  function rename(oldPath: Path, newPath: Path, callback: Callback): void;
  function rm(path: Path, callback: Callback): void;
  function rm(path: Path, options: RemoveOptions, callback: Callback): void;
  function rmdir(path: Path, callback: Callback): void;
  function stat(path: Path, callback: Answer<Stats>): void;
  function stat(path: Path, options: StatOptions, callback: Answer<Stats>): void;
  function truncate(path: Path, callback: Callback): void;
  function truncate(path: Path, len: number, callback: Callback): void;
  function unlink(path: Path, callback: Callback): void;
  function utimes(path: Path, atime: number | string | Date, mtime: number | string | Date, callback: Callback): void;
  function writeFile(path: Path, data: Data, callback: Callback): void;
  function writeFile(path: Path, data: Data, options: WriteOptions | Encoding | null, callback: Callback): void;

  const F_OK: number;
  const R_OK: number;
  const W_OK: number;
  const X_OK: number;
  const constants: Readonly<Record<string, number>>;

  const promises: typeof import('fs/promises');
}

declare module 'fs/promises' {
  import { Bytes, Data, Dirent, Encoding, EntryOptions, ListOptions, Mode, Path, ReadOptions, RemoveOptions } from 'fs';
  import { StatOptions, Stats, TextOptions, WriteOptions } from 'fs';

  function access(path: Path, mode?: number): Promise<void>;
  function appendFile(path: Path, data: Data, options?: WriteOptions | Encoding | null): Promise<void>;
  function chmod(path: Path, mode: Mode): Promise<void>;
  function copyFile(src: Path, dest: Path, mode?: number): Promise<void>;
  function lstat(path: Path, options?: StatOptions): Promise<Stats>;
  function mkdir(path: Path, options?: { recursive?: boolean; mode?: Mode } | Mode | null): Promise<string | undefined>;
  function mkdtemp(prefix: string, options?: Encoding): Promise<string>;
  function readFile(path: Path, options: TextOptions | Encoding): Promise<string>;
  function readFile(path: Path, options?: ReadOptions | null): Promise<Bytes>;
  function readdir(path: Path, options: EntryOptions): Promise<Dirent[]>;
  function readdir(path: Path, options?: ListOptions | Encoding | null): Promise<string[]>;
  function readlink(path: Path, options?: Encoding): Promise<string>;
  function realpath(path: Path, options?: Encoding): Promise<string>;
  function rename(oldPath: Path, newPath: Path): Promise<void>;
  function rm(path: Path, options?: RemoveOptions): Promise<void>;
  function rmdir(path: Path, options?: RemoveOptions): Promise<void>;
  function stat(path: Path, options?: StatOptions): Promise<Stats>;
  function truncate(path: Path, len?: number): Promise<void>;
  function unlink(path: Path): Promise<void>;
  function utimes(path: Path, atime: number | string | Date, mtime: number | string | Date): Promise<void>;
  function writeFile(path: Path, data: Data, options?: WriteOptions | Encoding | null): Promise<void>;
  const constants: Readonly<Record<string, number>>;
}
