/* global exports */
/**
 * A module that all test files of a worker share, loaded by Node itself: to load aws-cdk-lib anew for each of them would
 * take longer than most of their tests. What a test changes in it, it has to change back.
 */
exports.process = (_source, path) => ({ code: `module.exports = requireShared(${JSON.stringify(path)});` });
