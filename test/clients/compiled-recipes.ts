import { join } from 'node:path';
import { Language } from './recipe';

/** A language whose recipes are compiled with their program, in one folder. */
export interface CompiledLanguage extends Language {
  /** What must be on the machine, with the arguments that tell its version. */
  readonly tools: string[][];
  /** Installs what the recipe needs and compiles it, in its folder. */
  readonly build: string[][];
  /** The command that runs it. */
  command(folder: string): string[];
  /** Tells versions of packages, in the folder. */
  readonly versions: string[];
}

export const JAVA: CompiledLanguage = {
  recipe: 'Recipe.java',
  shared: ['examples/ReusedToken.java', 'examples/clients/Program.java'],
  isCompiled: true,
  token: /^(.*) TOKEN = (new ReusedToken\(.*\));$/m,
  constant: '$1 TOKEN = $2.get()::toString;', // whose object is evaluated once
  tools: [['java', '-version'], ['mvn', '-version']],
  // What comes from Maven Central stays in the user's own repository.
  build: [['mvn', '--quiet', '--batch-mode', 'compile', 'dependency:build-classpath', '-Dmdep.outputFile=classpath']],
  command: folder => [
    'sh',
    '-c',
    `exec java -cp "${join(folder, 'target/classes')}:$(cat ${join(folder, 'classpath')})" Program`,
  ],
  versions: [
    'sh',
    '-c',
    "tr ':' '\\n' < classpath | sed -nE 's:.*/(HikariCP|postgresql|rds)-([0-9.]*)[.]jar:\\1 \\2:p'",
  ],
};

export const GO: CompiledLanguage = {
  recipe: 'recipe.go',
  shared: ['examples/reused_token.go', 'examples/clients/program.go'],
  isCompiled: true,
  token: /^var token = (reusedToken\(.*\))$/m,
  constant: [
    'var constant, failure = $1(context.Background())',
    'var token = func(context.Context) (string, error) { return constant, failure }',
  ].join('\n'),
  tools: [['go', 'version']],
  build: [['go', 'mod', 'tidy'], ['go', 'build', '-o', 'recipe', '.']],
  command: folder => [join(folder, 'recipe')],
  versions: ['sh', '-c', "go list -m -f '{{if not (or .Indirect .Main)}}{{.Path}} {{.Version}}{{end}}' all"],
};

export const RUST: CompiledLanguage = {
  recipe: 'recipe.rs',
  shared: ['examples/reused_token.rs', 'examples/clients/program.rs'],
  isCompiled: true,
  token: /^( +)let token = (ReusedToken::new\(.*\)\.await\?);$/m,
  // Its type is part of the recipe: so it is the same, and never renewed.
  constant: '$1unsafe { env::set_var("TOKEN_REUSE_SECONDS", "1000000") };\n$1let token = $2;',
  tools: [['cargo', '--version']],
  // To compile the AWS SDK takes minutes: once for both copies, or once for all runs where CARGO_TARGET_DIR names a
  // folder. Cargo compares times, and takes the one copy for the other.
  build: [
    [
      'sh',
      '-c',
      'touch recipe.rs && cargo build --quiet --target-dir "$RUST_TARGET" && cp "$RUST_TARGET/debug/recipe" program'.replaceAll(
        '$RUST_TARGET', '${CARGO_TARGET_DIR:-../rust-target}',
      ),
    ],
  ],
  command: folder => [join(folder, 'program')],
  versions: ['sh', '-c', "cargo tree --depth 1 --prefix none | sed -nE 's/^([a-z0-9-]+) v([0-9.]+)$/\\1 \\2/p'"],
};
