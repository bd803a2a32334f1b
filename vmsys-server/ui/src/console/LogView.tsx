/** The log: as long as it may be, no more of it is in the page than is seen. It stays at its end until one scrolls away. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useLayoutEffect, useRef, useState } from 'react';
import type { Row } from './log';
import { LogRow, type Openings } from './Row';

interface Props {
  rows: readonly Row[];
  sessionId: string;
  withTime: boolean;
  openings: Openings;
  onEarlier: (() => void) | null;
  hiddenRuns: number;
  onShowAll: () => void;
  empty: string;
}

/** As much nearer to the end than this is at the end. */
const NEAR = 24;

export function LogView(props: Props) {
  const { rows } = props;
  const view = useRef<HTMLDivElement>(null);
  const sticks = useRef(true);
  const [isAway, setAway] = useState(false);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => view.current,
    estimateSize: () => 25,
    getItemKey: useCallback((index: number) => rows[index]?.key ?? index, [rows]),
    overscan: 12,
  });
  const total = virtual.getTotalSize();

  // Whoever opens a value looks at it: it stays where it is, whatever grows beneath it.
  const onToggle = useCallback(() => {
    sticks.current = false;
    requestAnimationFrame(() => requestAnimationFrame(() => view.current?.dispatchEvent(new Event('scroll'))));
  }, []);

  // Rows are measured as they appear, and the end moves with each that is.
  useLayoutEffect(() => {
    const element = view.current;
    if (sticks.current && element !== null && total >= 0 && rows.length >= 0) element.scrollTop = element.scrollHeight;
  }, [total, rows]);

  const toEnd = () => {
    sticks.current = true;
    setAway(false);
    if (view.current) view.current.scrollTop = view.current.scrollHeight;
  };

  return (
    <div className="log-frame">
      <div
        ref={view}
        className="log"
        role="log"
        aria-label="Console log"
        // What is new is said to those who do not see it; what is scrolled into sight is not new.
        aria-live={isAway ? 'off' : 'polite'}
        aria-relevant="additions"
        tabIndex={0}
        onScroll={() => {
          const element = view.current;
          if (element === null) return;
          const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
          sticks.current = isAtEnd;
          if (isAway === isAtEnd) setAway(!isAtEnd);
        }}
      >
        {props.onEarlier && (
          <button type="button" className="link earlier" onClick={props.onEarlier}>
            Show earlier runs
          </button>
        )}
        {props.hiddenRuns > 0 && (
          <button type="button" className="link earlier" onClick={props.onShowAll}>
            The view was cleared: show everything again
          </button>
        )}
        {rows.length === 0 && <p className="faint pad">{props.empty}</p>}
        <div className="rows" style={{ height: `${total}px` }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return row === undefined ? null : (
              <div
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                className="slot"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <LogRow row={row} sessionId={props.sessionId} withTime={props.withTime} openings={props.openings} onToggle={onToggle} />
              </div>
            );
          })}
        </div>
      </div>
      {isAway && (
        <button type="button" className="to-end" onClick={toEnd}>
          ↓ To the end
        </button>
      )}
    </div>
  );
}
