// `perf_hooks`: the interfaces that are globals too.
(function (internal) {
  'use strict';
  const { performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure } = internal.part('performance');
  return { performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure };
})
