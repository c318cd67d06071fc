/* global exports, require */
const { transformSync } = require('esbuild');

/** TypeScript of this repository, without its types: eslint.config.mjs checks them. */
exports.process = (source, path) => transformSync(source, {
  sourcefile: path, loader: 'ts', format: 'cjs', target: 'node20', sourcemap: 'external', sourcesContent: false,
});
