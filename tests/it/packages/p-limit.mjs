// ES modules only, with a dependency of its own that is ES modules too.
import pLimit from 'p-limit';
import Queue from 'yocto-queue';

const { default: again } = await import('p-limit');
const limit = pLimit(2);
let running = 0;
let most = 0;
const task = async n => {
  most = Math.max(most, ++running);
  await new Promise(resolve => setTimeout(resolve, 2));
  running--;
  if (n === 3) throw new RangeError('three');
  return n * n;
};
const ended = await Promise.allSettled([1, 2, 3, 4, 5].map(n => limit(task, n)));
const queue = new Queue();
queue.enqueue('a');
queue.enqueue('b');
console.log(JSON.stringify([
  again === pLimit,
  ended.map(end => end.value ?? String(end.reason)),
  most,
  [limit.activeCount, limit.pendingCount],
  [queue.size, queue.dequeue(), [...queue]],
  (() => { try { pLimit(0); } catch (error) { return error.message; } })(),
  import.meta.url.startsWith('file:'),
]));
