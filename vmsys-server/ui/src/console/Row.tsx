/** One line of the log. */
import { memo, useState } from 'react';
import { Link } from 'wouter';
import type { Event } from '../api/schema';
import { clock } from '../lib/format';
import { type Row, textOf } from './log';
import { parse } from './stack';
import { ValueTree } from './Tree';
import type { Node } from './tree';

/** What is open in the rows, by row and by value. It outlives the rows, which go when they are scrolled out of sight. */
export type Openings = Map<string, ReadonlySet<string>>;

interface Props {
  row: Row;
  sessionId: string;
  withTime: boolean;
  openings: Openings;
  onToggle: () => void;
}

export const LogRow = memo(
  function LogRow({ row, sessionId, withTime, openings, onToggle }: Props) {
    const { event } = row;
    return (
      <div className={`row ${tone(event)}${row.isFirst ? ' first' : ''}`} data-type={event.type}>
        <span className="mark" aria-hidden="true">
          {MARKS[event.type] ?? ''}
        </span>
        <div className="said">
          <Said row={row} sessionId={sessionId} openings={openings} onToggle={onToggle} />
        </div>
        {row.count > 1 && (
          <span className="count" title={`${row.count} times in a row`}>
            <span className="visually-hidden">repeated </span>
            {row.count.toLocaleString('en-GB')}
            <span className="visually-hidden"> times</span>
          </span>
        )}
        {event.type === 'input_echo' && (
          <Link className="permalink" href={`/sessions/${sessionId}/executions/${event.execution_id}`}>
            Details
          </Link>
        )}
        {withTime && <time dateTime={event.ts}>{clock(event.ts)}</time>}
      </div>
    );
  },
  (before, after) =>
    before.row.event === after.row.event &&
    before.row.count === after.row.count &&
    before.row.isFirst === after.row.isFirst &&
    before.withTime === after.withTime &&
    before.openings === after.openings,
);

const MARKS: Partial<Record<Event['type'], string>> = { input_echo: '❯', value: '←', exception: '✕', system: '■' };

function tone(event: Event): string {
  switch (event.type) {
    case 'console':
      return `console ${event.payload.level}`;
    case 'stderr':
      return 'console stderr';
    case 'stdout':
      return 'console stdout';
    case 'system':
      return `system ${event.payload.level}`;
    default:
      return event.type;
  }
}

function Said({ row, sessionId, openings, onToggle }: Omit<Props, 'withTime'>) {
  const { event, key } = row;
  switch (event.type) {
    case 'console': {
      const { args } = event.payload;
      if (args) return <Arguments args={args} row={key} openings={openings} onToggle={onToggle} />;
      return <Text text={event.payload.text} sessionId={sessionId} />;
    }
    case 'value': {
      const { tree } = event.payload;
      if (tree) return <Arguments args={[tree]} row={key} openings={openings} onToggle={onToggle} />;
      const quoted = event.payload.type === 'string' ? JSON.stringify(event.payload.preview) : event.payload.preview;
      return (
        <span className={`v-${event.payload.type}`}>
          <Text text={quoted} sessionId={sessionId} />
        </span>
      );
    }
    case 'exception':
      return <Stack text={event.payload.stack ?? event.payload.message} fallback="Uncaught" sessionId={sessionId} />;
    case 'system':
      return (
        <>
          {event.payload.code && <code className="code">{event.payload.code}</code>} {event.payload.message}
        </>
      );
    default:
      return <Text text={textOf(event)} sessionId={sessionId} />;
  }
}

/** What was logged: texts as they are, and whatever else as it can be opened. */
export function Arguments(props: { args: Node[]; row: string; openings: Openings; onToggle: () => void }) {
  const { args, row, openings } = props;
  const [, redraw] = useState(0);
  return (
    <div className="args">
      {args.map((node, index) => {
        const place = `${row}/${index}`;
        // Texts are written as they are, as on any console; only what can be opened is a tree.
        if (node.ref === undefined && !node.entries && (node.text ?? '').length <= 200) {
          return (
            <span key={place} className={node.type === 'string' ? 'plain' : `v-${node.type}`}>
              {node.text}
            </span>
          );
        }
        return (
          <ValueTree
            key={place}
            root={node}
            all={args}
            label="Value"
            open={openings.get(place) ?? NONE}
            onOpen={(open) => {
              openings.set(place, open);
              props.onToggle();
              redraw((count) => count + 1);
            }}
          />
        );
      })}
    </div>
  );
}

const NONE: ReadonlySet<string> = new Set();

/** More than this of a text is shown when it is asked for. */
const MOST_CHARACTERS = 4000;

function Text({ text, sessionId }: { text: string; sessionId: string }) {
  const [whole, setWhole] = useState(false);
  if (/\n\s+at .+:\d+:\d+\)?/.test(text)) return <Stack text={text} sessionId={sessionId} />;
  if (whole || text.length <= MOST_CHARACTERS) return <span className="text">{text}</span>;
  return (
    <span className="text">
      {text.slice(0, MOST_CHARACTERS)}…{' '}
      <button type="button" className="link" onClick={() => setWhole(true)}>
        Show all {text.length.toLocaleString('en-GB')} characters
      </button>
    </span>
  );
}

/** An error: what it says, and the calls that led there, files of the worktree as links. */
export function Stack({ text, fallback, sessionId }: { text: string; fallback?: string; sessionId: string }) {
  const { message, frames } = parse(text);
  return (
    <div className="stack-trace">
      {fallback && <span className="visually-hidden">{fallback} </span>}
      <div className="message">{message}</div>
      {frames.map((frame, index) => (
        <div key={`${index} ${frame.text}`} className="frame">
          {frame.file ? (
            <>
              at {frame.name && `${frame.name} `}
              <Link href={`/sessions/${sessionId}/files?path=${encodeURIComponent(frame.file)}&line=${frame.line}`}>
                {frame.file}:{frame.line}:{frame.column}
              </Link>
            </>
          ) : (
            frame.text
          )}
        </div>
      ))}
    </div>
  );
}
