import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachCustomSynthesis, Stage, type Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AccessReport } from './access-report';
import { collectAccess, collectAppAccess } from './collect';
import { htmlOf } from './html';
import { markdownOf } from './markdown';
import { appAccess } from '../model/app-access';

const RENDERERS = {
  html: htmlOf,
  json: (report: AccessReport) => `${JSON.stringify(report, undefined, 2)}\n`,
  md: markdownOf,
};
type Extension = keyof typeof RENDERERS;

/** Name of a file of the access report, next to the template of the stack. */
export function accessFile(templateFile: string, extension: Extension): string {
  return `${templateFile.replace(/\.template\.json$/, '')}.access.${extension}`;
}

/**
 * Has the access report of a stack written to the cloud assembly when the app is synthesized: everything has been
 * granted then.
 *
 * @param host a construct of the stack, whose synthesis it is
 */
export function writeAccessReport(stack: Stack, host: Construct): void {
  attachCustomSynthesis(host, {
    onSynthesize: ({ outdir }) => {
      write(collectAccess(stack), extension => join(outdir, accessFile(stack.templateFile, extension)));
      const { root } = stack.node;
      // Of the stacks with users one writes the page of the whole app, to where the app is synthesized.
      if (Stage.isStage(root) && [...appAccess(root).rolesByStack.keys()][0] === stack.node.path) {
        write(collectAppAccess(root), extension => join(root.outdir, `access.${extension}`));
      }
    },
  });
}

function write(report: AccessReport, fileOf: (extension: Extension) => string): void {
  for (const [extension, render] of Object.entries(RENDERERS) as [Extension, (report: AccessReport) => string][]) {
    writeFileSync(fileOf(extension), render(report));
  }
}
