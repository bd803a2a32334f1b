// An ES module whose own imports ("#...") differ by world.
import chalk, { Chalk } from 'chalk';

console.log(JSON.stringify([chalk.red('plain'), new Chalk({ level: 1 }).bold.red('x'), new Chalk({ level: 3 }).hex('#abc')`y`]));
