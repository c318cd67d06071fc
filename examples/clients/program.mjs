/**
 * `node --import tsx examples/clients/program.mjs <client>`: reads statements from the standard input, one a line, and prints `> ` and
 * the first value of what each answers, or `error: ` and what is wrong. Tests ask it, see test/clients/recipe.ts.
 */
import { createInterface } from 'node:readline';

const { query, close } = await import(`./${process.argv[2]}/recipe.mjs`);

for await (const statement of createInterface({ input: process.stdin })) {
  try {
    const [row] = await query(statement);
    console.log(`> ${Object.values(row)[0]}`);
  } catch (error) {
    console.log(`> error: ${messagesOf(error).join(': ').replace(/\s+/g, ' ')}`);
  }
}
await close();

/** ORMs put the error of the driver into one of their own. */
function messagesOf(error) {
  const inside = [error.cause, error.parent, ...error.errors ?? []].filter(each => each instanceof Error);
  return [error.message, ...inside.flatMap(messagesOf)].filter(text => text !== '');
}
