/** Lines over time. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Series {
  label: string;
  /** The name of a colour of the page's. */
  colour: string;
  values: (number | null)[];
}

const HEIGHT = 150;
/** At least so much time is shown, in seconds: one point alone would stand among days. */
const LEAST = 60;

function dataOf(times: number[], series: Series[]): uPlot.AlignedData {
  const [first = 0, last = first] = [times[0], times.at(-1)];
  const isShort = last - first < LEAST;
  const padded = (values: (number | null)[], pad: number | null) => (isShort ? [pad, ...values] : values);
  return [padded(times, last - LEAST), ...series.map((one) => padded(one.values, null))] as uPlot.AlignedData;
}

export default function Chart(props: { title: string; times: number[]; series: Series[]; format: (value: number) => string }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const make = () => {
      plot.current?.destroy();
      const { series, format, times } = latest.current;
      const style = getComputedStyle(element);
      const colour = (name: string) => style.getPropertyValue(name).trim();
      const axis = {
        stroke: colour('--faint-solid'),
        grid: { stroke: colour('--line-solid'), width: 1 },
        ticks: { show: false },
        font: `11px ${style.fontFamily}`,
      };
      plot.current = new uPlot(
        {
          width: element.clientWidth,
          height: HEIGHT,
          legend: { show: false },
          cursor: { show: false },
          scales: {
            y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] },
          },
          axes: [{ ...axis, values: (_, times) => times.map((at) => new Date(at * 1000).toTimeString().slice(0, 8)) }, { ...axis, size: 64, values: (_, values) => values.map(format) }],
          series: [
            {},
            ...series.map((one) => ({ label: one.label, stroke: colour(one.colour), width: 2, points: { show: false } })),
          ],
        },
        dataOf(times, series),
        element,
      );
    };
    make();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', make);
    return () => {
      resized.disconnect();
      scheme.removeEventListener('change', make);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  useEffect(() => {
    plot.current?.setData(dataOf(props.times, props.series));
  });

  const last = (values: (number | null)[]) => values.findLast((value) => value !== null) ?? null;
  return (
    <figure className="chart">
      <figcaption>
        <h3>{props.title}</h3>
        <ul>
          {props.series.map((one) => {
            const value = last(one.values);
            return (
              <li key={one.label}>
                <span className="swatch" style={{ background: `var(${one.colour})` }} aria-hidden="true" />
                {one.label} <strong>{value === null ? '–' : props.format(value)}</strong>
              </li>
            );
          })}
        </ul>
      </figcaption>
      <div ref={host} className="plot" aria-hidden="true" />
    </figure>
  );
}
