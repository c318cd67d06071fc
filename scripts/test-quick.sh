#!/bin/sh
# Runs the pure and synth tests of what is not committed or, where all is, of what differs from the branch `main`:
# tests that import a changed file, and those with its name. Nearly all tests import the library as a whole, through
# lib/index.ts; that does not count, or a change in lib/ would be one of everything.
uncommitted() {
  git diff --name-only --diff-filter=d HEAD
  git ls-files --others --exclude-standard
}
of_branch() {
  git diff --name-only --diff-filter=d "$(git merge-base HEAD main 2>/dev/null || git merge-base HEAD origin/main)"
}
changed=$(uncommitted | grep '\.ts$') || changed=$(of_branch | grep '\.ts$') || { echo 'No TypeScript has changed.'; exit 0; }

nothing='<rootDir>/package.json'
# shellcheck disable=SC2086 # no file name has spaces
imports() {
  jest --listTests --findRelatedTests $changed --moduleNameMapper "{\"^(\\\\.\\\\./)+lib$\":\"$nothing\",\"^cdk-aurora-iam-auth$\":\"$nothing\"}"
}
named() {
  for file in $changed; do
    find "$PWD/test" -name "$(basename "$file" .ts)*.test.ts"
  done
}
# Those in checkers/ put all apps through the tools of others.
tests=$( (imports; named) | grep -E '\.(pure|synth)\.test\.ts$' | grep -v /checkers/ | sort -u)
[ -n "$tests" ] || { echo 'No pure or synth test is about what has changed.'; exit 0; }
# shellcheck disable=SC2086
exec jest --ci --runTestsByPath $tests "$@"
