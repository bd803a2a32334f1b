/** Requests over HTTP to the hosts that the template grants. */
declare function fetch(
  input: string | URL | Request,
  init?: {
    method?: string;
    headers?: Headers | Record<string, string> | [string, string][];
    body?: string | Uint8Array | ArrayBuffer | Blob | FormData | URLSearchParams | null;
    redirect?: 'follow' | 'error' | 'manual';
    signal?: AbortSignal | null;
  },
): Promise<Response>;
