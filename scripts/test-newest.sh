#!/bin/sh
# The tests that synthesize, with the newest aws-cdk-lib, constructs and CDK CLI in place of those that are locked. In a copy: the checkout stays as it is.
set -eu
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files --cached --others --exclude-standard | tar -c -T - | tar -x -C "$copy"
cd "$copy"
npm ci --no-audit --no-fund
npm install --no-save --no-audit --no-fund --legacy-peer-deps aws-cdk-lib@latest constructs@latest aws-cdk@latest
node -p "'aws-cdk-lib ' + require('aws-cdk-lib/package.json').version + ', constructs ' + require('constructs/package.json').version"
npx tsx scripts/bundle.ts
npx jsii --silence-warnings=reserved-word
npx jest --ci "$@"
