/** Where one types: the editor, what waits to be run, and the search in what was run. */
import { useQuery } from '@tanstack/react-query';
import { lazy, type RefObject, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Refusal } from '../api/client';
import * as inspect from '../api/inspect';
import { useStore } from '../lib/store';
import { Icon } from '../ui/Icon';
import type { EditorActions, EditorHandle } from './Editor';
import { HistorySearch } from './HistorySearch';
import { HistoryWalk } from './history';
import type { Runner } from './runner';

const Editor = lazy(() => import('./Editor'));

/** How many earlier inputs can be recalled. */
const RECALLED = 500;

interface Props {
  sessionId: string;
  runner: Runner;
  /** Whether the session takes input at all, and what to say where it is typed. */
  isEnabled: boolean;
  hint: string;
  isRunning: boolean;
  onStop: () => void;
  onClear: () => void;
  /** What the daemon did not take, to be typed on. */
  given: { text: string } | null;
}

export function ConsoleInput(props: Props) {
  const { sessionId, runner } = props;
  const handle = useRef<EditorHandle | null>(null);
  const walk = useMemo(() => new HistoryWalk(), []);
  const [isEmpty, setEmpty] = useState(true);
  const [isSearching, setSearching] = useState(false);
  const draft = useRef('');
  const { waiting } = useStore(runner.state);

  const { data: past } = useQuery({
    queryKey: ['history', sessionId],
    queryFn: ({ signal }) => inspect.history(sessionId, RECALLED, signal),
  });
  /** How often ↑ was pressed before it was known where it leads. */
  const early = useRef(0);
  useEffect(() => {
    if (!past) return;
    walk.load(past.entries.map((entry) => entry.input));
    for (; early.current > 0; early.current -= 1) {
      const text = walk.older(handle.current?.text() ?? '');
      if (text !== null) handle.current?.set(text);
    }
  }, [past, walk]);

  const run = useCallback(
    (text: string) => {
      walk.push(text);
      runner.enter(text);
    },
    [runner, walk],
  );

  /** What was entered and not looked at yet: whether an input is complete is the daemon's to say, and some type faster. */
  const entered = useRef<{ text: string; force: boolean }[]>([]);
  const isLooking = useRef(false);

  const look = useCallback(async () => {
    if (isLooking.current) return;
    isLooking.current = true;
    let open: string | null = null;
    try {
      for (let next = entered.current.shift(); next !== undefined; next = entered.current.shift()) {
        open = open === null ? next.text : `${open}\n${next.text}`;
        if (next.force || (await isComplete(sessionId, open))) {
          run(open);
          open = null;
        }
      }
    } finally {
      isLooking.current = false;
      const editor = handle.current;
      if (open !== null && editor !== null) {
        // It goes on in the next line, before what was typed since.
        const since = editor.text();
        editor.set(open);
        editor.breakLine();
        if (since !== '') editor.set(editor.text() + since);
      }
    }
  }, [sessionId, run]);

  const enter = useCallback(
    async (force: boolean) => {
      const text = handle.current?.text() ?? draft.current;
      if (text.trim() === '') return;
      // Taken at once, so that whoever types on types the next line, or input.
      handle.current?.set('');
      entered.current.push({ text, force });
      await look();
    },
    [look],
  );

  const actions = useRef<EditorActions>(null as never);
  actions.current = {
    enter: (force) => void enter(force),
    stop: props.onStop,
    clear: props.onClear,
    search: () => setSearching(true),
    older: (current) => {
      if (!walk.isLoaded) early.current += 1;
      return walk.older(current);
    },
    newer: () => walk.newer(),
    complete: (source, cursor) => inspect.completions(sessionId, source, cursor).catch(() => null),
    changed: (text) => {
      draft.current = text;
      setEmpty(text.trim() === '');
    },
  };

  const { given } = props;
  useEffect(() => {
    if (given === null) return;
    const typed = handle.current?.text() ?? '';
    handle.current?.set(typed === '' ? given.text : `${given.text}\n${typed}`);
  }, [given]);

  return (
    <div className="input-area">
      {waiting.length > 0 && props.isRunning && (
        <ol className="waiting" aria-label="Inputs that wait">
          {waiting.map((input) => (
            <li key={input.key}>
              <span className="faint">waits</span> <code>{input.text}</code>
            </li>
          ))}
        </ol>
      )}
      {isSearching && (
        <HistorySearch
          walk={walk}
          onPick={(text) => {
            setSearching(false);
            handle.current?.set(text);
            handle.current?.focus();
          }}
          onClose={() => {
            setSearching(false);
            handle.current?.focus();
          }}
        />
      )}
      <div className={props.isEnabled ? 'input' : 'input disabled'}>
        <span className="mark" aria-hidden="true">
          ❯
        </span>
        <Suspense fallback={<Plain draft={draft} isEnabled={props.isEnabled} hint={props.hint} />}>
          <EditorAt draft={draft} isEnabled={props.isEnabled} hint={props.hint} actions={actions} handle={handle} />
        </Suspense>
        <div className="input-actions">
          {props.isRunning && (
            <button type="button" className="danger" onClick={props.onStop} title="Stop what runs (Esc)">
              <Icon name="stop" />
              Stop
            </button>
          )}
          <button
            type="button"
            className="primary"
            disabled={!props.isEnabled || isEmpty}
            onClick={() => {
              void enter(true);
              handle.current?.focus();
            }}
            title="Run (Enter)"
          >
            <Icon name="play" />
            Run
          </button>
        </div>
      </div>
    </div>
  );
}

/** Whether an input can be run as it is. Where nobody can tell, it is run, and says itself what is wrong with it. */
async function isComplete(sessionId: string, text: string): Promise<boolean> {
  try {
    return (await inspect.check(sessionId, text)).complete;
  } catch (error) {
    if (error instanceof Refusal) return true;
    throw error;
  }
}

/** The editor, with what was typed before it was there. */
function EditorAt(props: {
  draft: RefObject<string>;
  isEnabled: boolean;
  hint: string;
  actions: RefObject<EditorActions>;
  handle: RefObject<EditorHandle | null>;
}) {
  const { draft, ...rest } = props;
  const [initial] = useState(() => draft.current);
  return <Editor initial={initial} {...rest} />;
}

/** What there is to type in until the editor is loaded. */
function Plain(props: { draft: RefObject<string>; isEnabled: boolean; hint: string }) {
  return (
    <textarea
      className="plain-input"
      aria-label="Console input"
      rows={1}
      disabled={!props.isEnabled}
      placeholder={props.hint}
      defaultValue={props.draft.current}
      onChange={(event) => {
        props.draft.current = event.target.value;
      }}
    />
  );
}
