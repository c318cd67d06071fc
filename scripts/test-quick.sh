#!/bin/sh
# Runs the pure and synth tests that depend on a file which differs from the branch `main`, committed or not.
# On main itself: from what is committed.
base=$(git merge-base HEAD main 2>/dev/null || git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
exec jest --ci --changedSince="$base" --passWithNoTests --testPathPatterns '\.(pure|synth)\.test\.ts$' "$@"
