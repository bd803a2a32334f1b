/** Small parts that many pages have. */
import { type ReactNode, useEffect, useId, useState } from 'react';
import { Refusal } from '../api/client';
import { ago, dateTime } from '../lib/format';
import { Icon } from './Icon';
import { toast } from './toast';

/** What went wrong, with what to tell whoever looks into the daemon's log. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const refusal = error instanceof Refusal ? error : null;
  return (
    <div className="problem" role="alert">
      <p>
        {refusal && <code className="code">{refusal.code}</code>} {error instanceof Error ? error.message : String(error)}
      </p>
      {refusal?.requestId && (
        <p className="faint">
          Request <code>{refusal.requestId}</code>
        </p>
      )}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What a failed action says. */
export function sayFailure(error: unknown): void {
  const refusal = error instanceof Refusal ? error : null;
  toast({
    kind: 'error',
    text: error instanceof Error ? error.message : String(error),
    ...(refusal && { code: refusal.code }),
    ...(refusal?.requestId && { requestId: refusal.requestId }),
  });
}

const TONES: Record<string, string> = {
  ready: 'good',
  ok: 'good',
  starting: 'busy',
  running: 'busy',
  crashed: 'bad',
  error: 'bad',
  timeout: 'warn',
  cancelled: 'warn',
  closed: 'quiet',
};

export function Status({ status }: { status: string }) {
  return <span className={`status ${TONES[status] ?? 'quiet'}`}>{status}</span>;
}

/** How long ago, kept right; its exact time on hover. */
export function Ago({ time }: { time: string }) {
  const now = useNow(5000);
  return (
    <time dateTime={time} title={dateTime(time)}>
      {ago(time, now)}
    </time>
  );
}

export function useNow(every: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · vm-system`;
  }, [title]);
}

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast({ kind: 'info', text: `${what} copied` });
  } catch {
    toast({ kind: 'error', text: `The browser does not let this page copy: ${what} is shown to be copied by hand`, detail: text });
  }
}

export function CopyButton({ text, what, label = what }: { text: () => string; what: string; label?: string }) {
  return (
    <button type="button" className="quiet" onClick={() => void copyText(text(), what)}>
      <Icon name="copy" />
      {label}
    </button>
  );
}

/** A labelled field of a form; what is wrong with it is told to whoever sees it and whoever does not. */
export function Field(props: {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  children: (attributes: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode;
}) {
  const id = useId();
  const described = props.error || props.hint ? `${id}-about` : undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      {props.children({
        id,
        ...(described && { 'aria-describedby': described }),
        ...(props.error && { 'aria-invalid': true as const }),
      })}
      {described && (
        <p id={described} className={props.error ? 'wrong' : 'faint'}>
          {props.error ?? props.hint}
        </p>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Loading() {
  return (
    <p className="loading" role="status">
      Loading…
    </p>
  );
}
