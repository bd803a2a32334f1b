/** The console of a session: its log, its globals, and where one types. */
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { api, ok, Refusal } from '../api/client';
import { reach } from '../api/connection';
import type { Session } from '../api/schema';
import { useStored } from '../lib/stored';
import { useStore } from '../lib/store';
import { sayFailure } from '../ui/bits';
import { Icon } from '../ui/Icon';
import { type Feed, useShown } from './feed';
import { ConsoleInput } from './Input';
import { type Filter, type Level, LEVELS, NO_FILTER } from './log';
import { LogView } from './LogView';
import type { Openings } from './Row';
import { Runner } from './runner';

const Globals = lazy(() => import('./Globals'));

const NAMES: Record<Level, string> = { error: 'Errors', warn: 'Warnings', info: 'Info', log: 'Log', debug: 'Debug' };

export function Console({ session, feed }: { session: Session; feed: Feed }) {
  const shown = useShown(feed);
  const { state: reached } = useStore(reach);
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [withTime, setWithTime] = useStored('times', false);
  const [withGlobals, setWithGlobals] = useStored('globals', matchMedia('(min-width: 900px)').matches);
  const [given, setGiven] = useState<{ text: string } | null>(null);
  const openings = useRef<Openings>(new Map());
  const { log } = feed;

  const runner = useMemo(
    () =>
      new Runner(
        session.id,
        { isBusy: () => log.running !== undefined, knows: (id) => log.run(id) !== undefined },
        (text, error) => {
          setGiven({ text });
          sayFailure(error);
        },
      ),
    [session.id, log],
  );
  const { version } = shown;
  const rows = useMemo(() => log.rows(filter), [log, filter, version]);
  const running = log.running;
  const { taken, isSending } = useStore(runner.state);
  const isRunning = running !== undefined || taken !== null;
  useEffect(() => runner.look(), [runner, version]);

  const isReady = session.status === 'ready';
  const hint = isReady
    ? 'JavaScript'
    : session.status === 'starting'
      ? 'The session is starting'
      : `The session is ${session.status}: it runs nothing any more`;

  const stop = useCallback(async () => {
    runner.clear();
    const id = log.running?.id ?? runner.state.get().taken;
    if (id === null || id === undefined) return;
    try {
      await ok(api.POST('/api/v1/executions/{execution_id}/cancel', { params: { path: { execution_id: id } } }));
    } catch (error) {
      // It has come to its own end meanwhile: that is as good.
      if (!(error instanceof Refusal && error.code === 'EXECUTION_NOT_RUNNING')) sayFailure(error);
    }
  }, [log, runner]);

  const clear = useCallback(() => {
    const { last } = log;
    if (last) setFilter((before) => ({ ...before, after: { run: last.id, seq: last.events.length } }));
  }, [log]);

  const last = log.last;

  return (
    <div className={withGlobals ? 'console with-globals' : 'console'}>
      <div className="console-main">
        <div className="toolbar" role="toolbar" aria-label="Console view">
          <input
            type="search"
            aria-label="Filter the log"
            placeholder="Filter"
            value={filter.text}
            onChange={(event) => setFilter({ ...filter, text: event.target.value })}
          />
          <div className="levels" role="group" aria-label="Levels">
            {LEVELS.map((level) => (
              <button
                key={level}
                type="button"
                className="toggle"
                aria-pressed={!filter.hidden.has(level)}
                onClick={() => {
                  const hidden = new Set(filter.hidden);
                  if (!hidden.delete(level)) hidden.add(level);
                  setFilter({ ...filter, hidden });
                }}
              >
                {NAMES[level]}
              </button>
            ))}
          </div>
          <div className="grow" />
          <button type="button" className="toggle" aria-pressed={withTime} onClick={() => setWithTime(!withTime)}>
            Times
          </button>
          <button type="button" className="toggle" aria-pressed={withGlobals} onClick={() => setWithGlobals(!withGlobals)}>
            Globals
          </button>
          <button type="button" className="quiet" onClick={clear} title="Clear the view (Ctrl+L)">
            <Icon name="clear" />
            Clear
          </button>
        </div>
        <LogView
          rows={rows}
          sessionId={session.id}
          withTime={withTime}
          openings={openings.current}
          onEarlier={shown.hasEarlier && filter.after === null ? () => void feed.earlier() : null}
          hiddenRuns={filter.after === null ? 0 : 1}
          onShowAll={() => setFilter({ ...filter, after: null })}
          empty={emptyText(shown.isLoaded, filter, log.order.length, isReady)}
        />
        <p className="running" role="status" hidden={!isRunning}>
          {isRunning && (
            <>
              <span className="spinner" aria-hidden="true" /> Running… <kbd>Esc</kbd> stops it
            </>
          )}
        </p>
        <ConsoleInput
          sessionId={session.id}
          runner={runner}
          isEnabled={isReady}
          hint={reached === 'down' && isReady ? 'The daemon does not answer; what you type stays' : hint}
          isRunning={isRunning || isSending}
          onStop={() => void stop()}
          onClear={clear}
          given={given}
        />
      </div>
      {withGlobals && (
        <Suspense fallback={<aside className="globals" aria-label="Globals" />}>
          <Globals sessionId={session.id} isReady={isReady} lastRun={last?.id} isRunning={isRunning} />
        </Suspense>
      )}
    </div>
  );
}

function emptyText(isLoaded: boolean, filter: Filter, runs: number, isReady: boolean): string {
  if (!isLoaded) return 'Loading…';
  if (runs === 0 && !isReady) return 'Nothing has run in it.';
  if (runs === 0) return 'Nothing has run yet. Type JavaScript below, and Enter runs it; ? shows the keys.';
  return filter.after === null ? 'Nothing of the log passes the filter.' : '';
}
