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
            // A minute at least, or the first point would stand among years.
            x: { range: (_, min, max) => [Math.min(min, max - 60), max] },
            y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] },
          },
          axes: [{ ...axis, values: (_, times) => times.map((at) => new Date(at * 1000).toTimeString().slice(0, 8)) }, { ...axis, size: 64, values: (_, values) => values.map(format) }],
          series: [
            {},
            ...series.map((one) => ({ label: one.label, stroke: colour(one.colour), width: 2, points: { show: false } })),
          ],
        },
        [times, ...series.map((one) => one.values)] as uPlot.AlignedData,
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
    plot.current?.setData([props.times, ...props.series.map((one) => one.values)] as uPlot.AlignedData);
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
