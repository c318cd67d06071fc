/** The command line, a file that it names, or the app that it runs is wrong. */
export class InputError extends Error {}
